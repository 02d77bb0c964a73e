//! The state of one invitation. Only [`crate::step`] changes it.

use std::sync::Arc;

use crate::command::Push;
use crate::id::{DeviceId, GroupId, InvitationId, UserId};
use crate::time::UnixMillis;

/// One attempt by one inviter to reach one or more invitees.
///
/// Holds no answer's `data`: the store keeps that with the [operations](crate::Operation), so that
/// the record stays small however many answers come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Its name, which says where it lives.
    pub id: InvitationId,
    /// Counts state transitions from 1. Compare-and-set on it decides all races.
    pub version: u64,
    /// What was said at the start and never changes.
    pub terms: Arc<Terms>,
    /// What the inviter hands to everybody; `modify` replaces it.
    pub data: Arc<str>,
    /// How often `data` was replaced.
    pub modifications: u8,
    /// Everybody invited, in the order of the request, each once.
    pub invitees: Vec<Invitee>,
    /// When the last pending invitee reached a terminal state.
    pub settled_at: Option<UnixMillis>,
    /// The inviter's last cancel or modify that carried a request id.
    pub inviter_mark: Option<Mark>,
}

/// What an invitation was created with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Who invites.
    pub inviter: UserId,
    /// The name that invitees' apps show, handed on.
    pub inviter_name: Option<Arc<str>>,
    /// The group it was made in.
    pub group: Option<GroupId>,
    /// Who in the group hears of it.
    pub audience: Audience,
    /// The application's kind of invitation (0 voice, 1 video), handed on.
    pub kind: Option<i64>,
    /// The configured duration of the ring; 0 is no timer and no timeout event.
    pub timeout_s: u32,
    /// Presence decided who was rung; no history, no push.
    pub online_user_only: bool,
    /// Whether the inviter hears that devices ring.
    pub receipts: bool,
    /// Offline push settings.
    pub push: Option<Push>,
    /// When the invitation was committed.
    pub created_at: UnixMillis,
    /// An older active invitation of the first invitee to the inviter (glare).
    pub crosses: Option<InvitationId>,
    /// Hash of the request's parameters, to tell a repeat from a conflict.
    pub fingerprint: u64,
}

/// Who in a group gets the events beyond inviter and invitees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Audience {
    /// All members of the group.
    #[default]
    Members,
    /// Nobody else.
    Invitees,
}

/// One invited user and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitee {
    /// Who.
    pub user: UserId,
    /// What became of it.
    pub state: InviteeState,
    /// The request id of the answer, if it carried one.
    pub mark: Option<Mark>,
    /// The invitee blocks the inviter and learns nothing of the invitation, which everybody else must not notice:
    /// to them it is an invitee who does not answer.
    pub hidden: bool,
}

/// The state of one invitee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InviteeState {
    /// Not answered yet.
    Pending,
    /// Terminal, never changes again.
    Settled(Settlement),
    /// Never rung: gets no event.
    Failed(FailReason),
}

/// How an invitee settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Which terminal state.
    pub outcome: Outcome,
    /// When.
    pub at: UnixMillis,
    /// The version of the transition that settled it.
    pub version: u64,
    /// The device that answered, if the outcome is an answer and a device gave it.
    pub device: Option<DeviceId>,
    /// Why, for a rejection (`declined`, `busy`, free text) or an administrator's cancellation.
    pub reason: Option<Arc<str>>,
}

/// The terminal states of an invitee that was rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The invitee accepted.
    Accepted,
    /// The invitee, or the busy policy for it, rejected.
    Rejected,
    /// The inviter withdrew the invitation.
    Cancelled,
    /// The deadline passed.
    TimedOut,
}

/// Why an invitee was not rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailReason {
    /// `online_user_only`, and no device was connected.
    Offline,
    /// The invitee blocks the inviter.
    Blocked,
    /// The invitee is pending in too many invitations, or rung too often.
    RateLimited,
}

/// The last request of one user that carried a request id, so that a repeat gets the first answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Hash of the request id.
    pub request: u64,
    /// Hash of the operation and its parameters.
    pub fingerprint: u64,
    /// The version that the request committed.
    pub version: u64,
    /// When it was committed.
    pub at: UnixMillis,
}

impl Invitation {
    /// The absolute time at which pending invitees time out; none exactly when nobody is pending or
    /// there is no timer.
    #[must_use]
    pub fn deadline(&self) -> Option<UnixMillis> {
        if self.is_settled() { None } else { self.terms.expires_at() }
    }

    /// Whether every invitee is in a terminal state.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.settled_at.is_some()
    }

    /// The entry of `user`, if invited.
    #[must_use]
    pub fn invitee(&self, user: &UserId) -> Option<&Invitee> {
        self.invitees.iter().find(|invitee| invitee.user == *user)
    }

    /// The invitees who have not answered, hidden ones among them.
    pub fn pending(&self) -> impl Iterator<Item = &UserId> {
        self.invitees.iter().filter(|invitee| invitee.state == InviteeState::Pending).map(|invitee| &invitee.user)
    }

    /// The invitees who have not answered and know that they are asked.
    pub fn alerted(&self) -> impl Iterator<Item = &UserId> {
        self.invitees
            .iter()
            .filter(|invitee| invitee.state == InviteeState::Pending && !invitee.hidden)
            .map(|invitee| &invitee.user)
    }

    /// Everybody who was rung: the invitees that neither failed, nor were rejected by the server at once, nor are
    /// hidden.
    pub fn rung(&self) -> impl Iterator<Item = &UserId> {
        self.invitees
            .iter()
            .filter(|invitee| match &invitee.state {
                _ if invitee.hidden => false,
                InviteeState::Pending => true,
                InviteeState::Settled(settlement) => settlement.version > 1,
                InviteeState::Failed(_) => false,
            })
            .map(|invitee| &invitee.user)
    }

    /// Whether `user` is the inviter or was invited, and may know of it.
    #[must_use]
    pub fn is_participant(&self, user: &UserId) -> bool {
        self.terms.inviter == *user || self.invitee(user).is_some_and(|invitee| !invitee.hidden)
    }

    /// Whether `user` is the inviter or was invited, knowing of it or not: such users are no audience.
    #[must_use]
    pub fn is_named(&self, user: &UserId) -> bool {
        self.terms.inviter == *user || self.invitee(user).is_some()
    }

    /// Whether `user` was invited and must not know of it: for that user there is no such invitation.
    #[must_use]
    pub fn is_hidden_from(&self, user: &UserId) -> bool {
        self.invitee(user).is_some_and(|invitee| invitee.hidden)
    }

    /// Those of `users` who get events: all but the hidden invitees.
    pub(crate) fn audible<'a>(&'a self, users: &'a [UserId]) -> impl Iterator<Item = &'a UserId> {
        users.iter().filter(|user| !self.is_hidden_from(user))
    }

    /// Names of the invitees whom the transition to `version` settled.
    #[must_use]
    pub fn settled_by(&self, version: u64) -> Vec<UserId> {
        self.invitees
            .iter()
            .filter(
                |invitee| matches!(&invitee.state, InviteeState::Settled(settlement) if settlement.version == version),
            )
            .map(|invitee| invitee.user.clone())
            .collect()
    }
}

impl Terms {
    /// When the ring ends if nobody answers; none without a timer.
    #[must_use]
    pub fn expires_at(&self) -> Option<UnixMillis> {
        (self.timeout_s > 0).then(|| self.created_at.plus(u64::from(self.timeout_s) * 1000))
    }
}

impl InviteeState {
    /// The state's name in the protocol.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Settled(settlement) => settlement.outcome.name(),
            Self::Failed(_) => "failed",
        }
    }

    /// How it settled, if it did.
    #[must_use]
    pub fn settlement(&self) -> Option<&Settlement> {
        match self {
            Self::Settled(settlement) => Some(settlement),
            Self::Pending | Self::Failed(_) => None,
        }
    }
}

impl Outcome {
    /// The state's name in the protocol.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
        }
    }
}

impl FailReason {
    /// The reason's name in the protocol.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Blocked => "blocked",
            Self::RateLimited => "rate_limited",
        }
    }
}
