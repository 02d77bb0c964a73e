//! What is written: transitions and posts, and what the store says of them.

use ringwire_signaling::{GuardFailure, Invitation, InvitationId, Origin, Post, Step, UnixMillis, UserId};

/// How far a commit's idea of the time may be off before the store refuses it as stale. Above this
/// it was built by a node, or waits in a queue, that stood still for a while.
pub const STALE_AFTER_MS: u64 = 1_500;

/// Names one attempt to write. Random and never used for another, so that a record that carries it
/// proves that this very attempt succeeded, also after a failover rolled other writes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tag(pub u128);

/// Identifies one state of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The invitation's version.
    pub version: u64,
    /// The attempt that wrote it.
    pub tag: Tag,
}

/// An invitation as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The state.
    pub invitation: Invitation,
    /// The attempt that wrote it.
    pub tag: Tag,
}

impl Stored {
    /// What a commit that is built on this state expects to find.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        Stamp { version: self.invitation.version, tag: self.tag }
    }
}

/// A transition to commit.
#[derive(Clone, Debug)]
pub struct Commit {
    /// The state it was stepped from; none creates the invitation.
    pub built_on: Option<Stamp>,
    /// Names this attempt.
    pub tag: Tag,
    /// The transition. Its deadline is that of `step.next`.
    pub step: Step,
    /// When the record may be forgotten.
    pub retained_until: UnixMillis,
    /// For a creation: who gets the broadcasts of this invitation, for its whole life.
    pub audience: Vec<UserId>,
    /// The node's time when it stepped.
    pub sent_at: UnixMillis,
    /// Refuse if the store's own time is earlier: a timer's deadline.
    pub not_before: Option<UnixMillis>,
    /// The connection that asked for it.
    pub origin: Option<Origin>,
}

/// What became of a commit. In all cases but the first nothing was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitOutcome {
    /// It is durable, now or by an earlier send of the same attempt.
    Committed,
    /// The record is not what the commit was built on, but this.
    Conflict(Option<Box<Stored>>),
    /// These guards failed. The record was as expected.
    Guarded(Vec<GuardFailure>),
    /// The store's time is before `not_before`.
    TooEarly,
    /// `sent_at` is too far from the store's time.
    Stale,
}

/// Inbox entries to append without a transition.
#[derive(Clone, Debug)]
pub struct PostCommit {
    /// The invitation they belong to.
    pub id: InvitationId,
    /// What to append, and whether only once.
    pub post: Post,
    /// When the note that it was posted may be forgotten.
    pub retained_until: UnixMillis,
    /// The node's time when it was built.
    pub sent_at: UnixMillis,
    /// The connection that asked for it.
    pub origin: Option<Origin>,
}

/// What became of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostOutcome {
    /// It is durable.
    Posted,
    /// It had been posted before: nothing was written.
    Repeat,
    /// `sent_at` is too far from the store's time: nothing was written.
    Stale,
}
