//! An invitee accepts or rejects.

use std::sync::Arc;

use super::{Asked, Fingerprint, IndexChange, Reply, Step, Verdict, broadcast, check, repeat, tell};
use crate::command::{Answer, AnswerKind};
use crate::event::{Event, EventBody};
use crate::guard::Role;
use crate::invitation::{Invitation, InviteeState, Outcome, Settlement};
use crate::operation::{Action, Operation};
use crate::push;
use crate::refusal::Refusal;
use crate::time::UnixMillis;

pub(super) fn answer(state: &Invitation, command: &Answer, now: UnixMillis) -> Result<Verdict, Refusal> {
    let (outcome, action, reason) = meaning(&command.kind)?;
    check::data(&command.data)?;
    let user = &command.by.user;
    let Some(position) = state.invitees.iter().position(|invitee| invitee.user == *user && !invitee.hidden) else {
        return Err(if state.terms.inviter == *user { Refusal::NotInvitee } else { Refusal::NotFound });
    };
    let fingerprint = Fingerprint::default().text(outcome.name()).text(&command.data).optional(reason.as_deref());
    let asked = Asked::new(command.request_id.as_ref(), fingerprint);
    let invitee = &state.invitees[position];
    if let Some(verdict) = repeat(state, invitee.mark, asked)? {
        return Ok(verdict);
    }
    if invitee.state != InviteeState::Pending {
        let device = invitee.state.settlement().and_then(|settlement| settlement.device.clone());
        return Err(Refusal::AlreadySettled { state: invitee.state.name(), device });
    }

    let version = state.version + 1;
    let mut next = state.clone();
    next.version = version;
    next.invitees[position].mark = asked.map(|asked| asked.mark(version, now));
    next.invitees[position].state = InviteeState::Settled(Settlement {
        outcome,
        at: now,
        version,
        device: command.by.device.clone(),
        reason: reason.clone(),
    });
    let mut index = vec![IndexChange::Remove { user: user.clone(), role: Role::Invitee, missed: false }];
    super::settle_if_nobody_is_pending(&mut next, &mut index, now);

    let answered = Event::of(&next, now, answered_body(command, reason.as_ref()));
    let elsewhere = EventBody::AnsweredElsewhere {
        invitee: user.clone(),
        outcome,
        device: command.by.device.clone(),
        data: Arc::clone(&command.data),
        reason: reason.clone(),
    };
    let elsewhere = Event::of(&next, now, elsewhere);
    let broadcast = broadcast(&next, &answered);
    let others = std::iter::once(&next.terms.inviter).chain(next.rung().filter(|other| *other != user));
    let mut notices = tell(others, answered);
    notices.extend(tell([user], elsewhere));
    Ok(Verdict::Step(Box::new(Step {
        operation: Operation {
            version,
            at: now,
            action,
            by: Some(user.clone()),
            device: command.by.device.clone(),
            invitees: vec![user.clone()],
            data: Arc::clone(&command.data),
            reason,
        },
        notices,
        broadcast,
        index,
        pushes: push::end(&next, [user]),
        guards: Vec::new(),
        reply: Reply::Done { invitation: next.id, version, at: now, invitees: vec![user.clone()] },
        next,
    })))
}

fn meaning(kind: &AnswerKind) -> Result<(Outcome, Action, Option<Arc<str>>), Refusal> {
    match kind {
        AnswerKind::Accept => Ok((Outcome::Accepted, Action::Accept, None)),
        AnswerKind::Reject { reason } => {
            check::reason(reason.as_ref())?;
            let reason = reason.clone().unwrap_or_else(|| "declined".into());
            Ok((Outcome::Rejected, Action::Reject, Some(reason)))
        }
    }
}

fn answered_body(command: &Answer, reason: Option<&Arc<str>>) -> EventBody {
    let (invitee, device) = (command.by.user.clone(), command.by.device.clone());
    let data = Arc::clone(&command.data);
    match reason {
        None => EventBody::Accepted { invitee, device, data },
        Some(reason) => EventBody::Rejected { invitee, device, data, reason: Arc::clone(reason) },
    }
}
