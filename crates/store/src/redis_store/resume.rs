//! Reading inboxes: how a device that connects goes on, what fills a gap, and the full state.
//!
//! The scripts hand over what lies there, which may be a little more than an inbox holds by its
//! bounds. The bounds are kept here.

use std::cmp::Reverse;
use std::sync::Arc;

use ringwire_signaling::guard::Role;
use ringwire_signaling::inbox::{
    Attachment, Check, Entry, Epoch, Position, Resumption, Snapshot, Stretch, can_resume, without_expired,
};
use ringwire_signaling::limits::{
    INBOX_AGE_MS, INBOX_BYTES, INBOX_EVENTS, MISSED_AGE_MS, SNAPSHOT_ACTIVE, SNAPSHOT_MISSED, SNAPSHOT_TIMERLESS_MS,
};
use ringwire_signaling::{Invitation, InvitationId, InviteeState, UserId};
use ringwire_wire::record::decode_event;

use super::dice::random;
use super::fields::{Active, Head, read_active, read_missed};
use super::link::Call;
use super::membership::Local;
use super::presence::{self, Attaching, attach_call};
use super::read;
use super::reply::{self, Parts};
use super::state::State;
use super::traffic::Purpose;
use crate::bytes::Fields;
use crate::error::StoreError;
use crate::query::Attach;

/// Bytes of `data` in one snapshot, so that it stays one frame of bounded size.
const SNAPSHOT_BYTES: usize = 256 * 1024;

/// What a script that attaches returns.
struct Inbox {
    head: Head,
    /// The entries asked for, as they lie; none if nothing was asked or it cannot be had.
    entries: Option<Vec<Vec<u8>>>,
    invited: Vec<Active>,
    sent: Vec<Active>,
    missed: Vec<u8>,
}

impl Inbox {
    fn read(parts: &mut Parts) -> Result<Self, StoreError> {
        let head = Head::read(&reply::bytes(parts.next())?)?;
        let entries = match parts.next() {
            redis::Value::Nil => None,
            entries => Some(reply::list(entries)?),
        };
        let invited = read_active(&reply::bytes(parts.next())?)?;
        let sent = read_active(&reply::bytes(parts.next())?)?;
        Ok(Self { head, entries, invited, sent, missed: reply::bytes(parts.next())? })
    }

    async fn ask(state: &State, attaching: &Attaching<'_>) -> Result<Self, StoreError> {
        let call = attach_call(state, attaching)?;
        Self::read(&mut state.link.run_timed(&state.scripts.attach, &call).await?)
    }
}

/// Registers a connection and says how it goes on. One round trip, and one more for a snapshot that
/// is not empty.
pub(super) async fn attach(state: &State, attach: Attach) -> Result<Attachment, StoreError> {
    let Attach { user, device, connection, resume, incarnation: _ } = attach;
    let local: Local = (user, device, connection);
    state.membership.hold(local.clone());
    let incarnation = state.membership.own();
    let attaching = Attaching {
        user: &local.0,
        local: Some(&local),
        incarnation,
        is_return: false,
        epoch: resume.map(|claim| claim.epoch.0),
        after: resume.map(|claim| claim.offset),
    };
    let inbox = match Inbox::ask(state, &attaching).await {
        Ok(inbox) => inbox,
        Err(error) => {
            // It may have been registered all the same.
            state.membership.release(&local);
            state.membership.tell_later(local);
            return Err(error);
        }
    };
    let now = state.membership.own();
    if now != incarnation && state.membership.holds(&local) {
        presence::register(state, &local, now).await?;
    }
    let position = inbox.head.position();
    let resumption = match resume.and_then(|claim| backlog(state, &inbox, claim)) {
        Some(entries) => Resumption::Backlog(without_expired(entries, &local.0, state.link.now())),
        None => Resumption::Reset(full(state, &local.0, &inbox).await?),
    };
    Ok(Attachment { position, resumption })
}

/// Everything after a claim that holds and that the inbox still reaches back to.
fn backlog(state: &State, inbox: &Inbox, claim: Position) -> Option<Vec<Entry>> {
    let missing = inbox.head.offset.checked_sub(claim.offset)?;
    let entries = entries(state, inbox).ok()?;
    // Gap-free from the claim on, or some were too old or too many to be kept.
    if entries.len() as u64 != missing {
        return None;
    }
    let known = entries.first().map_or(inbox.head.check, |first| first.previous);
    can_resume(inbox.head.position(), claim, Some(known)).then_some(entries)
}

/// The entries that an inbox still holds by its bounds.
fn entries(state: &State, inbox: &Inbox) -> Result<Vec<Entry>, StoreError> {
    let Some(lying) = &inbox.entries else { return Ok(Vec::new()) };
    let now = state.link.now();
    let mut bytes = 0;
    let mut kept = Vec::with_capacity(lying.len());
    for (back, entry) in lying.iter().rev().enumerate() {
        let mut fields = Fields::of(entry, "an inbox entry");
        let (at, check, previous): (_, Check, Check) = (fields.time()?, fields.check()?, fields.check()?);
        let _length = fields.short()?;
        bytes += entry.len();
        let is_over = back > 0 && (back >= INBOX_EVENTS || bytes > INBOX_BYTES);
        if is_over || now.since(at) >= INBOX_AGE_MS {
            break;
        }
        let event = decode_event(fields.rest()).map_err(|_| StoreError::Damaged("an event".to_owned()))?;
        let offset = inbox.head.offset.saturating_sub(back as u64);
        kept.push(Entry { offset, check, previous, event: Arc::new(event) });
    }
    kept.reverse();
    Ok(kept)
}

fn reading(user: &UserId, after: Option<u64>) -> Attaching<'_> {
    Attaching { user, local: None, incarnation: 0, is_return: false, epoch: None, after }
}

/// Reads the entries after an offset.
pub(super) async fn stretch(state: &State, user: &UserId, after: u64) -> Result<Stretch, StoreError> {
    let inbox = Inbox::ask(state, &reading(user, Some(after))).await?;
    Ok(Stretch { position: inbox.head.position(), entries: entries(state, &inbox)? })
}

/// Reads the full state.
pub(super) async fn snapshot(state: &State, user: &UserId) -> Result<Snapshot, StoreError> {
    let inbox = Inbox::ask(state, &reading(user, None)).await?;
    full(state, user, &inbox).await
}

/// The full state at an inbox's position. Records are read after it: what they say beyond the position
/// comes as an event too, which whoever holds this state recognises.
async fn full(state: &State, user: &UserId, inbox: &Inbox) -> Result<Snapshot, StoreError> {
    let now = state.link.now();
    let fresh = |row: &Active| {
        row.retained_until > now && (row.has_timer || now.since(row.created_at) <= SNAPSHOT_TIMERLESS_MS)
    };
    // Rings go before what the user sent, and newer before older.
    let mut wanted: Vec<(InvitationId, Role)> = Vec::new();
    for (rows, role) in [(&inbox.invited, Role::Invitee), (&inbox.sent, Role::Inviter)] {
        let mut rows: Vec<Active> = rows.iter().copied().filter(fresh).collect();
        rows.sort_by_key(|row| Reverse((row.created_at, row.id)));
        wanted.extend(rows.into_iter().map(|row| (row.id, role)));
    }
    let missed: Vec<InvitationId> = read_missed(&inbox.missed)?
        .into_iter()
        .rev()
        .take_while(|(offset, _, _)| *offset > inbox.head.acknowledged)
        .take(SNAPSHOT_MISSED)
        .filter(|(_, _, at)| now.since(*at) < MISSED_AGE_MS)
        .map(|(_, id, _)| id)
        .collect();
    let ids: Vec<InvitationId> = wanted.iter().map(|(id, _)| *id).chain(missed.iter().copied()).collect();
    let mut loaded = read::load_all(state, &ids).await?.into_iter();
    let mut active: Vec<Invitation> = Vec::new();
    let (mut bytes, mut more) = (0, false);
    for (stored, (_, role)) in loaded.by_ref().take(wanted.len()).zip(&wanted) {
        let Some(invitation) = stored.map(|stored| stored.invitation) else { continue };
        if more || !takes_part(&invitation, user, *role) {
            continue;
        }
        let size = invitation.data.len();
        if active.len() == SNAPSHOT_ACTIVE || bytes + size > SNAPSHOT_BYTES {
            more = true;
            continue;
        }
        bytes += size;
        active.push(invitation);
    }
    active.sort_by_key(|invitation| (invitation.terms.created_at, invitation.id));
    let mut missed: Vec<Invitation> = loaded.flatten().map(|stored| stored.invitation).collect();
    missed.reverse();
    Ok(Snapshot { position: inbox.head.position(), active, missed, more })
}

/// Whether a record, read after the list that named it, still says so.
pub(super) fn takes_part(invitation: &Invitation, user: &UserId, role: Role) -> bool {
    match role {
        Role::Inviter => !invitation.is_settled(),
        Role::Invitee => invitation.invitee(user).is_some_and(|invitee| invitee.state == InviteeState::Pending),
    }
}

/// Notes how far a user's devices acknowledged; only raises.
pub(super) async fn acknowledge(state: &State, user: &UserId, position: Position) -> Result<(), StoreError> {
    let mut call = Call::new(Purpose::Acknowledge);
    call.key(&state.keys.user(user));
    call.argument(position.epoch.0.to_le_bytes());
    call.number(position.offset);
    state.link.run(&state.scripts.acknowledge, &call).await.map(|_| ())
}

/// Gives the inbox a new epoch if it has the expected one.
pub(super) async fn replace_epoch(state: &State, user: &UserId, expected: Epoch) -> Result<(), StoreError> {
    let mut call = Call::new(Purpose::Attach);
    call.key(&state.keys.user(user));
    call.key(&state.keys.inbox(user));
    call.argument(expected.0.to_le_bytes());
    call.argument(random::<8>()?);
    call.argument(random::<4>()?);
    state.link.run(&state.scripts.replace_epoch, &call).await.map(|_| ())
}
