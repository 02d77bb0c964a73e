//! The transitions of an invitation: one file each, and the words they share.
//!
//! A transition takes the state, what is asked and the time, and says what follows. The caller
//! commits `next` under compare-and-set on the version it stepped from, together with everything
//! else in the [`Step`], and only then answers and notifies. On a conflict it steps again on the
//! state that won.

mod answer;
mod cancel;
mod check;
mod force_cancel;
mod invite;
mod modify;
mod receipt;
mod ring_again;
mod signal;
mod timeout;

use std::sync::Arc;

use crate::command::Command;
use crate::event::Event;
use crate::guard::{Guard, Role};
use crate::id::{DeviceId, InvitationId, RequestId, UserId};
use crate::invitation::{Audience, FailReason, Invitation, InviteeState, Mark, Outcome, Settlement};
use crate::operation::Operation;
use crate::partition::{FNV_OFFSET, fnv1a, mix};
use crate::push::PushChange;
use crate::refusal::Refusal;
use crate::time::UnixMillis;

pub use invite::{invite, invitees, repeat_of};
pub use receipt::{device_receipt, receipt};
pub use ring_again::ring_again;
pub use signal::signal;

/// A transition and everything that must be committed with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The state after it. Its deadline is [`Invitation::deadline`].
    pub next: Invitation,
    /// What history says.
    pub operation: Operation,
    /// Events for the inboxes of participants.
    pub notices: Vec<Notice>,
    /// An event for the group's audience beyond the participants, served after the commit.
    pub broadcast: Option<Arc<Event>>,
    /// Changes to users' lists of active invitations.
    pub index: Vec<IndexChange>,
    /// What changes about the pushes of invitees, and which events of the invitation are to be told. Whoever has no
    /// hooks for the one or the other leaves it out.
    pub pushes: Vec<PushChange>,
    /// Conditions on which all of this depends.
    pub guards: Vec<Guard>,
    /// What the caller is told once it is committed.
    pub reply: Reply,
}

/// What stepping an existing invitation led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Commit this.
    Step(Box<Step>),
    /// Nothing to do: the same request was committed before, and this was its answer.
    Repeat(Reply),
}

/// Something to append to inboxes without a transition: a receipt or a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Append only if this was not posted to the invitation before.
    pub once: Option<Once>,
    /// If it is posted, no push of the ring is due for this user any more.
    pub ends_push: Option<UserId>,
    /// What to append.
    pub notices: Vec<Notice>,
    /// What the caller is told.
    pub reply: Reply,
}

/// What can be posted to an invitation only once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Once {
    /// The first receipt of a user's ring, with the device that gave it. Unique per user.
    Ring {
        /// Who rings.
        user: UserId,
        /// Where.
        device: DeviceId,
    },
    /// The receipt of one device, kept if each device counts. Unique per device.
    Device {
        /// Whose device.
        user: UserId,
        /// Which.
        device: DeviceId,
    },
    /// A signal that its sender named. Unique per sender and request id.
    Signal {
        /// The sender.
        user: UserId,
        /// The sender's name for it.
        request_id: RequestId,
    },
}

/// An event for one user's inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Whose inbox.
    pub to: UserId,
    /// What happened. Shared between the recipients that get the same.
    pub event: Arc<Event>,
}

/// A change to a user's list of active invitations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexChange {
    /// The user takes part from here on.
    Add {
        /// Whose list.
        user: UserId,
        /// How the user takes part.
        role: Role,
    },
    /// The user's part has ended.
    Remove {
        /// Whose list.
        user: UserId,
        /// How the user took part.
        role: Role,
        /// It ended without this user's answer, and a snapshot should say so.
        missed: bool,
    },
    /// Another invitation, without a timer, leaves the list to make room.
    Drop {
        /// Whose list.
        user: UserId,
        /// How the user takes part in it.
        role: Role,
        /// Which one.
        invitation: InvitationId,
    },
}

/// The result of an operation, as the caller gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Of an invite.
    Invited {
        /// The new invitation.
        invitation: InvitationId,
        /// When it was committed.
        created_at: UnixMillis,
        /// When it times out; none without a timer.
        expires_at: Option<UnixMillis>,
        /// Whom it did not reach, and why.
        failed: Vec<(UserId, FailReason)>,
        /// An older active invitation in the other direction.
        crosses: Option<InvitationId>,
    },
    /// Of a transition of an existing invitation.
    Done {
        /// Which invitation.
        invitation: InvitationId,
        /// Its version after the transition.
        version: u64,
        /// When it was committed.
        at: UnixMillis,
        /// The invitees whom the transition settled.
        invitees: Vec<UserId>,
    },
    /// Of a signal or a receipt.
    Posted {
        /// Which invitation.
        invitation: InvitationId,
        /// When.
        at: UnixMillis,
    },
}

/// Steps an existing invitation.
///
/// # Errors
/// A [`Refusal`] says why nothing happens. A repeat of the acting user's last request is no refusal.
pub fn step(state: &Invitation, command: &Command, now: UnixMillis) -> Result<Verdict, Refusal> {
    match command {
        Command::Cancel(command) => cancel::cancel(state, command, now),
        Command::Answer(command) => answer::answer(state, command, now),
        Command::Modify(command) => modify::modify(state, command, now),
        Command::ForceCancel { reason } => force_cancel::force_cancel(state, reason, now),
        Command::Timeout => timeout::timeout(state, now),
    }
}

/// Rates a request against the mark of the same user's last one.
fn repeat(state: &Invitation, mark: Option<Mark>, asked: Option<Asked>) -> Result<Option<Verdict>, Refusal> {
    let (Some(mark), Some(asked)) = (mark, asked) else { return Ok(None) };
    if mark.request != asked.request {
        return Ok(None);
    }
    if mark.fingerprint != asked.fingerprint {
        return Err(Refusal::Conflict { problem: "the request id was used with other parameters", version: None });
    }
    Ok(Some(Verdict::Repeat(Reply::Done {
        invitation: state.id,
        version: mark.version,
        at: mark.at,
        invitees: state.settled_by(mark.version),
    })))
}

/// A request that carried a request id, reduced to what a [`Mark`] keeps.
#[derive(Clone, Copy)]
struct Asked {
    request: u64,
    fingerprint: u64,
}

impl Asked {
    fn new(request_id: Option<&RequestId>, fingerprint: Fingerprint) -> Option<Self> {
        request_id.map(|id| Self {
            request: Fingerprint::default().text(id.as_str()).finish(),
            fingerprint: fingerprint.finish(),
        })
    }

    fn mark(self, version: u64, at: UnixMillis) -> Mark {
        Mark { request: self.request, fingerprint: self.fingerprint, version, at }
    }
}

/// A hash over a request's parameters, each delimited. Tells apart requests of one honest client;
/// it is no defence, because a client can only contradict itself.
#[derive(Clone, Copy)]
struct Fingerprint(u64);

impl Default for Fingerprint {
    fn default() -> Self {
        Self(FNV_OFFSET)
    }
}

impl Fingerprint {
    fn number(self, number: u64) -> Self {
        Self(fnv1a(self.0, &number.to_le_bytes()))
    }

    fn text(self, text: &str) -> Self {
        Self(fnv1a(self.number(text.len() as u64).0, text.as_bytes()))
    }

    fn optional(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.number(1).text(text),
            None => self.number(0),
        }
    }

    fn users(self, users: &[UserId]) -> Self {
        users.iter().fold(self.number(users.len() as u64), |hash, user| hash.text(user.as_str()))
    }

    fn finish(self) -> u64 {
        mix(self.0)
    }
}

/// The notices that carry one event to several users.
fn tell<'a>(users: impl IntoIterator<Item = &'a UserId>, event: Event) -> Vec<Notice> {
    let event = Arc::new(event);
    users.into_iter().map(|user| Notice { to: user.clone(), event: Arc::clone(&event) }).collect()
}

/// The event for the audience beyond the participants, if the invitation has one.
fn broadcast(state: &Invitation, event: &Event) -> Option<Arc<Event>> {
    let has_audience = state.terms.group.is_some() && state.terms.audience == Audience::Members;
    has_audience.then(|| Arc::new(event.clone()))
}

/// Refuses whoever is not the inviter, without telling strangers that the invitation exists.
fn only_the_inviter(state: &Invitation, user: &UserId) -> Result<(), Refusal> {
    if state.terms.inviter == *user {
        Ok(())
    } else if state.is_participant(user) {
        Err(Refusal::NotInviter)
    } else {
        Err(Refusal::NotFound)
    }
}

/// Moves pending invitees to a terminal state that is not their own answer.
fn settle(
    next: &mut Invitation,
    index: &mut Vec<IndexChange>,
    users: &[UserId],
    (outcome, reason): (Outcome, Option<&Arc<str>>),
    now: UnixMillis,
) {
    let settlement = Settlement { outcome, at: now, version: next.version, device: None, reason: reason.cloned() };
    for invitee in next.invitees.iter_mut().filter(|invitee| users.contains(&invitee.user)) {
        invitee.state = InviteeState::Settled(settlement.clone());
        if invitee.hidden {
            continue;
        }
        index.push(IndexChange::Remove { user: invitee.user.clone(), role: Role::Invitee, missed: true });
    }
    settle_if_nobody_is_pending(next, index, now);
}

/// An invitation is settled when all invitees are; the inviter's part ends with it.
fn settle_if_nobody_is_pending(next: &mut Invitation, index: &mut Vec<IndexChange>, now: UnixMillis) {
    if next.pending().next().is_none() {
        next.settled_at = Some(now);
        index.push(IndexChange::Remove { user: next.terms.inviter.clone(), role: Role::Inviter, missed: false });
    }
}
