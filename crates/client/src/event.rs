//! What an app is told, in order.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use ringwire_signaling::InvitationId;
use ringwire_wire::view::{ClosingView, EventView, HelloResult, InvitationView, SignalingInfoView, SnapshotView};
use tokio::sync::mpsc;

use crate::error::DisconnectReason;

/// One thing that an app is told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// This user (`invited`), or others in a group of this user's, were invited.
    Received(Box<EventView<'static>>),
    /// Another device of this user invited.
    Sent(Box<EventView<'static>>),
    /// An invitee's device rings.
    Ringing(Box<EventView<'static>>),
    /// An invitee accepted.
    Accepted(Box<EventView<'static>>),
    /// An invitee rejected.
    Rejected(Box<EventView<'static>>),
    /// Another device of this user answered.
    AnsweredElsewhere(Box<EventView<'static>>),
    /// The inviter withdrew the invitation, for the invitees named.
    Cancelled(Box<EventView<'static>>),
    /// The invitees named did not answer in time.
    TimedOut(Box<EventView<'static>>),
    /// The inviter replaced the data.
    Modified(Box<EventView<'static>>),
    /// A participant sent data.
    Signal(Box<EventView<'static>>),
    /// The full state of all that concerns this user; what the app holds is outdated by it. Follows
    /// the first connection, and any that could not be resumed.
    ///
    /// An active invitation that the app holds and the snapshot lacks is not over: a
    /// [`State`](Self::State) or [`Gone`](Self::Gone) follows for each that the SDK knows of.
    Snapshot(Box<SnapshotView>),
    /// The state of one invitation that was known to be active and that a snapshot lacked.
    State(Box<InvitationView>),
    /// An invitation that was known to be active is no more to be found.
    Gone {
        /// Which one.
        invitation_id: InvitationId,
    },
    /// The server announced that it will close the connection. With a token source and the reason
    /// `token_expired`, the SDK is replacing the token already.
    Closing(ClosingView),
    /// The client is connected.
    Connected {
        /// Whether missed events follow, rather than a snapshot.
        resumed: bool,
        /// What the server said.
        hello: Box<HelloResult>,
    },
    /// The connection ended. Reported once, however many attempts it takes to connect again.
    Disconnected {
        /// Why.
        reason: DisconnectReason,
        /// The pause before the next attempt; none if the client has ended, and this is the last event.
        retry_in: Option<Duration>,
    },
}

impl Event {
    /// None for a type that this version of the crate does not know.
    pub(crate) fn of(view: Box<EventView<'static>>) -> Option<Self> {
        Some(match view.name.as_ref() {
            "invitation.received" => Self::Received(view),
            "invitation.sent" => Self::Sent(view),
            "invitation.ringing" => Self::Ringing(view),
            "invitation.accepted" => Self::Accepted(view),
            "invitation.rejected" => Self::Rejected(view),
            "invitation.answered_elsewhere" => Self::AnsweredElsewhere(view),
            "invitation.cancelled" => Self::Cancelled(view),
            "invitation.timed_out" => Self::TimedOut(view),
            "invitation.modified" => Self::Modified(view),
            "signal" => Self::Signal(view),
            _ => return None,
        })
    }

    /// The event of the user's inbox, for those that are one.
    #[must_use]
    pub fn view(&self) -> Option<&EventView<'static>> {
        match self {
            Self::Received(view)
            | Self::Sent(view)
            | Self::Ringing(view)
            | Self::Accepted(view)
            | Self::Rejected(view)
            | Self::AnsweredElsewhere(view)
            | Self::Cancelled(view)
            | Self::TimedOut(view)
            | Self::Modified(view)
            | Self::Signal(view) => Some(view),
            Self::Snapshot(_)
            | Self::State(_)
            | Self::Gone { .. }
            | Self::Closing(_)
            | Self::Connected { .. }
            | Self::Disconnected { .. } => None,
        }
    }

    /// Which invitation it tells of, if it tells of one.
    #[must_use]
    pub fn invitation_id(&self) -> Option<InvitationId> {
        match self {
            Self::State(state) => Some(state.invitation_id),
            Self::Gone { invitation_id } => Some(*invitation_id),
            other => other.view().map(|view| view.invitation_id),
        }
    }

    /// One reading of invitations, whether from an event, a history message or a push; none for
    /// anything else.
    #[must_use]
    pub fn signaling_info(&self) -> Option<SignalingInfoView> {
        self.view().and_then(EventView::signaling_info)
    }
}

/// The events of one client, in order. Ends after the last [`Event::Disconnected`].
///
/// Read it continually: while it is full, the SDK stops reading from the server, answers to
/// operations included. Dropping it leaves the client working; events are then discarded and not
/// acknowledged, so that rings reach the user through another device or a push.
#[derive(Debug)]
pub struct Events {
    pub(crate) receiver: mpsc::Receiver<Event>,
}

impl Events {
    /// The next event; none when the client has ended.
    pub async fn next(&mut self) -> Option<Event> {
        self.receiver.recv().await
    }

    /// The next event if one is there already.
    pub fn try_next(&mut self) -> Option<Event> {
        self.receiver.try_recv().ok()
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.receiver.poll_recv(context)
    }
}
