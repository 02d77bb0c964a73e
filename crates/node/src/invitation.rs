//! The actor of one invitation: step → commit → answer → re-arm one timer.
//!
//! It holds the last state it knows and no rules. Other actors of the same invitation, here after a
//! restart or on other nodes, are harmless: the store's compare-and-set decides.

mod batch;
mod transition;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use ringwire_signaling::{Command, DeviceId, InvitationId, Invite, Origin, Reply, Signal, UserId};
use ringwire_store::Stored;
use tokio::sync::oneshot;

use crate::error::OperationError;
use crate::metrics::Mailbox;
use crate::shared::Shared;
use batch::{Asked, Receipt};
use transition::Transition;

/// How long an actor without a timer stays after its last message: signals and repeats follow an
/// answer within seconds; later ones cost one load.
const LINGER: Duration = Duration::from_secs(10);
/// Messages that wait for one invitation before senders are told `unavailable`: every invitee may
/// answer, and every device may send a receipt, in one moment.
const MAILBOX: usize = 1024;
/// Commands and receipts that are carried out in one go: bounds what is lost if another node was faster.
const BATCH: usize = 64;

type Outcome = Result<Reply, OperationError>;

/// See the module.
pub(crate) struct InvitationActor {
    shared: Arc<Shared>,
    id: InvitationId,
    /// The last known state; none if it must be loaded.
    state: Option<Stored>,
    /// This node created the invitation, or its sweeper found it: fire the deadline here.
    keeps_time: bool,
    timer: Option<SpawnHandle>,
    /// Commands that wait for their turn.
    asked: VecDeque<Asked>,
    /// Receipts that do.
    receipts: VecDeque<Receipt>,
    /// The users of whom a device gave a receipt here: others of theirs need not be told to the inviter.
    rung: BTreeSet<UserId>,
    /// Whether this is counted as active.
    is_active: bool,
    /// Messages handled since the last look at idleness.
    used: bool,
}

/// Create the invitation.
#[derive(Message)]
#[rtype(result = "Outcome")]
pub(crate) struct Create {
    pub(crate) command: Invite,
    pub(crate) origin: Option<Origin>,
}

/// Do something that changes it.
#[derive(Message)]
#[rtype(result = "Outcome")]
pub(crate) struct Act {
    pub(crate) command: Command,
    pub(crate) origin: Option<Origin>,
}

/// Hand data to other participants.
#[derive(Message)]
#[rtype(result = "Outcome")]
pub(crate) struct Tell {
    pub(crate) command: Signal,
    pub(crate) origin: Option<Origin>,
}

/// A device holds the ring.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct NoteReceipt {
    pub(crate) user: UserId,
    pub(crate) device: DeviceId,
}

/// Keep the time of this invitation: its deadline is near or has passed.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct KeepTime;

/// Carry out what waits. Comes when the mailbox has been emptied, so that what arrived together goes together.
#[derive(Message)]
#[rtype(result = "()")]
struct Turn;

/// The store has this version of the invitation: another node may have committed it.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Moved {
    pub(crate) version: u64,
    pub(crate) is_settled: bool,
}

impl InvitationActor {
    /// An actor that knows nothing yet.
    pub(crate) fn new(shared: Arc<Shared>, id: InvitationId) -> Self {
        Self {
            shared,
            id,
            state: None,
            keeps_time: false,
            timer: None,
            asked: VecDeque::new(),
            receipts: VecDeque::new(),
            rung: BTreeSet::new(),
            is_active: false,
            used: true,
        }
    }

    /// Begins a transition, and what has to be done before it: commands that came earlier.
    fn transition(&mut self) -> (Transition, Vec<Asked>) {
        self.used = true;
        let asked = self.asked.drain(..self.asked.len().min(BATCH)).collect();
        let transition = Transition { shared: Arc::clone(&self.shared), id: self.id, state: self.state.take() };
        (transition, asked)
    }

    /// Has what waits carried out, unless that is on its way.
    fn call_for_turn(&mut self, context: &mut Context<Self>) {
        self.used = true;
        if self.asked.len() + self.receipts.len() == 1 {
            context.notify(Turn);
        }
    }

    /// Takes back the state after a transition and arms the timer that it asks for.
    fn settle_down(&mut self, state: Option<Stored>, context: &mut Context<Self>) {
        self.state = state;
        if let Some(timer) = self.timer.take() {
            context.cancel_future(timer);
        }
        let known = self.state.as_ref().map(|stored| &stored.invitation);
        let is_active = self.keeps_time && known.is_some_and(|invitation| !invitation.is_settled());
        let deadline = known.and_then(ringwire_signaling::Invitation::deadline);
        self.count_active(is_active);
        if let (true, Some(deadline)) = (self.keeps_time, deadline) {
            let wait = Duration::from_millis(deadline.since(self.shared.clock.now()));
            self.timer = Some(context.run_later(wait, |actor, context| {
                actor.timer = None;
                // Nobody waits for the outcome. If it fails, the sweeper fires it.
                drop(actor.ask(Act { command: Command::Timeout, origin: None }, context));
            }));
        }
    }

    /// Takes in a command; who waits gets what becomes of it.
    fn ask(&mut self, Act { command, origin }: Act, context: &mut Context<Self>) -> oneshot::Receiver<Outcome> {
        let (reply, answer) = oneshot::channel();
        if self.asked.len() >= MAILBOX {
            self.shared.metrics.rejected(Mailbox::Invitation);
        } else {
            self.asked.push_back(Asked { command, origin, reply });
            self.call_for_turn(context);
        }
        answer
    }

    fn count_active(&mut self, is_active: bool) {
        match (std::mem::replace(&mut self.is_active, is_active), is_active) {
            (false, true) => _ = self.shared.metrics.active.inc(),
            (true, false) => _ = self.shared.metrics.active.dec(),
            (true, true) | (false, false) => {}
        }
    }

    /// Looks now and then whether anybody still needs this actor.
    fn watch_idleness(context: &mut Context<Self>) {
        context.run_later(LINGER, |actor, context| {
            if std::mem::take(&mut actor.used) || actor.timer.is_some() {
                Self::watch_idleness(context);
            } else {
                context.stop();
            }
        });
    }
}

impl Actor for InvitationActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(MAILBOX);
        Self::watch_idleness(context);
    }

    fn stopped(&mut self, context: &mut Self::Context) {
        self.count_active(false);
        self.shared.invitations.remove(&self.id, &context.address());
    }
}

impl Handler<Create> for InvitationActor {
    type Result = AtomicResponse<Self, Outcome>;

    fn handle(&mut self, message: Create, _: &mut Self::Context) -> Self::Result {
        self.keeps_time = true;
        let (mut transition, before) = self.transition();
        let work = async move {
            transition.act(before).await;
            transition.create(message.command, message.origin).await
        };
        finish(work.into_actor(self))
    }
}

impl Handler<Act> for InvitationActor {
    type Result = ResponseFuture<Outcome>;

    fn handle(&mut self, message: Act, context: &mut Self::Context) -> Self::Result {
        let answer = self.ask(message, context);
        Box::pin(async move { answer.await.unwrap_or(Err(OperationError::Unavailable)) })
    }
}

impl Handler<Tell> for InvitationActor {
    type Result = AtomicResponse<Self, Outcome>;

    fn handle(&mut self, message: Tell, _: &mut Self::Context) -> Self::Result {
        let (mut transition, before) = self.transition();
        let work = async move {
            transition.act(before).await;
            transition.tell(message.command, message.origin).await
        };
        finish(work.into_actor(self))
    }
}

impl Handler<NoteReceipt> for InvitationActor {
    type Result = ();

    fn handle(&mut self, NoteReceipt { user, device }: NoteReceipt, context: &mut Self::Context) {
        if self.receipts.len() >= MAILBOX {
            self.shared.metrics.rejected(Mailbox::Invitation);
            return;
        }
        let is_first = self.rung.insert(user.clone());
        self.receipts.push_back(Receipt { user, device, is_first });
        self.call_for_turn(context);
    }
}

impl Handler<Turn> for InvitationActor {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, _: Turn, context: &mut Self::Context) -> Self::Result {
        let (mut transition, asked) = self.transition();
        let receipts = self.receipts.drain(..self.receipts.len().min(BATCH)).collect();
        if self.asked.len() + self.receipts.len() > 0 {
            context.notify(Turn);
        }
        let work = async move {
            transition.act(asked).await;
            transition.receipts(receipts).await;
            (transition.state, ())
        };
        finish(work.into_actor(self))
    }
}

impl Handler<KeepTime> for InvitationActor {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, _: KeepTime, _: &mut Self::Context) -> Self::Result {
        self.keeps_time = true;
        let (mut transition, before) = self.transition();
        let work = async move {
            transition.act(before).await;
            transition.known().await
        };
        finish(work.into_actor(self))
    }
}

impl Handler<Moved> for InvitationActor {
    type Result = ();

    fn handle(&mut self, Moved { version, is_settled }: Moved, context: &mut Self::Context) {
        if self.state.as_ref().is_some_and(|stored| stored.invitation.version < version) {
            self.state = None;
            // Otherwise the timer stays: what it asks for is judged by the state that is loaded then.
            if is_settled {
                self.count_active(false);
                if let Some(timer) = self.timer.take() {
                    context.cancel_future(timer);
                }
            }
        }
    }
}

/// Ends every message alike: the state comes back, the timer follows it.
fn finish<T: 'static>(
    work: impl ActorFuture<InvitationActor, Output = (Option<Stored>, T)> + 'static,
) -> AtomicResponse<InvitationActor, T> {
    AtomicResponse::new(Box::pin(work.map(|(state, answer), actor: &mut InvitationActor, context| {
        actor.settle_down(state, context);
        answer
    })))
}
