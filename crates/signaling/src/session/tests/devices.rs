//! Connections come, go and displace each other, also while others are sent something.

use super::world::{World, device};
use crate::id::ConnectionId;
use crate::inbox::{Check, Epoch, Position};
use crate::limits::{DEVICES_PER_USER, SESSION_HELD};

const START: Position = Position { epoch: Epoch(1), offset: 0, check: Check(0) };

#[test]
fn a_device_that_can_resume_gets_what_it_missed() {
    let mut world = World::new();
    world.append_many(3);
    world.resume(1, "phone", START).tells(["1 ← 1 2 3"]);
    let next = world.append();
    world.deliver(&next).tells(["1 ← 4"]);
}

#[test]
fn a_device_that_cannot_resume_gets_a_snapshot() {
    let mut world = World::new();
    world.append_many(3);
    let foreign = Position { epoch: Epoch(9), ..START };
    world.resume(1, "phone", foreign).tells(["1 ← snapshot at 3"]);
    let next = world.append();
    world.deliver(&next).tells(["1 ← 4"]);
}

#[test]
fn a_second_device_that_saw_more_makes_the_session_catch_up_for_the_first() {
    let mut world = World::with(["phone"], 1);
    let lost = world.append();
    world.attach(2, "web").tells(["fetch after 1"]);
    world.fetch(1).tells(["1 ← 2"]);
    world.deliver(&lost).tells([]);
}

#[test]
fn a_second_device_that_saw_less_is_brought_up_and_is_no_sign_of_a_roll_back() {
    let mut world = World::with(["phone"], 1);
    let before = world.up_to_date();
    let first = world.append();
    world.deliver(&first).tells(["1 ← 2"]);
    world.attach_with(2, "web", before).tells(["fetch after 1"]);
    let second = world.append();
    world.deliver(&second).tells(["1 ← 3"]);
    world.fetch(1).tells(["2 ← 2 3"]);
    let third = world.append();
    world.deliver(&third).tells(["1 ← 4", "2 ← 4"]);
}

#[test]
fn a_device_that_lags_gets_nothing_out_of_order() {
    let mut world = World::with(["phone"], 1);
    let before = world.up_to_date();
    let first = world.append();
    world.deliver(&first).tells(["1 ← 2"]);
    world.attach_with(2, "web", before).tells(["fetch after 1"]);
    let read = world.inbox.stretch(1);
    let second = world.append();
    world.deliver(&second).tells(["1 ← 3"]);
    world.fetched(read).tells(["2 ← 2", "fetch after 2"]);
    world.fetch(2).tells(["2 ← 3"]);
}

#[test]
fn what_is_committed_between_the_read_and_the_attachment_of_the_first_device_is_not_lost() {
    let mut world = World::new();
    world.append();
    let before = world.up_to_date();
    let deliveries = world.append_many(2);
    for delivery in &deliveries {
        world.deliver(delivery).tells([]);
    }
    world.attach_with(1, "phone", before).tells(["1 ← 2 3"]);
}

#[test]
fn what_waits_for_the_first_device_is_bounded_and_a_fetch_brings_the_rest() {
    let mut world = World::new();
    let before = world.up_to_date();
    let deliveries = world.append_many(SESSION_HELD + 1);
    for delivery in &deliveries {
        world.deliver(delivery).tells([]);
        assert!(world.session.held.len() <= SESSION_HELD);
    }
    world.attach_with(1, "phone", before).tells(["fetch after 0"]);
    let all: Vec<String> = (1..=deliveries.len()).map(|offset| offset.to_string()).collect();
    world.fetch(0).tells([&format!("1 ← {}", all.join(" "))]);
}

#[test]
fn a_session_that_was_empty_starts_again_from_where_the_next_device_is() {
    let mut world = World::with(["phone"], 1);
    world.detach(1);
    assert!(world.session.is_empty());
    let missed = world.append_many(2);
    world.deliver(&missed[1]).tells([]);
    world.attach(2, "phone").tells([]);
    let next = world.append();
    world.deliver(&next).tells(["2 ← 4"]);
}

#[test]
fn a_fetch_that_was_asked_for_by_those_who_left_disturbs_nobody() {
    let mut world = World::with(["phone"], 1);
    let deliveries = world.append_many(2);
    world.deliver(&deliveries[1]).tells(["fetch after 1"]);
    let read = world.inbox.stretch(1);
    world.detach(1);
    world.append_many(2);
    world.attach(2, "web").tells([]);
    world.fetched(read).tells([]);
    let next = world.append();
    world.deliver(&next).tells(["2 ← 6"]);
}

#[test]
fn a_device_that_connects_again_replaces_its_old_connection() {
    let mut world = World::with(["phone", "web"], 0);
    world.attach(3, "phone").tells(["close 1: Replaced"]);
    let next = world.append();
    world.deliver(&next).tells(["2 ← 1", "3 ← 1"]);
    let connected: Vec<(u64, &str)> =
        world.session.connections().map(|(id, connection)| (id.0, connection.device.as_str())).collect();
    assert_eq!(connected, [(2, "web"), (3, "phone")]);
}

#[test]
fn an_eleventh_device_closes_the_longest_connected() {
    let mut world = World::new();
    for number in 1..=DEVICES_PER_USER as u64 {
        world.attach(number, &format!("device-{number}")).tells([]);
    }
    world.attach(11, "device-11").tells(["close 1: TooManyDevices"]);
    world.attach(12, "device-2").tells(["close 2: Replaced"]);
    world.attach(13, "device-13").tells(["close 3: TooManyDevices"]);
    assert_eq!(world.session.connections().count(), DEVICES_PER_USER);
}

#[test]
fn whoever_left_is_sent_nothing_and_does_nothing() {
    let mut world = World::with(["phone", "web"], 1);
    world.detach(1);
    let next = world.append();
    world.deliver(&next).tells(["2 ← 2"]);
    world.acknowledge(1, 1).tells([]);
    assert!(!world.session.ring_by_name(ConnectionId(1), super::model::id(1)));
    assert!(world.session.connections().all(|(_, connection)| connection.device == device("web")));
}
