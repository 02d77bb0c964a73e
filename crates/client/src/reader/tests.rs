//! What an app sees of what a server sends.

use std::borrow::Cow;

use ringwire_signaling::{Check, Epoch, Partition};
use serde_json::json;

use super::*;

const EPOCH: Epoch = Epoch(1);

fn id(bits: u128) -> InvitationId {
    InvitationId { partition: Partition(0), bits }
}

fn at(offset: u64) -> Position {
    Position { epoch: EPOCH, offset, check: Check(u32::try_from(offset).unwrap()) }
}

fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

/// A reader for bob's phone.
fn reader(resume: Option<Position>) -> Reader {
    Reader::new(DeviceId::parse("phone").unwrap(), resume, Arc::default())
}

fn hello(end: u64, resumed: bool) -> HelloResult {
    HelloResult {
        user: user("bob"),
        node: "n".to_owned(),
        epoch: EPOCH,
        offset: end,
        check: at(end).check,
        resumed,
        heartbeat_s: 25,
        server_time: 0,
    }
}

/// An event of alice's invitation to bob and carol, as JSON has it.
fn event(offset: u64, name: &str, bits: u128, version: u64, more: &serde_json::Value) -> Box<EventView<'static>> {
    let mut members = json!({
        "type": name, "offset": offset, "epoch": EPOCH.to_string(), "check": at(offset).check.to_string(),
        "invitation_id": id(bits).to_string(), "version": version, "at": 0, "inviter": "alice",
        "timeout_s": 30, "settled": false,
    });
    members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Box::new(serde_json::from_value(members).unwrap())
}

fn ring(offset: u64, bits: u128) -> Box<EventView<'static>> {
    event(offset, "invitation.received", bits, 1, &json!({"invited": true, "invitees": ["bob", "carol"]}))
}

fn cancelled(offset: u64, bits: u128, version: u64) -> Box<EventView<'static>> {
    event(offset, "invitation.cancelled", bits, version, &json!({"invitees": ["bob", "carol"], "settled": true}))
}

fn carol_accepted(offset: u64, bits: u128, version: u64) -> Box<EventView<'static>> {
    event(offset, "invitation.accepted", bits, version, &json!({"invitee": "carol"}))
}

fn answered_elsewhere(offset: u64, bits: u128, device: &str) -> Box<EventView<'static>> {
    let more = json!({"invitee": "bob", "outcome": "accepted", "device_id": device});
    event(offset, "invitation.answered_elsewhere", bits, 2, &more)
}

fn state(bits: u128, version: u64, bob: &'static str) -> InvitationView {
    let settled = bob != "pending";
    serde_json::from_value(json!({
        "invitation_id": id(bits).to_string(), "version": version, "inviter": "alice", "data": "",
        "state": if settled { "settled" } else { "active" },
        "timeout_s": 30, "online_user_only": false, "receipts": true, "created_at": 0, "expires_at": 30_000,
        "remaining_ms": 10_000, "modifications": 0, "invitees": [{"user": "bob", "state": bob}],
    }))
    .unwrap()
}

fn snapshot(offset: u64, active: Vec<InvitationView>, missed: Vec<InvitationView>) -> SnapshotView {
    let Position { epoch, offset, check } = at(offset);
    SnapshotView { reset: true, epoch, offset, check, server_time: 0, active, missed, more: false }
}

/// What the app is shown, in short, and through where it is covered.
fn shown(reader: &mut Reader) -> (Vec<String>, Option<u64>) {
    let (mut names, mut covers) = (Vec::new(), None);
    while let Some(item) = reader.next_shown() {
        covers = item.covers.map(|position| position.offset).or(covers);
        names.extend(item.event.map(|event| match event {
            Event::Snapshot(_) => "snapshot".to_owned(),
            Event::State(state) => format!("state {} {}", state.invitation_id.bits, state.version),
            Event::Gone { invitation_id } => format!("gone {}", invitation_id.bits),
            event => {
                let view = event.view().unwrap();
                let name = view.name.strip_prefix("invitation.").map_or(view.name.clone(), Cow::Borrowed);
                format!("{name} {}", view.invitation_id.bits)
            }
        }));
    }
    (names, covers)
}

fn connected(position: u64) -> Reader {
    let mut reader = reader(Some(at(position)));
    reader.greeted(&hello(position, true));
    assert!(!reader.in_backlog());
    reader
}

#[test]
fn each_event_is_shown_once_and_gaps_are_no_loss() {
    let mut reader = connected(4);
    for view in [ring(5, 1), ring(5, 1), cancelled(9, 1, 2), ring(5, 1)] {
        reader.event(view);
    }
    assert_eq!(shown(&mut reader), (vec!["received 1".to_owned(), "cancelled 1".to_owned()], Some(9)));
    assert_eq!(reader.position(), Some(at(9)));
}

#[test]
fn a_ring_that_ended_in_the_backlog_does_not_ring_and_its_end_is_shown() {
    let mut reader = reader(Some(at(4)));
    reader.greeted(&hello(9, true));
    for view in [ring(5, 1), ring(6, 2), cancelled(7, 1, 2), ring(8, 3)] {
        reader.event(view);
        assert!(!reader.has_shown());
    }
    reader.event(answered_elsewhere(9, 3, "tablet"));
    let expected = ["received 2", "cancelled 1", "answered_elsewhere 3"];
    assert_eq!(shown(&mut reader), (expected.map(str::to_owned).to_vec(), Some(9)));
    reader.event(cancelled(10, 2, 2));
    assert_eq!(shown(&mut reader), (vec!["cancelled 2".to_owned()], Some(10)));
}

#[test]
fn a_ring_that_was_answered_by_another_invitee_still_rings() {
    let mut reader = reader(Some(at(4)));
    reader.greeted(&hello(6, true));
    reader.event(ring(5, 1));
    reader.event(carol_accepted(6, 1, 2));
    assert_eq!(shown(&mut reader).0, ["received 1", "accepted 1"]);
}

#[test]
fn a_backlog_whose_end_expired_is_ended_by_what_follows() {
    let mut reader = reader(Some(at(4)));
    reader.greeted(&hello(9, true));
    reader.event(ring(5, 1));
    reader.end_backlog();
    assert_eq!(shown(&mut reader), (vec!["received 1".to_owned()], Some(9)));
    assert_eq!(reader.position(), Some(at(9)));

    reader.lost();
    reader.greeted(&hello(12, true));
    reader.event(cancelled(10, 1, 2));
    reader.event(ring(13, 2));
    assert_eq!(shown(&mut reader).0, ["cancelled 1", "received 2"]);
}

#[test]
fn a_backlog_that_breaks_off_comes_again() {
    let mut reader = reader(Some(at(4)));
    reader.greeted(&hello(6, true));
    reader.event(ring(5, 1));
    reader.lost();
    reader.end_backlog();
    assert!(!reader.has_shown());
    assert_eq!(reader.position(), Some(at(4)));
    reader.greeted(&hello(6, true));
    reader.event(ring(5, 1));
    reader.event(cancelled(6, 1, 2));
    assert_eq!(shown(&mut reader).0, ["cancelled 1"]);
}

#[test]
fn an_unknown_event_counts_as_applied() {
    let mut reader = connected(4);
    reader.unknown(at(5));
    assert_eq!(shown(&mut reader), (vec![], Some(5)));
    assert_eq!(reader.position(), Some(at(5)));

    reader.lost();
    reader.greeted(&hello(8, true));
    reader.event(ring(6, 1));
    reader.unknown(at(7));
    assert!(reader.in_backlog());
    reader.unknown(at(8));
    assert_eq!(shown(&mut reader), (vec!["received 1".to_owned()], Some(8)));
}

#[test]
fn events_that_a_full_state_outdates_are_dropped() {
    let mut reader = connected(4);
    reader.full_state(&state(1, 2, "cancelled"));
    reader.event(ring(5, 1));
    reader.event(cancelled(6, 1, 2));
    reader.event(event(7, "signal", 1, 2, &json!({"from": "alice"})));
    assert_eq!(shown(&mut reader), (vec!["signal 1".to_owned()], Some(7)));
}

#[test]
fn the_echo_of_an_own_operation_in_a_backlog_is_not_shown_again() {
    let mut reader = connected(4);
    reader.event(ring(5, 1));
    reader.done(id(1), 2, true);
    reader.lost();
    reader.greeted(&hello(6, true));
    reader.event(answered_elsewhere(6, 1, "phone"));
    assert_eq!(shown(&mut reader), (vec!["received 1".to_owned()], Some(6)));

    reader.event(answered_elsewhere(7, 2, "phone"));
    assert_eq!(shown(&mut reader).0, ["answered_elsewhere 2"], "its result was lost");
}

#[test]
fn an_active_invitation_that_a_snapshot_lacks_is_asked_for() {
    let mut reader = connected(4);
    (1..=6).for_each(|bits| reader.event(ring(4 + u64::try_from(bits).unwrap(), bits)));
    reader.event(cancelled(11, 6, 2));
    shown(&mut reader);
    reader.snapshot(Box::new(snapshot(20, vec![state(1, 1, "pending")], vec![state(2, 2, "timed_out")])));
    assert_eq!(shown(&mut reader), (vec!["snapshot".to_owned()], Some(20)));

    assert_eq!(reader.next_question(), Some(id(3)));
    assert_eq!(reader.next_question(), None, "one at a time");
    reader.answered(id(3), Some(Found::State(Box::new(state(3, 2, "rejected")))));
    assert_eq!(reader.next_question(), Some(id(4)));
    reader.answered(id(4), None);
    assert!(reader.question_failed());
    assert_eq!(reader.next_question(), Some(id(5)));
    reader.answered(id(5), Some(Found::Nothing));
    assert_eq!(reader.next_question(), Some(id(4)));
    reader.event(cancelled(21, 4, 2));
    reader.answered(id(4), Some(Found::State(Box::new(state(4, 1, "pending")))));
    assert_eq!(reader.next_question(), None);
    assert_eq!(shown(&mut reader).0, ["state 3 2", "gone 5", "cancelled 4"]);
}

#[test]
fn a_snapshot_starts_again_in_the_middle_of_a_backlog() {
    let mut reader = reader(Some(at(4)));
    reader.greeted(&hello(9, true));
    reader.event(ring(5, 1));
    reader.snapshot(Box::new(snapshot(30, vec![], vec![])));
    assert_eq!(shown(&mut reader), (vec!["snapshot".to_owned()], Some(30)));
    reader.event(ring(30, 2));
    reader.event(ring(31, 3));
    assert_eq!(shown(&mut reader).0, ["received 3"]);
}

#[test]
fn rings_are_marked_as_such() {
    let mut reader = connected(4);
    reader.event(ring(5, 1));
    reader.event(carol_accepted(6, 1, 2));
    reader.snapshot(Box::new(snapshot(7, vec![state(1, 2, "pending")], vec![])));
    reader.snapshot(Box::new(snapshot(8, vec![], vec![state(1, 3, "cancelled")])));
    let marks: Vec<bool> = std::iter::from_fn(|| reader.next_shown()).map(|item| item.rings).collect();
    assert_eq!(marks, [true, false, true, false]);
}

#[test]
fn a_result_that_comes_after_the_end_does_not_revive() {
    let mut reader = connected(4);
    reader.event(event(
        5,
        "invitation.accepted",
        1,
        2,
        &json!({"inviter": "bob", "invitee": "alice", "settled": true}),
    ));
    reader.invited(id(1), true);
    reader.snapshot(Box::new(snapshot(6, vec![], vec![])));
    assert_eq!(reader.next_question(), None);
}
