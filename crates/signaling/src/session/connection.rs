//! What one connection of a session was sent and has acknowledged.

use std::collections::VecDeque;

use crate::id::{DeviceId, InvitationId, Origin, UserId};
use crate::inbox::{Delivery, Entry, Snapshot};
use crate::invitation::InviteeState;
use crate::limits::SENT_RINGS_REMEMBERED;

/// One connection of a session.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The device behind it.
    pub device: DeviceId,
    /// It has all events up to here, or needs them no more.
    pub(super) sent: u64,
    /// It acknowledged all events up to here.
    pub(super) acknowledged: u64,
    rings: VecDeque<SentRing>,
}

#[derive(Clone, Debug)]
struct SentRing {
    invitation: InvitationId,
    offset: u64,
    receipt_due: bool,
}

impl Connection {
    pub(super) fn new(device: DeviceId, sent: u64) -> Self {
        Self { device, sent, acknowledged: 0, rings: VecDeque::new() }
    }

    /// The entries of `deliveries` for this connection: those that it lacks, less the echo of its
    /// own operation, whose result it gets instead.
    pub(super) fn take(&mut self, own: Origin, user: &UserId, deliveries: &[Delivery]) -> Vec<Entry> {
        let entries: Vec<Entry> = deliveries
            .iter()
            .filter(|delivery| delivery.entry.offset > self.sent)
            .filter(|delivery| !(delivery.origin == Some(own) && delivery.entry.event.echoes_action_of(user)))
            .map(|delivery| delivery.entry.clone())
            .collect();
        self.sent = deliveries.last().map_or(self.sent, |last| last.entry.offset.max(self.sent));
        self.note_rings(user, &entries);
        entries
    }

    /// Remembers the rings among `entries`, and forgets receipts that no longer matter.
    pub(super) fn note_rings(&mut self, user: &UserId, entries: &[Entry]) {
        for entry in entries {
            if entry.event.is_ring() {
                self.remember(entry.event.invitation, entry.offset, true);
            } else if entry.event.ends_ring_of(user) {
                self.forget_receipt(entry.event.invitation);
            }
        }
    }

    /// Remembers the rings in a snapshot.
    pub(super) fn note_snapshot(&mut self, user: &UserId, snapshot: &Snapshot) {
        for invitation in &snapshot.active {
            if invitation.invitee(user).is_some_and(|invitee| invitee.state == InviteeState::Pending) {
                self.remember(invitation.id, snapshot.position.offset, true);
            }
        }
        // A snapshot starts the counting of acknowledgements again.
        self.acknowledged = self.acknowledged.min(snapshot.position.offset.saturating_sub(1));
    }

    fn remember(&mut self, invitation: InvitationId, offset: u64, receipt_due: bool) {
        self.rings.retain(|ring| ring.invitation != invitation);
        if self.rings.len() == SENT_RINGS_REMEMBERED {
            self.rings.pop_front();
        }
        self.rings.push_back(SentRing { invitation, offset, receipt_due });
    }

    /// Takes an acknowledgement; the rings whose receipt it is, or none if it says nothing new.
    /// It cannot cover what was never sent.
    pub(super) fn acknowledge(&mut self, offset: u64) -> Option<Vec<InvitationId>> {
        let offset = offset.min(self.sent);
        let due: Vec<InvitationId> = self
            .rings
            .iter()
            .filter(|ring| ring.receipt_due && ring.offset <= offset)
            .map(|ring| ring.invitation)
            .collect();
        if offset <= self.acknowledged && due.is_empty() {
            return None;
        }
        self.acknowledged = offset.max(self.acknowledged);
        Some(due)
    }

    pub(super) fn forget_receipt(&mut self, invitation: InvitationId) {
        for ring in self.rings.iter_mut().filter(|ring| ring.invitation == invitation) {
            ring.receipt_due = false;
        }
    }

    /// Whether the ring of `invitation` was sent before; notes that it is sent.
    pub(super) fn ring_by_name(&mut self, invitation: InvitationId) -> bool {
        let known = self.rings.iter().any(|ring| ring.invitation == invitation);
        if !known {
            self.remember(invitation, self.sent, false);
        }
        known
    }
}
