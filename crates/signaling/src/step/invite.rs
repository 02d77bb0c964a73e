//! Creating an invitation.

use std::sync::Arc;

use super::{Fingerprint, IndexChange, Notice, Reply, Step, broadcast, check, tell};
use crate::command::{Invite, Push};
use crate::event::{Event, EventBody, Ring};
use crate::guard::{Facts, Guard, Role};
use crate::id::{InvitationId, UserId};
use crate::invitation::{Audience, FailReason, Invitation, Invitee, InviteeState, Outcome, Settlement, Terms};
use crate::limits::{INVITEES, INVITER_NAME_CHARS, PENDING_PER_USER, RINGS_WINDOW_MS, SENT_PER_USER, TIMEOUT_S};
use crate::operation::{Action, Operation};
use crate::policy::{Blocked, Busy, Policy};
use crate::push;
use crate::refusal::{FULL_RETRY_AFTER_MS, Refusal};
use crate::time::UnixMillis;

/// Creates the invitation `id`.
///
/// The commit is a create-if-absent. If the store already holds `id`, see [`repeat_of`]; if a guard
/// fails, [`Facts::learn`] what it said and call this again.
///
/// # Errors
/// Parameters over their limits, a group whose members the participants are not, or an inviter with
/// too many active invitations.
pub fn invite(
    command: &Invite,
    id: InvitationId,
    facts: &Facts,
    now: UnixMillis,
    policy: &Policy,
) -> Result<Step, Refusal> {
    let names = invitees(command)?;
    check_group(command, &names, facts)?;
    check_room(&command.by.user, facts)?;

    let invited: Vec<Invitee> = names.into_iter().map(|user| first(command, user, facts, now, policy)).collect();
    let settled = invited.iter().all(|invitee| invitee.state != InviteeState::Pending);
    let next = Invitation {
        id,
        version: 1,
        terms: Arc::new(terms(command, facts, now)),
        data: Arc::clone(&command.data),
        modifications: 0,
        invitees: invited,
        settled_at: settled.then_some(now),
        inviter_mark: None,
    };
    let ring = Ring {
        invitees: reachable(&next),
        inviter_name: next.terms.inviter_name.clone(),
        audience: next.terms.audience,
        data: Arc::clone(&next.data),
        expires_at: next.terms.expires_at(),
        invited: true,
        crosses: next.terms.crosses,
    };
    let seen = Ring { invited: false, ..ring.clone() };
    Ok(Step {
        operation: Operation {
            version: 1,
            at: now,
            action: Action::Invite,
            by: Some(command.by.user.clone()),
            device: command.by.device.clone(),
            invitees: ring.invitees.clone(),
            data: Arc::clone(&next.data),
            reason: None,
        },
        broadcast: broadcast(&next, &Event::of(&next, now, EventBody::Received(seen.clone())))
            .filter(|_| next.pending().next().is_some()),
        notices: notices(command, &next, ring, seen, now),
        index: index(&next, facts),
        pushes: push::begin(&next),
        guards: guards(&next, command, facts, policy),
        reply: reply(&next),
        next,
    })
}

/// Rates an invite whose id the store already holds: the first answer again, or a conflict.
///
/// # Errors
/// `conflict` when the parameters differ from those of `existing`.
pub fn repeat_of(existing: &Invitation, command: &Invite) -> Result<Reply, Refusal> {
    if existing.terms.fingerprint == fingerprint(command) && existing.terms.inviter == command.by.user {
        Ok(reply(existing))
    } else {
        Err(Refusal::Conflict { problem: "the request id was used with other parameters", version: None })
    }
}

/// Whom the command invites, each once. Checks what can be told from the command alone, as [`invite`] does.
///
/// # Errors
/// Parameters over their limits.
pub fn invitees(command: &Invite) -> Result<Vec<UserId>, Refusal> {
    let mut names: Vec<UserId> = Vec::with_capacity(command.invitees.len().min(INVITEES));
    for user in &command.invitees {
        if *user == command.by.user {
            return Err(Refusal::invalid("invitees", "must not contain the inviter"));
        }
        if !names.contains(user) {
            if names.len() == INVITEES {
                return Err(Refusal::invalid("invitees", format!("are more than {INVITEES}")));
            }
            names.push(user.clone());
        }
    }
    if names.is_empty() {
        return Err(Refusal::invalid("invitees", "must name at least one user"));
    }
    if command.timeout_s > TIMEOUT_S {
        return Err(Refusal::invalid("timeout_s", format!("is over {TIMEOUT_S}")));
    }
    if command.inviter_name.as_ref().is_some_and(|name| name.chars().count() > INVITER_NAME_CHARS) {
        return Err(Refusal::invalid("inviter_name", format!("is longer than {INVITER_NAME_CHARS} characters")));
    }
    check::data(&command.data)?;
    check::push(command.push.as_ref())?;
    Ok(names)
}

fn check_group(command: &Invite, names: &[UserId], facts: &Facts) -> Result<(), Refusal> {
    if command.group.is_none() {
        return Ok(());
    }
    let members = facts.members.as_ref().ok_or(Refusal::GroupNotFound)?;
    let strangers: Vec<UserId> =
        std::iter::once(&command.by.user).chain(names).filter(|user| !members.contains(user)).cloned().collect();
    if strangers.is_empty() { Ok(()) } else { Err(Refusal::NotGroupMember { users: strangers }) }
}

fn check_room(inviter: &UserId, facts: &Facts) -> Result<(), Refusal> {
    match facts.full.get(&(inviter.clone(), Role::Inviter)) {
        Some(None) => Err(Refusal::RateLimited { retry_after_ms: FULL_RETRY_AFTER_MS }),
        Some(Some(_)) | None => Ok(()),
    }
}

fn first(command: &Invite, user: UserId, facts: &Facts, now: UnixMillis, policy: &Policy) -> Invitee {
    let blocked = facts.blocking.contains(&user);
    // Whoever is hidden looks like an invitee who is reached, but for what presence tells anyway.
    let hidden = blocked && policy.blocked == Blocked::Silent;
    let offline = command.online_user_only && !facts.online.contains(&user);
    let state = if hidden && !offline {
        InviteeState::Pending
    } else if blocked && !hidden {
        InviteeState::Failed(FailReason::Blocked)
    } else {
        first_state(command, &user, facts, now, policy)
    };
    Invitee { state, user, mark: None, hidden }
}

fn first_state(command: &Invite, user: &UserId, facts: &Facts, now: UnixMillis, policy: &Policy) -> InviteeState {
    let full = facts.full.get(&(user.clone(), Role::Invitee));
    if command.online_user_only && !facts.online.contains(user) {
        InviteeState::Failed(FailReason::Offline)
    } else if full == Some(&None) || facts.rung_too_often.contains(user) {
        InviteeState::Failed(FailReason::RateLimited)
    } else if policy.busy == Busy::Reject && facts.ringing.contains(user) {
        InviteeState::Settled(Settlement {
            outcome: Outcome::Rejected,
            at: now,
            version: 1,
            device: None,
            reason: Some("busy".into()),
        })
    } else {
        InviteeState::Pending
    }
}

fn terms(command: &Invite, facts: &Facts, now: UnixMillis) -> Terms {
    Terms {
        inviter: command.by.user.clone(),
        inviter_name: command.inviter_name.clone(),
        group: command.group.clone(),
        audience: command.audience,
        kind: command.kind,
        timeout_s: command.timeout_s,
        online_user_only: command.online_user_only,
        receipts: command.receipts,
        push: command.push.clone(),
        created_at: now,
        crosses: facts.crosses,
        fingerprint: fingerprint(command),
    }
}

fn notices(command: &Invite, next: &Invitation, ring: Ring, seen: Ring, now: UnixMillis) -> Vec<Notice> {
    let inviter = &command.by.user;
    let sent = EventBody::Sent { ring: seen, device: command.by.device.clone(), failed: failed(next) };
    let mut notices = tell(next.alerted(), Event::of(next, now, EventBody::Received(ring)));
    notices.extend(tell([inviter], Event::of(next, now, sent)));
    for invitee in &next.invitees {
        if let InviteeState::Settled(busy) = &invitee.state {
            let rejected = EventBody::Rejected {
                invitee: invitee.user.clone(),
                device: None,
                data: "".into(),
                reason: busy.reason.clone().unwrap_or_else(|| "busy".into()),
            };
            notices.extend(tell([inviter].into_iter().chain(next.alerted()), Event::of(next, now, rejected)));
        }
    }
    notices
}

fn index(next: &Invitation, facts: &Facts) -> Vec<IndexChange> {
    if next.is_settled() {
        return Vec::new();
    }
    let parts =
        std::iter::once((&next.terms.inviter, Role::Inviter)).chain(next.alerted().map(|user| (user, Role::Invitee)));
    let mut changes = Vec::new();
    for (user, role) in parts {
        if let Some(Some(invitation)) = facts.full.get(&(user.clone(), role)) {
            changes.push(IndexChange::Drop { user: user.clone(), role, invitation: *invitation });
        }
        changes.push(IndexChange::Add { user: user.clone(), role });
    }
    changes
}

fn guards(next: &Invitation, command: &Invite, facts: &Facts, policy: &Policy) -> Vec<Guard> {
    let inviter = &command.by.user;
    let pending: Vec<UserId> = next.pending().cloned().collect();
    let alerted: Vec<UserId> = next.alerted().cloned().collect();
    let mut guards = Vec::new();
    if let Some(group) = &command.group {
        let users =
            std::iter::once(inviter).chain(next.invitees.iter().map(|invitee| &invitee.user)).cloned().collect();
        guards.push(Guard::Members { group: group.clone(), users });
    }
    if pending.is_empty() {
        return guards;
    }
    let mut below = |user: &UserId, role, limit| {
        if !facts.full.contains_key(&(user.clone(), role)) {
            guards.push(Guard::Below { user: user.clone(), role, limit });
        }
    };
    below(inviter, Role::Inviter, SENT_PER_USER);
    for user in &alerted {
        below(user, Role::Invitee, PENDING_PER_USER);
    }
    if policy.busy == Busy::Reject {
        guards.extend(alerted.iter().map(|user| Guard::NotRinging { user: user.clone() }));
    }
    if policy.blocked != Blocked::Ignore {
        let not_blocked = |user: &UserId| Guard::NotBlocked { user: user.clone(), inviter: inviter.clone() };
        guards.extend(alerted.iter().map(not_blocked));
    }
    if policy.rings_per_minute > 0 {
        let (limit, window_ms) = (policy.rings_per_minute, RINGS_WINDOW_MS);
        guards.extend(alerted.iter().map(|user| Guard::RingsBelow { user: user.clone(), limit, window_ms }));
    }
    if facts.crosses.is_none() {
        guards.push(Guard::NotInvitedBy { user: inviter.clone(), inviters: pending });
    }
    guards
}

/// Everybody invited, failed ones left out.
fn reachable(next: &Invitation) -> Vec<UserId> {
    let failed = |invitee: &&Invitee| matches!(invitee.state, InviteeState::Failed(_));
    next.invitees.iter().filter(|invitee| !failed(invitee)).map(|invitee| invitee.user.clone()).collect()
}

fn failed(next: &Invitation) -> Vec<(UserId, FailReason)> {
    next.invitees
        .iter()
        .filter_map(|invitee| match &invitee.state {
            InviteeState::Failed(reason) => Some((invitee.user.clone(), *reason)),
            InviteeState::Pending | InviteeState::Settled(_) => None,
        })
        .collect()
}

fn reply(next: &Invitation) -> Reply {
    Reply::Invited {
        invitation: next.id,
        created_at: next.terms.created_at,
        expires_at: next.terms.expires_at(),
        failed: failed(next),
        crosses: next.terms.crosses,
    }
}

fn fingerprint(command: &Invite) -> u64 {
    let flags = u64::from(command.online_user_only)
        | u64::from(command.receipts) << 1
        | u64::from(command.audience == Audience::Members) << 2;
    let hash = Fingerprint::default()
        .users(&command.invitees)
        .text(&command.data)
        .number(u64::from(command.timeout_s))
        .number(flags)
        .optional(command.group.as_ref().map(crate::id::GroupId::as_str))
        .optional(command.inviter_name.as_deref())
        .number(u64::from(command.kind.is_some()))
        .number(command.kind.unwrap_or(0).cast_unsigned());
    match &command.push {
        None => hash.number(0),
        Some(push) => push_fingerprint(hash.number(1), push),
    }
    .finish()
}

fn push_fingerprint(hash: Fingerprint, push: &Push) -> Fingerprint {
    hash.number(u64::from(push.disable) | u64::from(push.voip) << 1)
        .number(push.when as u64)
        .text(&push.title)
        .text(&push.desc)
        .text(&push.ext)
        .text(&push.resource_id)
        .text(&push.vendor)
}
