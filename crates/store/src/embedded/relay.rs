//! An invitation's outbox: events on their way to an audience beyond the participants.
//!
//! Entries are served in order, a batch of the audience per transaction, and the cursor moves in the
//! same transaction as the inboxes: every member gets every event once. One row in the table of what
//! is due stands for the oldest entry.

use std::sync::Arc;

use ringwire_signaling::relay::batch;
use ringwire_signaling::{InvitationId, Notice, UnixMillis, UserId};
use ringwire_wire::record::decode_event;

use super::fault::Fault;
use super::inbox::Inboxes;
use super::keys;
use super::rows::{OutboxHead, read_users};
use super::write::{Write, Written};
use crate::query::{Due, DueKind};

/// How long an event may wait for the node that committed it before others relay it: that node
/// relays at once, so it died or stands still.
pub(super) const RELAY_AFTER_MS: u64 = 2_000;

fn due_row(id: InvitationId, at: UnixMillis) -> Vec<u8> {
    keys::due(&Due { at, invitation: id, kind: DueKind::Relay })
}

struct Waiting {
    sequence: u64,
    head: OutboxHead,
    body: Vec<u8>,
}

/// The two oldest entries.
fn oldest(write: &Write<'_>, id: InvitationId) -> Result<(Option<Waiting>, Option<Waiting>), Fault> {
    let mut waiting = write.tables.outbox.all(&keys::invitation(id))?.map(|row| {
        let (key, value) = row?;
        let sequence = keys::read_numbered(key.value()).ok_or(Fault::Damaged("an outbox entry's key"))?;
        let (head, body) = OutboxHead::read(value.value())?;
        Ok::<_, Fault>(Waiting { sequence, head, body: body.to_vec() })
    });
    Ok((waiting.next().transpose()?, waiting.next().transpose()?))
}

/// Puts an event into the outbox, if the invitation has an audience.
pub(super) fn enqueue(write: &mut Write<'_>, id: InvitationId, event: &[u8]) -> Result<(), Fault> {
    if write.tables.audiences.get(&keys::invitation(id))?.is_none() {
        return Ok(());
    }
    let last = match write.tables.outbox.all(&keys::invitation(id))?.next_back() {
        Some(row) => Some(row?.0.value().to_vec()),
        None => None,
    };
    let head = OutboxHead { relay_at: write.now.plus(RELAY_AFTER_MS), served: 0 };
    if last.is_none() {
        write.tables.due.insert(&due_row(id, head.relay_at), &[])?;
    }
    let sequence = last.and_then(|key| keys::read_numbered(&key)).map_or(0, |sequence| sequence + 1);
    write.tables.outbox.insert(&keys::numbered(id, sequence), &head.write(event))
}

/// Serves the next batch; whether there is more.
pub(super) fn relay(write: &mut Write<'_>, id: InvitationId) -> Written<bool> {
    let (Some(Waiting { sequence, head, body }), next) = oldest(write, id)? else { return Ok((false, Vec::new())) };
    let event = decode_event(&body).map_err(|_| Fault::Damaged("an outbox entry"))?;
    let audience: Vec<UserId> = match write.tables.audiences.get(&keys::invitation(id))? {
        Some(row) => read_users(row.value())?,
        None => Vec::new(),
    };
    let served = batch(audience.len(), usize::try_from(head.served).unwrap_or(usize::MAX));
    let reached = served.end;
    let recipients = &audience[served];
    let mut inboxes = Inboxes::load(write, recipients)?;

    let event = Arc::new(event);
    let notices = recipients.iter().map(|user| Notice { to: user.clone(), event: Arc::clone(&event) });
    let deliveries = inboxes.append(write, notices, None)?;
    inboxes.save(write)?;
    let key = keys::numbered(id, sequence);
    if reached < audience.len() {
        let served = u32::try_from(reached).unwrap_or(u32::MAX);
        write.tables.outbox.insert(&key, &OutboxHead { served, ..head }.write(&body))?;
        return Ok((true, deliveries));
    }
    write.tables.outbox.remove(&key)?;
    write.tables.due.remove(&due_row(id, head.relay_at))?;
    if let Some(next) = &next {
        write.tables.due.insert(&due_row(id, next.head.relay_at), &[])?;
    }
    Ok((next.is_some(), deliveries))
}

/// Clears what is due for an invitation's outbox.
pub(super) fn clear_due(write: &mut Write<'_>, id: InvitationId) -> Result<(), Fault> {
    match oldest(write, id) {
        Ok((Some(oldest), _)) => write.tables.due.remove(&due_row(id, oldest.head.relay_at)).map(|_| ()),
        // What cannot be read is removed all the same; its row is skipped when it comes due.
        Ok((None, _)) | Err(Fault::Damaged(_)) => Ok(()),
        Err(fault @ Fault::Storage(_)) => Err(fault),
    }
}
