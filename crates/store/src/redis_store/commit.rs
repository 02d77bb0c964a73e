//! Commits: what the rules made, handed to the script; and what it says, handed back.

use std::sync::Arc;

use ringwire_signaling::step::IndexChange;
use ringwire_signaling::{Guard, Invitation, InviteeState, PushChange, PushKind, UnixMillis};
use ringwire_wire::record::{decode_invitation, encode_event, encode_invitation, encode_operation};

use super::draft::{Change, Draft, origin_bytes, small};
use super::fields::{NEVER, id_bytes, marked, read_member};
use super::link::Call;
use super::reply::{self, Parts};
use super::state::State;
use super::traffic::Purpose;
use super::{guards, presence};
use crate::bytes::{Fields, push_text};
use crate::commit::{Commit, CommitOutcome, Stamp, Stored, Tag};
use crate::error::StoreError;
use crate::push::mark;
use crate::query::{Conversation, Due};

/// Commits a transition in one round trip.
pub(super) async fn commit(state: &Arc<State>, commit: Commit) -> Result<CommitOutcome, StoreError> {
    let (draft, call) = draft(state, &commit)?;
    let mut parts = state.link.run_timed(&state.scripts.commit, &call).await?;
    match reply::bytes(parts.next())?.as_slice() {
        b"committed" => {
            heed_unheard(state, &draft, parts.next())?;
            heed_due(state, parts.next())?;
            Ok(CommitOutcome::Committed)
        }
        b"stale" => Ok(CommitOutcome::Stale),
        b"early" => Ok(CommitOutcome::TooEarly),
        b"conflict" => {
            let (head, body) = (reply::optional(parts.next())?, reply::optional(parts.next())?);
            let stored = match (head, body) {
                (Some(head), Some(body)) => Some(Box::new(stored(&head, &body)?)),
                _ => None,
            };
            Ok(CommitOutcome::Conflict(stored))
        }
        b"guarded" => {
            let failures = reply::array(parts.next())?;
            let failures = failures.into_iter().map(|failure| {
                let mut parts = Parts::of(failure)?;
                let at = usize::try_from(reply::integer(&parts.next())?).map_err(|_| reply::unexpected())?;
                let guard = commit.step.guards.get(at).ok_or_else(reply::unexpected)?;
                guards::failure_of(guard, &reply::bytes(parts.next())?)
            });
            Ok(CommitOutcome::Guarded(failures.collect::<Result<_, _>>()?))
        }
        _ => Err(reply::unexpected()),
    }
}

/// Says what became due at once.
fn heed_due(state: &State, members: redis::Value) -> Result<(), StoreError> {
    if members == redis::Value::Nil {
        return Ok(());
    }
    let at = state.link.now();
    let read = |member: Vec<u8>| read_member(&member).map(|(invitation, kind)| Due { at, invitation, kind });
    let due = reply::list(members)?.into_iter().map(read).collect::<Result<_, _>>()?;
    state.bell.due(due);
    Ok(())
}

/// Clears what dead processes left, beside the caller.
pub(super) fn heed_unheard(state: &Arc<State>, draft: &Draft<'_>, unheard: redis::Value) -> Result<(), StoreError> {
    let unheard = match unheard {
        redis::Value::Nil => return Ok(()),
        unheard => reply::list(unheard)?,
    };
    if unheard.is_empty() {
        return Ok(());
    }
    let unheard = unheard.into_iter().filter_map(|name| String::from_utf8(name).ok()).collect();
    let (state, users) = (Arc::clone(state), draft.names());
    state.handle.clone().spawn(async move {
        if let Err(error) = presence::clear_unheard(&state, users, unheard).await {
            tracing::debug!(%error, "presence of a dead process not cleared");
        }
    });
    Ok(())
}

/// Whom a commit concerns, and the call of its script.
fn draft<'a>(state: &'a State, commit: &'a Commit) -> Result<(Draft<'a>, Call), StoreError> {
    let Commit { built_on, tag, step, retained_until, audience, sent_at, not_before, origin } = commit;
    let next = &step.next;
    let is_creation = built_on.is_none();
    let mut draft = Draft::new(state);
    draft.notices(&step.notices)?;
    let mut reads_missed = false;
    for change in &step.index {
        let (user, role, change, id) = match change {
            IndexChange::Add { user, role } => (user, role, Change::Add, next.id),
            IndexChange::Remove { user, role, missed: true } => (user, role, Change::Miss, next.id),
            IndexChange::Remove { user, role, missed: false } => (user, role, Change::Remove, next.id),
            IndexChange::Drop { user, role, invitation } => (user, role, Change::Remove, *invitation),
        };
        reads_missed |= matches!(change, Change::Miss);
        draft.change(user, change, guards::list(*role), id);
    }
    guards::concern(&mut draft, &step.guards);
    let pushes = pack_pushes(&mut draft, &step.pushes);

    let mut call = draft.call(next.id, Purpose::Commit);
    call.key(&state.keys.due(next.id.partition));
    let guards = guards::pack(&mut draft, &mut call, &state.keys, &step.guards);
    let first_history = call.key_count() + 1;
    if is_creation {
        for conversation in conversations(next) {
            call.key(&state.keys.history(&conversation));
        }
    }

    let mut header = Vec::with_capacity(23);
    header.extend_from_slice(&sent_at.0.to_le_bytes());
    header.extend_from_slice(&not_before.map_or(0, |at| at.0).to_le_bytes());
    for number in [draft.user_count(), draft.event_count(), first_history] {
        header.extend_from_slice(&small(number));
    }
    let counts_rings = step.guards.iter().any(|guard| matches!(guard, Guard::RingsBelow { .. }));
    debug_assert!(!(reads_missed && counts_rings), "only creations ring, and nothing is missed by them");
    header.push(if counts_rings { 2 } else { u8::from(reads_missed) });
    call.argument(header);
    call.argument(origin_bytes(*origin));
    call.argument(id_bytes(next.id));
    call.argument(built_on.map(stamp_bytes).as_ref().map_or(&[][..], |stamp| stamp));
    let deadline = next.deadline();
    let mut head = stamp_bytes(Stamp { version: next.version, tag: *tag }).to_vec();
    head.extend_from_slice(&deadline.map_or(NEVER, |at| at.0).to_le_bytes());
    head.extend_from_slice(&retained_until.0.to_le_bytes());
    call.argument(head);
    call.argument(encode_invitation(next));
    call.argument(format!("v{}", step.operation.version));
    call.argument(encode_operation(&step.operation));
    call.argument(retained_until.to_string());
    call.argument(deadline.map(|at| at.to_string()).unwrap_or_default());
    call.argument(if is_creation { active_entry(next, *retained_until) } else { Vec::new() });
    call.argument(guards);
    call.argument(next.terms.created_at.to_string());
    call.argument(step.broadcast.as_ref().map(|event| encode_event(event)).unwrap_or_default());
    let mut members = Vec::new();
    if is_creation {
        for member in audience {
            push_text(&mut members, member.as_str());
        }
    }
    call.argument(members);
    call.argument(pushes);
    draft.finish(&mut call)?;
    guards::name(&mut call, &step.guards);
    Ok((draft, call))
}

/// What changes about pushes and events: what, for whom by number, after how long, for whom by name.
fn pack_pushes<'a>(draft: &mut Draft<'a>, pushes: &'a [PushChange]) -> Vec<u8> {
    let mut packed = Vec::new();
    for change in pushes {
        let (kind, number, patience_ms, user) = match change {
            PushChange::Ring { user, patience_ms } => (PushKind::Ring, draft.user(user), *patience_ms, user),
            PushChange::End { user } => (PushKind::End, 0, 0, user),
            PushChange::Created { inviter } => (PushKind::Created, 0, 0, inviter),
            PushChange::Settled { inviter } => (PushKind::Settled, 0, 0, inviter),
        };
        packed.push(mark(kind));
        packed.extend_from_slice(&small(number));
        packed.extend_from_slice(&u32::try_from(patience_ms).unwrap_or(u32::MAX).to_le_bytes());
        push_text(&mut packed, user.as_str());
    }
    packed
}

/// An invitation as it stands in the lists of those who take part in it.
fn active_entry(invitation: &Invitation, retained_until: UnixMillis) -> Vec<u8> {
    let terms = &invitation.terms;
    let mut entry = marked(invitation.id).to_vec();
    entry.extend_from_slice(&terms.created_at.0.to_le_bytes());
    entry.extend_from_slice(&retained_until.0.to_le_bytes());
    entry.push(u8::from(terms.timeout_s > 0));
    push_text(&mut entry, terms.inviter.as_str());
    entry
}

fn stamp_bytes(stamp: Stamp) -> [u8; 24] {
    let mut bytes = [0; 24];
    bytes[..8].copy_from_slice(&stamp.version.to_le_bytes());
    bytes[8..].copy_from_slice(&stamp.tag.0.to_le_bytes());
    bytes
}

/// Reads a record.
pub(super) fn stored(head: &[u8], body: &[u8]) -> Result<Stored, StoreError> {
    let mut fields = Fields::of(head, "an invitation's head");
    let _version = fields.number()?;
    let tag = Tag(fields.wide()?);
    let invitation = decode_invitation(body).map_err(|_| StoreError::Damaged("an invitation".to_owned()))?;
    Ok(Stored { invitation, tag })
}

/// The conversations in whose history an invitation stands, for its whole life.
fn conversations(invitation: &Invitation) -> Vec<Conversation> {
    let terms = &invitation.terms;
    if terms.online_user_only {
        return Vec::new();
    }
    if let Some(group) = &terms.group {
        return vec![Conversation::Group(group.clone())];
    }
    let rung = invitation.invitees.iter().filter(|invitee| !matches!(invitee.state, InviteeState::Failed(_)));
    rung.map(|invitee| Conversation::Pair(terms.inviter.clone(), invitee.user.clone())).collect()
}
