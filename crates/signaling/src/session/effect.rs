//! What a session asks its owner to do.

use crate::id::{ConnectionId, DeviceId, InvitationId};
use crate::inbox::{Entry, Epoch, Position, Snapshot};

/// What the owner of the session does next, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send these entries to that connection.
    Send {
        /// To which connection.
        to: ConnectionId,
        /// The inbox's life.
        epoch: Epoch,
        /// What, in order.
        entries: Vec<Entry>,
    },
    /// Send the full state to that connection.
    SendSnapshot {
        /// To which connection.
        to: ConnectionId,
        /// What.
        snapshot: Snapshot,
    },
    /// Read the inbox after this position, then call [`super::Session::fetched`], or
    /// [`super::Session::recovery_failed`].
    Fetch {
        /// The last offset that is held.
        after: u64,
    },
    /// Read a snapshot, then call [`super::Session::reset`], or [`super::Session::recovery_failed`].
    Reset {
        /// First give the inbox a new life, if it is still this one: it was rolled back.
        replace: Option<Epoch>,
    },
    /// Note that a device holds a ring. Once for each device: others of the user may have said so before.
    Receipt {
        /// Which invitation rings.
        invitation: InvitationId,
        /// Where.
        device: DeviceId,
    },
    /// Note the highest acknowledged position. May be coalesced: losing it is harmless.
    SaveAck {
        /// Up to where. Its check is known only if the acknowledgement covers all that was sent.
        position: Position,
    },
    /// Close that connection; it is no longer part of the session.
    Close {
        /// Which one.
        connection: ConnectionId,
        /// Why.
        reason: CloseReason,
    },
}

/// Why a session closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The same device connected again.
    Replaced,
    /// More devices than allowed; this one was connected longest.
    TooManyDevices,
    /// An administrator ended it.
    Kicked,
}
