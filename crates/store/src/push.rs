//! Pushes on their way to hooks, as the stores keep them.
//!
//! A commit makes a push *due*; queueing turns what is due into a *job* for each target, once; a
//! job is taken under a lease, and ends delivered or as a *dead letter*. A job whose taker died
//! comes back with the end of its lease, so it may be delivered more than once.
//!
//! Events of invitations are jobs too. That of the settlement is held for as long as the target has
//! that of the creation.

use std::fmt;

use ringwire_signaling::{InvitationId, PushKind, UnixMillis, UserId};
use sha2::{Digest, Sha256};

use crate::bytes::{Damaged, Fields, Row};

/// Jobs that may wait for one target. What comes while there are as many is a dead letter at once: a target that far
/// behind will not catch up with what rings.
pub const QUEUED_PUSHES: usize = 100_000;
/// Dead letters that are kept, the newest.
pub const DEAD_LETTERS: usize = 10_000;
/// Bytes of an error that a dead letter keeps.
const ERROR_BYTES: usize = 200;
/// What a dead letter says of a ring that ended before the target was asked.
pub(crate) const NEVER_TRIED: &str = "the target took no pushes while it rang";
/// What it says of a push that found no room.
pub(crate) const NO_ROOM: &str = "too many pushes wait for the target";
/// From when on a job may be taken that is held until another ends: the year 10 000, which a sorted set of Redis holds
/// exactly.
pub(crate) const HELD: UnixMillis = UnixMillis(253_402_300_800_000);

/// What is to be told through a hook: of one invitee, or an event of the invitation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PushJob {
    /// Of which invitation.
    pub invitation: InvitationId,
    /// Who; for an event the inviter.
    pub user: UserId,
    /// What.
    pub kind: PushKind,
}

/// Names a job of one target. The same however often and by whomever it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PushId(pub u128);

/// A job whose lease somebody has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenPush {
    /// The job.
    pub job: PushJob,
    /// How often it was taken, this time among them.
    pub attempts: u32,
    /// When it was queued.
    pub queued_at: UnixMillis,
}

/// Why a job failed for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// How often it was tried.
    pub attempts: u32,
    /// What went wrong the last time.
    pub error: String,
}

/// A job that failed for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The target that did not take it.
    pub target: String,
    /// What it was to be told.
    pub job: PushJob,
    /// When it was given up.
    pub at: UnixMillis,
    /// Why.
    pub failure: Failure,
}

/// A place in the list of dead letters: the last one that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LetterCursor {
    /// When it was given up.
    pub at: UnixMillis,
    /// Which one.
    pub id: PushId,
}

/// Part of the list of dead letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LetterPage {
    /// Newest first.
    pub letters: Vec<DeadLetter>,
    /// Where to go on, if there is more.
    pub next: Option<LetterCursor>,
}

/// How much waits for a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PushQueue {
    /// Jobs, those that are under way among them.
    pub waiting: u64,
    /// When the next of them may be taken.
    pub next_at: Option<UnixMillis>,
}

impl PushJob {
    /// The job's name for a target.
    #[must_use]
    pub fn id(&self, target: &str) -> PushId {
        let mut hash = Sha256::new();
        // The length keeps the target apart from what follows.
        hash.update((target.len() as u64).to_le_bytes());
        hash.update(target);
        hash.update(self.bytes());
        let digest: [u8; 32] = hash.finalize().into();
        PushId(u128::from_be_bytes(*digest.first_chunk().expect("a digest has 32 bytes")))
    }

    /// The job as the stores name it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(18 + self.user.as_str().len());
        bytes.push(self.invitation.partition.0);
        bytes.extend_from_slice(&self.invitation.bits.to_be_bytes());
        bytes.push(mark(self.kind));
        bytes.extend_from_slice(self.user.as_str().as_bytes());
        bytes
    }

    /// Reads what [`PushJob::bytes`] wrote.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Damaged> {
        let mut fields = Fields::of(bytes, "a push");
        let invitation = fields.invitation()?;
        let kind = match fields.byte()? {
            b'P' => PushKind::Ring,
            b'E' => PushKind::End,
            b'M' => PushKind::Missed,
            b'C' => PushKind::Created,
            b'S' => PushKind::Settled,
            _ => return Err(fields.damaged()),
        };
        let damaged = fields.damaged();
        let user = std::str::from_utf8(fields.rest()).map_err(|_| damaged)?;
        Ok(Self { invitation, user: UserId::parse(user).map_err(|_| damaged)?, kind })
    }

    /// The job that is not sent before this one has ended: the end of a ring, the settlement of what was created.
    pub(crate) fn follower(&self) -> Option<Self> {
        let kind = match self.kind {
            PushKind::Ring => PushKind::End,
            PushKind::Created => PushKind::Settled,
            PushKind::End | PushKind::Missed | PushKind::Settled => return None,
        };
        Some(Self { kind, ..self.clone() })
    }

    /// The event that tells the creation.
    pub(crate) fn created(&self) -> Self {
        Self { kind: PushKind::Created, ..self.clone() }
    }

    /// The job that tells the ring of this end.
    pub(crate) fn ring(&self) -> Self {
        Self { kind: PushKind::Ring, ..self.clone() }
    }
}

/// A kind as it stands in a job's name.
pub(crate) fn mark(kind: PushKind) -> u8 {
    match kind {
        PushKind::Ring => b'P',
        PushKind::End => b'E',
        PushKind::Missed => b'M',
        PushKind::Created => b'C',
        PushKind::Settled => b'S',
    }
}

/// As much of an error as is kept.
pub(crate) fn cut(error: &str) -> &str {
    let end = (0..=ERROR_BYTES.min(error.len())).rev().find(|at| error.is_char_boundary(*at)).unwrap_or(0);
    &error[..end]
}

impl DeadLetter {
    /// The name of the job that it was.
    #[must_use]
    pub fn id(&self) -> PushId {
        self.job.id(&self.target)
    }

    /// Where it stands in the list.
    #[must_use]
    pub fn cursor(&self) -> LetterCursor {
        LetterCursor { at: self.at, id: self.id() }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let job = self.job.bytes();
        Row::sized(64 + job.len() + self.failure.error.len())
            .number(self.at.0)
            .short(self.failure.attempts)
            .text(&self.target)
            .text(cut(&self.failure.error))
            .rest(&job)
            .finish()
    }

    /// Reads what [`DeadLetter::bytes`] wrote.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Damaged> {
        let mut fields = Fields::of(bytes, "a dead letter");
        let (at, attempts) = (fields.time()?, fields.short()?);
        let (target, error) = (fields.text()?.to_owned(), fields.text()?.to_owned());
        let job = PushJob::read(fields.rest())?;
        Ok(Self { target, job, at, failure: Failure { attempts, error } })
    }
}

impl fmt::Display for PushId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "psh_{:032x}", self.0)
    }
}

impl PushId {
    /// Reads what `Display` wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("psh_").filter(|digits| digits.len() == 32)?;
        u128::from_str_radix(digits, 16).ok().map(Self).filter(|id| id.to_string() == text)
    }
}

#[cfg(test)]
mod tests {
    use ringwire_signaling::Partition;

    use super::*;

    fn job(kind: PushKind) -> PushJob {
        let invitation = InvitationId { partition: Partition(7), bits: 8 };
        PushJob { invitation, user: UserId::parse("bøb").unwrap(), kind }
    }

    #[test]
    fn jobs_and_letters_read_back() {
        for kind in [PushKind::Ring, PushKind::End, PushKind::Missed, PushKind::Created, PushKind::Settled] {
            let job = job(kind);
            assert_eq!(PushJob::read(&job.bytes()), Ok(job.clone()));
            let failure = Failure { attempts: 3, error: "no answer".to_owned() };
            let letter = DeadLetter { target: "apns".to_owned(), job, at: UnixMillis(5), failure };
            assert_eq!(DeadLetter::read(&letter.bytes()), Ok(letter));
        }
        for damaged in [&[][..], &[0; 18], b"seventeen bytes..X", b"seventeen bytes..P\xff"] {
            assert!(PushJob::read(damaged).is_err());
            assert!(DeadLetter::read(damaged).is_err());
        }
    }

    #[test]
    fn a_long_error_is_cut_between_characters() {
        let failure = Failure { attempts: 1, error: "é".repeat(300) };
        let letter = DeadLetter { target: "t".to_owned(), job: job(PushKind::End), at: UnixMillis(5), failure };
        let read = DeadLetter::read(&letter.bytes()).unwrap();
        assert_eq!(read.failure.error, "é".repeat(100));
    }

    #[test]
    fn a_name_is_of_one_job_and_one_target() {
        let ring = job(PushKind::Ring);
        assert_eq!(ring.id("a"), job(PushKind::Ring).id("a"));
        assert_ne!(ring.id("a"), ring.id("b"));
        assert_ne!(ring.id("a"), job(PushKind::End).id("a"));
        let name = ring.id("a").to_string();
        assert_eq!(PushId::parse(&name), Some(ring.id("a")));
        for forged in ["", "psh_", "psh_+0000000000000000000000000000001", &name.to_uppercase(), &name[1..]] {
            assert_eq!(PushId::parse(forged), None);
        }
    }
}
