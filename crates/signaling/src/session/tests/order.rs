//! Deliveries in order, with echoes, duplicates and gaps.

use super::model::Kind;
use super::world::{World, origin};
use crate::id::{ConnectionId, Origin};
use crate::limits::SESSION_HELD;

#[test]
fn what_comes_in_order_goes_to_every_connection() {
    let mut world = World::with(["phone", "web"], 0);
    let deliveries = world.append_many(2);
    world.deliver(&deliveries[0]).tells(["1 ← 1", "2 ← 1"]);
    world.deliver(&deliveries[1]).tells(["1 ← 2", "2 ← 2"]);
    assert_eq!(world.session.gaps_healed(), 0);
}

#[test]
fn an_echo_is_kept_from_the_connection_that_acted_and_only_from_that() {
    for kind in [Kind::Answered, Kind::Sent] {
        let mut world = World::with(["phone", "web"], 0);
        let answered = world.append_event(kind, 1, Some(origin(1)));
        world.deliver(&answered).tells(["2 ← 1"]);
        let next = world.append();
        world.deliver(&next).tells(["1 ← 2", "2 ← 2"]);
    }
}

#[test]
fn an_event_that_is_no_echo_goes_to_whoever_caused_it_too() {
    let mut world = World::with(["phone"], 0);
    let signal = world.append_event(Kind::Signal, 1, Some(origin(1)));
    world.deliver(&signal).tells(["1 ← 1"]);
}

#[test]
fn the_same_device_on_another_connection_gets_the_echo() {
    let mut world = World::with(["phone", "web"], 0);
    let stale = world.up_to_date();
    let answered = world.append_event(Kind::Answered, 1, Some(origin(1)));
    world.attach_with(3, "phone", stale).tells(["close 1: Replaced"]);
    world.deliver(&answered).tells(["2 ← 1", "3 ← 1"]);
}

#[test]
fn a_connection_of_another_incarnation_is_another_connection() {
    let mut world = World::with(["phone"], 0);
    let elsewhere = Some(Origin { incarnation: 8, connection: ConnectionId(1) });
    let answered = world.append_event(Kind::Answered, 1, elsewhere);
    world.deliver(&answered).tells(["1 ← 1"]);
}

#[test]
fn a_duplicate_is_dropped() {
    let mut world = World::with(["phone"], 0);
    let deliveries = world.append_many(2);
    world.deliver(&deliveries[0]).tells(["1 ← 1"]);
    world.deliver(&deliveries[0]).tells([]);
    world.deliver(&deliveries[1]).tells(["1 ← 2"]);
    world.deliver(&deliveries[0]).tells([]);
}

#[test]
fn a_gap_is_filled_by_a_fetch() {
    let mut world = World::with(["phone", "web"], 3);
    let deliveries = world.append_many(3);
    world.deliver(&deliveries[2]).tells(["fetch after 3"]);
    world.fetch(3).tells(["1 ← 4 5 6", "2 ← 4 5 6"]);
    assert_eq!(world.session.gaps_healed(), 1);
    let next = world.append();
    world.deliver(&next).tells(["1 ← 7", "2 ← 7"]);
}

#[test]
fn deliveries_that_overtook_one_another_are_sent_in_order_without_waiting_for_the_fetch() {
    let mut world = World::with(["phone"], 0);
    let deliveries = world.append_many(4);
    world.deliver(&deliveries[3]).tells(["fetch after 0"]);
    world.deliver(&deliveries[1]).tells([]);
    world.deliver(&deliveries[0]).tells(["1 ← 1", "1 ← 2"]);
    world.deliver(&deliveries[2]).tells(["1 ← 3", "1 ← 4"]);
    world.fetch(0).tells([]);
    assert_eq!(world.session.gaps_healed(), 0);
}

#[test]
fn a_fetch_that_was_read_before_later_deliveries_is_no_roll_back() {
    let mut world = World::with(["phone"], 0);
    let mut deliveries = world.append_many(2);
    world.deliver(&deliveries[1]).tells(["fetch after 0"]);
    let read = world.inbox.stretch(0);
    deliveries.extend(world.append_many(2));
    world.deliver(&deliveries[0]).tells(["1 ← 1", "1 ← 2"]);
    world.deliver(&deliveries[2]).tells(["1 ← 3"]);
    world.deliver(&deliveries[3]).tells(["1 ← 4"]);
    world.fetched(read).tells([]);
}

#[test]
fn an_echo_that_a_fetch_brings_first_is_still_kept_from_its_connection() {
    let mut world = World::with(["phone", "web"], 0);
    let lost = world.append();
    let answered = world.append_event(Kind::Answered, 1, Some(origin(1)));
    world.deliver(&answered).tells(["fetch after 0"]);
    world.fetch(0).tells(["1 ← 1", "2 ← 1 2"]);
    world.deliver(&lost).tells([]);
}

#[test]
fn a_fetch_fills_the_first_gap_and_then_the_next() {
    let mut world = World::with(["phone"], 0);
    let first = world.append_many(2);
    world.deliver(&first[1]).tells(["fetch after 0"]);
    let read = world.inbox.stretch(0);
    let later = world.append_many(2);
    world.deliver(&later[1]).tells([]);
    world.fetched(read).tells(["1 ← 1 2", "fetch after 2"]);
    world.fetch(2).tells(["1 ← 3 4"]);
    assert_eq!(world.session.gaps_healed(), 2);
}

#[test]
fn what_is_held_is_bounded_and_nothing_is_forgotten() {
    let mut world = World::with(["phone"], 0);
    let count = 2 * SESSION_HELD;
    let deliveries = world.append_many(count);
    world.deliver(&deliveries[1]).tells(["fetch after 0"]);
    let read = world.inbox.stretch(0);
    for delivery in &deliveries[2..] {
        world.deliver(delivery).tells([]);
        assert!(world.session.held.len() <= SESSION_HELD);
    }
    let more = world.append_many(2);
    world.deliver(&more[1]).tells([]);
    let all: Vec<String> = (1..=count).map(|offset| offset.to_string()).collect();
    let after = format!("fetch after {count}");
    world.fetched(read).tells([&format!("1 ← {}", all.join(" ")), &after]);
    world.fetch(count as u64).tells([&format!("1 ← {} {}", count + 1, count + 2)]);
    assert!(world.session.held.is_empty());
}

#[test]
fn a_stretch_that_stops_short_or_has_holes_is_read_on() {
    let mut world = World::with(["phone"], 0);
    world.append_many(4);
    world.suspect().tells(["fetch after 0"]);
    let mut holey = world.inbox.stretch(0);
    holey.entries.remove(2);
    world.fetched(holey).tells(["1 ← 1 2", "fetch after 2"]);
    let mut short = world.inbox.stretch(2);
    short.entries.pop();
    world.fetched(short).tells(["1 ← 3", "fetch after 3"]);
    world.fetch(3).tells(["1 ← 4"]);
}
