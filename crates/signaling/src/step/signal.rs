//! Participants exchange data beside the invitation's state.

use std::sync::Arc;

use super::{Once, Post, Reply, check, tell};
use crate::command::Signal;
use crate::event::{Event, EventBody};
use crate::id::UserId;
use crate::invitation::{Invitation, InviteeState, Outcome};
use crate::limits::SIGNAL_GRACE_MS;
use crate::refusal::Refusal;
use crate::time::UnixMillis;

/// Hands a participant's data to the others. Does not change the invitation.
///
/// # Errors
/// `expired` from an hour after it settled; `already_settled` for an invitee who did not accept.
pub fn signal(state: &Invitation, command: &Signal, now: UnixMillis) -> Result<Post, Refusal> {
    check::data(&command.data)?;
    let sender = &command.by.user;
    if *sender != state.terms.inviter {
        let invitee = state.invitee(sender).filter(|invitee| !invitee.hidden).ok_or(Refusal::NotFound)?;
        if !takes_part(&invitee.state) {
            let device = invitee.state.settlement().and_then(|settlement| settlement.device.clone());
            return Err(Refusal::AlreadySettled { state: invitee.state.name(), device });
        }
    }
    if state.settled_at.is_some_and(|settled| now.since(settled) > SIGNAL_GRACE_MS) {
        return Err(Refusal::Expired);
    }
    let body =
        EventBody::Signal { from: sender.clone(), device: command.by.device.clone(), data: Arc::clone(&command.data) };
    Ok(Post {
        ends_push: None,
        once: command.request_id.clone().map(|request_id| Once::Signal { user: sender.clone(), request_id }),
        notices: tell(state.audible(&recipients(state, command)?), Event::of(state, now, body)),
        reply: Reply::Posted { invitation: state.id, at: now },
    })
}

fn recipients(state: &Invitation, command: &Signal) -> Result<Vec<UserId>, Refusal> {
    let others: Vec<UserId> = state
        .invitees
        .iter()
        .filter(|invitee| takes_part(&invitee.state))
        .map(|invitee| &invitee.user)
        .chain([&state.terms.inviter])
        .filter(|user| **user != command.by.user)
        .cloned()
        .collect();
    let Some(to) = &command.to else { return Ok(others) };
    if to.is_empty() {
        return Err(Refusal::invalid("to", "must name at least one user"));
    }
    if let Some(stranger) = to.iter().find(|user| !others.contains(user)) {
        return Err(Refusal::invalid("to", format!("contains {stranger}, who takes no part")));
    }
    Ok(others.into_iter().filter(|user| to.contains(user)).collect())
}

fn takes_part(state: &InviteeState) -> bool {
    match state {
        InviteeState::Pending => true,
        InviteeState::Settled(settlement) => settlement.outcome == Outcome::Accepted,
        InviteeState::Failed(_) => false,
    }
}
