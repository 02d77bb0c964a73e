//! The values of all tables. States, events and operations inside them are bodies that
//! `ringwire-wire` writes; what the store itself decides by stands before them.

use ringwire_signaling::inbox::{Check, Epoch, Position};
use ringwire_signaling::limits::INBOX_AGE_MS;
use ringwire_signaling::{Invitation, UnixMillis, UserId};

use super::fault::Fault;
use crate::bytes::{Fields, Row};
use crate::commit::{Stamp, Tag};
use crate::push::cut;

/// What stands before an invitation's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordHead {
    pub(super) tag: Tag,
    pub(super) version: u64,
    /// From here on it is as if it were gone.
    pub(super) retained_until: UnixMillis,
    /// Where it stands in the table of what is due.
    pub(super) deadline: Option<UnixMillis>,
}

impl RecordHead {
    pub(super) fn stamp(self) -> Stamp {
        Stamp { version: self.version, tag: self.tag }
    }

    pub(super) fn write(self, body: &[u8]) -> Vec<u8> {
        Row::sized(48 + body.len())
            .wide(self.tag.0)
            .number(self.version)
            .number(self.retained_until.0)
            .number(self.deadline.map_or(NEVER, |deadline| deadline.0))
            .rest(body)
            .finish()
    }

    /// Reads the head and hands on the body.
    pub(super) fn read(row: &[u8]) -> Result<(Self, &[u8]), Fault> {
        let mut fields = Fields::of(row, "an invitation's row");
        let head = Self {
            tag: Tag(fields.wide()?),
            version: fields.number()?,
            retained_until: UnixMillis(fields.number()?),
            deadline: Some(fields.number()?).filter(|at| *at != NEVER).map(UnixMillis),
        };
        Ok((head, fields.rest()))
    }
}

/// No deadline: beyond all times that a clock can show.
const NEVER: u64 = u64::MAX;

/// The state of a user's inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) epoch: Epoch,
    /// The last entry's offset, and its check.
    pub(super) offset: u64,
    pub(super) check: Check,
    /// The offset of the oldest entry that is kept; one above `offset` when there is none.
    pub(super) first: u64,
    /// The check of the entry before `first`, which was trimmed or never was.
    pub(super) before: Check,
    /// When the entry at `first` was appended.
    pub(super) oldest_at: UnixMillis,
    /// Bytes of all entries.
    pub(super) bytes: u64,
    /// Up to where a device acknowledged.
    pub(super) acknowledged: u64,
    /// When a device last attached or an entry was last appended, roughly.
    pub(super) touched_at: UnixMillis,
    /// Where the inbox stands in the table of what expires; never, if it does not.
    pub(super) sweep_at: UnixMillis,
}

/// How long an inbox outlives its last entry and its last device.
pub(super) const HEAD_TTL_MS: u64 = 7 * 24 * 60 * 60 * 1000;
/// How stale `touched_at` may get before it is written again for nothing else.
pub(super) const HEAD_RENEW_MS: u64 = 24 * 60 * 60 * 1000;

impl Head {
    /// An inbox that begins.
    pub(super) fn new(epoch: Epoch, now: UnixMillis) -> Self {
        Self {
            epoch,
            offset: 0,
            check: Check::default(),
            first: 1,
            before: Check::default(),
            oldest_at: now,
            bytes: 0,
            acknowledged: 0,
            touched_at: now,
            sweep_at: UnixMillis(NEVER),
        }
    }

    pub(super) fn position(&self) -> Position {
        Position { epoch: self.epoch, offset: self.offset, check: self.check }
    }

    pub(super) fn entries(&self) -> u64 {
        (self.offset + 1).saturating_sub(self.first)
    }

    /// Whether the TTL needs a write of its own.
    pub(super) fn needs_renewal(&self, now: UnixMillis) -> bool {
        now.since(self.touched_at) > HEAD_RENEW_MS
    }

    /// When something of the inbox expires at the latest.
    pub(super) fn expires_at(&self) -> UnixMillis {
        let whole = self.touched_at.plus(HEAD_TTL_MS);
        if self.entries() == 0 { whole } else { whole.min(self.oldest_at.plus(INBOX_AGE_MS)) }
    }

    pub(super) fn write(&self) -> Vec<u8> {
        Row::sized(72)
            .number(self.epoch.0)
            .number(self.offset)
            .short(self.check.0)
            .number(self.first)
            .short(self.before.0)
            .number(self.oldest_at.0)
            .number(self.bytes)
            .number(self.acknowledged)
            .number(self.touched_at.0)
            .number(self.sweep_at.0)
            .finish()
    }

    pub(super) fn read(row: &[u8]) -> Result<Self, Fault> {
        let mut fields = Fields::of(row, "an inbox's head");
        Ok(Self {
            epoch: Epoch(fields.number()?),
            offset: fields.number()?,
            check: Check(fields.short()?),
            first: fields.number()?,
            before: Check(fields.short()?),
            oldest_at: UnixMillis(fields.number()?),
            bytes: fields.number()?,
            acknowledged: fields.number()?,
            touched_at: UnixMillis(fields.number()?),
            sweep_at: UnixMillis(fields.number()?),
        })
    }
}

/// What stands before an event in an inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EntryHead {
    /// When it was appended.
    pub(super) at: UnixMillis,
    pub(super) check: Check,
    pub(super) previous: Check,
}

impl EntryHead {
    pub(super) fn write(self, event: &[u8]) -> Vec<u8> {
        Row::sized(16 + event.len()).number(self.at.0).short(self.check.0).short(self.previous.0).rest(event).finish()
    }

    /// Reads the head and hands on the event's body.
    pub(super) fn read(row: &[u8]) -> Result<(Self, &[u8]), Fault> {
        let mut fields = Fields::of(row, "an inbox's entry");
        let head =
            Self { at: UnixMillis(fields.number()?), check: Check(fields.short()?), previous: Check(fields.short()?) };
        Ok((head, fields.rest()))
    }

    /// Whether it is too old to be served.
    pub(super) fn is_aged(self, now: UnixMillis) -> bool {
        now.since(self.at) >= INBOX_AGE_MS
    }
}

/// A user's part in an active invitation, with what guards ask of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ActiveRow {
    pub(super) created_at: UnixMillis,
    /// From here on it counts no more, whether or not it was swept.
    pub(super) retained_until: UnixMillis,
    pub(super) has_timer: bool,
    pub(super) inviter: UserId,
}

impl ActiveRow {
    pub(super) fn of(invitation: &Invitation, retained_until: UnixMillis) -> Self {
        Self {
            created_at: invitation.terms.created_at,
            retained_until,
            has_timer: invitation.terms.timeout_s > 0,
            inviter: invitation.terms.inviter.clone(),
        }
    }

    pub(super) fn write(&self) -> Vec<u8> {
        Row::sized(18 + self.inviter.as_str().len())
            .number(self.created_at.0)
            .number(self.retained_until.0)
            .byte(u8::from(self.has_timer))
            .text(self.inviter.as_str())
            .finish()
    }

    pub(super) fn read(row: &[u8]) -> Result<Self, Fault> {
        let mut fields = Fields::of(row, "an active invitation's row");
        Ok(Self {
            created_at: UnixMillis(fields.number()?),
            retained_until: UnixMillis(fields.number()?),
            has_timer: fields.byte()? != 0,
            inviter: UserId::parse(fields.text()?).map_err(|_| fields.damaged())?,
        })
    }
}

/// An event on its way to an audience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OutboxHead {
    /// When somebody else should go on relaying it.
    pub(super) relay_at: UnixMillis,
    /// How many of the audience were served.
    pub(super) served: u32,
}

impl OutboxHead {
    pub(super) fn write(self, event: &[u8]) -> Vec<u8> {
        Row::sized(12 + event.len()).number(self.relay_at.0).short(self.served).rest(event).finish()
    }

    pub(super) fn read(row: &[u8]) -> Result<(Self, &[u8]), Fault> {
        let mut fields = Fields::of(row, "an outbox entry");
        let head = Self { relay_at: UnixMillis(fields.number()?), served: fields.short()? };
        Ok((head, fields.rest()))
    }
}

/// What is noted of an invitee's pushes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PushedRow {
    /// Since or from when on the ring's push is due, if it is.
    pub(super) ring_at: Option<UnixMillis>,
    /// Since when that of its end is.
    pub(super) end_at: Option<UnixMillis>,
    /// Where the ring was pushed.
    pub(super) targets: Vec<String>,
}

impl PushedRow {
    pub(super) fn write(&self) -> Vec<u8> {
        let time = |at: Option<UnixMillis>| at.map_or(NEVER, |at| at.0);
        let row = Row::sized(16).number(time(self.ring_at)).number(time(self.end_at));
        self.targets.iter().fold(row, |row, target| row.text(target)).finish()
    }

    pub(super) fn read(row: &[u8]) -> Result<Self, Fault> {
        let mut fields = Fields::of(row, "the note of a push");
        let mut read = Self::default();
        for at in [&mut read.ring_at, &mut read.end_at] {
            *at = Some(fields.number()?).filter(|at| *at != NEVER).map(UnixMillis);
        }
        while !fields.is_at_end() {
            read.targets.push(fields.text()?.to_owned());
        }
        Ok(read)
    }
}

/// A push on its way to a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct JobRow {
    /// From when on it may be taken.
    pub(super) at: UnixMillis,
    /// Until when somebody has it.
    pub(super) lease: UnixMillis,
    /// How often it was taken.
    pub(super) attempts: u32,
    pub(super) queued_at: UnixMillis,
    /// What went wrong the last time.
    pub(super) error: String,
}

impl JobRow {
    pub(super) fn write(&self) -> Vec<u8> {
        Row::sized(32 + self.error.len())
            .number(self.at.0)
            .number(self.lease.0)
            .short(self.attempts)
            .number(self.queued_at.0)
            .text(cut(&self.error))
            .finish()
    }

    pub(super) fn read(row: &[u8]) -> Result<Self, Fault> {
        let mut fields = Fields::of(row, "a push's row");
        let (at, lease) = (fields.time()?, fields.time()?);
        let (attempts, queued_at) = (fields.short()?, fields.time()?);
        Ok(Self { at, lease, attempts, queued_at, error: fields.text()?.to_owned() })
    }
}

/// An audience.
pub(super) fn write_users(users: &[UserId]) -> Vec<u8> {
    users.iter().fold(Row::default(), |row, user| row.text(user.as_str())).finish()
}

/// Reads what [`write_users`] wrote.
pub(super) fn read_users(row: &[u8]) -> Result<Vec<UserId>, Fault> {
    let mut fields = Fields::of(row, "an audience");
    let mut users = Vec::new();
    while !fields.is_at_end() {
        users.push(UserId::parse(fields.text()?).map_err(|_| fields.damaged())?);
    }
    Ok(users)
}

/// The note that something was posted: until when it holds, and by which device.
pub(super) fn write_note(retained_until: UnixMillis, device: &str) -> Vec<u8> {
    Row::sized(10 + device.len()).number(retained_until.0).text(device).finish()
}

/// Reads what [`write_note`] wrote.
pub(super) fn read_note(row: &[u8]) -> Result<(UnixMillis, &str), Fault> {
    let mut fields = Fields::of(row, "the note of a post");
    Ok((UnixMillis(fields.number()?), fields.text()?))
}

/// A point in time on its own.
pub(super) fn write_time(at: UnixMillis) -> [u8; 8] {
    at.0.to_le_bytes()
}

/// Reads what [`write_time`] wrote.
pub(super) fn read_time(row: &[u8]) -> Result<UnixMillis, Fault> {
    Ok(UnixMillis(Fields::of(row, "a time").number()?))
}
