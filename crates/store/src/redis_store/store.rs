//! The contract, each operation handed to what does it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use ringwire_signaling::inbox::{Attachment, Epoch, Position, Snapshot, Stretch};
use ringwire_signaling::{
    ConnectionId, DeviceId, GroupId, InvitationId, Partition, RegisteredDevice, UnixMillis, UserId,
};

use super::membership::Local;
use super::traffic::Purpose;
use super::{RedisStore, blocks, commit, connections, devices, groups, post, presence, pulse, pushes, read, resume};
use crate::commit::{Commit, CommitOutcome, PostCommit, PostOutcome, Stored};
use crate::error::StoreError;
use crate::push::{DeadLetter, Failure, LetterCursor, LetterPage, PushId, PushJob, PushQueue, TakenPush};
use crate::query::{Attach, BlockPage, Connected, Conversation, Detail, Due, HistoryPage, MessageCursor, Page};
use crate::{Counters, Nodes, Store, StoreFuture};

impl Store for RedisStore {
    fn commit(&self, commit: Commit) -> StoreFuture<'_, CommitOutcome> {
        Box::pin(commit::commit(&self.state, commit))
    }

    fn post(&self, post: PostCommit) -> StoreFuture<'_, PostOutcome> {
        Box::pin(post::post(&self.state, post))
    }

    fn load(&self, id: InvitationId) -> StoreFuture<'_, Option<Stored>> {
        Box::pin(read::load(&self.state, id))
    }

    fn detail(&self, id: InvitationId) -> StoreFuture<'_, Option<Detail>> {
        Box::pin(read::detail(&self.state, id))
    }

    fn relay(&self, id: InvitationId) -> StoreFuture<'_, bool> {
        Box::pin(post::relay(&self.state, id))
    }

    fn due(&self, partitions: Vec<Partition>, until: UnixMillis, limit: usize) -> StoreFuture<'_, Vec<Due>> {
        Box::pin(async move { read::due(&self.state, &partitions, until, limit).await })
    }

    fn queue_push(&self, job: PushJob, targets: Vec<String>) -> StoreFuture<'_, bool> {
        Box::pin(pushes::queue(&self.state, job, targets))
    }

    fn take_pushes(&self, target: String, limit: usize, lease_ms: u64) -> StoreFuture<'_, Vec<TakenPush>> {
        Box::pin(async move { pushes::take(&self.state, &target, limit, lease_ms).await })
    }

    fn put_off_push(&self, target: String, job: PushJob, at: UnixMillis, error: String) -> StoreFuture<'_, ()> {
        Box::pin(async move { pushes::put_off(&self.state, &target, &job, at, &error).await })
    }

    fn end_push(&self, target: String, job: PushJob, failure: Option<Failure>) -> StoreFuture<'_, ()> {
        Box::pin(async move { pushes::end(&self.state, &target, &job, failure).await })
    }

    fn push_queues(&self, targets: Vec<String>) -> StoreFuture<'_, Vec<PushQueue>> {
        Box::pin(async move { pushes::queues(&self.state, &targets).await })
    }

    fn dead_letters(&self, before: Option<LetterCursor>, limit: usize) -> StoreFuture<'_, LetterPage> {
        Box::pin(pushes::letters(&self.state, before, limit))
    }

    fn dead_letter(&self, id: PushId) -> StoreFuture<'_, Option<DeadLetter>> {
        Box::pin(pushes::read_letter(&self.state, id))
    }

    fn remove_letter(&self, id: PushId, again: Option<PushJob>) -> StoreFuture<'_, bool> {
        Box::pin(pushes::remove_letter(&self.state, id, again))
    }

    fn attach(&self, attach: Attach) -> StoreFuture<'_, Attachment> {
        Box::pin(resume::attach(&self.state, attach))
    }

    fn detach(&self, user: UserId, device: DeviceId, connection: ConnectionId) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let local: Local = (user, device, connection);
            self.state.membership.release(&local);
            let outcome = presence::detach(&self.state, &local).await;
            if outcome.is_err() {
                self.state.membership.tell_later(local);
            }
            outcome
        })
    }

    fn stretch(&self, user: UserId, after: u64) -> StoreFuture<'_, Stretch> {
        Box::pin(async move { resume::stretch(&self.state, &user, after).await })
    }

    fn snapshot(&self, user: UserId) -> StoreFuture<'_, Snapshot> {
        Box::pin(async move { resume::snapshot(&self.state, &user).await })
    }

    fn acknowledge(&self, user: UserId, position: Position) -> StoreFuture<'_, ()> {
        Box::pin(async move { resume::acknowledge(&self.state, &user, position).await })
    }

    fn replace_epoch(&self, user: UserId, expected: Epoch) -> StoreFuture<'_, ()> {
        Box::pin(async move { resume::replace_epoch(&self.state, &user, expected).await })
    }

    fn present(&self, users: Vec<UserId>) -> StoreFuture<'_, BTreeSet<UserId>> {
        Box::pin(presence::among(&self.state, users))
    }

    fn connections(&self, user: UserId) -> StoreFuture<'_, Vec<Connected>> {
        Box::pin(async move { connections::of(&self.state, &user).await })
    }

    fn kick(&self, user: UserId, device: Option<DeviceId>) -> StoreFuture<'_, Vec<Connected>> {
        Box::pin(async move { connections::kick(&self.state, &user, device.as_ref()).await })
    }

    fn drain(&self, node: u64) -> StoreFuture<'_, bool> {
        Box::pin(connections::drain(&self.state, node))
    }

    fn active(&self, user: UserId, after: Option<InvitationId>, limit: usize) -> StoreFuture<'_, Page> {
        Box::pin(async move { read::active(&self.state, &user, after, limit).await })
    }

    fn history(
        &self,
        conversation: Conversation,
        before: Option<MessageCursor>,
        limit: usize,
    ) -> StoreFuture<'_, HistoryPage> {
        Box::pin(async move { read::history(&self.state, &conversation, before, limit).await })
    }

    fn members(&self, group: GroupId) -> StoreFuture<'_, Option<Vec<UserId>>> {
        Box::pin(async move { groups::members(&self.state, &group).await })
    }

    fn put_group(&self, group: GroupId, members: BTreeSet<UserId>) -> StoreFuture<'_, ()> {
        Box::pin(async move { groups::put(&self.state, &group, &members).await })
    }

    fn delete_group(&self, group: GroupId) -> StoreFuture<'_, bool> {
        Box::pin(async move { groups::delete(&self.state, &group).await })
    }

    fn add_member(&self, group: GroupId, user: UserId) -> StoreFuture<'_, Option<bool>> {
        Box::pin(async move { groups::add(&self.state, &group, &user).await })
    }

    fn remove_member(&self, group: GroupId, user: UserId) -> StoreFuture<'_, bool> {
        Box::pin(async move { groups::remove(&self.state, &group, &user).await })
    }

    fn put_device(&self, user: UserId, device: RegisteredDevice) -> StoreFuture<'_, ()> {
        Box::pin(async move { devices::put(&self.state, &user, &device).await })
    }

    fn devices(&self, user: UserId) -> StoreFuture<'_, Vec<RegisteredDevice>> {
        Box::pin(async move { devices::of(&self.state, &user).await })
    }

    fn remove_device(&self, user: UserId, device: DeviceId) -> StoreFuture<'_, bool> {
        Box::pin(async move { devices::remove(&self.state, &user, &device).await })
    }

    fn block(&self, user: UserId, blocked: UserId) -> StoreFuture<'_, bool> {
        Box::pin(async move { blocks::add(&self.state, &user, &blocked).await })
    }

    fn unblock(&self, user: UserId, blocked: UserId) -> StoreFuture<'_, bool> {
        Box::pin(async move { blocks::remove(&self.state, &user, &blocked).await })
    }

    fn blocks(&self, user: UserId, after: Option<UserId>, limit: usize) -> StoreFuture<'_, BlockPage> {
        Box::pin(async move { blocks::page(&self.state, &user, after.as_ref(), limit).await })
    }

    fn ready(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            if !self.state.membership.hears() {
                return Err(StoreError::Unavailable("the subscription to doorbells is down".to_owned()));
            }
            if !self.state.membership.is_fresh() {
                return Err(StoreError::Unavailable("the lease of this process is not renewed".to_owned()));
            }
            self.state.link.ask(Purpose::Pulse, &redis::cmd("PING")).await.map(|_| ())
        })
    }

    fn nodes(&self) -> Nodes {
        let own = self.state.membership.own();
        let mut live = self.state.membership.live();
        live.insert(own);
        Nodes { own, live: live.into_iter().collect() }
    }

    fn describe(&self, description: String) {
        self.state.membership.describe(description);
    }

    fn descriptions(&self) -> StoreFuture<'_, BTreeMap<u64, String>> {
        Box::pin(pulse::descriptions(&self.state))
    }

    fn counters(&self) -> Counters {
        let tally = &self.state.counters;
        Counters {
            traffic: self.state.link.meter.read(),
            link_rebuilds: tally.link_rebuilds.load(Ordering::Relaxed),
            subscription_rebuilds: tally.subscription_rebuilds.load(Ordering::Relaxed),
            lost_doorbells: tally.holes.load(Ordering::Relaxed),
            interruptions: tally.interruptions.load(Ordering::Relaxed),
            incarnations: tally.incarnations.load(Ordering::Relaxed),
        }
    }
}
