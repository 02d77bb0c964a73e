//! Inboxes that were rolled back, trimmed or given a new life, and reads that fail or overlap.

use super::world::World;
use crate::inbox::{Check, Epoch};

#[test]
fn a_wrong_previous_check_gives_the_inbox_a_new_life() {
    let mut world = World::with(["phone", "web"], 2);
    world.inbox.roll_back(1);
    let deliveries = world.append_many(2);
    world.deliver(&deliveries[1]).tells(["reset, replacing epoch 1"]);
    world.inbox.replace_epoch(Epoch(1));
    world.reset().tells(["1 ← snapshot at 0", "2 ← snapshot at 0"]);
    let next = world.append();
    world.deliver(&next).tells(["1 ← 1", "2 ← 1"]);
}

#[test]
fn another_entry_at_the_last_offset_is_looked_into() {
    let mut world = World::with(["phone"], 2);
    world.inbox.roll_back(1);
    let rival = world.append();
    world.deliver(&rival).tells(["fetch after 2"]);
    world.fetch(2).tells(["reset, replacing epoch 1"]);
}

#[test]
fn an_inbox_that_ends_before_what_was_sent_was_rolled_back() {
    let mut world = World::with(["phone"], 3);
    world.inbox.roll_back(2);
    world.suspect().tells(["fetch after 3"]);
    world.fetch(3).tells(["reset, replacing epoch 1"]);
    world.inbox.replace_epoch(Epoch(1));
    world.reset().tells(["1 ← snapshot at 0"]);
}

#[test]
fn an_inbox_that_went_on_differently_was_rolled_back() {
    let mut world = World::with(["phone"], 3);
    world.inbox.roll_back(2);
    world.append_many(4);
    world.suspect().tells(["fetch after 3"]);
    world.fetch(3).tells(["reset, replacing epoch 1"]);
}

#[test]
fn a_device_that_saw_another_end_than_the_session_makes_a_new_life() {
    let mut world = World::with(["phone"], 3);
    world.inbox.roll_back(1);
    world.append();
    world.attach(2, "web").tells(["reset, replacing epoch 1"]);
}

#[test]
fn a_device_that_saw_a_shorter_inbox_than_the_session_makes_a_fetch_find_out() {
    let mut world = World::with(["phone"], 3);
    world.inbox.roll_back(2);
    world.attach(2, "web").tells(["fetch after 1"]);
    world.fetch(1).tells(["reset, replacing epoch 1"]);
}

#[test]
fn an_inbox_that_ends_before_what_one_device_saw_was_rolled_back() {
    let mut world = World::with(["phone"], 1);
    world.append_many(3);
    world.attach(2, "web").tells(["fetch after 1"]);
    world.inbox.roll_back(2);
    world.fetch(1).tells(["reset, replacing epoch 1"]);
}

#[test]
fn another_epoch_resets_everybody() {
    let mut world = World::with(["phone", "web"], 2);
    world.inbox.replace_epoch(Epoch(1));
    let deliveries = world.append_many(2);
    world.deliver(&deliveries[0]).tells(["fetch after 2"]);
    world.fetch(2).tells(["reset"]);
    world.reset().tells(["1 ← snapshot at 2", "2 ← snapshot at 2"]);
    world.deliver(&deliveries[1]).tells([]);
    let next = world.append();
    world.deliver(&next).tells(["1 ← 3", "2 ← 3"]);
}

#[test]
fn a_straggler_of_an_earlier_life_is_dropped_after_a_look() {
    let mut world = World::with(["phone"], 1);
    let straggler = world.append();
    world.inbox.replace_epoch(Epoch(1));
    world.suspect().tells(["fetch after 1"]);
    world.fetch(1).tells(["reset"]);
    world.reset().tells(["1 ← snapshot at 0"]);
    world.deliver(&straggler).tells(["fetch after 0"]);
    world.fetch(0).tells([]);
}

#[test]
fn a_device_that_attaches_in_a_new_life_resets_the_others_and_is_sent_nothing_of_the_old() {
    let mut world = World::with(["phone"], 1);
    let old = world.append();
    world.inbox.replace_epoch(Epoch(1));
    world.attach(2, "web").tells(["reset"]);
    world.deliver(&old).tells(["1 ← 2"]);
    world.reset().tells(["1 ← snapshot at 0", "2 ← snapshot at 0"]);
}

#[test]
fn a_stretch_that_was_trimmed_is_replaced_by_a_snapshot() {
    let mut world = World::with(["phone"], 1);
    let deliveries = world.append_many(5);
    world.deliver(&deliveries[4]).tells(["fetch after 1"]);
    world.inbox.trim_to(3);
    world.fetch(1).tells(["reset"]);
    world.reset().tells(["1 ← snapshot at 6"]);
}

#[test]
fn a_stretch_that_was_trimmed_to_nothing_is_replaced_by_a_snapshot() {
    let mut world = World::with(["phone"], 1);
    world.append_many(5);
    world.inbox.trim_to(0);
    world.suspect().tells(["fetch after 1"]);
    world.fetch(1).tells(["reset"]);
}

#[test]
fn an_inbox_that_was_trimmed_up_to_what_was_sent_misses_nothing() {
    let mut world = World::with(["phone"], 3);
    world.append();
    world.inbox.trim_to(1);
    world.suspect().tells(["fetch after 3"]);
    world.fetch(3).tells(["1 ← 4"]);
}

#[test]
fn what_is_delivered_while_a_snapshot_is_read_comes_after_it() {
    let mut world = World::with(["phone"], 1);
    let trimmed = world.append_many(3);
    world.deliver(&trimmed[2]).tells(["fetch after 1"]);
    world.inbox.trim_to(1);
    world.fetch(1).tells(["reset"]);
    let snapshot = world.inbox.snapshot(Vec::new());
    let next = world.append();
    world.deliver(&next).tells([]);
    world.reset_to(&snapshot).tells(["1 ← snapshot at 4", "1 ← 5"]);
}

#[test]
fn what_was_sent_while_a_snapshot_was_read_is_sent_again_after_it() {
    let mut world = World::with(["phone"], 1);
    let snapshot = world.inbox.snapshot(Vec::new());
    let next = world.append();
    world.deliver(&next).tells(["1 ← 2"]);
    world.reset_to(&snapshot).tells(["1 ← snapshot at 1", "fetch after 1"]);
    world.fetch(1).tells(["1 ← 2"]);
}

#[test]
fn a_new_life_that_begins_while_its_snapshot_is_read_loses_nothing() {
    let mut world = World::with(["phone"], 2);
    world.inbox.roll_back(1);
    let rivals = world.append_many(2);
    world.deliver(&rivals[1]).tells(["reset, replacing epoch 1"]);
    world.inbox.replace_epoch(Epoch(1));
    let snapshot = world.inbox.snapshot(Vec::new());
    let next = world.append();
    world.deliver(&next).tells([]);
    world.reset_to(&snapshot).tells(["1 ← snapshot at 0", "fetch after 0"]);
    world.fetch(0).tells(["1 ← 1"]);
}

#[test]
fn one_read_is_under_way_at_a_time_and_what_came_meanwhile_is_looked_into_after_it() {
    let mut world = World::with(["phone"], 1);
    world.suspect().tells(["fetch after 1"]);
    let read = world.inbox.stretch(1);
    world.append();
    world.suspect().tells([]);
    world.suspect().tells([]);
    world.fetched(read).tells(["fetch after 1"]);
    world.fetch(1).tells(["1 ← 2"]);
}

#[test]
fn a_device_that_attaches_during_a_fetch_shows_that_it_was_read_too_early() {
    let mut world = World::with(["phone"], 1);
    world.suspect().tells(["fetch after 1"]);
    let read = world.inbox.stretch(1);
    world.append();
    world.attach(2, "web").tells([]);
    world.fetched(read).tells(["fetch after 1"]);
    world.fetch(1).tells(["1 ← 2"]);
}

#[test]
fn a_device_that_attaches_in_a_new_life_during_a_fetch_resets_everybody_after_it() {
    let mut world = World::with(["phone"], 1);
    world.suspect().tells(["fetch after 1"]);
    let read = world.inbox.stretch(1);
    world.inbox.replace_epoch(Epoch(1));
    world.attach(2, "web").tells([]);
    world.fetched(read).tells(["reset"]);
    world.reset().tells(["1 ← snapshot at 0", "2 ← snapshot at 0"]);
}

#[test]
fn a_wrong_previous_check_during_a_fetch_is_looked_into_after_it() {
    let mut world = World::with(["phone"], 2);
    world.suspect().tells(["fetch after 2"]);
    let read = world.inbox.stretch(2);
    world.inbox.roll_back(1);
    let rivals = world.append_many(2);
    world.deliver(&rivals[1]).tells([]);
    world.fetched(read).tells(["fetch after 2"]);
    world.fetch(2).tells(["reset, replacing epoch 1"]);
}

#[test]
fn a_device_that_attaches_while_a_snapshot_is_read_gets_it_too() {
    let mut world = World::with(["phone"], 3);
    world.inbox.roll_back(1);
    world.append();
    let rival = world.append();
    world.deliver(&rival).tells(["reset, replacing epoch 1"]);
    world.attach(2, "web").tells([]);
    world.inbox.replace_epoch(Epoch(1));
    world.reset().tells(["1 ← snapshot at 0", "2 ← snapshot at 0"]);
}

#[test]
fn a_delivery_that_the_inbox_does_not_have_is_dropped_and_not_asked_for_again() {
    let mut world = World::with(["phone"], 1);
    let lost = world.append_many(3);
    world.deliver(&lost[2]).tells(["fetch after 1"]);
    world.inbox.roll_back(3);
    world.fetch(1).tells([]);
    let next = world.append();
    world.deliver(&next).tells(["1 ← 2"]);
}

#[test]
fn a_held_delivery_of_a_lost_history_gives_way_to_what_the_inbox_has() {
    let mut world = World::with(["phone"], 1);
    let lost = world.append_many(2);
    world.deliver(&lost[1]).tells(["fetch after 1"]);
    world.inbox.roll_back(2);
    let rivals = world.append_many(3);
    world.deliver(&rivals[2]).tells([]);
    world.fetch(1).tells(["1 ← 2 3 4"]);
}

#[test]
fn a_held_delivery_of_a_lost_history_does_not_follow_a_snapshot() {
    let mut world = World::with(["phone"], 1);
    let lost = world.append_many(3);
    world.deliver(&lost[2]).tells(["fetch after 1"]);
    world.inbox.trim_to(2);
    world.inbox.roll_back(1);
    world.fetch(1).tells(["reset"]);
    world.reset().tells(["1 ← snapshot at 3"]);
    world.suspect().tells(["fetch after 3"]);
    world.fetch(3).tells([]);
}

#[test]
fn a_held_delivery_that_is_lost_before_the_snapshot_is_read_does_not_follow_it() {
    let mut world = World::with(["phone"], 1);
    let lost = world.append_many(3);
    world.deliver(&lost[2]).tells(["fetch after 1"]);
    world.inbox.trim_to(2);
    world.fetch(1).tells(["reset"]);
    world.inbox.roll_back(1);
    world.reset().tells(["1 ← snapshot at 3"]);
}

#[test]
fn a_fetch_that_was_asked_for_in_an_earlier_life_says_nothing_of_this_one() {
    let mut world = World::with(["phone"], 5);
    world.suspect().tells(["fetch after 5"]);
    world.detach(1);
    world.inbox.replace_epoch(Epoch(1));
    world.append();
    world.attach(2, "web").tells([]);
    world.fetch(5).tells(["fetch after 1"]);
    world.fetch(1).tells([]);
}

#[test]
fn a_connection_of_another_history_is_sent_nothing_that_does_not_follow() {
    let mut world = World::with(["phone"], 1);
    let lost = world.append();
    let before = world.up_to_date();
    world.inbox.roll_back(1);
    world.suspect().tells(["fetch after 1"]);
    world.attach_with(2, "web", before).tells([]);
    let rivals = world.append_many(2);
    world.deliver(&rivals[0]).tells(["1 ← 2"]);
    world.deliver(&rivals[1]).tells(["1 ← 3"]);
    world.deliver(&lost).tells([]);
    world.fetch(1).tells(["reset, replacing epoch 1"]);
}

#[test]
fn a_fetch_that_failed_is_tried_again_by_the_next_delivery_or_suspicion() {
    let mut world = World::with(["phone"], 1);
    let deliveries = world.append_many(3);
    world.deliver(&deliveries[1]).tells(["fetch after 1"]);
    world.session.recovery_failed();
    world.deliver(&deliveries[2]).tells(["fetch after 1"]);
    world.session.recovery_failed();
    world.suspect().tells(["fetch after 1"]);
    world.fetch(1).tells(["1 ← 2 3 4"]);
}

#[test]
fn a_suspicion_outlives_a_fetch_that_failed() {
    let mut world = World::with(["phone"], 1);
    world.suspect().tells(["fetch after 1"]);
    world.session.recovery_failed();
    let next = world.append();
    world.deliver(&next).tells(["1 ← 2", "fetch after 2"]);
    world.fetch(2).tells([]);
}

#[test]
fn a_reset_that_failed_is_found_necessary_again() {
    let mut world = World::with(["phone"], 2);
    world.inbox.roll_back(2);
    world.suspect().tells(["fetch after 2"]);
    world.fetch(2).tells(["reset, replacing epoch 1"]);
    world.inbox.replace_epoch(Epoch(1));
    world.session.recovery_failed();
    world.suspect().tells(["fetch after 2"]);
    world.fetch(2).tells(["reset"]);
    world.reset().tells(["1 ← snapshot at 0"]);
}

#[test]
fn an_outcome_that_nobody_asked_for_changes_nothing() {
    let mut world = World::with(["phone"], 1);
    world.append();
    world.fetch(1).tells([]);
    world.session.recovery_failed();
    world.suspect().tells(["fetch after 1"]);
    world.fetch(1).tells(["1 ← 2"]);
}

#[test]
fn nobody_connected_asks_for_nothing_and_a_suspicion_waits_for_the_next_device() {
    let mut world = World::new();
    world.suspect().tells([]);
    world.attach(1, "phone").tells(["fetch after 0"]);
    world.fetch(0).tells([]);
}

#[test]
fn a_reset_of_an_empty_session_reaches_who_comes_next() {
    let mut world = World::with(["phone"], 2);
    world.inbox.roll_back(2);
    world.suspect().tells(["fetch after 2"]);
    world.fetch(2).tells(["reset, replacing epoch 1"]);
    world.detach(1);
    world.inbox.replace_epoch(Epoch(1));
    let snapshot = world.inbox.snapshot(Vec::new());
    world.append();
    world.attach(2, "web").tells([]);
    world.reset_to(&snapshot).tells(["2 ← snapshot at 0", "fetch after 0"]);
    world.fetch(0).tells(["2 ← 1"]);
    assert_ne!(world.inbox.end.check, Check(0));
}
