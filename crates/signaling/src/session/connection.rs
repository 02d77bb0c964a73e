//! What one connection of a session was sent and has acknowledged.

use std::collections::VecDeque;

use crate::id::{DeviceId, InvitationId, Origin, UserId};
use crate::inbox::{Check, Delivery, Entry, Epoch, Position, Snapshot};
use crate::invitation::InviteeState;
use crate::limits::SENT_RINGS_REMEMBERED;

/// One connection of a session.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The device behind it.
    pub device: DeviceId,
    /// It was sent all events up to here, or needs them no more.
    pub(super) sent: Position,
    /// It acknowledged all events up to here.
    acknowledged: u64,
    rings: VecDeque<SentRing>,
}

#[derive(Clone, Debug)]
struct SentRing {
    invitation: InvitationId,
    offset: u64,
    receipt_due: bool,
}

impl Connection {
    pub(super) fn new(device: DeviceId, sent: Position) -> Self {
        Self { device, sent, acknowledged: 0, rings: VecDeque::new() }
    }

    /// The entries of consecutive `deliveries` for this connection: those that it lacks, less the
    /// echo of its own operation, whose result it gets instead. None when it lacks others before, or
    /// was sent another history.
    pub(super) fn take(&mut self, own: Origin, user: &UserId, epoch: Epoch, deliveries: &[Delivery]) -> Vec<Entry> {
        let known = deliveries.iter().take_while(|delivery| delivery.entry.offset <= self.sent.offset).count();
        let fresh = &deliveries[known..];
        let (Some(first), Some(last)) = (fresh.first(), fresh.last()) else { return Vec::new() };
        let follows = first.entry.offset == self.sent.offset + 1 && first.entry.previous == self.sent.check;
        if self.sent.epoch != epoch || !follows {
            return Vec::new();
        }
        self.sent = Position { epoch, offset: last.entry.offset, check: last.entry.check };
        self.note_rings(user, fresh.iter().map(|delivery| &delivery.entry));
        let echoes = |delivery: &Delivery| delivery.origin == Some(own) && delivery.entry.event.echoes_action_of(user);
        fresh.iter().filter(|delivery| !echoes(delivery)).map(|delivery| delivery.entry.clone()).collect()
    }

    /// Remembers the rings among `entries`, and forgets receipts that no longer matter.
    pub(super) fn note_rings<'a>(&mut self, user: &UserId, entries: impl Iterator<Item = &'a Entry>) {
        for entry in entries {
            if entry.event.is_ring() {
                self.remember(entry.event.invitation, entry.offset, true);
            } else if entry.event.ends_ring_of(user) {
                self.forget_receipt(entry.event.invitation);
            }
        }
    }

    /// Remembers the rings in a snapshot. What it does not name has ended, unless not all fitted.
    pub(super) fn note_snapshot(&mut self, user: &UserId, snapshot: &Snapshot) {
        let offset = snapshot.position.offset;
        for ring in &mut self.rings {
            ring.offset = offset;
            ring.receipt_due &= snapshot.more;
        }
        for invitation in &snapshot.active {
            if invitation.invitee(user).is_some_and(|invitee| invitee.state == InviteeState::Pending) {
                self.remember(invitation.id, offset, true);
            }
        }
        // A snapshot starts the counting of acknowledgements again.
        self.acknowledged = self.acknowledged.min(offset.saturating_sub(1));
    }

    fn remember(&mut self, invitation: InvitationId, offset: u64, receipt_due: bool) {
        self.rings.retain(|ring| ring.invitation != invitation);
        if self.rings.len() == SENT_RINGS_REMEMBERED {
            self.rings.pop_front();
        }
        self.rings.push_back(SentRing { invitation, offset, receipt_due });
    }

    /// Takes an acknowledgement: the rings whose receipt it is and how far it goes, or none if it
    /// says nothing new. It cannot cover what was never sent.
    pub(super) fn acknowledge(&mut self, offset: u64) -> Option<(Vec<InvitationId>, Position)> {
        if offset > self.sent.offset {
            return None;
        }
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
        let check = if self.acknowledged == self.sent.offset { self.sent.check } else { Check::default() };
        Some((due, Position { offset: self.acknowledged, check, ..self.sent }))
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
            self.remember(invitation, self.sent.offset, false);
        }
        known
    }
}
