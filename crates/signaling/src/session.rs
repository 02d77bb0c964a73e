//! A user's session on one node: which connection is sent what, and what is missing.
//!
//! The session applies deliveries in offset order, detects gaps and rolled-back inboxes, and keeps
//! for each connection what it was sent and what it acknowledged. It asks for reads and writes as
//! [`Effect`]s; whoever performs them hands the outcome back. Nothing is assumed of the order in
//! which deliveries and the outcomes of reads arrive: a read may be older than what was delivered
//! since it was asked for.

mod connection;
mod effect;
mod recovery;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::id::{ConnectionId, DeviceId, InvitationId, Origin, UserId};
use crate::inbox::{Attachment, Delivery, Epoch, Position, Resumption};
use crate::limits::{DEVICES_PER_USER, SESSION_HELD};

pub use connection::Connection;
pub use effect::{CloseReason, Effect};
use recovery::Recovery;

/// The session of one user on one node.
#[derive(Clone, Debug)]
pub struct Session {
    user: UserId,
    /// The node's own incarnation, to know the echoes of its own connections.
    incarnation: u64,
    /// Through where deliveries were applied; none before the first connection attached.
    position: Option<Position>,
    connections: BTreeMap<ConnectionId, Connection>,
    /// Deliveries by offset that do not follow the position: beyond a gap, or before anybody is
    /// connected. All of one epoch, which is the position's while somebody is.
    held: BTreeMap<u64, Delivery>,
    /// The read that is under way.
    recovery: Option<Recovery>,
    /// Something was heard that no read has looked into.
    suspected: bool,
    /// Gaps that a fetch had to fill, for the metrics.
    gaps: u64,
}

impl Session {
    /// A session without connections.
    ///
    /// Create it before the first device is looked up in the store, and deliver to it from then on:
    /// what is committed between that read and [`Session::attach`] waits here.
    #[must_use]
    pub fn new(user: UserId, incarnation: u64) -> Self {
        Self {
            user,
            incarnation,
            position: None,
            connections: BTreeMap::new(),
            held: BTreeMap::new(),
            recovery: None,
            suspected: false,
            gaps: 0,
        }
    }

    /// Whether nobody is connected, so that the session may end.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// The live connections by id.
    pub fn connections(&self) -> impl Iterator<Item = (ConnectionId, &Connection)> {
        self.connections.iter().map(|(id, connection)| (*id, connection))
    }

    /// Gaps that had to be filled by reading the inbox.
    #[must_use]
    pub fn gaps_healed(&self) -> u64 {
        self.gaps
    }

    /// A device connected, and the store said how it goes on.
    pub fn attach(&mut self, id: ConnectionId, device: DeviceId, attachment: Attachment) -> Vec<Effect> {
        let mut effects = self.make_room(&device);
        let end = attachment.position;
        let mut connection = Connection::new(device, end);
        match attachment.resumption {
            Resumption::Backlog(entries) => {
                connection.note_rings(&self.user, entries.iter());
                if !entries.is_empty() {
                    effects.push(Effect::Send { to: id, epoch: end.epoch, entries });
                }
            }
            Resumption::Reset(snapshot) => {
                connection.note_snapshot(&self.user, &snapshot);
                effects.push(Effect::SendSnapshot { to: id, snapshot });
            }
        }
        if self.connections.is_empty() {
            self.position = Some(end);
            self.held.retain(|_, held| held.epoch == end.epoch);
        }
        self.connections.insert(id, connection);
        effects.extend(self.release_held());
        effects.extend(self.heal());
        effects
    }

    /// Closes what the new connection of `device` displaces.
    fn make_room(&mut self, device: &DeviceId) -> Vec<Effect> {
        let same_device = self.connections.iter().find(|(_, connection)| connection.device == *device);
        let displaced = if let Some((id, _)) = same_device {
            Some((*id, CloseReason::Replaced))
        } else if self.connections.len() >= DEVICES_PER_USER {
            // Connection ids grow, so the first is the longest connected.
            self.connections.keys().next().map(|id| (*id, CloseReason::TooManyDevices))
        } else {
            None
        };
        let Some((connection, reason)) = displaced else { return Vec::new() };
        self.connections.remove(&connection);
        vec![Effect::Close { connection, reason }]
    }

    /// A connection ended.
    pub fn detach(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
    }

    /// A doorbell brought an entry.
    pub fn deliver(&mut self, delivery: Delivery) -> Vec<Effect> {
        let Some(position) = self.position.filter(|_| !self.connections.is_empty()) else {
            self.held.retain(|_, held| held.epoch == delivery.epoch);
            self.hold(delivery);
            return Vec::new();
        };
        let offset = delivery.entry.offset;
        if delivery.epoch != position.epoch || (offset == position.offset && delivery.entry.check != position.check) {
            return self.suspect();
        }
        let mut effects = Vec::new();
        if offset > position.offset + 1 {
            self.hold(delivery);
        } else if offset == position.offset + 1 {
            if delivery.entry.previous != position.check {
                return self.diverged(position.epoch);
            }
            effects = self.send(position.epoch, &[delivery]);
            effects.extend(self.release_held());
        }
        effects.extend(self.heal());
        effects
    }

    /// A device says that it holds every event up to `offset`. More than it was sent says nothing:
    /// that is an acknowledgement from before a reset.
    pub fn acknowledge(&mut self, id: ConnectionId, offset: u64) -> Vec<Effect> {
        let Some(connection) = self.connections.get_mut(&id) else { return Vec::new() };
        let Some((rings, position)) = connection.acknowledge(offset) else { return Vec::new() };
        let device = connection.device.clone();
        let mut effects = Vec::new();
        for invitation in rings {
            connection.forget_receipt(invitation);
            effects.push(Effect::Receipt { invitation, device: device.clone() });
        }
        effects.push(Effect::SaveAck { position });
        effects
    }

    /// Whether that connection was sent the ring of `invitation`; if not, notes that it is now.
    pub fn ring_by_name(&mut self, id: ConnectionId, invitation: InvitationId) -> bool {
        self.connections.get_mut(&id).is_some_and(|connection| connection.ring_by_name(invitation))
    }

    /// Sends consecutive deliveries to every connection that lacks them and has all before them.
    fn send(&mut self, epoch: Epoch, deliveries: &[Delivery]) -> Vec<Effect> {
        let Some(last) = deliveries.last() else { return Vec::new() };
        let end = Position { epoch, offset: last.entry.offset, check: last.entry.check };
        if self.position.is_none_or(|position| position.offset < end.offset) {
            self.position = Some(end);
        }
        let user = &self.user;
        let mut effects = Vec::new();
        for (id, connection) in &mut self.connections {
            let own = Origin { incarnation: self.incarnation, connection: *id };
            let entries = connection.take(own, user, epoch, deliveries);
            if !entries.is_empty() {
                effects.push(Effect::Send { to: *id, epoch, entries });
            }
        }
        effects
    }

    /// Keeps a delivery for later. When there is no room the lowest goes: the highest tells how far
    /// the inbox reaches, and a fetch brings what is missing before it.
    fn hold(&mut self, delivery: Delivery) {
        self.held.insert(delivery.entry.offset, delivery);
        if self.held.len() > SESSION_HELD {
            self.held.pop_first();
        }
    }

    /// Applies held deliveries that follow the position.
    fn release_held(&mut self) -> Vec<Effect> {
        let Some(position) = self.position else { return Vec::new() };
        let (mut offset, mut check) = (position.offset, position.check);
        let mut ready = Vec::new();
        while let Some(first) = self.held.first_entry() {
            if *first.key() <= offset {
                first.remove();
            } else if *first.key() == offset + 1 && first.get().entry.previous == check {
                let delivery = first.remove();
                (offset, check) = (delivery.entry.offset, delivery.entry.check);
                ready.push(delivery);
            } else {
                break;
            }
        }
        self.send(position.epoch, &ready)
    }
}
