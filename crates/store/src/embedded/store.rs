//! The contract, each operation handed to what does it.

use std::collections::BTreeSet;
use std::sync::Arc;

use ringwire_signaling::inbox::{Attachment, Epoch, Position, Snapshot, Stretch};
use ringwire_signaling::session::CloseReason;
use ringwire_signaling::{
    ConnectionId, DeviceId, GroupId, InvitationId, Origin, Partition, RegisteredDevice, UnixMillis, UserId,
};

use super::fault::Fault;
use super::read::Reading;
use super::rows::write_time;
use super::{Embedded, blocks, commit, devices, groups, inbox, post, pushes, relay, tables};
use crate::commit::{Commit, CommitOutcome, PostCommit, PostOutcome, Stored};
use crate::error::StoreError;
use crate::push::{DeadLetter, Failure, LetterCursor, LetterPage, PushId, PushJob, PushQueue, TakenPush};
use crate::query::{Attach, BlockPage, Connected, Conversation, Detail, Due, HistoryPage, MessageCursor, Page};
use crate::{Store, StoreFuture};

/// How often a read that finds no inbox has one made.
const ATTEMPTS: usize = 3;

impl Store for Embedded {
    fn commit(&self, commit: Commit) -> StoreFuture<'_, CommitOutcome> {
        Box::pin(async move {
            let shared = Arc::clone(&self.shared);
            let (outcome, due) = self.write(move |write| commit::commit(write, commit, &shared.presence())).await?;
            if !due.is_empty() {
                self.shared.bell.due(due);
            }
            Ok(outcome)
        })
    }

    fn post(&self, post: PostCommit) -> StoreFuture<'_, PostOutcome> {
        self.write(move |write| post::post(write, post))
    }

    fn load(&self, id: InvitationId) -> StoreFuture<'_, Option<Stored>> {
        self.read(move |reading| reading.load(id))
    }

    fn detail(&self, id: InvitationId) -> StoreFuture<'_, Option<Detail>> {
        self.read(move |reading| reading.detail(id))
    }

    fn relay(&self, id: InvitationId) -> StoreFuture<'_, bool> {
        self.write(move |write| relay::relay(write, id))
    }

    fn due(&self, partitions: Vec<Partition>, until: UnixMillis, limit: usize) -> StoreFuture<'_, Vec<Due>> {
        self.read(move |reading| reading.due(&partitions, until, limit))
    }

    fn queue_push(&self, job: PushJob, targets: Vec<String>) -> StoreFuture<'_, bool> {
        self.write(move |write| pushes::queue(write, &job, targets))
    }

    fn take_pushes(&self, target: String, limit: usize, lease_ms: u64) -> StoreFuture<'_, Vec<TakenPush>> {
        self.write(move |write| pushes::take(write, &target, limit, lease_ms))
    }

    fn put_off_push(&self, target: String, job: PushJob, at: UnixMillis, error: String) -> StoreFuture<'_, ()> {
        self.write(move |write| pushes::put_off(write, &target, &job, at, error))
    }

    fn end_push(&self, target: String, job: PushJob, failure: Option<Failure>) -> StoreFuture<'_, ()> {
        self.write(move |write| pushes::end(write, &target, &job, failure))
    }

    fn push_queues(&self, targets: Vec<String>) -> StoreFuture<'_, Vec<PushQueue>> {
        self.read(move |reading| reading.push_queues(&targets))
    }

    fn dead_letters(&self, before: Option<LetterCursor>, limit: usize) -> StoreFuture<'_, LetterPage> {
        self.read(move |reading| reading.dead_letters(before, limit))
    }

    fn dead_letter(&self, id: PushId) -> StoreFuture<'_, Option<DeadLetter>> {
        self.read(move |reading| reading.dead_letter(id))
    }

    fn remove_letter(&self, id: PushId, again: Option<PushJob>) -> StoreFuture<'_, bool> {
        self.write(move |write| pushes::remove_letter(write, id, again))
    }

    fn attach(&self, attach: Attach) -> StoreFuture<'_, Attachment> {
        let Attach { user, device, incarnation, connection, resume } = attach;
        self.shared.presence().attach(user.clone(), device, Origin { incarnation, connection });
        Box::pin(async move { self.with_inbox(user, move |reading, user| reading.attach(user, resume)).await })
    }

    fn detach(&self, user: UserId, device: DeviceId, connection: ConnectionId) -> StoreFuture<'_, ()> {
        self.shared.presence().detach(&user, &device, connection);
        Box::pin(async { Ok(()) })
    }

    fn stretch(&self, user: UserId, after: u64) -> StoreFuture<'_, Stretch> {
        Box::pin(async move { self.with_inbox(user, move |reading, user| reading.stretch(user, after)).await })
    }

    fn snapshot(&self, user: UserId) -> StoreFuture<'_, Snapshot> {
        Box::pin(async move { self.with_inbox(user, Reading::snapshot).await })
    }

    fn acknowledge(&self, user: UserId, position: Position) -> StoreFuture<'_, ()> {
        self.shared.acknowledge(user, position);
        Box::pin(async { Ok(()) })
    }

    fn replace_epoch(&self, user: UserId, expected: Epoch) -> StoreFuture<'_, ()> {
        // What waits to be written names the old epoch and would be ignored after this.
        let acknowledged = self.shared.acknowledged(&user, expected);
        self.write(move |write| {
            inbox::acknowledge(write, &user, expected, acknowledged)?;
            Ok((inbox::replace_epoch(write, &user, expected)?, Vec::new()))
        })
    }

    fn present(&self, users: Vec<UserId>) -> StoreFuture<'_, BTreeSet<UserId>> {
        let present = self.shared.presence().among(users);
        Box::pin(async { Ok(present) })
    }

    fn connections(&self, user: UserId) -> StoreFuture<'_, Vec<Connected>> {
        let connections = self.shared.presence().of(&user);
        Box::pin(async { Ok(connections) })
    }

    fn kick(&self, user: UserId, device: Option<DeviceId>) -> StoreFuture<'_, Vec<Connected>> {
        let mut connections = self.shared.presence().of(&user);
        connections.retain(|connected| device.as_ref().is_none_or(|device| *device == connected.device));
        for connected in &connections {
            self.shared.bell.closed(&user, connected.connection, CloseReason::Kicked);
        }
        Box::pin(async { Ok(connections) })
    }

    fn drain(&self, _: u64) -> StoreFuture<'_, bool> {
        // There is no other node.
        Box::pin(async { Ok(false) })
    }

    fn active(&self, user: UserId, after: Option<InvitationId>, limit: usize) -> StoreFuture<'_, Page> {
        self.read(move |reading| reading.active(&user, after, limit))
    }

    fn history(
        &self,
        conversation: Conversation,
        before: Option<MessageCursor>,
        limit: usize,
    ) -> StoreFuture<'_, HistoryPage> {
        self.read(move |reading| reading.history(&conversation, before, limit))
    }

    fn members(&self, group: GroupId) -> StoreFuture<'_, Option<Vec<UserId>>> {
        self.read(move |reading| reading.members(&group))
    }

    fn put_group(&self, group: GroupId, members: BTreeSet<UserId>) -> StoreFuture<'_, ()> {
        self.write(move |write| groups::put(write, &group, &members))
    }

    fn delete_group(&self, group: GroupId) -> StoreFuture<'_, bool> {
        self.write(move |write| groups::delete(write, &group))
    }

    fn add_member(&self, group: GroupId, user: UserId) -> StoreFuture<'_, Option<bool>> {
        self.write(move |write| groups::add(write, &group, &user))
    }

    fn remove_member(&self, group: GroupId, user: UserId) -> StoreFuture<'_, bool> {
        self.write(move |write| groups::remove(write, &group, &user))
    }

    fn put_device(&self, user: UserId, device: RegisteredDevice) -> StoreFuture<'_, ()> {
        self.write(move |write| devices::put(write, &user, &device))
    }

    fn devices(&self, user: UserId) -> StoreFuture<'_, Vec<RegisteredDevice>> {
        self.read(move |reading| devices::of(&reading.table(tables::DEVICES)?, &user))
    }

    fn remove_device(&self, user: UserId, device: DeviceId) -> StoreFuture<'_, bool> {
        self.write(move |write| devices::remove(write, &user, &device))
    }

    fn block(&self, user: UserId, blocked: UserId) -> StoreFuture<'_, bool> {
        self.write(move |write| blocks::add(write, &user, &blocked))
    }

    fn unblock(&self, user: UserId, blocked: UserId) -> StoreFuture<'_, bool> {
        self.write(move |write| blocks::remove(write, &user, &blocked))
    }

    fn blocks(&self, user: UserId, after: Option<UserId>, limit: usize) -> StoreFuture<'_, BlockPage> {
        self.read(move |reading| {
            let all = blocks::of(&reading.table(tables::BLOCKS)?, &user)?;
            Ok(BlockPage::of(all, after.as_ref(), limit))
        })
    }

    fn ready(&self) -> StoreFuture<'_, ()> {
        self.write(|write| Ok((write.tables.probe.insert(&[], &write_time(write.now))?, Vec::new())))
    }
}

impl Embedded {
    /// Reads an inbox, and first makes one where the read finds none that will last.
    async fn with_inbox<T, R>(&self, user: UserId, read: R) -> Result<T, StoreError>
    where
        T: Send + 'static,
        R: Fn(&Reading, &UserId) -> Result<Option<T>, Fault> + Send + Sync + Clone + 'static,
    {
        for _ in 0..ATTEMPTS {
            let (reader, reading_user) = (read.clone(), user.clone());
            if let Some(found) = self.read(move |reading| reader(reading, &reading_user)).await? {
                return Ok(found);
            }
            let ensured = user.clone();
            self.write(move |write| Ok((inbox::ensure(write, &ensured)?, Vec::new()))).await?;
        }
        Err(StoreError::Unavailable("the inbox did not stay".to_owned()))
    }
}
