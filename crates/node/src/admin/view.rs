//! What the admin API answers with, beside the views that users get too.

use ringwire_wire::openapi::{DeviceId, UserId};
use ringwire_wire::view::{DeviceView, HistoryMessage, InvitationView};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The nodes that share a store.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(super) struct NodesView {
    /// All that live, in order of their ids.
    pub(super) nodes: Vec<NodeView>,
}

/// A node process.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(super) struct NodeView {
    /// Its name, fresh each time it starts: the `node` of `hello`.
    pub(super) id: String,
    /// Whether it is the one that answers.
    pub(super) this: bool,
    /// What it said of itself: of the node that answers just now, of the others up to two seconds ago. Left out as long
    /// as it has said nothing that this release understands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = NodeDescription)]
    pub(super) said: Option<NodeDescription>,
}

/// What a node says of itself.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(super) struct NodeDescription {
    /// When.
    pub(super) at: u64,
    /// Where its public listener is.
    pub(super) address: String,
    /// Its release.
    pub(super) version: String,
    /// Seconds since it started.
    pub(super) uptime_s: u64,
    /// Whether it takes traffic, as `/readyz` says.
    pub(super) ready: bool,
    /// Whether it is on its way down.
    pub(super) draining: bool,
    /// Live WebSocket connections.
    pub(super) connections: usize,
    /// Users with a session.
    pub(super) sessions: usize,
    /// Invitations in memory.
    pub(super) actors: usize,
}

/// What is known of a user.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(super) struct UserView {
    /// Who.
    #[schema(value_type = UserId)]
    pub(super) user: String,
    /// Whether there is a live connection.
    pub(super) present: bool,
    /// The live connections on all nodes.
    pub(super) connections: Vec<ConnectionView>,
    /// The devices that are registered for pushes, without their tokens.
    pub(super) devices: Vec<DeviceView>,
    /// How many active invitations the user takes part in.
    pub(super) active: ActiveCounts,
}

/// A live connection.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(super) struct ConnectionView {
    /// Which device.
    #[schema(value_type = DeviceId)]
    pub(super) device_id: String,
    /// The id of the node that holds it.
    pub(super) node: String,
}

/// How many active invitations a user takes part in.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
pub(super) struct ActiveCounts {
    /// As the inviter.
    pub(super) inviter: u64,
    /// As an invitee who is pending.
    pub(super) invitee: u64,
}

/// The connections that an operator ended.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(super) struct KickedView {
    /// Those whose node was told.
    pub(super) closed: Vec<ConnectionView>,
}

/// An invitation with all that is known of it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(super) struct AdminInvitationView {
    /// As participants see it. `ringing_device_id` is an invitee's receipt.
    #[serde(flatten)]
    pub(super) invitation: InvitationView,
    /// Every transition with its data, oldest first, in the form of `history`.
    pub(super) operations: Vec<HistoryMessage>,
}

/// Which lines the log has.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LogFilter {
    /// A level, or module=level pairs separated by commas.
    #[schema(max_length = 1024)]
    pub(super) filter: String,
}

/// What waits for its time, as far as it was counted.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(super) struct TimersView {
    /// The store's time.
    pub(super) now: u64,
    /// What is due and not done.
    pub(super) overdue: TimerCounts,
    /// What will be due within `soon_ms`.
    pub(super) soon: TimerCounts,
    /// How far ahead was looked.
    pub(super) soon_ms: u64,
    /// How long the oldest of all has been overdue; 0 if none is.
    pub(super) oldest_overdue_ms: u64,
    /// There are more than were counted; the earliest were counted.
    pub(super) more: bool,
}

/// How many, by kind.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
pub(super) struct TimerCounts {
    /// Invitations that time out.
    pub(super) deadlines: u64,
    /// Broadcasts to members of groups that their node did not serve.
    pub(super) relays: u64,
    /// Offline pushes that are not queued yet: of rings without a receipt, and of their ends; and events.
    pub(super) pushes: u64,
}
