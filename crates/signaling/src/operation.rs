//! What was done to an invitation, one entry per transition: the source of history.

use std::sync::Arc;

use crate::id::{DeviceId, UserId};
use crate::time::UnixMillis;

/// One committed transition, with its data. Appended, never rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The version it led to.
    pub version: u64,
    /// When it was committed.
    pub at: UnixMillis,
    /// What was done.
    pub action: Action,
    /// Who did it; none for a timeout.
    pub by: Option<UserId>,
    /// With which device.
    pub device: Option<DeviceId>,
    /// The invitees concerned.
    pub invitees: Vec<UserId>,
    /// Its data; for a timeout the invitation's.
    pub data: Arc<str>,
    /// Why, for a rejection or an administrator's cancellation.
    pub reason: Option<Arc<str>>,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The invitation was created.
    Invite,
    /// An invitee accepted.
    Accept,
    /// An invitee rejected.
    Reject,
    /// The inviter withdrew it.
    Cancel,
    /// The inviter replaced its data.
    Modify,
    /// The deadline passed.
    Timeout,
}

impl Action {
    /// The action's name in the protocol.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Cancel => "cancel",
            Self::Modify => "modify",
            Self::Timeout => "timeout",
        }
    }
}
