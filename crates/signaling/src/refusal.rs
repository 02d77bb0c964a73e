//! The domain says no. Failures of the infrastructure are errors of the store and the node instead.

use std::fmt;

use crate::id::{DeviceId, UserId};
use crate::limits;

/// Why an operation was not done. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A parameter breaks the rules of the protocol.
    Invalid {
        /// Its name.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no such invitation for this user.
    NotFound,
    /// The acting participant is not one of its invitees.
    NotInvitee,
    /// The acting participant is not its inviter.
    NotInviter,
    /// It, or this user's part of it, has ended.
    AlreadySettled {
        /// The state's name.
        state: &'static str,
        /// The device that answered.
        device: Option<DeviceId>,
    },
    /// These users are not members of the group.
    NotGroupMember {
        /// Who.
        users: Vec<UserId>,
    },
    /// There is no such group.
    GroupNotFound,
    /// The time for this has passed, or the record is gone.
    Expired,
    /// This connection was already sent the ring.
    AlreadyExists,
    /// The request contradicts an earlier one, or the state it named.
    Conflict {
        /// What contradicts.
        problem: &'static str,
        /// The invitation's version, where that is what contradicts.
        version: Option<u64>,
    },
    /// A parameter is over its size.
    PayloadTooLarge {
        /// Its name.
        field: &'static str,
        /// Its limit in bytes.
        limit: usize,
    },
    /// Too many at once, or too fast.
    RateLimited {
        /// When to try again.
        retry_after_ms: u64,
    },
}

impl Refusal {
    pub(crate) fn invalid(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Invalid { field, problem: problem.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { field, problem } => write!(formatter, "{field} {problem}"),
            Self::NotFound => formatter.write_str("there is no such invitation"),
            Self::NotInvitee => formatter.write_str("only an invitee may do this"),
            Self::NotInviter => formatter.write_str("only the inviter may do this"),
            Self::AlreadySettled { state, .. } => write!(formatter, "the invitation is already settled: {state}"),
            Self::NotGroupMember { users } => {
                let names: Vec<&str> = users.iter().map(UserId::as_str).collect();
                write!(formatter, "not a member of the group: {}", names.join(", "))
            }
            Self::GroupNotFound => formatter.write_str("there is no such group"),
            Self::Expired => formatter.write_str("the invitation has expired"),
            Self::AlreadyExists => formatter.write_str("this connection already has the invitation"),
            Self::Conflict { problem, .. } => formatter.write_str(problem),
            Self::PayloadTooLarge { field, limit } => write!(formatter, "{field} is over {limit} bytes"),
            Self::RateLimited { retry_after_ms } => write!(formatter, "too many; try again in {retry_after_ms} ms"),
        }
    }
}

impl std::error::Error for Refusal {}

/// When a user at the limit of active invitations should try again: about a ring.
pub(crate) const FULL_RETRY_AFTER_MS: u64 = limits::DEFAULT_TIMEOUT_S as u64 * 1000;
