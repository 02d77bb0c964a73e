//! What an operator may choose about the rules.

use crate::time::UnixMillis;

/// What happens to an invitee who is already ringing elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Busy {
    /// Concurrent invitations ring and clients decide.
    #[default]
    Allow,
    /// The server rejects for an invitee who is pending in another invitation with a timer.
    Reject,
}

/// What becomes of an invitee who blocks the inviter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Blocked {
    /// The invitee fails, and the inviter is told why.
    #[default]
    Failed,
    /// To everybody else it looks like a ring that is not answered; the invitee learns of nothing.
    Silent,
    /// It rings: nobody's list is consulted.
    Ignore,
}

/// The operator's choices. The same on all nodes of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// See [`Busy`].
    pub busy: Busy,
    /// See [`Blocked`].
    pub blocked: Blocked,
    /// How many invitations may ring one user within [`RINGS_WINDOW_MS`](crate::limits::RINGS_WINDOW_MS), by whomever
    /// they are; 0 is no limit. At most [`RINGS_PER_WINDOW`](crate::limits::RINGS_PER_WINDOW).
    pub rings_per_minute: u32,
    /// How long a settled invitation can be read: history, request-id repeats, late questions.
    pub settled_retention_ms: u64,
    /// How long an invitation without a timer may stay unanswered before it is gone without an event.
    pub timerless_retention_ms: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            busy: Busy::Allow,
            blocked: Blocked::Failed,
            rings_per_minute: 30,
            settled_retention_ms: 7 * 24 * 60 * 60 * 1000,
            timerless_retention_ms: 24 * 60 * 60 * 1000,
        }
    }
}

impl Policy {
    /// When the record of an invitation in the given condition may be forgotten.
    #[must_use]
    pub fn retained_until(
        &self,
        created_at: UnixMillis,
        deadline: Option<UnixMillis>,
        settled_at: Option<UnixMillis>,
    ) -> UnixMillis {
        match (settled_at, deadline) {
            (Some(settled), _) => settled.plus(self.settled_retention_ms),
            (None, Some(deadline)) => deadline.plus(self.settled_retention_ms),
            (None, None) => created_at.plus(self.timerless_retention_ms),
        }
    }
}
