//! Committing a transition: compare, check the guards, write.

use ringwire_signaling::step::IndexChange;
use ringwire_signaling::{InviteeState, UnixMillis, UserId};
use ringwire_wire::record::{decode_invitation, encode_event, encode_invitation, encode_operation};

use super::expiry;
use super::fault::Fault;
use super::guards;
use super::inbox::Inboxes;
use super::keys::{self, Mortal};
use super::presence::Presence;
use super::pushes;
use super::relay;
use super::rows::{ActiveRow, RecordHead, write_users};
use super::write::{Write, Written};
use crate::commit::{Commit, CommitOutcome, STALE_AFTER_MS, Stored};
use crate::query::{Conversation, Due, DueKind};

/// Commits a transition. Everything is checked before anything is written. Says which pushes became due at once.
pub(super) fn commit(write: &mut Write<'_>, commit: Commit, presence: &Presence) -> Written<(CommitOutcome, Vec<Due>)> {
    let mut due = Vec::new();
    let (outcome, deliveries) = judge(write, commit, presence, &mut due)?;
    Ok(((outcome, due), deliveries))
}

fn judge(write: &mut Write<'_>, mut commit: Commit, presence: &Presence, due: &mut Vec<Due>) -> Written<CommitOutcome> {
    let id = commit.step.next.id;
    let found = Found::read(write, &keys::invitation(id))?;
    if found.as_ref().is_some_and(|found| found.head.tag == commit.tag) {
        return Ok((CommitOutcome::Committed, Vec::new()));
    }
    if is_stale(commit.sent_at, write.now) {
        return Ok((CommitOutcome::Stale, Vec::new()));
    }
    if commit.not_before.is_some_and(|not_before| write.now < not_before) {
        return Ok((CommitOutcome::TooEarly, Vec::new()));
    }
    let live = found.as_ref().filter(|found| found.head.retained_until > write.now);
    if live.map(|found| found.head.stamp()) != commit.built_on {
        return Ok((CommitOutcome::Conflict(live.map(Found::stored).transpose()?), Vec::new()));
    }
    let failures = guards::check(write, &commit.step.guards)?;
    if !failures.is_empty() {
        return Ok((CommitOutcome::Guarded(failures), Vec::new()));
    }

    let notices = commit.step.notices.iter().map(|notice| &notice.to);
    let missing = commit.step.index.iter().filter_map(|change| match change {
        IndexChange::Remove { user, missed: true, .. } => Some(user),
        IndexChange::Remove { .. } | IndexChange::Add { .. } | IndexChange::Drop { .. } => None,
    });
    let inboxes = Inboxes::load(write, notices.chain(missing))?;
    let before = match (found, commit.built_on) {
        // What stood here before had expired: it goes with everything of its own.
        (Some(expired), None) => {
            let mut all = usize::MAX;
            expiry::remove_invitation(write, id, expired.head, &mut all)?;
            None
        }
        (found, _) => found.map(|found| found.head),
    };
    let pushes = std::mem::take(&mut commit.step.pushes);
    guards::count_rings(write, &commit.step.guards);
    let deliveries = perform(write, commit, before, inboxes)?;
    *due = pushes::change(write, id, pushes, presence)?;
    Ok((CommitOutcome::Committed, deliveries))
}

/// Whether an idea of the time is too far from the store's.
pub(super) fn is_stale(sent_at: UnixMillis, now: UnixMillis) -> bool {
    sent_at.0.abs_diff(now.0) > STALE_AFTER_MS
}

struct Found {
    head: RecordHead,
    body: Vec<u8>,
}

impl Found {
    fn read(write: &Write<'_>, key: &[u8]) -> Result<Option<Self>, Fault> {
        let Some(row) = write.tables.invitations.get(key)? else { return Ok(None) };
        let (head, body) = RecordHead::read(row.value())?;
        Ok(Some(Self { head, body: body.to_vec() }))
    }

    fn stored(&self) -> Result<Box<Stored>, Fault> {
        let invitation = decode_invitation(&self.body).map_err(|_| Fault::Damaged("an invitation"))?;
        Ok(Box::new(Stored { invitation, tag: self.head.tag }))
    }
}

fn perform(
    write: &mut Write<'_>,
    commit: Commit,
    before: Option<RecordHead>,
    mut inboxes: Inboxes,
) -> Result<Vec<ringwire_signaling::inbox::Delivery>, Fault> {
    let Commit { tag, step, retained_until, audience, origin, .. } = commit;
    let next = &step.next;
    let id = next.id;
    let deadline = next.deadline();
    let head = RecordHead { tag, version: next.version, retained_until, deadline };
    write.tables.invitations.insert(&keys::invitation(id), &head.write(&encode_invitation(next)))?;
    let operation = encode_operation(&step.operation);
    write.tables.operations.insert(&keys::numbered(id, step.operation.version), &operation)?;

    let due_before = before.and_then(|before| before.deadline);
    if due_before != deadline {
        let row = |at| keys::due(&Due { at, invitation: id, kind: DueKind::Deadline });
        if let Some(at) = due_before {
            write.tables.due.remove(&row(at))?;
        }
        if let Some(at) = deadline {
            write.tables.due.insert(&row(at), &[])?;
        }
    }
    let retained_before = before.map(|before| before.retained_until);
    if retained_before != Some(retained_until) {
        if let Some(at) = retained_before {
            write.tables.expiry.remove(&keys::expiry(at, &Mortal::Invitation(id)))?;
        }
        write.tables.expiry.insert(&keys::expiry(retained_until, &Mortal::Invitation(id)), &[])?;
    }

    if before.is_none() {
        if !audience.is_empty() {
            write.tables.audiences.insert(&keys::invitation(id), &write_users(&audience))?;
        }
        for conversation in conversations(next) {
            write.tables.history.insert(&keys::history(&conversation, next.terms.created_at, id), &[])?;
        }
    }
    let deliveries = inboxes.append(write, step.notices, origin)?;
    for change in &step.index {
        apply(write, &mut inboxes, change, &step.next, retained_until)?;
    }
    inboxes.save(write)?;
    if let Some(event) = &step.broadcast {
        relay::enqueue(write, id, &encode_event(event))?;
    }
    Ok(deliveries)
}

fn apply(
    write: &mut Write<'_>,
    inboxes: &mut Inboxes,
    change: &IndexChange,
    next: &ringwire_signaling::Invitation,
    retained_until: UnixMillis,
) -> Result<(), Fault> {
    match change {
        IndexChange::Add { user, role } => {
            let row = ActiveRow::of(next, retained_until).write();
            write.tables.active.insert(&keys::active(user, *role, next.id), &row)?;
        }
        IndexChange::Remove { user, role, missed } => {
            write.tables.active.remove(&keys::active(user, *role, next.id))?;
            if *missed {
                inboxes.miss(write, user, next.id)?;
            }
        }
        IndexChange::Drop { user, role, invitation } => {
            write.tables.active.remove(&keys::active(user, *role, *invitation))?;
        }
    }
    Ok(())
}

/// The conversations in whose history an invitation stands, for its whole life.
pub(super) fn conversations(invitation: &ringwire_signaling::Invitation) -> Vec<Conversation> {
    let terms = &invitation.terms;
    if terms.online_user_only {
        return Vec::new();
    }
    if let Some(group) = &terms.group {
        return vec![Conversation::Group(group.clone())];
    }
    let rung = invitation.invitees.iter().filter(|invitee| !matches!(invitee.state, InviteeState::Failed(_)));
    rung.map(|invitee: &ringwire_signaling::Invitee| -> &UserId { &invitee.user })
        .map(|user| Conversation::Pair(terms.inviter.clone(), user.clone()))
        .collect()
}
