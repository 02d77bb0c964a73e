//! A session among doorbells, reads and hellos that are each under way for as long as it pleases.
//!
//! Devices check what they are sent as strictly as they can. At the end one suspicion and its reads
//! must bring every connection to the end of the inbox.

use std::collections::BTreeMap;

use super::model::{Inbox, Kind, bob};
use super::world::{INCARNATION, device, origin};
use crate::id::{ConnectionId, InvitationId};
use crate::inbox::{Attachment, Delivery, Entry, Position, Snapshot, Stretch};
use crate::limits::{DEVICES_PER_USER, SESSION_HELD};
use crate::session::{Effect, Session};

/// More devices than a user may connect.
pub(super) const DEVICES: usize = DEVICES_PER_USER + 2;
/// Reads that one suspicion may take: a fetch that finds a roll-back, its snapshot, and a fetch each
/// for what was delivered during the one before.
const READS: usize = 6;

/// What may happen next. Numbers choose among what there is.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    Commit {
        kind: Kind,
        invitation: u8,
        origin: usize,
    },
    Doorbell {
        which: usize,
        again: bool,
    },
    DoorbellLost {
        which: usize,
    },
    Suspicion,
    /// The store answers the read that is under way; the answer waits.
    Read,
    ReadArrives,
    ReadFails,
    /// The store answers a hello; the answer waits.
    Hello {
        device: usize,
    },
    HelloArrives {
        which: usize,
    },
    Gone {
        which: usize,
    },
    Ack {
        which: usize,
        offset: u64,
    },
    RollBack {
        count: usize,
    },
    Trim {
        keep: usize,
    },
    NewLife,
}

enum Outcome {
    Stretch(Stretch),
    Snapshot(Snapshot),
}

/// What a device of the model knows.
#[derive(Clone)]
struct Held {
    position: Position,
    /// Where the rings that it shows were, by invitation.
    rings: BTreeMap<InvitationId, u64>,
    acknowledged: u64,
}

pub(super) struct World {
    inbox: Inbox,
    session: Session,
    doorbells: Vec<Delivery>,
    /// The read that the session asked for.
    asked: Option<Effect>,
    read: Option<Outcome>,
    hellos: Vec<(ConnectionId, usize, Option<Held>, Attachment)>,
    connections: BTreeMap<ConnectionId, (usize, Held)>,
    /// What the devices that are not connected hold.
    away: BTreeMap<usize, Held>,
    next_connection: u64,
    /// How often the session asked for a snapshot.
    pub(super) resets: usize,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            inbox: Inbox::new(),
            session: Session::new(bob(), INCARNATION),
            doorbells: Vec::new(),
            asked: None,
            read: None,
            hellos: Vec::new(),
            connections: BTreeMap::new(),
            away: BTreeMap::new(),
            next_connection: 0,
            resets: 0,
        }
    }

    pub(super) fn happen(&mut self, happening: &Happening) {
        match *happening {
            Happening::Commit { kind, invitation, origin: by } => {
                let by = self.connection(by).map(|id| origin(id.0));
                let delivery = self.inbox.append(kind.event(u128::from(invitation)), by);
                self.doorbells.push(delivery);
            }
            Happening::Doorbell { which, again } => {
                if which < self.doorbells.len() {
                    let delivery = if again { self.doorbells[which].clone() } else { self.doorbells.remove(which) };
                    let effects = self.session.deliver(delivery);
                    self.perform(effects);
                }
            }
            Happening::DoorbellLost { which } => {
                if which < self.doorbells.len() {
                    self.doorbells.remove(which);
                }
            }
            Happening::Suspicion => {
                let effects = self.session.suspect();
                self.perform(effects);
            }
            Happening::Read => self.read(),
            Happening::ReadArrives => self.read_arrives(),
            Happening::ReadFails => {
                if self.asked.take().is_some() {
                    self.read = None;
                    self.session.recovery_failed();
                }
            }
            Happening::Hello { device } => {
                let held = self.away.get(&device).cloned();
                let attachment = self.inbox.attachment(held.as_ref().map(|held| held.position));
                self.next_connection += 1;
                self.hellos.push((ConnectionId(self.next_connection), device, held, attachment));
            }
            Happening::HelloArrives { which } => {
                if which < self.hellos.len() {
                    self.hello_arrives(which);
                }
            }
            Happening::Gone { which } => {
                if let Some(id) = self.connection(which) {
                    self.session.detach(id);
                    self.leave(id);
                }
            }
            Happening::Ack { which, offset } => self.acknowledge(which, offset),
            Happening::RollBack { count } => self.inbox.roll_back(count),
            Happening::Trim { keep } => self.inbox.trim_to(keep),
            Happening::NewLife => self.inbox.replace_epoch(self.inbox.end.epoch),
        }
        assert!(self.session.held.len() <= SESSION_HELD);
        assert!(self.session.connections().map(|(id, _)| id).eq(self.connections.keys().copied()));
    }

    fn connection(&self, which: usize) -> Option<ConnectionId> {
        self.connections.keys().nth(which).copied()
    }

    fn leave(&mut self, id: ConnectionId) {
        if let Some((device, held)) = self.connections.remove(&id) {
            self.away.insert(device, held);
        }
    }

    fn hello_arrives(&mut self, which: usize) {
        let (id, number, held, attachment) = self.hellos.remove(which);
        let fresh = Held { position: attachment.position, rings: BTreeMap::new(), acknowledged: 0 };
        let end = attachment.position;
        let effects = self.session.attach(id, device(&format!("device-{number}")), attachment);
        // The effects come in order: who is displaced goes first.
        self.connections.insert(id, (number, Held { acknowledged: 0, ..held.unwrap_or(fresh) }));
        self.perform(effects);
        let held = &mut self.connections.get_mut(&id).expect("it has just connected").1;
        assert_eq!(held.position.epoch, end.epoch, "a device is told how it goes on");
    }

    fn acknowledge(&mut self, which: usize, offset: u64) {
        let Some(id) = self.connection(which) else { return };
        let (_, held) = &self.connections[&id];
        let (ends, acknowledged) = (held.position, held.acknowledged);
        let effects = self.session.acknowledge(id, offset.min(ends.offset));
        let covered = acknowledged.max(offset.min(ends.offset));
        for effect in effects {
            match effect {
                Effect::Receipt { invitation, device: by } => {
                    let (number, held) = &self.connections[&id];
                    assert_eq!(by, device(&format!("device-{number}")));
                    let ring = held.rings.get(&invitation);
                    assert!(ring.is_some_and(|at| *at <= covered), "a receipt of a ring that it holds");
                }
                Effect::SaveAck { position } => {
                    assert!(position.epoch == ends.epoch && position.offset <= covered);
                }
                Effect::Send { .. }
                | Effect::SendSnapshot { .. }
                | Effect::Fetch { .. }
                | Effect::Reset { .. }
                | Effect::Close { .. } => panic!("an acknowledgement leads to {effect:?}"),
            }
        }
        self.connections.get_mut(&id).expect("it is connected").1.acknowledged = covered;
    }

    fn read(&mut self) {
        self.read = match self.asked {
            Some(Effect::Fetch { after }) => Some(Outcome::Stretch(self.inbox.stretch(after))),
            Some(Effect::Reset { replace }) => {
                if let Some(epoch) = replace {
                    self.inbox.replace_epoch(epoch);
                }
                Some(Outcome::Snapshot(self.inbox.snapshot(Vec::new())))
            }
            Some(_) => panic!("not a read"),
            None => None,
        };
    }

    fn read_arrives(&mut self) {
        let effects = match self.read.take() {
            Some(Outcome::Stretch(stretch)) => {
                self.asked = None;
                self.session.fetched(stretch)
            }
            Some(Outcome::Snapshot(snapshot)) => {
                self.asked = None;
                self.session.reset(&snapshot)
            }
            None => return,
        };
        self.perform(effects);
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send { to, epoch, entries } => {
                    let held = &mut self.connections.get_mut(&to).expect("it is connected").1;
                    assert!(!entries.is_empty());
                    for entry in entries {
                        let committed = &self.inbox.history[&entry.check.0];
                        assert_eq!((epoch, &entry), (committed.epoch, &committed.entry));
                        assert_eq!(epoch, held.position.epoch);
                        assert!(entry.offset > held.position.offset, "sent twice or out of order");
                        assert!(follows(&self.inbox, to, held.position, &entry), "something is left out");
                        held.position = Position { epoch, offset: entry.offset, check: entry.check };
                        held.note(&entry);
                    }
                }
                Effect::SendSnapshot { to, snapshot } => {
                    let held = &mut self.connections.get_mut(&to).expect("it is connected").1;
                    *held = Held { position: snapshot.position, rings: BTreeMap::new(), acknowledged: 0 };
                }
                Effect::Fetch { .. } | Effect::Reset { .. } => {
                    assert!(self.asked.is_none(), "one read at a time");
                    self.resets += usize::from(matches!(effect, Effect::Reset { .. }));
                    self.asked = Some(effect);
                }
                Effect::Close { connection, .. } => self.leave(connection),
                Effect::Receipt { .. } | Effect::SaveAck { .. } => panic!("nobody acknowledged"),
            }
        }
    }

    /// One suspicion, and the reads that it leads to, bring everybody to the end.
    pub(super) fn settle(&mut self) {
        self.read();
        self.read_arrives();
        let effects = self.session.suspect();
        self.perform(effects);
        for _ in 0..READS {
            self.read();
            self.read_arrives();
        }
        assert!(self.asked.is_none(), "it goes on reading");
        assert!(self.session.is_empty() || self.session.held.is_empty());
        for (id, (_, held)) in &self.connections {
            let at_end = ends(&self.inbox, *id, held.position);
            assert!(at_end, "{id:?} is at {:?} of {:?}", held.position, self.inbox.end);
        }
    }
}

impl Held {
    fn note(&mut self, entry: &Entry) {
        if entry.event.is_ring() {
            self.rings.insert(entry.event.invitation, entry.offset);
        } else if entry.event.ends_ring_of(&bob()) {
            self.rings.remove(&entry.event.invitation);
        }
    }
}

/// Whether `entry` comes right after `from`, but for echoes of what `to` did itself.
fn follows(inbox: &Inbox, to: ConnectionId, from: Position, entry: &Entry) -> bool {
    let (mut offset, mut check) = (entry.offset - 1, entry.previous);
    while offset > from.offset {
        let skipped = &inbox.history[&check.0];
        if !is_echo(skipped, to) {
            return false;
        }
        (offset, check) = (offset - 1, skipped.entry.previous);
    }
    check == from.check
}

/// Whether nothing is left for `to` after `from`, but for echoes of what it did itself.
fn ends(inbox: &Inbox, to: ConnectionId, from: Position) -> bool {
    let (mut offset, mut check) = (inbox.end.offset, inbox.end.check);
    while offset > from.offset {
        let skipped = &inbox.history[&check.0];
        if !is_echo(skipped, to) {
            return false;
        }
        (offset, check) = (offset - 1, skipped.entry.previous);
    }
    from.epoch == inbox.end.epoch && offset == from.offset && check == from.check
}

fn is_echo(delivery: &Delivery, to: ConnectionId) -> bool {
    delivery.origin == Some(origin(to.0)) && delivery.entry.event.echoes_action_of(&bob())
}
