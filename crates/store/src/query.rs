//! What is read, and the words for asking.

use ringwire_signaling::inbox::Position;
use ringwire_signaling::{ConnectionId, DeviceId, GroupId, Invitation, InvitationId, Operation, UnixMillis, UserId};

/// A device that connects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attach {
    /// Whose device.
    pub user: UserId,
    /// Which device. It replaces an older connection of the same device.
    pub device: DeviceId,
    /// The node process that holds the connection.
    pub incarnation: u64,
    /// The connection there.
    pub connection: ConnectionId,
    /// Where the device was, if it knows.
    pub resume: Option<Position>,
}

/// A live connection of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// Which device.
    pub device: DeviceId,
    /// The node process that holds it.
    pub node: u64,
    /// The connection there.
    pub connection: ConnectionId,
}

/// An invitation with all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// The state.
    pub invitation: Invitation,
    /// Every transition with its data, oldest first.
    pub operations: Vec<Operation>,
    /// The first device that rang, for each user whose device did.
    pub ringing: Vec<(UserId, DeviceId)>,
    /// Every device that gave a receipt, if each counts.
    pub received: Vec<(UserId, DeviceId)>,
}

/// Something whose time has come.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// Since when.
    pub at: UnixMillis,
    /// Which invitation.
    pub invitation: InvitationId,
    /// What to do.
    pub kind: DueKind,
}

/// What is due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DueKind {
    /// The invitation's deadline passed: time it out.
    Deadline,
    /// Its audience waits for a broadcast whose relaying stopped: relay it.
    Relay,
    /// This invitee gave no receipt: push the ring.
    Push(UserId),
    /// This invitee was pushed, and the ring is over: push that.
    PushEnd(UserId),
    /// The invitation of this inviter was created: tell the event.
    Created(UserId),
    /// The invitation of this inviter was settled: tell the event, after the creation.
    Settled(UserId),
}

/// Whose history is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conversation {
    /// Of invitations between two users, outside groups, whoever invited.
    Pair(UserId, UserId),
    /// Of invitations in a group.
    Group(GroupId),
}

/// One operation in a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The invitation as it is now.
    pub invitation: Invitation,
    /// What was done.
    pub operation: Operation,
}

/// A place in a conversation: the last message that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageCursor {
    /// When the message's invitation was created.
    pub created_at: UnixMillis,
    /// The message's invitation.
    pub invitation: InvitationId,
    /// The version that its operation led to.
    pub version: u64,
}

/// Part of a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryPage {
    /// Newest invitation first, inside it newest operation first.
    pub messages: Vec<Message>,
    /// Where to go on, if there is more.
    pub next: Option<MessageCursor>,
}

/// Part of a list of invitations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// In order of their ids.
    pub invitations: Vec<Invitation>,
    /// Where to go on, if there is more.
    pub next: Option<InvitationId>,
}

/// Part of a list of blocked users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockPage {
    /// In order of their names.
    pub users: Vec<UserId>,
    /// Where to go on, if there is more.
    pub next: Option<UserId>,
}

impl BlockPage {
    /// The page after a name, of all that there are by name.
    pub(crate) fn of(all: Vec<UserId>, after: Option<&UserId>, limit: usize) -> Self {
        let limit = limit.max(1);
        let mut users: Vec<_> = all.into_iter().filter(|user| after.is_none_or(|after| user > after)).collect();
        let next = (users.len() > limit).then(|| users[limit - 1].clone());
        users.truncate(limit);
        Self { users, next }
    }
}
