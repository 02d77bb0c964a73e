//! The inviter withdraws an invitation from all or some of the pending invitees.

use std::sync::Arc;

use super::{Asked, Fingerprint, Reply, Step, Verdict, broadcast, check, only_the_inviter, repeat, settle, tell};
use crate::command::{By, Cancel};
use crate::event::{Event, EventBody};
use crate::id::UserId;
use crate::invitation::{Invitation, InviteeState, Outcome};
use crate::operation::{Action, Operation};
use crate::push;
use crate::refusal::Refusal;
use crate::time::UnixMillis;

pub(super) fn cancel(state: &Invitation, command: &Cancel, now: UnixMillis) -> Result<Verdict, Refusal> {
    check::data(&command.data)?;
    only_the_inviter(state, &command.by.user)?;
    let fingerprint = Fingerprint::default()
        .text("cancel")
        .text(&command.data)
        .number(u64::from(command.invitees.is_some()))
        .users(command.invitees.as_deref().unwrap_or_default());
    let asked = Asked::new(command.request_id.as_ref(), fingerprint);
    if let Some(verdict) = repeat(state, state.inviter_mark, asked)? {
        return Ok(verdict);
    }
    let concerned = concerned(state, command)?;
    let mut step = withdraw(state, concerned, &command.by, &command.data, None, now);
    let mark = asked.map(|asked| asked.mark(step.next.version, now));
    step.next.inviter_mark = mark.or(state.inviter_mark);
    Ok(Verdict::Step(Box::new(step)))
}

/// The transition of every cancellation, whoever asked for it.
pub(super) fn withdraw(
    state: &Invitation,
    concerned: Vec<UserId>,
    by: &By,
    data: &Arc<str>,
    reason: Option<&Arc<str>>,
    now: UnixMillis,
) -> Step {
    let version = state.version + 1;
    let mut next = state.clone();
    next.version = version;
    let mut index = Vec::new();
    settle(&mut next, &mut index, &concerned, (Outcome::Cancelled, reason), now);

    let body = EventBody::Cancelled {
        invitees: concerned.clone(),
        device: by.device.clone(),
        data: Arc::clone(data),
        reason: reason.cloned(),
    };
    let event = Event::of(&next, now, body);
    Step {
        operation: Operation {
            version,
            at: now,
            action: Action::Cancel,
            by: Some(by.user.clone()),
            device: by.device.clone(),
            invitees: concerned.clone(),
            data: Arc::clone(data),
            reason: reason.cloned(),
        },
        broadcast: broadcast(&next, &event),
        notices: tell(next.audible(&concerned).chain([&next.terms.inviter]), event),
        index,
        pushes: push::end(&next, &concerned),
        guards: Vec::new(),
        reply: Reply::Done { invitation: next.id, version, at: now, invitees: concerned },
        next,
    }
}

/// The pending invitees that are meant. Those of a subset who settled meanwhile are left out: the
/// inviter learns from the reply whom the cancellation reached.
fn concerned(state: &Invitation, command: &Cancel) -> Result<Vec<UserId>, Refusal> {
    if let Some(subset) = &command.invitees {
        if subset.is_empty() {
            return Err(Refusal::invalid("invitees", "must name at least one user"));
        }
        if let Some(stranger) = subset.iter().find(|user| state.invitee(user).is_none()) {
            return Err(Refusal::invalid("invitees", format!("contain {stranger}, who was not invited")));
        }
    }
    let meant = |user: &UserId| command.invitees.as_ref().is_none_or(|subset| subset.contains(user));
    let concerned: Vec<UserId> = state.pending().filter(|user| meant(user)).cloned().collect();
    if concerned.is_empty() { Err(already_settled(state, command.invitees.as_deref())) } else { Ok(concerned) }
}

/// Names the state that makes cancelling pointless: that of the only invitee meant, else `settled`.
pub(super) fn already_settled(state: &Invitation, subset: Option<&[UserId]>) -> Refusal {
    let meant = |user: &UserId| subset.is_none_or(|subset| subset.contains(user));
    let mut states = state.invitees.iter().filter(|invitee| meant(&invitee.user)).map(|invitee| &invitee.state);
    match (states.next(), states.next()) {
        (Some(only), None) => Refusal::AlreadySettled { state: only.name(), device: device_of(only) },
        (_, _) => Refusal::AlreadySettled { state: "settled", device: None },
    }
}

fn device_of(state: &InviteeState) -> Option<crate::id::DeviceId> {
    state.settlement().and_then(|settlement| settlement.device.clone())
}
