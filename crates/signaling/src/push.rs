//! Offline pushes: whom a push hook wakes, when, and when that is over.
//!
//! A push is due for every invitee of an invitation that wants pushes: at once for whoever has no
//! connection, for the others once [`PATIENCE_MS`] have passed without a receipt. That is committed
//! together with the ring, so that it outlives every node. The store keeps what is due and asks
//! nothing here; whoever finds it due asks what is to be said now.
//!
//! Events go the same way: that an invitation was created, and that it was settled, is due with the
//! commit that did it, for whoever keeps records of calls.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::command::PushWhen;
use crate::device::RegisteredDevice;
use crate::id::{DeviceId, UserId};
use crate::info::SignalingInfo;
use crate::invitation::{Invitation, InviteeState, Terms};
use crate::operation::{Action, Operation};
use crate::time::UnixMillis;

/// How long a connected invitee may take to give a receipt: a live phone takes a fraction of a second.
pub const PATIENCE_MS: u64 = 2_000;
/// How long the end of a ring is tried to be told: after that a phone has stopped ringing by itself.
pub const END_MS: u64 = 60_000;
/// How long a ring without a timer is tried to be told.
pub const TIMERLESS_MS: u64 = 10 * 60 * 1000;
/// The wait before the second attempt. It doubles with every further one, and a random part of up to a half goes
/// off it, so that what failed together does not come back together.
pub const FIRST_WAIT_MS: u64 = 500;
/// The longest wait between two attempts: a ring lasts half a minute.
pub const LONGEST_WAIT_MS: u64 = 8_000;
/// How long an event is tried to be told: over an outage of a billing system that somebody repairs the next day.
pub const EVENT_MS: u64 = 24 * 60 * 60 * 1000;
/// The longest wait between two attempts to tell an event: nobody waits for a record of a call.
pub const LONGEST_EVENT_WAIT_MS: u64 = 5 * 60 * 1000;

/// What a commit changes about an invitee's push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushChange {
    /// The invitee rings: a push is due at once if no device is connected, otherwise after a while.
    Ring {
        /// Who.
        user: UserId,
        /// After how many milliseconds, if the invitee is connected.
        patience_ms: u64,
    },
    /// The ring is over: what was due is so no longer, and if it was pushed, then its end is due to be.
    End {
        /// Whose.
        user: UserId,
    },
    /// The invitation was created: that is due to be told.
    Created {
        /// By whom.
        inviter: UserId,
    },
    /// The invitation was settled: that is due to be told, after its creation.
    Settled {
        /// Who had created it.
        inviter: UserId,
    },
}

impl PushChange {
    /// Whether it is about an event rather than an invitee's push.
    #[must_use]
    pub fn is_event(&self) -> bool {
        match self {
            Self::Ring { .. } | Self::End { .. } => false,
            Self::Created { .. } | Self::Settled { .. } => true,
        }
    }
}

/// What a push says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PushKind {
    /// The invitee rings.
    Ring,
    /// The ring is over (the cancel push).
    End,
    /// The ring is over, and nothing was ever said of it: only when an operator has a dead letter sent again.
    Missed,
    /// The invitation was created (an event).
    Created,
    /// The invitation was settled (an event).
    Settled,
}

impl PushKind {
    /// Whether it is an event of the invitation rather than a push of an invitee.
    #[must_use]
    pub fn is_event(self) -> bool {
        match self {
            Self::Ring | Self::End | Self::Missed => false,
            Self::Created | Self::Settled => true,
        }
    }

    /// The name in a push's `type`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ring => "push.ring",
            Self::End => "push.cancel",
            Self::Missed => "push.missed",
            Self::Created => "invitation.created",
            Self::Settled => "invitation.settled",
        }
    }
}

impl Terms {
    /// Whether invitees may be pushed at all.
    #[must_use]
    pub fn wants_push(&self) -> bool {
        !self.online_user_only && !self.push.as_ref().is_some_and(|push| push.disable)
    }

    /// Which devices get one.
    #[must_use]
    pub fn push_when(&self) -> PushWhen {
        self.push.as_ref().map_or(PushWhen::NoReceipt, |push| push.when)
    }
}

/// The pushes and events that an invitation begins with.
pub(crate) fn begin(state: &Invitation) -> Vec<PushChange> {
    let mut changes = rings(state);
    changes.push(PushChange::Created { inviter: state.terms.inviter.clone() });
    changes.extend(settled(state));
    changes
}

fn settled(state: &Invitation) -> Option<PushChange> {
    state.is_settled().then(|| PushChange::Settled { inviter: state.terms.inviter.clone() })
}

fn rings(state: &Invitation) -> Vec<PushChange> {
    if !state.terms.wants_push() {
        return Vec::new();
    }
    let patience_ms = match state.terms.push_when() {
        PushWhen::NoReceipt | PushWhen::EachDevice => PATIENCE_MS,
        PushWhen::Always => 0,
    };
    state.alerted().map(|user| PushChange::Ring { user: user.clone(), patience_ms }).collect()
}

/// The pushes that end with the rings of `users`, who were pending before, and the event if nobody is any more.
pub(crate) fn end<'a>(state: &Invitation, users: impl IntoIterator<Item = &'a UserId>) -> Vec<PushChange> {
    let wants_push = state.terms.wants_push();
    let told = users.into_iter().filter(|user| wants_push && !state.is_hidden_from(user));
    told.map(|user| PushChange::End { user: user.clone() }).chain(settled(state)).collect()
}

/// Whether a receipt of any device makes the ring's push needless.
pub(crate) fn ends_with_a_receipt(terms: &Terms) -> bool {
    terms.wants_push() && terms.push_when() == PushWhen::NoReceipt
}

/// Whether that push still says the truth about the invitee, or that event about the invitation.
#[must_use]
pub fn holds(state: &Invitation, user: &UserId, kind: PushKind) -> bool {
    if kind.is_event() {
        return kind == PushKind::Created || state.is_settled();
    }
    let is_pending = match state.invitee(user).map(|invitee| &invitee.state) {
        Some(InviteeState::Pending) => true,
        Some(InviteeState::Settled(_)) => false,
        Some(InviteeState::Failed(_)) | None => return false,
    };
    match kind {
        PushKind::Ring => is_pending,
        PushKind::End | PushKind::Missed => !is_pending,
        PushKind::Created | PushKind::Settled => true,
    }
}

/// What of a push that failed for good is said when an operator has it sent again: a ring that is over does not ring,
/// but was missed. None if there is nothing true to say.
#[must_use]
pub fn said_again(state: &Invitation, user: &UserId, kind: PushKind) -> Option<PushKind> {
    let kind = match kind {
        PushKind::Ring if !holds(state, user, kind) => PushKind::Missed,
        PushKind::Ring | PushKind::End | PushKind::Missed | PushKind::Created | PushKind::Settled => kind,
    };
    holds(state, user, kind).then_some(kind)
}

/// The registered devices that a ring's push is for, given those that gave a receipt by now; none if it is for nobody any
/// more. An empty list is for whatever the hook itself knows of the user.
#[must_use]
pub fn devices(
    terms: &Terms,
    registered: Vec<RegisteredDevice>,
    received: &BTreeSet<DeviceId>,
) -> Option<Vec<RegisteredDevice>> {
    match terms.push_when() {
        PushWhen::NoReceipt => received.is_empty().then_some(registered),
        PushWhen::Always => Some(registered),
        PushWhen::EachDevice => {
            let left: Vec<_> = registered.into_iter().filter(|known| !received.contains(&known.device)).collect();
            (!left.is_empty() || received.is_empty()).then_some(left)
        }
    }
}

/// When what an event tells happened; none if it has not.
#[must_use]
pub fn happened_at(state: &Invitation, kind: PushKind) -> Option<UnixMillis> {
    match kind {
        PushKind::Created => Some(state.terms.created_at),
        PushKind::Settled => state.settled_at,
        PushKind::Ring | PushKind::End | PushKind::Missed => None,
    }
}

/// The invitation as a push tells it: for a ring what `invitation.received` says, with the data of now, for its end the
/// operation that ended it. None if the operation is not known, and for events, which tell the whole record.
#[must_use]
pub fn info(state: &Invitation, operations: &[Operation], user: &UserId, kind: PushKind) -> Option<SignalingInfo> {
    match kind {
        PushKind::Ring => {
            let invite = operations.iter().find(|operation| operation.action == Action::Invite)?;
            Some(SignalingInfo { data: Arc::clone(&state.data), ..SignalingInfo::of_operation(state, invite) })
        }
        PushKind::End | PushKind::Missed => {
            let settled_by = state.invitee(user)?.state.settlement()?.version;
            let ended = operations.iter().find(|operation| operation.version == settled_by)?;
            Some(SignalingInfo::of_operation(state, ended))
        }
        PushKind::Created | PushKind::Settled => None,
    }
}

/// When the push is given up.
#[must_use]
pub fn gives_up_at(state: &Invitation, kind: PushKind, queued_at: UnixMillis) -> UnixMillis {
    match kind {
        PushKind::Ring => state.deadline().unwrap_or_else(|| queued_at.plus(TIMERLESS_MS)),
        PushKind::End | PushKind::Missed => queued_at.plus(END_MS),
        PushKind::Created | PushKind::Settled => queued_at.plus(EVENT_MS),
    }
}

/// How long to wait after that many attempts that failed. `random` is any number.
#[must_use]
pub fn wait_ms(attempts: u32, random: u64) -> u64 {
    bounded_wait_ms(attempts, LONGEST_WAIT_MS, random)
}

/// How long to wait before a push of this kind is tried again, after that many attempts. `random` is any number.
#[must_use]
pub fn retry_ms(kind: PushKind, attempts: u32, random: u64) -> u64 {
    bounded_wait_ms(attempts, if kind.is_event() { LONGEST_EVENT_WAIT_MS } else { LONGEST_WAIT_MS }, random)
}

fn bounded_wait_ms(attempts: u32, longest_ms: u64, random: u64) -> u64 {
    let whole = FIRST_WAIT_MS.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(longest_ms);
    whole - random % (whole / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_bound_and_are_never_the_same() {
        for (attempts, longest) in [(1, 500), (2, 1_000), (3, 2_000), (4, 4_000), (5, 8_000), (6, 8_000), (99, 8_000)] {
            assert_eq!(wait_ms(attempts, 0), longest);
            for random in [1, 77, 4_321, u64::MAX] {
                let wait = wait_ms(attempts, random);
                assert!(wait > longest / 2 && wait <= longest, "{wait} after {attempts} attempts");
            }
        }
    }

    #[test]
    fn events_wait_longer_than_pushes() {
        for (attempts, event, push) in [(1, 500, 500), (6, 16_000, 8_000), (10, 256_000, 8_000), (99, 300_000, 8_000)] {
            for kind in [PushKind::Created, PushKind::Settled] {
                assert_eq!(retry_ms(kind, attempts, 0), event);
            }
            assert_eq!(retry_ms(PushKind::Ring, attempts, 0), push);
        }
    }
}
