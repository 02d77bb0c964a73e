//! Reading inboxes: how a device that connects goes on, what fills a gap, and the full state.

use std::cmp::Reverse;
use std::ops::Bound;
use std::sync::Arc;

use redb::{ReadOnlyTable, ReadableTable};
use ringwire_signaling::guard::Role;
use ringwire_signaling::inbox::{
    Attachment, Check, Entry, Position, Resumption, Snapshot, Stretch, can_resume, without_expired,
};
use ringwire_signaling::limits::{MISSED_AGE_MS, SNAPSHOT_ACTIVE, SNAPSHOT_MISSED, SNAPSHOT_TIMERLESS_MS};
use ringwire_signaling::{Invitation, InvitationId, UserId};
use ringwire_wire::record::decode_event;

use super::fault::Fault;
use super::guards;
use super::keys;
use super::read::Reading;
use super::rows::{ActiveRow, EntryHead, Head, read_time};
use super::tables::{self, Bytes, rows_between, rows_of};

/// Bytes of `data` in one snapshot, so that it stays one frame of bounded size.
const SNAPSHOT_BYTES: usize = 256 * 1024;

impl Reading {
    /// The user's inbox, if it has one; and whether its life needs to be prolonged by a write.
    fn head(&self, user: &UserId) -> Result<Option<Head>, Fault> {
        let heads = self.table(tables::HEADS)?;
        ReadableTable::get(&heads, keys::user(user).as_slice())?.map(|row| Head::read(row.value())).transpose()
    }

    /// None when the inbox must be created or prolonged first.
    pub(super) fn attach(&self, user: &UserId, claim: Option<Position>) -> Result<Option<Attachment>, Fault> {
        let Some(head) = self.head(user)?.filter(|head| !head.needs_renewal(self.now)) else { return Ok(None) };
        let end = head.position();
        let backlog = match claim {
            Some(claim) => self.backlog(user, &head, claim)?,
            None => None,
        };
        let resumption = match backlog {
            Some(entries) => Resumption::Backlog(without_expired(entries, user, self.now)),
            None => Resumption::Reset(self.snapshot_at(user, &head)?),
        };
        Ok(Some(Attachment { position: end, resumption }))
    }

    /// Everything after a claim that holds and that the inbox still reaches back to.
    fn backlog(&self, user: &UserId, head: &Head, claim: Position) -> Result<Option<Vec<Entry>>, Fault> {
        if claim.offset > head.offset || claim.offset + 1 < head.first {
            return Ok(None);
        }
        let entries = self.table(tables::ENTRIES)?;
        let known = if claim.offset == head.offset {
            Some(head.check)
        } else if claim.offset + 1 == head.first {
            Some(head.before)
        } else {
            check_at(&entries, user, claim.offset)?
        };
        if !can_resume(head.position(), claim, known) {
            return Ok(None);
        }
        let entries = self.entries_after(&entries, user, claim.offset)?;
        // Gap-free from the claim on, or some were too old to be served.
        let whole = entries.len() as u64 == head.offset - claim.offset;
        Ok(whole.then_some(entries))
    }

    /// The entries after an offset that may still be served.
    fn entries_after(
        &self,
        table: &ReadOnlyTable<Bytes, Bytes>,
        user: &UserId,
        after: u64,
    ) -> Result<Vec<Entry>, Fault> {
        let from = keys::entry(user, after.saturating_add(1));
        let end = keys::above(&keys::user(user));
        let mut entries = Vec::new();
        for row in rows_between(table, Bound::Included(&from), end.as_ref().map(Vec::as_slice))? {
            let (key, value) = row?;
            let (head, body) = EntryHead::read(value.value())?;
            if head.is_aged(self.now) {
                entries.clear();
                continue;
            }
            let offset = offset_of(key.value()).ok_or(Fault::Damaged("an inbox entry's key"))?;
            let event = decode_event(body).map_err(|_| Fault::Damaged("an event"))?;
            entries.push(Entry { offset, check: head.check, previous: head.previous, event: Arc::new(event) });
        }
        Ok(entries)
    }

    /// None when there is no inbox.
    pub(super) fn stretch(&self, user: &UserId, after: u64) -> Result<Option<Stretch>, Fault> {
        let Some(head) = self.head(user)? else { return Ok(None) };
        let entries = self.entries_after(&self.table(tables::ENTRIES)?, user, after)?;
        Ok(Some(Stretch { position: head.position(), entries }))
    }

    /// None when there is no inbox.
    pub(super) fn snapshot(&self, user: &UserId) -> Result<Option<Snapshot>, Fault> {
        self.head(user)?.map(|head| self.snapshot_at(user, &head)).transpose()
    }

    fn snapshot_at(&self, user: &UserId, head: &Head) -> Result<Snapshot, Fault> {
        let (active, more) = self.snapshot_active(user)?;
        Ok(Snapshot { position: head.position(), active, missed: self.snapshot_missed(user, head)?, more })
    }

    /// What is active, oldest first. Where not all fit, rings go before what the user sent, and
    /// newer before older.
    fn snapshot_active(&self, user: &UserId) -> Result<(Vec<Invitation>, bool), Fault> {
        let table = self.table(tables::ACTIVE)?;
        let fresh = |row: &ActiveRow| row.has_timer || self.now.since(row.created_at) <= SNAPSHOT_TIMERLESS_MS;
        let mut ids: Vec<InvitationId> = Vec::new();
        for role in [Role::Invitee, Role::Inviter] {
            let mut rows = guards::active(&table, user, role, self.now)?;
            rows.retain(|(_, row)| fresh(row));
            rows.sort_by_key(|(id, row)| Reverse((row.created_at, *id)));
            ids.extend(rows.into_iter().map(|(id, _)| id));
        }
        let invitations = self.table(tables::INVITATIONS)?;
        let mut active: Vec<Invitation> = Vec::new();
        let mut bytes = 0;
        let mut more = false;
        for id in ids {
            let Some(stored) = self.load_from(&invitations, id)? else { continue };
            let size = stored.invitation.data.len();
            if active.len() == SNAPSHOT_ACTIVE || bytes + size > SNAPSHOT_BYTES {
                more = true;
                break;
            }
            bytes += size;
            active.push(stored.invitation);
        }
        active.sort_by_key(|invitation| (invitation.terms.created_at, invitation.id));
        Ok((active, more))
    }

    /// What ended without the user's answer since the last acknowledgement, newest last.
    fn snapshot_missed(&self, user: &UserId, head: &Head) -> Result<Vec<Invitation>, Fault> {
        let acknowledged = head.acknowledged.max(self.shared.acknowledged(user, head.epoch).min(head.offset));
        let table = self.table(tables::MISSED)?;
        let invitations = self.table(tables::INVITATIONS)?;
        let mut missed = Vec::new();
        for row in rows_of(&table, &keys::user(user))?.rev() {
            let (key, value) = row?;
            let (offset, id) = keys::read_missed(key.value()).ok_or(Fault::Damaged("a missed invitation's key"))?;
            if offset <= acknowledged || missed.len() == SNAPSHOT_MISSED {
                break;
            }
            if self.now.since(read_time(value.value())?) < MISSED_AGE_MS {
                missed.extend(self.load_from(&invitations, id)?.map(|stored| stored.invitation));
            }
        }
        missed.reverse();
        Ok(missed)
    }
}

fn check_at(table: &ReadOnlyTable<Bytes, Bytes>, user: &UserId, offset: u64) -> Result<Option<Check>, Fault> {
    let row = ReadableTable::get(table, keys::entry(user, offset).as_slice())?;
    row.map(|row| EntryHead::read(row.value()).map(|(head, _)| head.check)).transpose()
}

fn offset_of(key: &[u8]) -> Option<u64> {
    key.last_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes))
}
