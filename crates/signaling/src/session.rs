//! A user's session on one node: which connection is sent what, and what is missing.
//!
//! The session applies deliveries in offset order, detects gaps and rolled-back inboxes, and keeps
//! for each connection what it was sent and what it acknowledged. It asks for reads and writes as
//! [`Effect`]s; whoever performs them hands the outcome back.

mod connection;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::id::{ConnectionId, DeviceId, InvitationId, Origin, UserId};
use crate::inbox::{Attachment, Delivery, Entry, Epoch, Position, Resumption, Snapshot, Stretch};
use crate::limits::{DEVICES_PER_USER, SESSION_HELD};

pub use connection::Connection;

/// The session of one user on one node.
#[derive(Clone, Debug)]
pub struct Session {
    user: UserId,
    /// The node's own incarnation, to know the echoes of its own connections.
    incarnation: u64,
    /// Through where deliveries were applied; none before the first connection attached.
    position: Option<Position>,
    connections: BTreeMap<ConnectionId, Connection>,
    /// Deliveries beyond a gap, by offset.
    held: BTreeMap<u64, Delivery>,
    /// A fetch or a snapshot is under way.
    recovering: bool,
    /// Gaps that a fetch had to fill, for the metrics.
    gaps: u64,
}

/// What the owner of the session does next, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send these entries to that connection.
    Send {
        /// To which connection.
        to: ConnectionId,
        /// The inbox's life.
        epoch: Epoch,
        /// What, in order.
        entries: Vec<Entry>,
    },
    /// Send the full state to that connection.
    SendSnapshot {
        /// To which connection.
        to: ConnectionId,
        /// What.
        snapshot: Snapshot,
    },
    /// Read the inbox after this position, then call [`Session::fetched`].
    Fetch {
        /// The last offset that is held.
        after: u64,
    },
    /// Read a snapshot, then call [`Session::reset`].
    Reset {
        /// First give the inbox a new life, if it is still this one: it was rolled back.
        replace: Option<Epoch>,
    },
    /// Note that a device holds a ring.
    Receipt {
        /// Which invitation rings.
        invitation: InvitationId,
        /// Where.
        device: DeviceId,
    },
    /// Note the highest acknowledged position. May be coalesced: losing it is harmless.
    SaveAck {
        /// Up to where.
        position: Position,
    },
    /// Close that connection; it is no longer part of the session.
    Close {
        /// Which one.
        connection: ConnectionId,
        /// Why.
        reason: CloseReason,
    },
}

/// Why a session closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The same device connected again.
    Replaced,
    /// More devices than allowed; this one was connected longest.
    TooManyDevices,
}

impl Session {
    /// A session without connections.
    #[must_use]
    pub fn new(user: UserId, incarnation: u64) -> Self {
        Self {
            user,
            incarnation,
            position: None,
            connections: BTreeMap::new(),
            held: BTreeMap::new(),
            recovering: false,
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
        let mut connection = Connection::new(device, end.offset);
        match attachment.resumption {
            Resumption::Backlog(entries) => {
                connection.note_rings(&self.user, &entries);
                if !entries.is_empty() {
                    effects.push(Effect::Send { to: id, epoch: end.epoch, entries });
                }
            }
            Resumption::Reset(snapshot) => {
                connection.note_snapshot(&self.user, &snapshot);
                effects.push(Effect::SendSnapshot { to: id, snapshot });
            }
        }
        effects.extend(self.catch_up(end));
        self.connections.insert(id, connection);
        effects
    }

    /// Closes what the new connection of `device` displaces.
    fn make_room(&mut self, device: &DeviceId) -> Vec<Effect> {
        let mut displaced = Vec::new();
        let replaced = self.connections.iter().find(|(_, connection)| connection.device == *device).map(|(id, _)| *id);
        if let Some(connection) = replaced {
            displaced.push(Effect::Close { connection, reason: CloseReason::Replaced });
        } else if self.connections.len() >= DEVICES_PER_USER
            && let Some(connection) = self.connections.keys().next().copied()
        {
            // Connection ids grow, so the first is the longest connected.
            displaced.push(Effect::Close { connection, reason: CloseReason::TooManyDevices });
        }
        for effect in &displaced {
            if let Effect::Close { connection, .. } = effect {
                self.connections.remove(connection);
            }
        }
        displaced
    }

    /// Compares the end of the inbox that a new connection saw with what the others were sent.
    fn catch_up(&mut self, end: Position) -> Vec<Effect> {
        let Some(position) = self.position else {
            self.position = Some(end);
            return Vec::new();
        };
        if self.connections.is_empty() {
            self.held.clear();
            self.position = Some(end);
            Vec::new()
        } else if position.epoch != end.epoch {
            self.recover(Effect::Reset { replace: None })
        } else if end.offset < position.offset {
            self.recover(Effect::Reset { replace: Some(end.epoch) })
        } else if end.offset > position.offset {
            self.recover(Effect::Fetch { after: position.offset })
        } else {
            Vec::new()
        }
    }

    /// A connection ended.
    pub fn detach(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
    }

    /// A doorbell brought an entry.
    pub fn deliver(&mut self, delivery: Delivery) -> Vec<Effect> {
        let Some(position) = self.position else { return Vec::new() };
        let offset = delivery.entry.offset;
        if self.connections.is_empty() || (delivery.epoch == position.epoch && offset <= position.offset) {
            return Vec::new();
        }
        if delivery.epoch != position.epoch {
            return self.recover(Effect::Fetch { after: position.offset });
        }
        if offset > position.offset + 1 {
            if self.held.len() < SESSION_HELD {
                self.held.insert(offset, delivery);
            }
            return self.recover(Effect::Fetch { after: position.offset });
        }
        if delivery.entry.previous != position.check {
            return self.recover(Effect::Reset { replace: Some(position.epoch) });
        }
        let mut effects = self.send(position.epoch, vec![delivery]);
        effects.extend(self.release_held());
        effects
    }

    /// The doorbell may have dropped something: look whether the inbox went on.
    pub fn suspect(&mut self) -> Vec<Effect> {
        match self.position {
            Some(position) if !self.connections.is_empty() => self.recover(Effect::Fetch { after: position.offset }),
            Some(_) | None => Vec::new(),
        }
    }

    /// A fetch brought what follows the position.
    pub fn fetched(&mut self, stretch: Stretch) -> Vec<Effect> {
        self.recovering = false;
        let Some(position) = self.position else { return Vec::new() };
        let end = stretch.position;
        if end.epoch != position.epoch {
            return self.recover(Effect::Reset { replace: None });
        }
        if end.offset < position.offset {
            return self.recover(Effect::Reset { replace: Some(position.epoch) });
        }
        let fresh: Vec<Entry> = stretch.entries.into_iter().filter(|entry| entry.offset > position.offset).collect();
        if end.offset > position.offset {
            self.gaps += 1;
            match fresh.first() {
                Some(first) if first.offset == position.offset + 1 && first.previous == position.check => {}
                Some(first) if first.offset == position.offset + 1 => {
                    return self.recover(Effect::Reset { replace: Some(position.epoch) });
                }
                // What is missing was trimmed from the inbox.
                Some(_) | None => return self.recover(Effect::Reset { replace: None }),
            }
        }
        let user = self.user.clone();
        let deliveries = fresh
            .into_iter()
            .map(|entry| Delivery { user: user.clone(), epoch: end.epoch, entry, origin: None })
            .collect();
        let mut effects = self.send(end.epoch, deliveries);
        effects.extend(self.release_held());
        effects
    }

    /// A snapshot was read: every connection starts again from it.
    pub fn reset(&mut self, snapshot: &Snapshot) -> Vec<Effect> {
        self.recovering = false;
        self.position = Some(snapshot.position);
        self.held.clear();
        let user = &self.user;
        self.connections
            .iter_mut()
            .map(|(id, connection)| {
                connection.sent = snapshot.position.offset;
                connection.note_snapshot(user, snapshot);
                Effect::SendSnapshot { to: *id, snapshot: snapshot.clone() }
            })
            .collect()
    }

    /// Reading failed; the next delivery or [`Session::suspect`] tries again.
    pub fn recovery_failed(&mut self) {
        self.recovering = false;
    }

    /// A device says that it holds every event up to `offset`.
    pub fn acknowledge(&mut self, id: ConnectionId, offset: u64) -> Vec<Effect> {
        let (Some(position), Some(connection)) = (self.position, self.connections.get_mut(&id)) else {
            return Vec::new();
        };
        let Some(rings) = connection.acknowledge(offset) else { return Vec::new() };
        let (device, acknowledged) = (connection.device.clone(), connection.acknowledged);
        let mut effects: Vec<Effect> = Vec::new();
        for invitation in rings {
            self.connections.values_mut().for_each(|connection| connection.forget_receipt(invitation));
            effects.push(Effect::Receipt { invitation, device: device.clone() });
        }
        effects.push(Effect::SaveAck { position: Position { offset: acknowledged, ..position } });
        effects
    }

    /// Whether that connection was sent the ring of `invitation`; if not, notes that it is now.
    pub fn ring_by_name(&mut self, id: ConnectionId, invitation: InvitationId) -> bool {
        self.connections.get_mut(&id).is_some_and(|connection| connection.ring_by_name(invitation))
    }

    /// Sends consecutive deliveries to every connection that lacks them.
    fn send(&mut self, epoch: Epoch, deliveries: Vec<Delivery>) -> Vec<Effect> {
        let Some(last) = deliveries.last() else { return Vec::new() };
        self.position = Some(Position { epoch, offset: last.entry.offset, check: last.entry.check });
        let user = &self.user;
        let mut effects = Vec::new();
        for (id, connection) in &mut self.connections {
            let own = Origin { incarnation: self.incarnation, connection: *id };
            let entries = connection.take(own, user, &deliveries);
            if !entries.is_empty() {
                effects.push(Effect::Send { to: *id, epoch, entries });
            }
        }
        effects
    }

    /// Applies held deliveries that follow the position.
    fn release_held(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        while let (Some(position), Some((offset, delivery))) = (self.position, self.held.pop_first()) {
            if offset <= position.offset {
                continue;
            }
            if offset == position.offset + 1 && delivery.entry.previous == position.check {
                effects.extend(self.send(position.epoch, vec![delivery]));
            } else {
                self.held.insert(offset, delivery);
                effects.extend(self.recover(Effect::Fetch { after: position.offset }));
                break;
            }
        }
        effects
    }

    /// Asks for one recovery at a time.
    fn recover(&mut self, effect: Effect) -> Vec<Effect> {
        if self.recovering {
            return Vec::new();
        }
        self.recovering = true;
        vec![effect]
    }
}
