//! A session beside the model of its inbox, and words for its effects.

use super::model::{Inbox, Kind, bob};
use crate::id::{ConnectionId, DeviceId, Origin};
use crate::inbox::{Attachment, Delivery, Position, Resumption, Snapshot, Stretch};
use crate::session::{Effect, Session};

/// The node that holds the session.
pub(super) const INCARNATION: u64 = 7;

pub(super) fn device(name: &str) -> DeviceId {
    DeviceId::parse(name).expect("a device id")
}

pub(super) fn origin(connection: u64) -> Origin {
    Origin { incarnation: INCARNATION, connection: ConnectionId(connection) }
}

pub(super) struct World {
    pub(super) session: Session,
    pub(super) inbox: Inbox,
    invitations: u128,
}

impl World {
    /// Nobody is connected and nothing ever happened.
    pub(super) fn new() -> Self {
        Self { session: Session::new(bob(), INCARNATION), inbox: Inbox::new(), invitations: 0 }
    }

    /// The devices are connected as 1, 2, … and hold the whole inbox of `count` entries.
    pub(super) fn with<const N: usize>(devices: [&str; N], count: usize) -> Self {
        let mut world = Self::new();
        world.append_many(count);
        for (number, name) in (1..).zip(devices) {
            world.attach(number, name).tells([]);
        }
        world
    }

    /// Commits something that is no ring, without ringing a doorbell.
    pub(super) fn append(&mut self) -> Delivery {
        self.append_kind(Kind::Signal)
    }

    pub(super) fn append_many(&mut self, count: usize) -> Vec<Delivery> {
        (0..count).map(|_| self.append()).collect()
    }

    /// Commits an event of an invitation of its own.
    pub(super) fn append_kind(&mut self, kind: Kind) -> Delivery {
        self.invitations += 1;
        self.append_event(kind, self.invitations, None)
    }

    pub(super) fn append_event(&mut self, kind: Kind, bits: u128, origin: Option<Origin>) -> Delivery {
        self.inbox.append(kind.event(bits), origin)
    }

    /// A device connects that holds everything.
    pub(super) fn attach(&mut self, connection: u64, name: &str) -> Told {
        let attachment = self.up_to_date();
        self.attach_with(connection, name, attachment)
    }

    /// What the store says to a device that holds everything.
    pub(super) fn up_to_date(&self) -> Attachment {
        Attachment { position: self.inbox.end, resumption: Resumption::Backlog(Vec::new()) }
    }

    /// A device connects that was at `claim`.
    pub(super) fn resume(&mut self, connection: u64, name: &str, claim: Position) -> Told {
        let attachment = self.inbox.attachment(Some(claim));
        self.attach_with(connection, name, attachment)
    }

    pub(super) fn attach_with(&mut self, connection: u64, name: &str, attachment: Attachment) -> Told {
        let effects = self.session.attach(ConnectionId(connection), device(name), attachment);
        self.told(&effects)
    }

    pub(super) fn detach(&mut self, connection: u64) {
        self.session.detach(ConnectionId(connection));
    }

    pub(super) fn deliver(&mut self, delivery: &Delivery) -> Told {
        let effects = self.session.deliver(delivery.clone());
        self.told(&effects)
    }

    pub(super) fn suspect(&mut self) -> Told {
        let effects = self.session.suspect();
        self.told(&effects)
    }

    /// Reads the inbox after an offset and hands the outcome back at once.
    pub(super) fn fetch(&mut self, after: u64) -> Told {
        let stretch = self.inbox.stretch(after);
        self.fetched(stretch)
    }

    pub(super) fn fetched(&mut self, stretch: Stretch) -> Told {
        let effects = self.session.fetched(stretch);
        self.told(&effects)
    }

    /// Reads a snapshot and hands it back at once.
    pub(super) fn reset(&mut self) -> Told {
        let snapshot = self.inbox.snapshot(Vec::new());
        self.reset_to(&snapshot)
    }

    pub(super) fn reset_to(&mut self, snapshot: &Snapshot) -> Told {
        let effects = self.session.reset(snapshot);
        self.told(&effects)
    }

    pub(super) fn acknowledge(&mut self, connection: u64, offset: u64) -> Told {
        let effects = self.session.acknowledge(ConnectionId(connection), offset);
        self.told(&effects)
    }

    fn told(&self, effects: &[Effect]) -> Told {
        Told(effects.iter().map(|effect| self.words(effect)).collect())
    }

    fn words(&self, effect: &Effect) -> String {
        match effect {
            Effect::Send { to, epoch, entries } => {
                for entry in entries {
                    let committed = &self.inbox.history[&entry.check.0];
                    assert_eq!((epoch, entry), (&committed.epoch, &committed.entry), "sent as it was committed");
                }
                let offsets: Vec<String> = entries.iter().map(|entry| entry.offset.to_string()).collect();
                format!("{} ← {}", to.0, offsets.join(" "))
            }
            Effect::SendSnapshot { to, snapshot } => format!("{} ← snapshot at {}", to.0, snapshot.position.offset),
            Effect::Fetch { after } => format!("fetch after {after}"),
            Effect::Reset { replace: None } => "reset".into(),
            Effect::Reset { replace: Some(epoch) } => format!("reset, replacing epoch {}", epoch.0),
            Effect::Receipt { invitation, device } => format!("receipt of {} by {device}", invitation.bits),
            Effect::SaveAck { position } => format!("save ack {}", position.offset),
            Effect::Close { connection, reason } => format!("close {}: {reason:?}", connection.0),
        }
    }
}

/// Effects in words.
#[must_use]
pub(super) struct Told(Vec<String>);

impl Told {
    /// Compares with all effects that are expected.
    #[track_caller]
    pub(super) fn tells<const N: usize>(self, expected: [&str; N]) {
        assert_eq!(self.0, expected);
    }
}
