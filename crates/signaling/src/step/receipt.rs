//! A device holds the ring.

use super::{Once, Post, Reply, tell};
use crate::command::PushWhen;
use crate::event::{Event, EventBody};
use crate::id::{DeviceId, UserId};
use crate::invitation::{Invitation, InviteeState};
use crate::push;
use crate::time::UnixMillis;

/// Notes that `device` of `user` rings, and tells the inviter if nobody did before.
///
/// None when it no longer matters: the user has settled, or was never rung. A receipt that races an
/// answer may still be told after it; clients drop it, because it never competes with an answer.
#[must_use]
pub fn receipt(state: &Invitation, user: &UserId, device: &DeviceId, now: UnixMillis) -> Option<Post> {
    let invitee = state.invitee(user)?;
    if invitee.state != InviteeState::Pending || invitee.hidden {
        return None;
    }
    let ringing = EventBody::Ringing { invitee: user.clone(), device: device.clone() };
    let listeners = state.terms.receipts.then_some(&state.terms.inviter);
    Some(Post {
        once: Some(Once::Ring { user: user.clone(), device: device.clone() }),
        ends_push: push::ends_with_a_receipt(&state.terms).then(|| user.clone()),
        notices: tell(listeners, Event::of(state, now, ringing)),
        reply: Reply::Posted { invitation: state.id, at: now },
    })
}

/// Notes the receipt of each device, for invitations that push every device that gave none.
#[must_use]
pub fn device_receipt(state: &Invitation, user: &UserId, device: &DeviceId, now: UnixMillis) -> Option<Post> {
    let counts = state.terms.wants_push() && state.terms.push_when() == PushWhen::EachDevice;
    if !counts || state.invitee(user)?.state != InviteeState::Pending {
        return None;
    }
    Some(Post {
        once: Some(Once::Device { user: user.clone(), device: device.clone() }),
        ends_push: None,
        notices: Vec::new(),
        reply: Reply::Posted { invitation: state.id, at: now },
    })
}
