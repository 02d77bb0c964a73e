//! A device holds the ring.

use super::{Once, Post, Reply, tell};
use crate::event::{Event, EventBody};
use crate::id::{DeviceId, UserId};
use crate::invitation::{Invitation, InviteeState};
use crate::time::UnixMillis;

/// Notes that `device` of `user` rings, and tells the inviter if nobody did before.
///
/// None when it no longer matters: the user has settled, or was never rung. A receipt that races an
/// answer may still be told after it; clients drop it, because it never competes with an answer.
#[must_use]
pub fn receipt(state: &Invitation, user: &UserId, device: &DeviceId, now: UnixMillis) -> Option<Post> {
    if state.invitee(user)?.state != InviteeState::Pending {
        return None;
    }
    let ringing = EventBody::Ringing { invitee: user.clone(), device: device.clone() };
    let listeners = state.terms.receipts.then_some(&state.terms.inviter);
    Some(Post {
        once: Some(Once::Ring { user: user.clone(), device: device.clone() }),
        notices: tell(listeners, Event::of(state, now, ringing)),
        reply: Reply::Posted { invitation: state.id, at: now },
    })
}
