//! Commits: what the rules made, handed to the script; and what it says, handed back.

use std::sync::Arc;

use ringwire_signaling::guard::Role;
use ringwire_signaling::step::IndexChange;
use ringwire_signaling::{Guard, GuardFailure, Invitation, InvitationId, InviteeState, UserId};
use ringwire_wire::record::{decode_invitation, encode_event, encode_invitation, encode_operation};

use super::draft::{Draft, INVITED, MISSED, SENT};
use super::fields::{Fields, ID, NEVER, id_bytes, push_text};
use super::presence;
use super::reply::{self, Parts};
use super::state::State;
use super::traffic::Purpose;
use crate::commit::{Commit, CommitOutcome, Stamp, Stored, Tag};
use crate::error::StoreError;
use crate::query::Conversation;

/// Commits a transition in one round trip.
pub(super) async fn commit(state: &Arc<State>, commit: Commit) -> Result<CommitOutcome, StoreError> {
    let draft = draft(state, &commit)?;
    let mut parts = state.link.run_timed(&state.scripts.commit, &draft.call).await?;
    match reply::bytes(parts.next())?.as_slice() {
        b"committed" => {
            heed_unheard(state, draft.names(), parts.next())?;
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
                failure_of(guard, &reply::bytes(parts.next())?)
            });
            Ok(CommitOutcome::Guarded(failures.collect::<Result<_, _>>()?))
        }
        _ => Err(reply::unexpected()),
    }
}

/// Clears what dead processes left, beside the caller.
pub(super) fn heed_unheard(state: &Arc<State>, users: Vec<UserId>, unheard: redis::Value) -> Result<(), StoreError> {
    let unheard = match unheard {
        redis::Value::Nil => return Ok(()),
        unheard => reply::list(unheard)?,
    };
    if unheard.is_empty() {
        return Ok(());
    }
    let unheard = unheard.into_iter().filter_map(|name| String::from_utf8(name).ok()).collect();
    let state = Arc::clone(state);
    state.handle.clone().spawn(async move {
        if let Err(error) = presence::clear_unheard(&state, users, unheard).await {
            tracing::debug!(%error, "presence of a dead process not cleared");
        }
    });
    Ok(())
}

fn draft<'a>(state: &'a State, commit: &Commit) -> Result<Draft<'a>, StoreError> {
    let Commit { built_on, tag, step, retained_until, audience, sent_at, not_before, origin } = commit;
    let next = &step.next;
    let mut draft = Draft::new(state, next.id, Purpose::Commit);
    draft.call.number(sent_at);
    draft.call.number(not_before.map_or(0, |at| at.0));
    draft.call.argument("commit");
    draft.call.owned(built_on.map(|stamp| stamp_bytes(stamp).to_vec()).unwrap_or_default());
    let deadline = next.deadline();
    let mut head = stamp_bytes(Stamp { version: next.version, tag: *tag }).to_vec();
    head.extend_from_slice(&deadline.map_or(NEVER, |at| at.0).to_le_bytes());
    head.extend_from_slice(&retained_until.0.to_le_bytes());
    draft.call.owned(head);
    draft.call.owned(encode_invitation(next));
    draft.call.owned(format!("v{}", step.operation.version).into_bytes());
    draft.call.owned(encode_operation(&step.operation));
    draft.call.number(retained_until);
    draft.call.owned(deadline.map(|at| at.to_string().into_bytes()).unwrap_or_default());

    name_users(&mut draft, commit);
    draft.users()?;
    guards(&mut draft, &step.guards);
    draft.notices(&step.notices, *origin)?;
    index(&mut draft, commit);
    let conversations = if built_on.is_none() { conversations(next) } else { Vec::new() };
    draft.call.number(conversations.len());
    if !conversations.is_empty() {
        draft.call.number(next.terms.created_at);
        for conversation in conversations {
            let key = draft.call.key(state.keys.history(&conversation));
            draft.call.number(key);
        }
    }
    draft.call.owned(step.broadcast.as_ref().map(|event| encode_event(event)).unwrap_or_default());
    let mut members = Vec::new();
    if built_on.is_none() {
        for member in audience {
            push_text(&mut members, member.as_str());
        }
    }
    draft.call.owned(members);
    Ok(draft)
}

fn name_users(draft: &mut Draft<'_>, commit: &Commit) {
    let step = &commit.step;
    for notice in &step.notices {
        draft.concerns(&notice.to, None);
    }
    for guard in &step.guards {
        match guard {
            Guard::Below { user, role, .. } => draft.concerns(user, Some(list(*role))),
            Guard::NotInvitedBy { user, .. } | Guard::NotRinging { user } => draft.concerns(user, Some(INVITED)),
            Guard::Members { .. } => {}
        }
    }
    for change in &step.index {
        match change {
            IndexChange::Add { user, role } | IndexChange::Drop { user, role, .. } => {
                draft.concerns(user, Some(list(*role)));
            }
            IndexChange::Remove { user, role, missed } => {
                draft.concerns(user, Some(list(*role)));
                draft.concerns(user, missed.then_some(MISSED));
            }
        }
    }
}

fn guards(draft: &mut Draft<'_>, guards: &[Guard]) {
    draft.call.number(guards.len());
    for guard in guards {
        match guard {
            Guard::Below { user, role, limit } => {
                draft.call.argument("below");
                draft.call.number(draft.user(user));
                draft.call.argument([list(*role)]);
                draft.call.number(limit);
            }
            Guard::NotInvitedBy { user, inviters } => {
                draft.call.argument("apart");
                draft.call.number(draft.user(user));
                draft.call.number(inviters.len());
                for inviter in inviters {
                    draft.call.argument(inviter.as_str());
                }
            }
            Guard::NotRinging { user } => {
                draft.call.argument("quiet");
                draft.call.number(draft.user(user));
            }
            Guard::Members { group, users } => {
                draft.call.argument("members");
                let key = draft.group_key(group);
                draft.call.number(key);
                draft.call.number(users.len());
                for user in users {
                    draft.call.argument(user.as_str());
                }
            }
        }
    }
}

fn index(draft: &mut Draft<'_>, commit: &Commit) {
    let next = &commit.step.next;
    draft.call.number(commit.step.index.len());
    for change in &commit.step.index {
        let (kind, user, role) = match change {
            IndexChange::Add { user, role } => ("add", user, role),
            IndexChange::Remove { user, role, missed: true } => ("missed", user, role),
            IndexChange::Remove { user, role, missed: false } => ("remove", user, role),
            IndexChange::Drop { user, role, .. } => ("drop", user, role),
        };
        draft.call.argument(kind);
        draft.call.number(draft.user(user));
        draft.call.argument([list(*role)]);
        match change {
            IndexChange::Add { .. } => {
                let terms = &next.terms;
                let mut entry = id_bytes(next.id).to_vec();
                entry.extend_from_slice(&terms.created_at.0.to_le_bytes());
                entry.extend_from_slice(&commit.retained_until.0.to_le_bytes());
                entry.push(u8::from(terms.timeout_s > 0));
                push_text(&mut entry, terms.inviter.as_str());
                draft.call.owned(entry);
            }
            IndexChange::Drop { invitation, .. } => draft.call.argument(id_bytes(*invitation)),
            IndexChange::Remove { .. } => {}
        }
    }
}

fn list(role: Role) -> u8 {
    match role {
        Role::Invitee => INVITED,
        Role::Inviter => SENT,
    }
}

fn failure_of(guard: &Guard, said: &[u8]) -> Result<GuardFailure, StoreError> {
    Ok(match guard {
        Guard::Below { user, role, .. } => {
            GuardFailure::Full { user: user.clone(), role: *role, oldest_timerless: smallest(said)? }
        }
        Guard::NotInvitedBy { .. } => {
            GuardFailure::Crossed { invitation: smallest(said)?.ok_or_else(reply::unexpected)? }
        }
        Guard::NotRinging { user } => GuardFailure::Ringing { user: user.clone() },
        Guard::Members { .. } if said == b"missing" => GuardFailure::GroupMissing,
        Guard::Members { users, .. } => {
            let text = std::str::from_utf8(said).map_err(|_| reply::unexpected())?;
            let named = text.split(',').map(|at| users.get(at.parse::<usize>().ok()?).cloned());
            GuardFailure::NotMembers { users: named.collect::<Option<_>>().ok_or_else(reply::unexpected)? }
        }
    })
}

/// The smallest of some ids.
fn smallest(ids: &[u8]) -> Result<Option<InvitationId>, StoreError> {
    let ids = ids.chunks(ID).map(|id| Fields::of(id, "an id").invitation());
    Ok(ids.collect::<Result<Vec<_>, _>>()?.into_iter().min())
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
