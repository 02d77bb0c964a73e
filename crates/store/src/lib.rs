//! Where invitations, inboxes and groups are kept, and the only judge of races between nodes.
//!
//! [`Store`] is the contract. Every implementation passes the same conformance suite
//! (`conformance`, behind the feature of that name) and so behaves alike under everything above it.
//! A store moves state that the rules computed; it never decides what the rules decide.
//!
//! # Guarantees
//! - An operation that returned `Ok` is durable as the implementation promises it, and its doorbell
//!   rings only after that.
//! - Doorbells for one user ring in offset order on each node, as long as none is lost.
//! - An operation that returned [`StoreError::Unavailable`] may or may not have happened. Repeating
//!   a commit with the same tag is safe.

mod bytes;
pub mod clock;
pub mod commit;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod embedded;
mod error;
pub mod push;
pub mod query;
pub mod redis_store;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;

use ringwire_signaling::inbox::{Attachment, Delivery, Epoch, Position, Snapshot, Stretch};
use ringwire_signaling::session::CloseReason;
use ringwire_signaling::{
    ConnectionId, DeviceId, GroupId, InvitationId, Partition, RegisteredDevice, UnixMillis, UserId,
};

pub use clock::Clock;
pub use commit::{Commit, CommitOutcome, PostCommit, PostOutcome, Stamp, Stored, Tag};
pub use embedded::Embedded;
pub use error::{OpenError, StoreError};
pub use push::{DeadLetter, Failure, LetterCursor, LetterPage, PushId, PushJob, PushQueue, TakenPush};
pub use query::{
    Attach, BlockPage, Connected, Conversation, Detail, Due, DueKind, HistoryPage, Message, MessageCursor, Page,
};
pub use redis_store::RedisStore;

/// What store operations return. Dropping the future does not undo the operation.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Keeps everything that outlives a process.
pub trait Store: Send + Sync + 'static {
    /// Commits a transition, all of it or nothing: record, operation, deadline, inbox entries, lists
    /// of active invitations, history, audience outbox.
    ///
    /// Decides in this order: the same attempt again, staleness and `not_before`, the state it was
    /// built on, guards. A record whose retention has passed counts as absent.
    fn commit(&self, commit: Commit) -> StoreFuture<'_, CommitOutcome>;

    /// Appends to inboxes without a transition, at most once if the post says so. Does not ask
    /// whether the invitation exists.
    fn post(&self, post: PostCommit) -> StoreFuture<'_, PostOutcome>;

    /// Reads an invitation; `None` when there is none, or its retention has passed.
    fn load(&self, id: InvitationId) -> StoreFuture<'_, Option<Stored>>;

    /// Reads an invitation with its operations and receipts.
    fn detail(&self, id: InvitationId) -> StoreFuture<'_, Option<Detail>>;

    /// Serves the next batch of the audience of an invitation's oldest unserved broadcast. Returns
    /// whether there is more to serve. Until all is served it is due, from about two seconds after
    /// the commit on, so that whoever committed it goes first.
    fn relay(&self, id: InvitationId) -> StoreFuture<'_, bool>;

    /// What is due up to `until` in those partitions, earliest first, at most `limit`. It stays due
    /// until a commit clears it, a relay has served it, or a push is queued.
    fn due(&self, partitions: Vec<Partition>, until: UnixMillis, limit: usize) -> StoreFuture<'_, Vec<Due>>;

    /// Turns a push that is due into a job for each of these targets, and for a ring notes that the invitee was pushed
    /// there; the end of a ring goes to those of the targets that the ring went to. The event of a settlement brings
    /// that of the creation with it if that is still due. `false`, and nothing happens, if it is not due any more.
    fn queue_push(&self, job: PushJob, targets: Vec<String>) -> StoreFuture<'_, bool>;

    /// Takes jobs of a target whose time has come, the earliest first, at most `limit`. Nobody else gets them for
    /// `lease_ms`. The event of a settlement is not given to anybody while that of the creation is a job of the target,
    /// waiting or under a lease.
    fn take_pushes(&self, target: String, limit: usize, lease_ms: u64) -> StoreFuture<'_, Vec<TakenPush>>;

    /// Gives a job back to be taken again from `at` on, and notes what went wrong; nothing if it has ended meanwhile.
    /// A ring whose end waits has failed for good.
    fn put_off_push(&self, target: String, job: PushJob, at: UnixMillis, error: String) -> StoreFuture<'_, ()>;

    /// Ends a job: it was delivered or has become pointless, or it failed for good and leaves a dead letter.
    fn end_push(&self, target: String, job: PushJob, failure: Option<Failure>) -> StoreFuture<'_, ()>;

    /// How much waits for each of these targets.
    fn push_queues(&self, targets: Vec<String>) -> StoreFuture<'_, Vec<PushQueue>>;

    /// Pages through the dead letters, newest first.
    fn dead_letters(&self, before: Option<LetterCursor>, limit: usize) -> StoreFuture<'_, LetterPage>;

    /// Reads a dead letter.
    fn dead_letter(&self, id: PushId) -> StoreFuture<'_, Option<DeadLetter>>;

    /// Removes a dead letter, and queues a job for its target if there is to be one. `false`, and nothing happens,
    /// if there is no such letter.
    fn remove_letter(&self, id: PushId, again: Option<PushJob>) -> StoreFuture<'_, bool>;

    /// Registers a device as connected and says how it goes on. What is committed after the answer
    /// was read has an offset above its position.
    fn attach(&self, attach: Attach) -> StoreFuture<'_, Attachment>;

    /// Registers that a connection ended, unless the device has a newer one.
    fn detach(&self, user: UserId, device: DeviceId, connection: ConnectionId) -> StoreFuture<'_, ()>;

    /// Reads the entries after an offset.
    fn stretch(&self, user: UserId, after: u64) -> StoreFuture<'_, Stretch>;

    /// Reads the state of all that concerns a user.
    fn snapshot(&self, user: UserId) -> StoreFuture<'_, Snapshot>;

    /// Notes that a device of the user holds every event up to the position. Lower offsets and other
    /// epochs are ignored. Need not be durable.
    fn acknowledge(&self, user: UserId, position: Position) -> StoreFuture<'_, ()>;

    /// Gives the inbox a new epoch if it still has the `expected` one. Its entries go; offsets, what
    /// was missed and what was acknowledged go on.
    fn replace_epoch(&self, user: UserId, expected: Epoch) -> StoreFuture<'_, ()>;

    /// Which of these users have a live connection anywhere.
    fn present(&self, users: Vec<UserId>) -> StoreFuture<'_, BTreeSet<UserId>>;

    /// The user's live connections on all nodes.
    fn connections(&self, user: UserId) -> StoreFuture<'_, Vec<Connected>>;

    /// Has the nodes that hold the user's live connections close them, or only that of one device, as kicked.
    /// Returns those whose node heard of it. The user may connect again.
    fn kick(&self, user: UserId, device: Option<DeviceId>) -> StoreFuture<'_, Vec<Connected>>;

    /// Has another node stop as if it were told by a signal; `false` if it does not hear.
    fn drain(&self, node: u64) -> StoreFuture<'_, bool>;

    /// Pages through the invitations in which the user is inviter or pending invitee, by id.
    fn active(&self, user: UserId, after: Option<InvitationId>, limit: usize) -> StoreFuture<'_, Page>;

    /// Pages through a conversation, newest invitation first, inside it newest operation first.
    fn history(
        &self,
        conversation: Conversation,
        before: Option<MessageCursor>,
        limit: usize,
    ) -> StoreFuture<'_, HistoryPage>;

    /// The members of a group in order of their names; `None` if there is no such group.
    fn members(&self, group: GroupId) -> StoreFuture<'_, Option<Vec<UserId>>>;

    /// Creates a group or replaces its members.
    fn put_group(&self, group: GroupId, members: BTreeSet<UserId>) -> StoreFuture<'_, ()>;

    /// Deletes a group; `false` if there was none.
    fn delete_group(&self, group: GroupId) -> StoreFuture<'_, bool>;

    /// Adds a member; `None` if there is no such group, `Some(false)` if it is full.
    fn add_member(&self, group: GroupId, user: UserId) -> StoreFuture<'_, Option<bool>>;

    /// Removes a member, if it is one; `false` if there is no such group.
    fn remove_member(&self, group: GroupId, user: UserId) -> StoreFuture<'_, bool>;

    /// Registers a device for pushes, or replaces what is registered of it. Where it would be one more than
    /// [`REGISTERED_DEVICES_PER_USER`](ringwire_signaling::limits::REGISTERED_DEVICES_PER_USER), that which was set
    /// longest ago goes, or of several the one with the smallest name.
    fn put_device(&self, user: UserId, device: RegisteredDevice) -> StoreFuture<'_, ()>;

    /// The devices that the user has registered for pushes, in order of their names.
    fn devices(&self, user: UserId) -> StoreFuture<'_, Vec<RegisteredDevice>>;

    /// Forgets a registered device; `false` if there was none.
    fn remove_device(&self, user: UserId, device: DeviceId) -> StoreFuture<'_, bool>;

    /// Has a user block another; `false` if the list is full, as
    /// [`BLOCKED_PER_USER`](ringwire_signaling::limits::BLOCKED_PER_USER) says.
    fn block(&self, user: UserId, blocked: UserId) -> StoreFuture<'_, bool>;

    /// Has a user block another no longer; `false` if the other was not blocked.
    fn unblock(&self, user: UserId, blocked: UserId) -> StoreFuture<'_, bool>;

    /// Pages through those whom a user blocks, by name.
    fn blocks(&self, user: UserId, after: Option<UserId>, limit: usize) -> StoreFuture<'_, BlockPage>;

    /// Whether operations can succeed now, proved by a write where that is the only proof, and whether
    /// doorbells arrive.
    fn ready(&self) -> StoreFuture<'_, ()>;

    /// The node processes that share this store, as it last knew. Sweepers share their work by it.
    fn nodes(&self) -> Nodes {
        Nodes { own: 0, live: vec![0] }
    }

    /// What this process says of itself to the others from here on, with its lease. Lost with the lease; a store
    /// that no others share need not keep it.
    fn describe(&self, description: String) {
        drop(description);
    }

    /// What those that live last said of themselves, by their id. Who has said nothing is not there.
    fn descriptions(&self) -> StoreFuture<'_, BTreeMap<u64, String>> {
        Box::pin(std::future::ready(Ok(BTreeMap::new())))
    }

    /// What happened since the store was opened, for operators.
    fn counters(&self) -> Counters {
        Counters::default()
    }
}

/// The node processes that share a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nodes {
    /// This one. Changes when it was cut off for so long that the others took it for dead.
    pub own: u64,
    /// All that live, this one among them, in order.
    pub live: Vec<u64>,
}

/// What operators see of a store's links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// What was sent to the server, by purpose.
    pub traffic: Vec<Traffic>,
    /// How often the link that carries commands was built again.
    pub link_rebuilds: u64,
    /// How often the subscription was built again.
    pub subscription_rebuilds: u64,
    /// How often doorbells were found missing.
    pub lost_doorbells: u64,
    /// How often all sessions were told to look at their inbox.
    pub interruptions: u64,
    /// How often the process was taken for dead and went on under a fresh incarnation.
    pub incarnations: u64,
}

/// What was sent to a store's server for one purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// What for, such as `commit`.
    pub purpose: &'static str,
    /// How often the server was asked and waited for.
    pub round_trips: u64,
    /// Commands in them. A script is one, whatever it does.
    pub commands: u64,
}

/// Told of committed inbox entries. Only a doorbell: what it misses is read from the store.
pub trait Doorbell: Send + Sync + 'static {
    /// Entries were committed. Called in commit order from the store's own thread or task, so it must
    /// not block.
    fn ring(&self, deliveries: Vec<Delivery>);

    /// Rings may have been lost: look at the inbox of every local session.
    fn interrupted(&self);

    /// Entries were committed that could not be read here: look at the inboxes of these users.
    fn missed(&self, users: Vec<UserId>) {
        drop(users);
        self.interrupted();
    }

    /// A connection of the user has to go, because of what connected to another node or because an operator
    /// wants it.
    fn closed(&self, user: &UserId, connection: ConnectionId, reason: CloseReason) {
        let _ = (user, connection, reason);
    }

    /// A commit of this node has made these due.
    fn due(&self, due: Vec<Due>) {
        drop(due);
    }

    /// An operator wants this node to stop.
    fn drain(&self) {}
}
