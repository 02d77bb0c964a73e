//! A user's inbox: positions in it, and whether a device can go on from where it was.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;
use std::sync::Arc;

use crate::event::Event;
use crate::id::{InvitationId, Origin, UserId};
use crate::invitation::Invitation;
use crate::limits::EPHEMERAL_GRACE_MS;
use crate::time::UnixMillis;

/// One life of an inbox. Another epoch means that positions of the old one say nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

/// Random bits of one inbox entry. Two histories of an inbox that diverged (a failover rolled one
/// back) agree in offsets but not in these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Check(pub u32);

/// A place in an inbox: everything up to and including `offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The inbox's life.
    pub epoch: Epoch,
    /// The last entry's offset; 0 before the first.
    pub offset: u64,
    /// The last entry's check; zero before the first.
    pub check: Check,
}

/// One event in an inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its gap-free position, from 1.
    pub offset: u64,
    /// Its own random bits.
    pub check: Check,
    /// Those of the entry before it.
    pub previous: Check,
    /// What happened.
    pub event: Arc<Event>,
}

impl Entry {
    /// Whether `next` is the entry after this one in the same history.
    #[must_use]
    pub fn precedes(&self, next: &Self) -> bool {
        next.offset == self.offset + 1 && next.previous == self.check
    }
}

/// An entry on its way to the sessions of its user: what a doorbell carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Whose inbox.
    pub user: UserId,
    /// The inbox's life.
    pub epoch: Epoch,
    /// The entry.
    pub entry: Entry,
    /// The connection whose operation this tells of.
    pub origin: Option<Origin>,
}

/// What the store answers to a device that connects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The end of the inbox when it was read.
    pub position: Position,
    /// How the device goes on.
    pub resumption: Resumption,
}

/// How a device that connects goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resumption {
    /// With what it missed, in order.
    Backlog(Vec<Entry>),
    /// From the full state.
    Reset(Snapshot),
}

/// The state of all that concerns a user, read at one position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Where it was read.
    pub position: Position,
    /// Active invitations of the user, oldest first.
    pub active: Vec<Invitation>,
    /// Invitations that ended without the user's answer since the user's last acknowledgement.
    pub missed: Vec<Invitation>,
    /// There are more active ones than were read.
    pub more: bool,
}

/// Part of an inbox, read to fill a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The end of the inbox when it was read.
    pub position: Position,
    /// The entries asked for that still exist, up to `position`.
    pub entries: Vec<Entry>,
}

/// Whether a device's claim of where it was holds.
///
/// `check_at_claim` is the check of the entry at the claimed offset, if it is known: that entry is
/// in the inbox, or is the last that was trimmed from it, or the offset is 0.
#[must_use]
pub fn can_resume(end: Position, claim: Position, check_at_claim: Option<Check>) -> bool {
    claim.epoch == end.epoch && claim.offset <= end.offset && check_at_claim == Some(claim.check)
}

/// The entries of a backlog that a device should still get: those of an online-only invitation go
/// together, a minute after it ended for `reader`, so that no ring stays without its end.
#[must_use]
pub fn without_expired(backlog: Vec<Entry>, reader: &UserId, now: UnixMillis) -> Vec<Entry> {
    let ended: Vec<InvitationId> = backlog
        .iter()
        .map(|entry| &entry.event)
        .filter(|event| event.ephemeral && (event.settled || event.ends_ring_of(reader)))
        .filter(|event| now.since(event.at) > EPHEMERAL_GRACE_MS)
        .map(|event| event.invitation)
        .collect();
    backlog.into_iter().filter(|entry| !ended.contains(&entry.event.invitation)).collect()
}

impl fmt::Display for Epoch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

impl FromStr for Epoch {
    type Err = ParseIntError;
    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:08x}", self.0)
    }
}

impl FromStr for Check {
    type Err = ParseIntError;
    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        u32::from_str_radix(text, 16).map(Self)
    }
}

#[cfg(test)]
mod tests;
