//! What a connection is told about itself: the full state, and that it will be closed.

use std::borrow::Cow;

use ringwire_signaling::inbox::Snapshot;
use ringwire_signaling::{Check, Epoch, Position, UnixMillis, session};
use serde::{Deserialize, Serialize};

use super::InvitationView;
use crate::text;

/// The full state of all that concerns a user, read at one position: `session.snapshot`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotView {
    /// Positions and states that the device holds are void.
    pub reset: bool,
    /// The inbox's life.
    #[serde(with = "text")]
    pub epoch: Epoch,
    /// Where it was read.
    pub offset: u64,
    /// The check of the entry there.
    #[serde(with = "text")]
    pub check: Check,
    /// When it was read.
    pub server_time: u64,
    /// Active invitations, oldest first.
    pub active: Vec<InvitationView>,
    /// Invitations that ended without this user's answer since the user's last acknowledgement.
    pub missed: Vec<InvitationView>,
    /// There are more active ones; `list_active` pages through them.
    pub more: bool,
}

/// The server closes the connection: `session.closing`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosingView {
    /// The name of a [`CloseReason`].
    pub reason: Cow<'static, str>,
    /// When, if not at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<u64>,
}

/// Why the server closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The node is going down: connect again, to another one.
    Draining,
    /// The same device connected again.
    Replaced,
    /// An administrator ended the session.
    Kicked,
    /// The token has expired and was not replaced.
    TokenExpired,
    /// The connection did not read what it was sent.
    SlowConsumer,
    /// More devices than allowed; this one was connected longest.
    TooManyDevices,
    /// No valid `hello` came in time.
    HelloTimeout,
}

impl CloseReason {
    const ALL: [Self; 7] = [
        Self::Draining,
        Self::Replaced,
        Self::Kicked,
        Self::TokenExpired,
        Self::SlowConsumer,
        Self::TooManyDevices,
        Self::HelloTimeout,
    ];

    /// The reason's name in the protocol.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Draining => "draining",
            Self::Replaced => "replaced",
            Self::Kicked => "kicked",
            Self::TokenExpired => "token_expired",
            Self::SlowConsumer => "slow_consumer",
            Self::TooManyDevices => "too_many_devices",
            Self::HelloTimeout => "hello_timeout",
        }
    }

    /// The close code of the WebSocket.
    #[must_use]
    pub fn close_code(self) -> u16 {
        match self {
            Self::Draining => 1012,
            Self::Replaced => 4100,
            Self::Kicked => 4101,
            Self::TokenExpired => 4102,
            Self::SlowConsumer => 4103,
            Self::TooManyDevices => 4104,
            Self::HelloTimeout => 4105,
        }
    }

    /// Whether a client connects again by itself; after `token_expired` with a new token.
    #[must_use]
    pub fn reconnects(self) -> bool {
        match self {
            Self::Draining | Self::TokenExpired | Self::SlowConsumer | Self::HelloTimeout => true,
            Self::Replaced | Self::Kicked | Self::TooManyDevices => false,
        }
    }

    /// The reason of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// The reason of this close code.
    #[must_use]
    pub fn from_close_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.close_code() == code)
    }
}

impl From<session::CloseReason> for CloseReason {
    fn from(reason: session::CloseReason) -> Self {
        match reason {
            session::CloseReason::Replaced => Self::Replaced,
            session::CloseReason::TooManyDevices => Self::TooManyDevices,
            session::CloseReason::Kicked => Self::Kicked,
        }
    }
}

impl SnapshotView {
    /// The view of a snapshot that was read at `now`.
    #[must_use]
    pub fn of(snapshot: &Snapshot, now: UnixMillis) -> Self {
        let view = |invitation| InvitationView::of(invitation, &[], &[], now);
        Self {
            reset: true,
            epoch: snapshot.position.epoch,
            offset: snapshot.position.offset,
            check: snapshot.position.check,
            server_time: now.0,
            active: snapshot.active.iter().map(view).collect(),
            missed: snapshot.missed.iter().map(view).collect(),
            more: snapshot.more,
        }
    }

    /// Where it was read.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { epoch: self.epoch, offset: self.offset, check: self.check }
    }
}

impl ClosingView {
    /// The announcement of a close.
    #[must_use]
    pub fn new(reason: CloseReason, closes_at: Option<UnixMillis>) -> Self {
        Self { reason: Cow::Borrowed(reason.name()), closes_at: closes_at.map(|at| at.0) }
    }

    /// The reason, if this version of the crate knows it.
    #[must_use]
    pub fn close_reason(&self) -> Option<CloseReason> {
        CloseReason::from_name(&self.reason)
    }
}
