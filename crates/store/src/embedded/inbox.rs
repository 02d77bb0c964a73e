//! Appending to inboxes, keeping them within their bounds, and letting them pass away.

use std::collections::BTreeMap;
use std::sync::Arc;

use ringwire_signaling::inbox::{Delivery, Entry, Epoch};
use ringwire_signaling::limits::{INBOX_BYTES, INBOX_EVENTS, MISSED_AGE_MS, SNAPSHOT_MISSED};
use ringwire_signaling::{Event, InvitationId, Notice, Origin, UnixMillis, UserId};
use ringwire_wire::record::encode_event;

use super::fault::Fault;
use super::keys::{self, Mortal};
use super::rows::{EntryHead, HEAD_TTL_MS, Head, read_time, write_time};
use super::tables::Tables;
use super::write::Write;

/// The inboxes that one operation writes to. Loaded before the first write, because a row that does
/// not read back must end the operation while nothing is written.
pub(super) struct Inboxes {
    heads: BTreeMap<UserId, Touched>,
    /// Events that went to several users, with their bodies.
    bodies: Vec<(Arc<Event>, Vec<u8>)>,
}

struct Touched {
    head: Head,
    changed: bool,
}

impl Inboxes {
    pub(super) fn load<'a>(write: &mut Write<'_>, users: impl IntoIterator<Item = &'a UserId>) -> Result<Self, Fault> {
        let mut heads = BTreeMap::new();
        for user in users {
            if heads.contains_key(user) {
                continue;
            }
            let stored = match write.tables.heads.get(&keys::user(user))? {
                Some(row) => Some(Head::read(row.value())?),
                None => None,
            };
            let touched = match stored {
                Some(head) => Touched { head, changed: false },
                None => Touched { head: Head::new(write.dice.epoch()?, write.now), changed: true },
            };
            heads.insert(user.clone(), touched);
        }
        Ok(Self { heads, bodies: Vec::new() })
    }

    /// Appends the notices in their order.
    pub(super) fn append(
        &mut self,
        write: &mut Write<'_>,
        notices: impl IntoIterator<Item = Notice>,
        origin: Option<Origin>,
    ) -> Result<Vec<Delivery>, Fault> {
        notices.into_iter().map(|notice| self.append_one(write, notice, origin)).collect()
    }

    fn append_one(&mut self, write: &mut Write<'_>, notice: Notice, origin: Option<Origin>) -> Result<Delivery, Fault> {
        let body = body_of(&mut self.bodies, &notice.event);
        let touched = self.heads.get_mut(&notice.to).expect("every addressee was loaded");
        touched.changed = true;
        let head = &mut touched.head;
        let row = EntryHead { at: write.now, check: write.dice.check()?, previous: head.check };
        head.offset += 1;
        head.check = row.check;
        head.touched_at = write.now;
        if head.entries() == 1 {
            head.oldest_at = write.now;
        }
        let value = row.write(body);
        head.bytes += value.len() as u64;
        write.tables.entries.insert(&keys::entry(&notice.to, head.offset), &value)?;
        trim(&mut write.tables, &notice.to, head, write.now)?;
        Ok(Delivery {
            user: notice.to,
            epoch: head.epoch,
            entry: Entry { offset: head.offset, check: row.check, previous: row.previous, event: notice.event },
            origin,
        })
    }

    /// Notes that the user missed the invitation, as of the user's last entry.
    pub(super) fn miss(&mut self, write: &mut Write<'_>, user: &UserId, id: InvitationId) -> Result<(), Fault> {
        let touched = self.heads.get_mut(user).expect("everybody who misses was loaded");
        touched.changed = true;
        let key = keys::missed(user, touched.head.offset, id);
        write.tables.missed.insert(&key, &write_time(write.now))?;
        drop_missed(&mut write.tables, user, write.now)?;
        schedule(&mut write.tables, user, &mut touched.head, write.now.plus(MISSED_AGE_MS))
    }

    /// Writes the heads back.
    pub(super) fn save(self, write: &mut Write<'_>) -> Result<(), Fault> {
        for (user, mut touched) in self.heads {
            if touched.changed {
                let at = touched.head.expires_at();
                schedule(&mut write.tables, &user, &mut touched.head, at)?;
                write.tables.heads.insert(&keys::user(&user), &touched.head.write())?;
            }
        }
        Ok(())
    }
}

fn body_of<'a>(bodies: &'a mut Vec<(Arc<Event>, Vec<u8>)>, event: &Arc<Event>) -> &'a [u8] {
    let position = bodies.iter().position(|(known, _)| Arc::ptr_eq(known, event)).unwrap_or_else(|| {
        bodies.push((Arc::clone(event), encode_event(event)));
        bodies.len() - 1
    });
    &bodies[position].1
}

/// Has the inbox looked at by `at`. A row that stands earlier stays: what looks then sets the next.
fn schedule(tables: &mut Tables<'_>, user: &UserId, head: &mut Head, at: UnixMillis) -> Result<(), Fault> {
    if at >= head.sweep_at {
        return Ok(());
    }
    let mortal = Mortal::Inbox(user.clone());
    tables.expiry.remove(&keys::expiry(head.sweep_at, &mortal))?;
    tables.expiry.insert(&keys::expiry(at, &mortal), &[])?;
    head.sweep_at = at;
    Ok(())
}

/// Drops the oldest entries while the inbox is over a bound. The newest one stays, so that a large
/// event reaches its user.
fn trim(tables: &mut Tables<'_>, user: &UserId, head: &mut Head, now: UnixMillis) -> Result<(), Fault> {
    let aged = |head: &Head| EntryHead { at: head.oldest_at, check: head.check, previous: head.check }.is_aged(now);
    while head.entries() > 1 && (head.entries() > INBOX_EVENTS as u64 || head.bytes > INBOX_BYTES as u64 || aged(head))
    {
        drop_oldest(tables, user, head)?;
    }
    Ok(())
}

/// Drops the oldest entry, and remembers its check for whoever resumes from there.
fn drop_oldest(tables: &mut Tables<'_>, user: &UserId, head: &mut Head) -> Result<(), Fault> {
    let key = keys::entry(user, head.first);
    if let Some(row) = tables.entries.get(&key)? {
        head.bytes = head.bytes.saturating_sub(row.value().len() as u64);
        if let Ok((entry, _)) = EntryHead::read(row.value()) {
            head.before = entry.check;
        }
    }
    tables.entries.remove(&key)?;
    head.first += 1;
    if let Some(row) = tables.entries.get(&keys::entry(user, head.first))?
        && let Ok((next, _)) = EntryHead::read(row.value())
    {
        head.oldest_at = next.at;
    }
    Ok(())
}

/// Keeps a user's list of missed invitations within its bounds. When its oldest row expires.
fn drop_missed(tables: &mut Tables<'_>, user: &UserId, now: UnixMillis) -> Result<Option<UnixMillis>, Fault> {
    let mut kept = Vec::new();
    let mut dropped = Vec::new();
    for row in tables.missed.all(&keys::user(user))? {
        let (key, value) = row?;
        // An unreadable time counts as the beginning of time.
        let at = read_time(value.value()).unwrap_or_default();
        if now.since(at) >= MISSED_AGE_MS {
            dropped.push(key.value().to_vec());
        } else {
            kept.push((key.value().to_vec(), at));
        }
    }
    let surplus = kept.len().saturating_sub(SNAPSHOT_MISSED);
    dropped.extend(kept.drain(..surplus).map(|(key, _)| key));
    for key in dropped {
        tables.missed.remove(&key)?;
    }
    Ok(kept.iter().map(|(_, at)| at.plus(MISSED_AGE_MS)).min())
}

/// Makes sure that the user has an inbox and that it lives on.
pub(super) fn ensure(write: &mut Write<'_>, user: &UserId) -> Result<(), Fault> {
    let mut inboxes = Inboxes::load(write, [user])?;
    let now = write.now;
    for touched in inboxes.heads.values_mut() {
        if touched.head.needs_renewal(now) {
            touched.head.touched_at = now;
            touched.changed = true;
        }
    }
    inboxes.save(write)
}

/// Notes how far a user's devices acknowledged; only raises.
pub(super) fn acknowledge(write: &mut Write<'_>, user: &UserId, epoch: Epoch, offset: u64) -> Result<(), Fault> {
    let key = keys::user(user);
    let Some(mut head) = write.tables.heads.get(&key)?.map(|row| Head::read(row.value())).transpose()? else {
        return Ok(());
    };
    let offset = offset.min(head.offset);
    if head.epoch == epoch && offset > head.acknowledged {
        head.acknowledged = offset;
        write.tables.heads.insert(&key, &head.write())?;
    }
    Ok(())
}

/// Gives the inbox a new life. Offsets go on, so that what was missed and what was acknowledged
/// keep their order; entries go, because nothing can be resumed across.
pub(super) fn replace_epoch(write: &mut Write<'_>, user: &UserId, expected: Epoch) -> Result<(), Fault> {
    let key = keys::user(user);
    let Some(mut head) = write.tables.heads.get(&key)?.map(|row| Head::read(row.value())).transpose()? else {
        return Ok(());
    };
    if head.epoch != expected {
        return Ok(());
    }
    write.tables.entries.remove_every(&key)?;
    head.epoch = write.dice.epoch()?;
    head.check = write.dice.check()?;
    head.before = head.check;
    head.first = head.offset + 1;
    head.bytes = 0;
    write.tables.heads.insert(&key, &head.write())
}

/// Looks at an inbox whose time has come: drops what is too old, or all of it when nobody used it
/// for long. Returns how many rows went.
pub(super) fn sweep(write: &mut Write<'_>, user: &UserId, at: UnixMillis, in_use: bool) -> Result<usize, Fault> {
    let key = keys::user(user);
    let mortal = Mortal::Inbox(user.clone());
    write.tables.expiry.remove(&keys::expiry(at, &mortal))?;
    let stored = write.tables.heads.get(&key)?.map(|row| Head::read(row.value()));
    let mut head = match stored {
        Some(Ok(head)) if head.sweep_at != at => return Ok(1),
        Some(Ok(head)) => head,
        // Without a readable head the entries are of no use either.
        Some(Err(_)) | None => return remove(write, user),
    };
    if in_use {
        head.touched_at = write.now;
    }
    if write.now.since(head.touched_at) >= HEAD_TTL_MS {
        return remove(write, user);
    }
    let mut removed = 1;
    while head.entries() > 0
        && (EntryHead { at: head.oldest_at, check: head.check, previous: head.check }).is_aged(write.now)
    {
        drop_oldest(&mut write.tables, user, &mut head)?;
        removed += 1;
    }
    let missed = drop_missed(&mut write.tables, user, write.now)?;
    head.sweep_at = missed.map_or(head.expires_at(), |missed| missed.min(head.expires_at()));
    write.tables.expiry.insert(&keys::expiry(head.sweep_at, &mortal), &[])?;
    write.tables.heads.insert(&key, &head.write())?;
    Ok(removed)
}

fn remove(write: &mut Write<'_>, user: &UserId) -> Result<usize, Fault> {
    let key = keys::user(user);
    let removed = write.tables.entries.remove_every(&key)? + write.tables.missed.remove_every(&key)?;
    write.tables.heads.remove(&key)?;
    Ok(removed + 2)
}
