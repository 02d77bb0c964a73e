//! Events in words, one line each.

use ringwire_client::view::{EventView, InvitationView, InviteeView, SnapshotView};
use ringwire_client::{DisconnectReason, Event, UserId};

/// What an event says to `me`; none for what need not be said.
pub(crate) fn line(event: &Event, me: &UserId) -> Option<String> {
    Some(match event {
        Event::Received(view) => received(view),
        Event::Sent(view) => format!("{} invited {}", you_on(view), everybody(view, me)),
        Event::Ringing(view) => format!("{} rings{}", invitee(view), on_device(view)),
        Event::Accepted(view) => format!("{} accepted{}{}", invitee(view), on_device(view), said(view)),
        Event::Rejected(view) => {
            format!("{} rejected{}{}{}", invitee(view), on_device(view), because(view), said(view))
        }
        Event::AnsweredElsewhere(view) => {
            format!("{} {}{}", you_on(view), view.outcome.as_deref().unwrap_or("answered"), because(view))
        }
        Event::Cancelled(view) => {
            let by = named(&view.inviter, me);
            format!("{by} cancelled{}{}{}", for_others(view, me), because(view), said(view))
        }
        Event::TimedOut(view) => format!("{} did not answer {} in time", everybody(view, me), named(&view.inviter, me)),
        Event::Modified(view) => format!("{} changed the invitation{}", named(&view.inviter, me), said(view)),
        Event::Signal(view) => {
            let from = view.from.as_ref().map_or("somebody", UserId::as_str);
            format!("{from} sends{}", said(view))
        }
        Event::Snapshot(snapshot) => return summary(snapshot),
        Event::State(state) => format!("the invitation by {} is {}", named(&state.inviter, me), outcome(state)),
        Event::Gone { .. } => "the invitation is no more to be found".to_owned(),
        // It is closed at once, and that is said next.
        Event::Closing(closing) if closing.closes_at.is_none() => return None,
        Event::Closing(closing) => format!("the server will close this connection: {}", closing.reason),
        Event::Connected { resumed: true, .. } => "connected again".to_owned(),
        Event::Connected { hello, .. } => format!("connected as {}", hello.user),
        Event::Disconnected { reason, retry_in: Some(pause) } => {
            format!("{}; trying again in {:.1} s", why(reason), pause.as_secs_f64())
        }
        Event::Disconnected { reason, retry_in: None } => why(reason),
        _ => return None,
    })
}

/// What became of everybody, in one line.
pub(crate) fn outcome(state: &InvitationView) -> String {
    let each: Vec<String> = state.invitees.iter().map(invitee_state).collect();
    format!("{}: {}", state.state, each.join(", "))
}

fn invitee_state(invitee: &InviteeView) -> String {
    let state = invitee.state.replace('_', " ");
    match invitee.reason.as_deref() {
        Some(reason) if reason != "declined" => format!("{} {state} ({reason})", invitee.user),
        Some(_) | None => format!("{} {state}", invitee.user),
    }
}

/// The line of a ring.
pub(crate) fn received(view: &EventView<'_>) -> String {
    let inviter = match view.inviter_name.as_deref() {
        Some(name) => format!("{name} ({})", view.inviter),
        None => view.inviter.to_string(),
    };
    let group = view.group_id.as_ref().map(|group| format!(" in group {group}")).unwrap_or_default();
    let whom = if view.invited == Some(true) { "you".to_owned() } else { list(view.invitees.as_deref()) };
    let time = if view.timeout_s == 0 { String::new() } else { format!(", for {} s", view.timeout_s) };
    format!("{inviter} invites {whom}{group}{time}{}", said(view))
}

fn summary(snapshot: &SnapshotView) -> Option<String> {
    let missed: Vec<&str> = snapshot.missed.iter().map(|state| state.inviter.as_str()).collect();
    (!missed.is_empty()).then(|| format!("while you were away you missed {}", missed.join(", ")))
}

fn why(reason: &DisconnectReason) -> String {
    match reason.server_reason() {
        Some(reason) => format!("the server closed this connection: {}", reason.name().replace('_', " ")),
        None => reason.to_string(),
    }
}

fn you_on(view: &EventView<'_>) -> String {
    format!("you{}", on_device(view))
}

fn invitee<'a>(view: &'a EventView<'_>) -> &'a str {
    view.invitee.as_ref().map_or("somebody", UserId::as_str)
}

fn on_device(view: &EventView<'_>) -> String {
    view.device_id.as_ref().map(|device| format!(" on {device}")).unwrap_or_default()
}

fn because(view: &EventView<'_>) -> String {
    view.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default()
}

fn said(view: &EventView<'_>) -> String {
    let data = view.data.as_deref().unwrap_or_default();
    if data.is_empty() { String::new() } else { format!(": {data}") }
}

fn named<'a>(user: &'a UserId, me: &UserId) -> &'a str {
    if user == me { "you" } else { user.as_str() }
}

fn everybody(view: &EventView<'_>, me: &UserId) -> String {
    let users = view.invitees.as_deref().unwrap_or_default();
    users.iter().map(|user| named(user, me)).collect::<Vec<_>>().join(", ")
}

/// For whom, unless it is clear.
fn for_others(view: &EventView<'_>, me: &UserId) -> String {
    match view.invitees.as_deref() {
        Some([only]) if only == me => String::new(),
        Some(_) | None => format!(" for {}", everybody(view, me)),
    }
}

fn list(users: Option<&[UserId]>) -> String {
    users.unwrap_or_default().iter().map(UserId::as_str).collect::<Vec<_>>().join(", ")
}
