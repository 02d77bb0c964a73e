//! Everything that a step, a post or a refusal says, a line for each thing.

use std::fmt::Display;

use ringwire_signaling::event::{EventBody, Ring};
use ringwire_signaling::guard::Role;
use ringwire_signaling::invitation::{Audience, FailReason};
use ringwire_signaling::step::IndexChange;
use ringwire_signaling::{
    DeviceId, Event, Guard, Invitation, Notice, Once, Operation, Post, Refusal, Reply, Step, UnixMillis, UserId,
};

pub(super) fn step(step: &Step, now: UnixMillis) -> String {
    let mut lines = vec![state(&step.next), operation(&step.operation)];
    lines.extend(notices(&step.notices));
    lines.extend(step.broadcast.iter().map(|event| format!("audience ← {}", event_words(event))));
    lines.extend(step.index.iter().map(index_change));
    lines.extend(step.guards.iter().map(guard));
    lines.push(format!("reply: {}", reply(&step.reply, now)));
    lines.join("\n")
}

pub(super) fn repeat(answer: &Reply) -> String {
    let at = match answer {
        Reply::Invited { created_at: at, .. } | Reply::Done { at, .. } | Reply::Posted { at, .. } => *at,
    };
    format!("repeat of {at}: {}", reply(answer, at))
}

pub(super) fn post(post: &Post) -> String {
    let mut lines = Vec::new();
    match &post.once {
        Some(Once::Ring { user, device }) => lines.push(format!("once: ring of {user}, with {device}")),
        Some(Once::Device { user, device }) => lines.push(format!("once: receipt of {user}, with {device}")),
        Some(Once::Signal { user, request_id }) => lines.push(format!("once: signal of {user}, {request_id}")),
        None => {}
    }
    lines.extend(notices(&post.notices));
    let Reply::Posted { invitation, at } = &post.reply else { panic!("a post is replied to as posted") };
    assert_eq!(*invitation, super::ID);
    lines.push(format!("reply: posted at {at}"));
    lines.join("\n")
}

pub(super) fn refusal(refusal: &Refusal) -> String {
    format!("refused: {refusal:?}")
}

fn state(next: &Invitation) -> String {
    let time = match (next.settled_at, next.deadline()) {
        (Some(settled), None) => format!("settled at {settled}"),
        (None, Some(deadline)) => format!("active until {deadline}"),
        (None, None) => "active without a timer".into(),
        (Some(_), Some(_)) => panic!("a settled invitation has no deadline"),
    };
    format!("v{} {time}", next.version)
}

fn operation(operation: &Operation) -> String {
    let by = operation.by.as_ref().map(|user| format!(" by {}", person(user, operation.device.as_ref())));
    format!(
        "history: {}{} of {}{}{}",
        operation.action.name(),
        by.unwrap_or_default(),
        names(&operation.invitees),
        quoted(&operation.data),
        because(operation.reason.as_deref()),
    )
}

/// Notices that share an event stand on one line.
fn notices(notices: &[Notice]) -> Vec<String> {
    let mut lines: Vec<(String, &Event)> = Vec::new();
    for notice in notices {
        match lines.last_mut() {
            Some((to, event)) if std::ptr::eq(*event, &raw const *notice.event) => {
                to.push_str(", ");
                to.push_str(notice.to.as_str());
            }
            Some(_) | None => lines.push((notice.to.to_string(), &notice.event)),
        }
    }
    lines.into_iter().map(|(to, event)| format!("{to} ← {}", event_words(event))).collect()
}

fn event_words(event: &Event) -> String {
    let name = event.name().trim_start_matches("invitation.");
    let rest = match &event.body {
        EventBody::Received(ring) => ring_words(ring),
        EventBody::Sent { ring, device, failed } => {
            format!("{}{}{}", with(device.as_ref()), ring_words(ring), fails(failed))
        }
        EventBody::Ringing { invitee, device } => format!(" {invitee}/{device}"),
        EventBody::Accepted { invitee, device, data } => {
            format!(" {}{}", person(invitee, device.as_ref()), quoted(data))
        }
        EventBody::Rejected { invitee, device, data, reason } => {
            format!(" {}{}{}", person(invitee, device.as_ref()), quoted(data), because(Some(reason)))
        }
        EventBody::AnsweredElsewhere { invitee, outcome, device, data, reason } => {
            let person = person(invitee, device.as_ref());
            format!(" {} {person}{}{}", outcome.name(), quoted(data), because(reason.as_deref()))
        }
        EventBody::Cancelled { invitees, device, data, reason } => {
            format!("{} {}{}{}", with(device.as_ref()), names(invitees), quoted(data), because(reason.as_deref()))
        }
        EventBody::TimedOut { invitees, data } => format!(" {}{}", names(invitees), quoted(data)),
        EventBody::Modified { invitees, device, data } => {
            format!("{} {}{}", with(device.as_ref()), names(invitees), quoted(data))
        }
        EventBody::Signal { from, device, data } => format!(" {}{}", person(from, device.as_ref()), quoted(data)),
    };
    format!("{name}{rest}")
}

fn ring_words(ring: &Ring) -> String {
    let role = if ring.invited { " invited" } else { "" };
    let name = ring.inviter_name.as_ref().map(|name| format!(" named {name}")).unwrap_or_default();
    let audience = if ring.audience == Audience::Invitees { " unheard by others" } else { "" };
    let until = ring.expires_at.map(|at| format!(" until {at}")).unwrap_or_default();
    let crosses = ring.crosses.map(|id| format!(" crossing {id}")).unwrap_or_default();
    format!("{role} {}{}{name}{audience}{until}{crosses}", names(&ring.invitees), quoted(&ring.data))
}

fn index_change(change: &IndexChange) -> String {
    let role_name = |role: &Role| if *role == Role::Inviter { "sent" } else { "pending" };
    match change {
        IndexChange::Add { user, role } => format!("+ {} of {user}", role_name(role)),
        IndexChange::Remove { user, role, missed } => {
            format!("- {} of {user}{}", role_name(role), if *missed { ", missed" } else { "" })
        }
        IndexChange::Drop { user, role, invitation } => {
            format!("- {} of {user}: drop {invitation}", role_name(role))
        }
    }
}

fn guard(guard: &Guard) -> String {
    match guard {
        Guard::Below { user, role: Role::Inviter, limit } => format!("if {user} sent below {limit}"),
        Guard::Below { user, role: Role::Invitee, limit } => format!("if {user} is pending below {limit}"),
        Guard::NotInvitedBy { user, inviters } => format!("if {user} is not invited by {}", names(inviters)),
        Guard::NotRinging { user } => format!("if {user} is not ringing"),
        Guard::NotBlocked { user, inviter } => format!("if {user} does not block {inviter}"),
        Guard::RingsBelow { user, limit, window_ms } => {
            format!("if {user} was rung below {limit} in {window_ms}")
        }
        Guard::Members { group, users } => format!("if {} are in {group}", names(users)),
    }
}

fn reply(reply: &Reply, now: UnixMillis) -> String {
    match reply {
        Reply::Invited { invitation, created_at, expires_at, failed, crosses } => {
            assert_eq!((*invitation, *created_at), (super::ID, now));
            let until = expires_at.map(|at| format!(" until {at}")).unwrap_or_default();
            let crosses = crosses.map(|id| format!(" crossing {id}")).unwrap_or_default();
            format!("invited{until}{}{crosses}", fails(failed))
        }
        Reply::Done { invitation, version, at, invitees } => {
            assert_eq!((*invitation, *at), (super::ID, now));
            format!("done v{version} {}", names(invitees))
        }
        Reply::Posted { .. } => panic!("a transition is not replied to as a post"),
    }
}

fn names(users: &[UserId]) -> String {
    let names: Vec<&str> = users.iter().map(UserId::as_str).collect();
    format!("[{}]", names.join(" "))
}

fn fails(failed: &[(UserId, FailReason)]) -> String {
    failed.iter().fold(String::new(), |text, (user, reason)| format!("{text}, not {user}: {}", reason.name()))
}

fn person(user: &UserId, device: Option<&DeviceId>) -> String {
    device.map_or_else(|| user.to_string(), |device| format!("{user}/{device}"))
}

fn with(device: Option<&DeviceId>) -> String {
    device.map(|device| format!(" with {device}")).unwrap_or_default()
}

fn quoted(text: impl Display) -> String {
    let text = text.to_string();
    if text.is_empty() { text } else { format!(" '{text}'") }
}

fn because(reason: Option<&str>) -> String {
    reason.map(|reason| format!(", {reason}")).unwrap_or_default()
}
