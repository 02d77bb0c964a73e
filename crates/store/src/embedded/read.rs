//! Reading invitations: one, what is due, and what is active.

use std::ops::Bound;
use std::sync::Arc;

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable};
use ringwire_signaling::guard::Role;
use ringwire_signaling::limits;
use ringwire_signaling::{GroupId, InvitationId, Operation, Partition, UnixMillis, UserId};
use ringwire_wire::record::{decode_invitation, decode_operation};

use super::fault::Fault;
use super::rows::RecordHead;
use super::shared::Shared;
use super::tables::{self, Bytes, Name, rows_between, rows_of};
use super::{groups, guards, keys, post};
use crate::commit::Stored;
use crate::query::{Detail, Due, Page};

/// A consistent view of everything committed before it began.
pub(super) struct Reading {
    transaction: ReadTransaction,
    pub(super) now: UnixMillis,
    pub(super) shared: Arc<Shared>,
}

impl Reading {
    pub(super) fn begin(shared: &Arc<Shared>) -> Result<Self, Fault> {
        Ok(Self { transaction: shared.begin_read()?, now: shared.now(), shared: Arc::clone(shared) })
    }

    pub(super) fn table(&self, name: Name) -> Result<ReadOnlyTable<Bytes, Bytes>, Fault> {
        tables::read(&self.transaction, name)
    }

    /// Reads an invitation that is retained.
    pub(super) fn load(&self, id: InvitationId) -> Result<Option<Stored>, Fault> {
        self.load_from(&self.table(tables::INVITATIONS)?, id)
    }

    pub(super) fn load_from(
        &self,
        invitations: &ReadOnlyTable<Bytes, Bytes>,
        id: InvitationId,
    ) -> Result<Option<Stored>, Fault> {
        let Some(row) = ReadableTable::get(invitations, keys::invitation(id).as_slice())? else { return Ok(None) };
        let (head, body) = RecordHead::read(row.value())?;
        if head.retained_until <= self.now {
            return Ok(None);
        }
        let invitation = decode_invitation(body).map_err(|_| Fault::Damaged("an invitation"))?;
        Ok(Some(Stored { invitation, tag: head.tag }))
    }

    pub(super) fn detail(&self, id: InvitationId) -> Result<Option<Detail>, Fault> {
        let Some(stored) = self.load(id)? else { return Ok(None) };
        let table = self.table(tables::OPERATIONS)?;
        let mut operations = Vec::new();
        for row in rows_of(&table, &keys::invitation(id))? {
            operations.push(operation(row?.1.value())?);
        }
        let once = self.table(tables::ONCE)?;
        let ringing = post::ringing(&once, id, self.now)?;
        let received = post::received(&once, id, self.now)?;
        Ok(Some(Detail { invitation: stored.invitation, operations, ringing, received }))
    }

    pub(super) fn due(&self, partitions: &[Partition], until: UnixMillis, limit: usize) -> Result<Vec<Due>, Fault> {
        let mut wanted = [false; 256];
        for partition in partitions {
            wanted[usize::from(partition.0)] = true;
        }
        let table = self.table(tables::DUE)?;
        let end = until.plus(1).0.to_be_bytes();
        let mut due = Vec::new();
        for row in rows_between(&table, Bound::Unbounded, Bound::Excluded(&end))? {
            if due.len() == limit {
                break;
            }
            let entry = keys::read_due(row?.0.value()).ok_or(Fault::Damaged("a row of what is due"))?;
            if wanted[usize::from(entry.invitation.partition.0)] {
                due.push(entry);
            }
        }
        Ok(due)
    }

    pub(super) fn active(&self, user: &UserId, after: Option<InvitationId>, limit: usize) -> Result<Page, Fault> {
        let active = self.table(tables::ACTIVE)?;
        let mut ids: Vec<InvitationId> = Vec::new();
        for role in [Role::Invitee, Role::Inviter] {
            ids.extend(guards::active(&active, user, role, self.now)?.into_iter().map(|(id, _)| id));
        }
        ids.sort_unstable();
        let invitations = self.table(tables::INVITATIONS)?;
        let mut page = Page::default();
        for id in ids.into_iter().filter(|id| after.is_none_or(|after| *id > after)) {
            let Some(stored) = self.load_from(&invitations, id)? else { continue };
            if page.invitations.len() >= limit.max(1) {
                page.next = page.invitations.last().map(|last| last.id);
                break;
            }
            page.invitations.push(stored.invitation);
        }
        Ok(page)
    }

    pub(super) fn members(&self, group: &GroupId) -> Result<Option<Vec<UserId>>, Fault> {
        let groups = self.table(tables::GROUPS)?;
        if ReadableTable::get(&groups, keys::group(group).as_slice())?.is_none() {
            return Ok(None);
        }
        groups::members(&self.table(tables::MEMBERS)?, group).map(Some)
    }
}

/// Reads an operation's body.
pub(super) fn operation(body: &[u8]) -> Result<Operation, Fault> {
    decode_operation(body).map_err(|_| Fault::Damaged("an operation"))
}

const _: () = assert!(limits::PENDING_PER_USER + limits::SENT_PER_USER <= 512, "active() sorts all ids of a user");
