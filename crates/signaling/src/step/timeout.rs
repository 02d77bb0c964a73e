//! The deadline passes.

use std::sync::Arc;

use super::{Reply, Step, Verdict, broadcast, settle, tell};
use crate::event::{Event, EventBody};
use crate::id::UserId;
use crate::invitation::{Invitation, Outcome};
use crate::operation::{Action, Operation};
use crate::push;
use crate::refusal::Refusal;
use crate::time::UnixMillis;

/// Times out everybody still pending.
///
/// Several timers may fire for one deadline, early ones too: those are refused as a conflict, and
/// the store's `not_before` holds even if this node's idea of the time is wrong.
pub(super) fn timeout(state: &Invitation, now: UnixMillis) -> Result<Verdict, Refusal> {
    if state.is_settled() {
        return Err(Refusal::AlreadySettled { state: "settled", device: None });
    }
    if state.deadline().is_none_or(|deadline| now < deadline) {
        return Err(Refusal::Conflict { problem: "the deadline has not passed", version: Some(state.version) });
    }
    let concerned: Vec<UserId> = state.pending().cloned().collect();

    let version = state.version + 1;
    let mut next = state.clone();
    next.version = version;
    let mut index = Vec::new();
    settle(&mut next, &mut index, &concerned, (Outcome::TimedOut, None), now);

    let data = Arc::clone(&next.data);
    let event = Event::of(&next, now, EventBody::TimedOut { invitees: concerned.clone(), data: Arc::clone(&data) });
    Ok(Verdict::Step(Box::new(Step {
        operation: Operation {
            version,
            at: now,
            action: Action::Timeout,
            by: None,
            device: None,
            invitees: concerned.clone(),
            data,
            reason: None,
        },
        broadcast: broadcast(&next, &event),
        notices: tell(next.audible(&concerned).chain([&next.terms.inviter]), event),
        index,
        pushes: push::end(&next, &concerned),
        guards: Vec::new(),
        reply: Reply::Done { invitation: next.id, version, at: now, invitees: concerned },
        next,
    })))
}
