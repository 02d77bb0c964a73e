//! Which actor serves which user or invitation on this node, and the way to it.
//!
//! Actors start on first use and remove themselves when idle. A message that meets an actor just
//! as it stops is sent again to a fresh one.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use actix::dev::ToEnvelope;
use actix::prelude::*;
use ringwire_signaling::inbox::Delivery;
use ringwire_signaling::session::CloseReason;
use ringwire_signaling::{ConnectionId, Event, InvitationId, UserId};
use ringwire_store::{Doorbell, Due};

use crate::error::OperationError;
use crate::invitation::{InvitationActor, Moved};
use crate::metrics::{Mailbox, Stage};
use crate::session::{Close, Deliver, SessionActor, Suspect};
use crate::shared::Shared;

/// Locks of one registry, so that threads seldom wait for each other.
const SHARDS: usize = 32;
/// How often a message is sent again when its actor was just stopping.
const SENDS: usize = 4;
/// How often sessions whose mailbox was full are told to look at their inbox.
const SUSPECT_INTERVAL: Duration = Duration::from_millis(100);

/// Addresses of actors by key.
struct Registry<K, A: Actor> {
    shards: Vec<Mutex<HashMap<K, Addr<A>>>>,
    hasher: RandomState,
}

impl<K: Hash + Eq + Clone, A: Actor<Context = Context<A>>> Registry<K, A> {
    fn new() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, hasher: RandomState::new() }
    }

    fn shard(&self, key: &K) -> MutexGuard<'_, HashMap<K, Addr<A>>> {
        let at = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0);
        // A panic while a shard is locked cannot leave it half-changed: every change is one call.
        self.shards[at].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, key: &K) -> Option<Addr<A>> {
        self.shard(key).get(key).filter(|address| address.connected()).cloned()
    }

    /// The actor of `key`, started on this thread if there is none.
    fn find_or_start(&self, key: &K, make: impl FnOnce() -> A) -> Addr<A> {
        let mut shard = self.shard(key);
        match shard.get(key).filter(|address| address.connected()) {
            Some(address) => address.clone(),
            None => {
                let address = make().start();
                shard.insert(key.clone(), address.clone());
                address
            }
        }
    }

    fn remove(&self, key: &K, address: &Addr<A>) {
        let mut shard = self.shard(key);
        if shard.get(key) == Some(address) {
            shard.remove(key);
        }
    }

    fn addresses(&self) -> Vec<Addr<A>> {
        let lock = |shard| Mutex::lock(shard).unwrap_or_else(PoisonError::into_inner);
        self.shards.iter().flat_map(|shard| lock(shard).values().cloned().collect::<Vec<_>>()).collect()
    }

    fn len(&self) -> usize {
        let lock = |shard| Mutex::lock(shard).unwrap_or_else(PoisonError::into_inner);
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Sends a message and waits for room and the answer, at most `limit`.
    async fn ask<M>(
        &self,
        limit: Duration,
        find: impl Fn() -> Addr<A>,
        message: impl Fn() -> M,
        rejected: impl Fn(),
    ) -> Result<M::Result, OperationError>
    where
        M: Message + Send + 'static,
        M::Result: Send,
        A: Handler<M>,
        A::Context: ToEnvelope<A, M>,
    {
        for _ in 0..SENDS {
            let address = find();
            match address.send(message()).timeout(limit).await {
                Ok(answer) => return Ok(answer),
                Err(MailboxError::Closed) => {}
                Err(MailboxError::Timeout) => {
                    rejected();
                    break;
                }
            }
        }
        Err(OperationError::Unavailable)
    }
}

/// The invitation actors of this node.
pub(crate) struct Invitations(Registry<InvitationId, InvitationActor>);

impl Invitations {
    pub(crate) fn new() -> Self {
        Self(Registry::new())
    }

    /// Sends a message to the actor of an invitation and waits for its answer.
    pub(crate) fn ask<M>(
        shared: &Arc<Shared>,
        id: InvitationId,
        message: impl Fn() -> M,
    ) -> impl Future<Output = Result<M::Result, OperationError>>
    where
        M: Message + Send + 'static,
        M::Result: Send,
        InvitationActor: Handler<M>,
        Context<InvitationActor>: ToEnvelope<InvitationActor, M>,
    {
        // The store's limit, and as much again for what waits before it in the mailbox.
        let limit = Duration::from_millis(2 * shared.config.store.timeout_ms);
        let start = move || Invitations::address(shared, id);
        let asking = shared.invitations.0.ask(limit, start, message, || shared.metrics.rejected(Mailbox::Invitation));
        shared.metrics.time(Stage::Operation, asking)
    }

    /// The actor of an invitation, started if there is none.
    pub(crate) fn address(shared: &Arc<Shared>, id: InvitationId) -> Addr<InvitationActor> {
        shared.invitations.0.find_or_start(&id, || InvitationActor::new(Arc::clone(shared), id))
    }

    /// Tells the actor of an invitation, if there is one, which version the store has.
    fn moved(&self, event: &Event) {
        if let Some(actor) = self.0.find(&event.invitation) {
            // Whoever waits in a full mailbox meets the store's judgement as well.
            drop(actor.try_send(Moved { version: event.version, is_settled: event.settled }));
        }
    }

    pub(crate) fn remove(&self, id: &InvitationId, address: &Addr<InvitationActor>) {
        self.0.remove(id, address);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// The session actors of this node, and the store's doorbell to them.
pub(crate) struct Sessions {
    registry: Registry<UserId, SessionActor>,
    /// Users whose session missed a doorbell because its mailbox was full. At most one entry per
    /// live session.
    suspects: Mutex<BTreeSet<UserId>>,
    shared: OnceLock<Weak<Shared>>,
}

impl Sessions {
    pub(crate) fn new() -> Self {
        Self { registry: Registry::new(), suspects: Mutex::default(), shared: OnceLock::new() }
    }

    /// Gives sessions access to their node; called once, when the node is complete.
    pub(crate) fn bind(&self, shared: &Arc<Shared>) {
        // A second call would name the same node.
        let _ = self.shared.set(Arc::downgrade(shared));
    }

    /// The session of a user, started on this thread if there is none.
    pub(crate) fn address(&self, user: &UserId) -> Option<Addr<SessionActor>> {
        let shared = self.shared.get()?.upgrade()?;
        Some(self.registry.find_or_start(user, || SessionActor::new(shared, user.clone())))
    }

    pub(crate) fn remove(&self, user: &UserId, address: &Addr<SessionActor>) {
        self.registry.remove(user, address);
    }

    pub(crate) fn len(&self) -> usize {
        self.registry.len()
    }

    /// Tells sessions that missed a doorbell to look, until told to stop by being dropped.
    pub(crate) async fn tell_suspects(self: Arc<Self>) {
        loop {
            tokio::time::sleep(SUSPECT_INTERVAL).await;
            let suspects = std::mem::take(&mut *self.suspects());
            for user in suspects {
                self.suspect(user);
            }
        }
    }

    /// Has a session look at its inbox, later if its mailbox is full.
    fn suspect(&self, user: UserId) {
        if let Some(session) = self.registry.find(&user)
            && let Err(SendError::Full(_)) = session.try_send(Suspect)
        {
            self.suspects().insert(user);
        }
    }

    fn suspects(&self) -> MutexGuard<'_, BTreeSet<UserId>> {
        self.suspects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Doorbell for Sessions {
    fn ring(&self, deliveries: Vec<Delivery>) {
        // Nobody rings before the node is complete.
        let Some(shared) = self.shared.get().and_then(Weak::upgrade) else { return };
        for delivery in deliveries {
            // First of all, so that whatever a user does who was told of this is judged by it. What this node
            // committed itself its actor knows.
            if delivery.origin.is_none_or(|origin| origin.incarnation != shared.incarnation) {
                shared.invitations.moved(&delivery.entry.event);
            }
            let Some(session) = self.registry.find(&delivery.user) else { continue };
            let user = delivery.user.clone();
            if let Err(SendError::Full(_)) = session.try_send(Deliver(delivery)) {
                shared.metrics.rejected(Mailbox::Session);
                self.suspects().insert(user);
            }
        }
    }

    fn interrupted(&self) {
        for session in self.registry.addresses() {
            // A session whose mailbox is full has entries waiting that show it the gap.
            drop(session.try_send(Suspect));
        }
    }

    fn missed(&self, users: Vec<UserId>) {
        for user in users {
            self.suspect(user);
        }
    }

    fn due(&self, due: Vec<Due>) {
        if let Some(shared) = self.shared.get().and_then(Weak::upgrade) {
            shared.pushes.due_at_once(due);
        }
    }

    fn drain(&self) {
        if let Some(shared) = self.shared.get().and_then(Weak::upgrade) {
            shared.stop_asked.notify_one();
        }
    }

    fn closed(&self, user: &UserId, connection: ConnectionId, reason: CloseReason) {
        if let Some(session) = self.registry.find(user) {
            // A session whose mailbox is full keeps the old connection until that ends by itself.
            drop(session.try_send(Close { connection, reason }));
        }
    }
}
