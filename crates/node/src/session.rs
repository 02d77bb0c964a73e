//! The actor of one user's session: performs what the pure session asks for.
//!
//! It owns the way out to each of the user's connections on this node and never waits for one of
//! them: a connection that does not keep up is cut.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use bytestring::ByteString;
use ringwire_signaling::inbox::{Delivery, Resumption, Snapshot, Stretch};
use ringwire_signaling::session::{self, Effect};
use ringwire_signaling::{ConnectionId, DeviceId, Epoch, InvitationId, Position, UserId};
use ringwire_store::Attach;
use ringwire_wire::view::{CloseReason, HelloResult, SnapshotView};
use ringwire_wire::{Id, frame};

use crate::error::OperationError;
use crate::invitation::NoteReceipt;
use crate::metrics::{Limit, Mailbox, Stage};
use crate::registry::Invitations;
use crate::shared::Shared;
use crate::ws::outbound::Outbound;

/// Doorbells and acknowledgements that wait for one session. Beyond it doorbells are dropped, and the
/// session is told to look at its inbox instead.
const MAILBOX: usize = 512;
/// How long acknowledgements are collected before the highest is written.
const ACK_DELAY: Duration = Duration::from_secs(1);
/// Pause before a failed read of the inbox is tried again.
const RECOVERY_DELAY: Duration = Duration::from_millis(500);

/// See the module.
pub(crate) struct SessionActor {
    shared: Arc<Shared>,
    user: UserId,
    session: ringwire_signaling::session::Session,
    outbound: BTreeMap<ConnectionId, Outbound>,
    /// The highest acknowledged position, not yet written.
    unsaved_ack: Option<Position>,
}

/// A device said hello on this connection.
#[derive(Message)]
#[rtype(result = "Result<(), OperationError>")]
pub(crate) struct Hello {
    pub(crate) connection: ConnectionId,
    pub(crate) device: DeviceId,
    pub(crate) resume: Option<Position>,
    /// The request that waits for the result.
    pub(crate) request: Id,
    pub(crate) outbound: Outbound,
}

/// The store committed an entry of this user's inbox.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Deliver(pub(crate) Delivery);

/// A doorbell may have been lost.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Suspect;

/// This connection has to go because of what connected to another node, or because an operator wants it.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Close {
    pub(crate) connection: ConnectionId,
    pub(crate) reason: ringwire_signaling::session::CloseReason,
}

/// A device holds every event up to an offset.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Acknowledge {
    pub(crate) connection: ConnectionId,
    pub(crate) offset: u64,
}

/// A device asks for a ring by name. The answer says whether this connection had it before.
#[derive(Message)]
#[rtype(result = "bool")]
pub(crate) struct RingByName {
    pub(crate) connection: ConnectionId,
    pub(crate) invitation: InvitationId,
}

/// A connection ended.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Gone {
    pub(crate) connection: ConnectionId,
    pub(crate) device: DeviceId,
}

impl SessionActor {
    /// A session without connections.
    pub(crate) fn new(shared: Arc<Shared>, user: UserId) -> Self {
        let session = ringwire_signaling::session::Session::new(user.clone(), shared.incarnation);
        Self { shared, user, session, outbound: BTreeMap::new(), unsaved_ack: None }
    }

    /// Performs effects in order.
    fn perform(&mut self, effects: Vec<Effect>, context: &mut Context<Self>) {
        // Devices of one user mostly get the same entries: each is written once.
        let mut written = Written::default();
        for effect in effects {
            match effect {
                Effect::Send { to, epoch, entries } => {
                    if let Some(outbound) = self.outbound.get(&to) {
                        for entry in &entries {
                            outbound.send(written.event(entry, epoch));
                        }
                    }
                }
                Effect::SendSnapshot { to, snapshot } => {
                    if let Some(outbound) = self.outbound.get(&to) {
                        outbound.send(written.snapshot(&snapshot, &self.shared));
                    }
                }
                Effect::Fetch { after } => self.fetch(after, context),
                Effect::Reset { replace } => self.reset(replace, context),
                Effect::Receipt { invitation, device } => {
                    let receipt = NoteReceipt { user: self.user.clone(), device };
                    if Invitations::address(&self.shared, invitation).try_send(receipt).is_err() {
                        self.shared.metrics.rejected(Mailbox::Invitation);
                        tracing::debug!(%invitation, "receipt dropped: the invitation is overloaded");
                    }
                }
                Effect::SaveAck { position } => self.save_ack(position, context),
                Effect::Close { connection, reason } => self.close(connection, reason),
            }
        }
    }

    fn close(&mut self, connection: ConnectionId, reason: session::CloseReason) {
        if let Some(outbound) = self.outbound.remove(&connection) {
            if reason == session::CloseReason::TooManyDevices {
                self.shared.metrics.limited(Limit::Devices);
            }
            outbound.close(CloseReason::from(reason));
        }
    }

    fn fetch(&mut self, after: u64, context: &mut Context<Self>) {
        let (shared, user) = (Arc::clone(&self.shared), self.user.clone());
        let read = async move { shared.ask(shared.store.stretch(user, after)).await };
        self.recover(read, context, |actor, stretch: Stretch| {
            let before = actor.session.gaps_healed();
            let effects = actor.session.fetched(stretch);
            actor.shared.metrics.gaps_healed.inc_by(actor.session.gaps_healed() - before);
            effects
        });
    }

    fn reset(&mut self, replace: Option<Epoch>, context: &mut Context<Self>) {
        let (shared, user) = (Arc::clone(&self.shared), self.user.clone());
        let read = async move {
            if let Some(expected) = replace {
                tracing::warn!(%user, epoch = %expected, "the inbox was rolled back; it gets a new epoch");
                shared.ask(shared.store.replace_epoch(user.clone(), expected)).await?;
            }
            shared.ask(shared.store.snapshot(user)).await
        };
        self.recover(read, context, |actor, snapshot: Snapshot| {
            actor.shared.metrics.resets.inc();
            actor.session.reset(&snapshot)
        });
    }

    /// Reads from the store while messages wait, so that what is delivered meanwhile comes after it.
    fn recover<T: 'static>(
        &mut self,
        read: impl Future<Output = Result<T, OperationError>> + 'static,
        context: &mut Context<Self>,
        apply: impl FnOnce(&mut Self, T) -> Vec<Effect> + 'static,
    ) {
        let work = read.into_actor(self).map(move |outcome, actor, context| match outcome {
            Ok(found) => {
                let effects = apply(actor, found);
                actor.perform(effects, context);
            }
            Err(_) => {
                actor.session.recovery_failed();
                context.notify_later(Suspect, RECOVERY_DELAY);
            }
        });
        context.wait(work);
    }

    fn save_ack(&mut self, position: Position, context: &mut Context<Self>) {
        if self.unsaved_ack.is_none() {
            context.run_later(ACK_DELAY, |actor, _| actor.flush_ack());
        }
        let newer =
            self.unsaved_ack.is_none_or(|known| known.epoch != position.epoch || known.offset < position.offset);
        if newer {
            self.unsaved_ack = Some(position);
        }
    }

    fn flush_ack(&mut self) {
        let Some(position) = self.unsaved_ack.take() else { return };
        let (shared, user) = (Arc::clone(&self.shared), self.user.clone());
        actix::spawn(async move {
            if let Err(error) = shared.ask(shared.store.acknowledge(user, position)).await {
                tracing::debug!(?error, "acknowledgement not stored");
            }
        });
    }

    fn greet(&mut self, hello: Hello, attachment: ringwire_signaling::inbox::Attachment, context: &mut Context<Self>) {
        let position = attachment.position;
        let result = HelloResult {
            user: self.user.clone(),
            node: self.shared.node_id(),
            epoch: position.epoch,
            offset: position.offset,
            check: position.check,
            resumed: matches!(attachment.resumption, Resumption::Backlog(_)),
            heartbeat_s: self.shared.config.connection.heartbeat_s,
            server_time: self.shared.clock.now().0,
        };
        hello.outbound.send(frame::result(&hello.request, &result).into());
        self.outbound.insert(hello.connection, hello.outbound);
        let effects = self.session.attach(hello.connection, hello.device, attachment);
        self.perform(effects, context);
    }
}

impl Actor for SessionActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(MAILBOX);
    }

    fn stopped(&mut self, context: &mut Self::Context) {
        self.flush_ack();
        self.shared.sessions.remove(&self.user, &context.address());
    }
}

impl Handler<Hello> for SessionActor {
    type Result = AtomicResponse<Self, Result<(), OperationError>>;

    fn handle(&mut self, hello: Hello, _: &mut Self::Context) -> Self::Result {
        let attach = Attach {
            user: self.user.clone(),
            device: hello.device.clone(),
            incarnation: self.shared.incarnation,
            connection: hello.connection,
            resume: hello.resume,
        };
        let shared = Arc::clone(&self.shared);
        let work = async move { shared.ask(shared.store.attach(attach)).await };
        AtomicResponse::new(Box::pin(work.into_actor(self).map(|outcome, actor, context| {
            let outcome = outcome.map(|attachment| actor.greet(hello, attachment, context));
            if actor.session.is_empty() {
                context.stop();
            }
            outcome
        })))
    }
}

impl Handler<Deliver> for SessionActor {
    type Result = ();

    fn handle(&mut self, Deliver(delivery): Deliver, context: &mut Self::Context) {
        let waited_ms = self.shared.clock.now().since(delivery.entry.event.at);
        self.shared.metrics.took(Stage::Delivery, Duration::from_millis(waited_ms).as_secs_f64());
        let effects = self.session.deliver(delivery);
        self.perform(effects, context);
    }
}

impl Handler<Suspect> for SessionActor {
    type Result = ();

    fn handle(&mut self, _: Suspect, context: &mut Self::Context) {
        let effects = self.session.suspect();
        self.perform(effects, context);
    }
}

impl Handler<Close> for SessionActor {
    type Result = ();

    fn handle(&mut self, Close { connection, reason }: Close, _: &mut Self::Context) {
        // The connection tells of its end itself, and that ends the session if it was the last.
        self.close(connection, reason);
    }
}

impl Handler<Acknowledge> for SessionActor {
    type Result = ();

    fn handle(&mut self, message: Acknowledge, context: &mut Self::Context) {
        let effects = self.session.acknowledge(message.connection, message.offset);
        self.perform(effects, context);
    }
}

impl Handler<RingByName> for SessionActor {
    type Result = bool;

    fn handle(&mut self, message: RingByName, _: &mut Self::Context) -> bool {
        self.session.ring_by_name(message.connection, message.invitation)
    }
}

impl Handler<Gone> for SessionActor {
    type Result = ();

    fn handle(&mut self, message: Gone, context: &mut Self::Context) {
        self.session.detach(message.connection);
        self.outbound.remove(&message.connection);
        let (shared, user) = (Arc::clone(&self.shared), self.user.clone());
        actix::spawn(async move {
            let detach = shared.store.detach(user, message.device, message.connection);
            if let Err(error) = shared.ask(detach).await {
                tracing::debug!(?error, "presence not cleared");
            }
        });
        if self.session.is_empty() {
            context.stop();
        }
    }
}

/// The last frames that were written, to send the same to the next device.
#[derive(Default)]
struct Written {
    events: Vec<(u64, ByteString)>,
    snapshot: Option<ByteString>,
}

impl Written {
    fn event(&mut self, entry: &ringwire_signaling::Entry, epoch: Epoch) -> ByteString {
        if let Some((_, text)) = self.events.iter().find(|(offset, _)| *offset == entry.offset) {
            return text.clone();
        }
        let text = ByteString::from(frame::event(entry, epoch));
        self.events.push((entry.offset, text.clone()));
        text
    }

    fn snapshot(&mut self, snapshot: &Snapshot, shared: &Shared) -> ByteString {
        self.snapshot
            .get_or_insert_with(|| frame::snapshot(&SnapshotView::of(snapshot, shared.clock.now())).into())
            .clone()
    }
}
