//! The inviter replaces the data of an active invitation.

use std::sync::Arc;

use super::{Asked, Fingerprint, Reply, Step, Verdict, broadcast, check, only_the_inviter, repeat, tell};
use crate::command::Modify;
use crate::event::{Event, EventBody};
use crate::id::UserId;
use crate::invitation::{Invitation, InviteeState, Outcome};
use crate::limits::MODIFICATIONS;
use crate::operation::{Action, Operation};
use crate::refusal::{FULL_RETRY_AFTER_MS, Refusal};
use crate::time::UnixMillis;

pub(super) fn modify(state: &Invitation, command: &Modify, now: UnixMillis) -> Result<Verdict, Refusal> {
    check::data(&command.data)?;
    only_the_inviter(state, &command.by.user)?;
    let fingerprint = Fingerprint::default()
        .text("modify")
        .text(&command.data)
        .number(u64::from(command.version.is_some()))
        .number(command.version.unwrap_or(0));
    let asked = Asked::new(command.request_id.as_ref(), fingerprint);
    if let Some(verdict) = repeat(state, state.inviter_mark, asked)? {
        return Ok(verdict);
    }
    if state.is_settled() {
        return Err(Refusal::AlreadySettled { state: "settled", device: None });
    }
    if command.version.is_some_and(|version| version != state.version) {
        let problem = "the invitation has another version";
        return Err(Refusal::Conflict { problem, version: Some(state.version) });
    }
    if state.modifications >= MODIFICATIONS {
        return Err(Refusal::RateLimited { retry_after_ms: FULL_RETRY_AFTER_MS });
    }

    let version = state.version + 1;
    let mut next = state.clone();
    next.version = version;
    next.data = Arc::clone(&command.data);
    next.modifications += 1;
    next.inviter_mark = asked.map(|asked| asked.mark(version, now)).or(state.inviter_mark);

    let concerned = concerned(&next);
    let body = EventBody::Modified {
        invitees: concerned.clone(),
        device: command.by.device.clone(),
        data: Arc::clone(&command.data),
    };
    let event = Event::of(&next, now, body);
    Ok(Verdict::Step(Box::new(Step {
        operation: Operation {
            version,
            at: now,
            action: Action::Modify,
            by: Some(command.by.user.clone()),
            device: command.by.device.clone(),
            invitees: concerned.clone(),
            data: Arc::clone(&command.data),
            reason: None,
        },
        broadcast: broadcast(&next, &event),
        notices: tell(next.audible(&concerned).chain([&next.terms.inviter]), event),
        index: Vec::new(),
        pushes: Vec::new(),
        guards: Vec::new(),
        reply: Reply::Done { invitation: next.id, version, at: now, invitees: Vec::new() },
        next,
    })))
}

fn concerned(state: &Invitation) -> Vec<UserId> {
    state
        .invitees
        .iter()
        .filter(|invitee| match &invitee.state {
            InviteeState::Pending => true,
            InviteeState::Settled(settlement) => settlement.outcome == Outcome::Accepted,
            InviteeState::Failed(_) => false,
        })
        .map(|invitee| invitee.user.clone())
        .collect()
}
