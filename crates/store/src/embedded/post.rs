//! Appending to inboxes beside an invitation's state, and receipts.

use redb::ReadableTable;
use ringwire_signaling::{DeviceId, InvitationId, Once, UnixMillis, UserId};

use super::commit::is_stale;
use super::fault::Fault;
use super::inbox::Inboxes;
use super::keys::{self, Mortal};
use super::pushes;
use super::rows::{RecordHead, read_note, write_note};
use super::tables::{Bytes, rows_of};
use super::write::{Write, Written};
use crate::commit::{PostCommit, PostOutcome};

/// Posts, unless it was posted before.
pub(super) fn post(write: &mut Write<'_>, post: PostCommit) -> Written<PostOutcome> {
    let note = post.post.once.as_ref().map(|once| note(post.id, once));
    if let Some((key, _)) = &note
        && let Some(row) = write.tables.once.get(key)?
        && read_note(row.value())?.0 > write.now
    {
        return Ok((PostOutcome::Repeat, Vec::new()));
    }
    if is_stale(post.sent_at, write.now) {
        return Ok((PostOutcome::Stale, Vec::new()));
    }
    let retained = match write.tables.invitations.get(&keys::invitation(post.id))? {
        Some(row) => Some(RecordHead::read(row.value())?.0.retained_until),
        None => None,
    };
    let mut inboxes = Inboxes::load(write, post.post.notices.iter().map(|notice| &notice.to))?;

    if let Some((key, device)) = note {
        write
            .tables
            .once
            .insert(&key, &write_note(post.retained_until, device.as_ref().map_or("", DeviceId::as_str)))?;
        // With a record the note goes when that goes.
        if retained.is_none() {
            write.tables.expiry.insert(&keys::expiry(post.retained_until, &Mortal::Once(key)), &[])?;
        }
    }
    if let Some(user) = &post.post.ends_push {
        pushes::forget_ring(write, post.id, user)?;
    }
    let deliveries = inboxes.append(write, post.post.notices, post.origin)?;
    inboxes.save(write)?;
    Ok((PostOutcome::Posted, deliveries))
}

fn note(id: InvitationId, once: &Once) -> (Vec<u8>, Option<DeviceId>) {
    match once {
        Once::Ring { user, device } => (keys::once_ring(id, user), Some(device.clone())),
        Once::Device { user, device } => (keys::once_device(id, user, device), Some(device.clone())),
        Once::Signal { user, request_id } => (keys::once_signal(id, user, request_id), None),
    }
}

/// The devices that rang first, by user.
pub(super) fn ringing<T: ReadableTable<Bytes, Bytes>>(
    table: &T,
    id: InvitationId,
    now: UnixMillis,
) -> Result<Vec<(UserId, DeviceId)>, Fault> {
    receipts(table, &keys::once_rings(id), now)
}

/// The devices that gave receipts, where each counts.
pub(super) fn received<T: ReadableTable<Bytes, Bytes>>(
    table: &T,
    id: InvitationId,
    now: UnixMillis,
) -> Result<Vec<(UserId, DeviceId)>, Fault> {
    receipts(table, &keys::once_devices(id), now)
}

/// The notes under keys that go on with the user's name.
fn receipts<T: ReadableTable<Bytes, Bytes>>(
    table: &T,
    prefix: &[u8],
    now: UnixMillis,
) -> Result<Vec<(UserId, DeviceId)>, Fault> {
    let damaged = || Fault::Damaged("a receipt");
    let mut receipts = Vec::new();
    for row in rows_of(table, prefix)? {
        let (key, value) = row?;
        let user = key.value().get(prefix.len()..).and_then(|name| name.split(|byte| *byte == 0).next());
        let user = user.and_then(|name| std::str::from_utf8(name).ok());
        let user = user.and_then(|name| UserId::parse(name).ok()).ok_or_else(damaged)?;
        let (retained_until, device) = read_note(value.value())?;
        if retained_until > now {
            receipts.push((user, DeviceId::parse(device).map_err(|_| damaged())?));
        }
    }
    Ok(receipts)
}
