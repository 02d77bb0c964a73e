//! Compares what devices were told with what the server keeps.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{Node, Told, Witness};

/// The users whom an event says to have ended, and how.
///
/// # Panics
/// When it is no event of the protocol.
#[must_use]
pub fn ended(event: &Value) -> Vec<(String, &'static str)> {
    let text = |value: &Value| value.as_str().expect("a user has a name").to_owned();
    let all = |outcome: &'static str| {
        let users = event["invitees"].as_array().expect("the event names those concerned");
        users.iter().map(|user| (text(user), outcome)).collect()
    };
    match event["type"].as_str().expect("an event has a type") {
        "invitation.accepted" => vec![(text(&event["invitee"]), "accepted")],
        "invitation.rejected" => vec![(text(&event["invitee"]), "rejected")],
        "invitation.answered_elsewhere" => {
            let outcome = if event["outcome"] == "accepted" { "accepted" } else { "rejected" };
            vec![(text(&event["invitee"]), outcome)]
        }
        "invitation.cancelled" => all("cancelled"),
        "invitation.timed_out" => all("timed_out"),
        _ => Vec::new(),
    }
}

/// What an inbox says of how each invitee of each invitation ended; every one at most once.
///
/// # Panics
/// When one is told twice, or versions go back.
#[must_use]
pub fn endings(user: &str, inbox: &[Value]) -> BTreeMap<(String, String), &'static str> {
    let mut endings = BTreeMap::new();
    let mut versions: BTreeMap<String, u64> = BTreeMap::new();
    for event in inbox {
        let id = event["invitation_id"].as_str().expect("an event has an invitation").to_owned();
        let version = event["version"].as_u64().expect("an event has a version");
        // A receipt or a signal that races an answer on another node may be told after it.
        if event["type"] != "invitation.ringing" && event["type"] != "signal" {
            let known = versions.insert(id.clone(), version).unwrap_or(0);
            assert!(version >= known, "{user} was told of version {version} after {known}: {event}");
        }
        for (invitee, outcome) in ended(event) {
            let twice = endings.insert((id.clone(), invitee.clone()), outcome);
            assert_eq!(twice, None, "{user} was told twice how {invitee} ended in {id}: {event}");
        }
    }
    endings
}

/// Checks that a device was told everything that its user's inbox holds, once and in order, except
/// for what it did itself and for rings that had ended when it came back.
///
/// # Panics
/// When something is missing, doubled or out of order.
pub async fn is_gap_free(node: &Node, witness: &Witness) -> Vec<Value> {
    let inbox = node.inbox(&witness.user, &witness.epoch().to_string()).await;
    let end = inbox.last().and_then(|event| event["offset"].as_u64()).unwrap_or(0);
    let last_shown = inbox.iter().rev().find(|event| !is_own(witness, event));
    if let Some(last) = last_shown.and_then(|event| event["offset"].as_u64()) {
        witness.is_at(last).await;
    }
    let told = witness.told();
    let offsets: Vec<u64> = witness.events().iter().map(|view| view.offset).collect();
    assert!(offsets.is_sorted_by(|one, next| one < next), "{} was told out of order: {offsets:?}", witness.user);
    assert!(offsets.last().is_none_or(|last| *last <= end));
    let heard: BTreeSet<u64> = offsets.into_iter().collect();
    let backlogs = backlogs(&told);
    for (at, event) in inbox.iter().enumerate() {
        let offset = event["offset"].as_u64().expect("an event has an offset");
        assert_eq!(offset, at as u64 + 1, "the inbox of {} has a gap", witness.user);
        let missing = !heard.contains(&offset) && !is_own(witness, event);
        assert!(!missing || is_ghost(witness, &inbox[at..], &backlogs), "{} was not told of {event}", witness.user);
    }
    inbox
}

/// The offsets that were missed before each connection: after the first, through the second.
fn backlogs(told: &[Told]) -> Vec<(u64, u64)> {
    let mut at = 0;
    let mut backlogs = Vec::new();
    for one in told {
        match one {
            Told::Connected { position, .. } => backlogs.push((at, position.offset)),
            Told::Event(view) => at = view.offset,
            Told::Disconnected(_) => {}
        }
    }
    backlogs
}

/// Whether the event tells of this device's own operation, whose result it got instead.
pub(crate) fn tells_of(user: &str, device: &str, event: &Value) -> bool {
    let acts = event["inviter"] == user || event["invitee"] == user;
    let own = ["invitation.sent", "invitation.answered_elsewhere", "invitation.cancelled", "invitation.modified"];
    acts && event["device_id"] == device && own.iter().any(|name| event["type"] == *name)
}

fn is_own(witness: &Witness, event: &Value) -> bool {
    tells_of(&witness.user, &witness.device, event)
}

/// Whether the first of these events is a ring that one of the others ends, both in one backlog.
fn is_ghost(witness: &Witness, events: &[Value], backlogs: &[(u64, u64)]) -> bool {
    let ring = &events[0];
    let offset = |event: &Value| event["offset"].as_u64().unwrap_or(0);
    let through = backlogs.iter().filter(|(after, through)| *after < offset(ring) && offset(ring) <= *through);
    let Some(through) = through.map(|(_, through)| *through).max() else { return false };
    ring["type"] == "invitation.received"
        && events[1..].iter().filter(|event| offset(event) <= through).any(|event| {
            let ends = event["settled"] == true || ended(event).iter().any(|(user, _)| *user == witness.user);
            event["invitation_id"] == ring["invitation_id"] && ends
        })
}
