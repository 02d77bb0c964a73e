//! A model of one user's inbox in a store, and the events that come into it. The user is bob.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::event::{Event, EventBody, Ring};
use crate::id::{InvitationId, Origin, UserId};
use crate::inbox::{Attachment, Check, Delivery, Entry, Epoch, Position, Resumption, Snapshot, Stretch, can_resume};
use crate::invitation::{Audience, Invitation, Outcome};
use crate::partition::Partition;
use crate::time::UnixMillis;

pub(super) fn bob() -> UserId {
    UserId::parse("bob").expect("a user id")
}

pub(super) fn alice() -> UserId {
    UserId::parse("alice").expect("a user id")
}

pub(super) fn id(bits: u128) -> InvitationId {
    InvitationId { partition: Partition(1), bits }
}

/// What may come into bob's inbox.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// He is invited.
    Ring,
    /// The inviter withdrew.
    Cancelled,
    /// One of his devices answered: an echo for that device.
    Answered,
    /// One of his devices invited: an echo for that device.
    Sent,
    /// Something that is no echo, whoever caused it.
    Signal,
}

impl Kind {
    pub(super) fn event(self, bits: u128) -> Event {
        let ring = |invited| Ring {
            invitees: vec![bob()],
            inviter_name: None,
            audience: Audience::Members,
            data: "".into(),
            expires_at: None,
            invited,
            crosses: None,
        };
        let data: Arc<str> = "".into();
        let body = match self {
            Self::Ring => EventBody::Received(ring(true)),
            Self::Cancelled => EventBody::Cancelled { invitees: vec![bob()], device: None, data, reason: None },
            Self::Answered => EventBody::AnsweredElsewhere {
                invitee: bob(),
                outcome: Outcome::Accepted,
                device: None,
                data,
                reason: None,
            },
            Self::Sent => EventBody::Sent { ring: ring(false), device: None, failed: Vec::new() },
            Self::Signal => EventBody::Signal { from: alice(), device: None, data },
        };
        Event {
            invitation: id(bits),
            version: 1,
            at: UnixMillis(0),
            inviter: alice(),
            group: None,
            kind: None,
            timeout_s: 30,
            settled: false,
            ephemeral: false,
            body,
        }
    }
}

/// One user's inbox as a store keeps it.
pub(super) struct Inbox {
    pub(super) end: Position,
    /// What is still there.
    pub(super) entries: Vec<Entry>,
    /// The check of the entry before those.
    before: Check,
    /// Everything that was ever committed, lost or not, by its check.
    pub(super) history: BTreeMap<u32, Delivery>,
    lives: u64,
}

impl Inbox {
    pub(super) fn new() -> Self {
        let end = Position { epoch: Epoch(1), offset: 0, check: Check(0) };
        Self { end, entries: Vec::new(), before: Check(0), history: BTreeMap::new(), lives: 1 }
    }

    pub(super) fn append(&mut self, event: Event, origin: Option<Origin>) -> Delivery {
        let check = u32::try_from(self.history.len()).expect("a short test") + 1;
        let entry = Entry {
            offset: self.end.offset + 1,
            check: Check(check),
            previous: self.end.check,
            event: Arc::new(event),
        };
        self.end = Position { offset: entry.offset, check: entry.check, ..self.end };
        self.entries.push(entry.clone());
        let delivery = Delivery { user: bob(), epoch: self.end.epoch, entry, origin };
        self.history.insert(check, delivery.clone());
        delivery
    }

    /// A failover loses the last `count` entries.
    pub(super) fn roll_back(&mut self, count: usize) {
        for _ in 0..count {
            if self.entries.pop().is_some() {
                let check = self.entries.last().map_or(self.before, |entry| entry.check);
                self.end = Position { offset: self.end.offset - 1, check, ..self.end };
            }
        }
    }

    /// Only the last `count` entries are kept.
    pub(super) fn trim_to(&mut self, count: usize) {
        while self.entries.len() > count {
            self.before = self.entries.remove(0).check;
        }
    }

    pub(super) fn replace_epoch(&mut self, expected: Epoch) {
        if self.end.epoch == expected {
            self.lives += 1;
            self.end = Position { epoch: Epoch(self.lives), offset: 0, check: Check(0) };
            self.entries.clear();
            self.before = Check(0);
        }
    }

    pub(super) fn stretch(&self, after: u64) -> Stretch {
        let entries = self.entries.iter().filter(|entry| entry.offset > after).cloned().collect();
        Stretch { position: self.end, entries }
    }

    pub(super) fn snapshot(&self, active: Vec<Invitation>) -> Snapshot {
        Snapshot { position: self.end, active, missed: Vec::new(), more: false }
    }

    pub(super) fn attachment(&self, claim: Option<Position>) -> Attachment {
        let known = |claim: Position| {
            if self.end.offset - self.entries.len() as u64 == claim.offset {
                Some(self.before)
            } else {
                self.entries.iter().find(|entry| entry.offset == claim.offset).map(|entry| entry.check)
            }
        };
        let resumption = match claim {
            Some(claim) if can_resume(self.end, claim, known(claim)) => {
                Resumption::Backlog(self.stretch(claim.offset).entries)
            }
            Some(_) | None => Resumption::Reset(self.snapshot(Vec::new())),
        };
        Attachment { position: self.end, resumption }
    }
}
