//! Acknowledgements: what they cover, and which of them are the receipt of a ring.

use super::model::{Kind, alice, bob, id};
use super::world::World;
use crate::command::{By, Invite};
use crate::guard::Facts;
use crate::id::ConnectionId;
use crate::inbox::{Check, Epoch, Position, Snapshot};
use crate::invitation::{Audience, Invitation};
use crate::limits::SENT_RINGS_REMEMBERED;
use crate::policy::Policy;
use crate::session::Effect;
use crate::time::UnixMillis;

const START: Position = Position { epoch: Epoch(1), offset: 0, check: Check(0) };

/// An invitation in which bob is pending.
fn pending(bits: u128) -> Invitation {
    let invite = Invite {
        by: By { user: alice(), device: None },
        invitees: vec![bob()],
        data: "".into(),
        timeout_s: 30,
        online_user_only: false,
        group: None,
        audience: Audience::Members,
        push: None,
        kind: None,
        inviter_name: None,
        receipts: true,
        request_id: None,
    };
    crate::step::invite(&invite, id(bits), &Facts::default(), UnixMillis(1_000), &Policy::default())
        .expect("alice may invite bob")
        .next
}

fn ring(world: &mut World, bits: u128) {
    let delivery = world.append_event(Kind::Ring, bits, None);
    world.session.deliver(delivery);
}

#[test]
fn the_first_acknowledgement_that_covers_a_ring_is_its_receipt() {
    let mut world = World::with(["phone"], 1);
    ring(&mut world, 42);
    world.acknowledge(1, 1).tells(["save ack 1"]);
    world.acknowledge(1, 2).tells(["receipt of 42 by phone", "save ack 2"]);
    world.acknowledge(1, 2).tells([]);
    world.acknowledge(1, 1).tells([]);
}

#[test]
fn one_acknowledgement_covers_everything_before_it() {
    let mut world = World::with(["phone"], 0);
    ring(&mut world, 41);
    ring(&mut world, 42);
    world.acknowledge(1, 2).tells(["receipt of 41 by phone", "receipt of 42 by phone", "save ack 2"]);
}

#[test]
fn each_device_gives_one_receipt() {
    let mut world = World::with(["phone", "web"], 0);
    ring(&mut world, 42);
    world.acknowledge(2, 1).tells(["receipt of 42 by web", "save ack 1"]);
    world.acknowledge(1, 1).tells(["receipt of 42 by phone", "save ack 1"]);
    world.acknowledge(2, 1).tells([]);
}

#[test]
fn an_acknowledgement_beyond_what_was_sent_says_nothing() {
    let mut world = World::with(["phone"], 0);
    ring(&mut world, 42);
    world.acknowledge(1, 2).tells([]);
    ring(&mut world, 43);
    world.acknowledge(1, 2).tells(["receipt of 42 by phone", "receipt of 43 by phone", "save ack 2"]);
}

#[test]
fn a_ring_that_ended_gives_no_receipt() {
    let mut world = World::with(["phone"], 0);
    ring(&mut world, 42);
    let cancelled = world.append_event(Kind::Cancelled, 42, None);
    world.session.deliver(cancelled);
    world.acknowledge(1, 1).tells(["save ack 1"]);
}

#[test]
fn a_ring_that_this_very_connection_answered_gives_no_receipt() {
    let mut world = World::with(["phone", "web"], 0);
    ring(&mut world, 42);
    let answered = world.append_event(Kind::Answered, 42, Some(super::world::origin(1)));
    world.deliver(&answered).tells(["2 ← 2"]);
    world.acknowledge(1, 1).tells(["save ack 1"]);
    world.acknowledge(2, 2).tells(["save ack 2"]);
}

#[test]
fn a_ring_in_a_backlog_gives_a_receipt_unless_it_ended_there() {
    let mut world = World::new();
    world.append_event(Kind::Ring, 42, None);
    world.append_event(Kind::Ring, 43, None);
    world.append_event(Kind::Cancelled, 42, None);
    world.resume(1, "phone", START).tells(["1 ← 1 2 3"]);
    world.acknowledge(1, 3).tells(["receipt of 43 by phone", "save ack 3"]);
}

#[test]
fn being_told_of_others_invitations_gives_no_receipt() {
    let mut world = World::with(["phone"], 0);
    let sent = world.append_event(Kind::Sent, 42, None);
    world.deliver(&sent).tells(["1 ← 1"]);
    world.acknowledge(1, 1).tells(["save ack 1"]);
}

#[test]
fn acknowledging_a_snapshot_is_the_receipt_of_the_rings_in_it() {
    let mut world = World::new();
    world.append_many(3);
    let mut answered = pending(41);
    answered.invitees[0].state = crate::invitation::InviteeState::Failed(crate::invitation::FailReason::Blocked);
    let snapshot = world.inbox.snapshot(vec![answered, pending(42)]);
    let mut attachment = world.up_to_date();
    attachment.resumption = crate::inbox::Resumption::Reset(snapshot);
    world.attach_with(1, "phone", attachment).tells(["1 ← snapshot at 3"]);
    world.acknowledge(1, 2).tells(["save ack 2"]);
    world.acknowledge(1, 3).tells(["receipt of 42 by phone", "save ack 3"]);
}

#[test]
fn a_snapshot_at_the_very_beginning_can_be_acknowledged() {
    let mut world = World::with(["phone"], 0);
    let snapshot = world.inbox.snapshot(vec![pending(42)]);
    world.reset_to(&snapshot).tells(["1 ← snapshot at 0"]);
    world.acknowledge(1, 0).tells(["receipt of 42 by phone", "save ack 0"]);
}

#[test]
fn a_reset_forgets_the_rings_that_ended_and_counts_again() {
    let mut world = World::with(["phone"], 3);
    ring(&mut world, 41);
    ring(&mut world, 42);
    world.acknowledge(1, 3).tells(["save ack 3"]);
    world.inbox.replace_epoch(Epoch(1));
    world.append_many(2);
    let snapshot = world.inbox.snapshot(vec![pending(42)]);
    world.reset_to(&snapshot).tells(["1 ← snapshot at 2"]);
    // Of the old life.
    world.acknowledge(1, 5).tells([]);
    world.acknowledge(1, 2).tells(["receipt of 42 by phone", "save ack 2"]);
}

#[test]
fn a_snapshot_that_does_not_name_all_ends_no_ring() {
    let mut world = World::with(["phone"], 0);
    ring(&mut world, 42);
    let snapshot = Snapshot { more: true, ..world.inbox.snapshot(vec![pending(43)]) };
    world.reset_to(&snapshot).tells(["1 ← snapshot at 1"]);
    world.acknowledge(1, 1).tells(["receipt of 42 by phone", "receipt of 43 by phone", "save ack 1"]);
}

#[test]
fn a_ring_that_outlives_a_reset_is_covered_by_the_snapshot() {
    let mut world = World::with(["phone"], 4);
    ring(&mut world, 42);
    world.inbox.replace_epoch(Epoch(1));
    world.append_many(2);
    let snapshot = Snapshot { more: true, ..world.inbox.snapshot(Vec::new()) };
    world.reset_to(&snapshot).tells(["1 ← snapshot at 2"]);
    world.acknowledge(1, 2).tells(["receipt of 42 by phone", "save ack 2"]);
}

#[test]
fn what_is_saved_is_a_position_of_the_connections_epoch() {
    let mut world = World::with(["phone"], 0);
    world.append_many(2);
    world.suspect().tells(["fetch after 0"]);
    world.fetch(0).tells(["1 ← 1 2"]);
    let saved = |offset, check| vec![Effect::SaveAck { position: Position { offset, check, ..START } }];
    assert_eq!(world.session.acknowledge(ConnectionId(1), 1), saved(1, Check(0)));
    assert_eq!(world.session.acknowledge(ConnectionId(1), 2), saved(2, world.inbox.end.check));
}

#[test]
fn a_ring_by_name_is_new_to_a_connection_once() {
    let mut world = World::with(["phone", "web"], 0);
    ring(&mut world, 42);
    assert!(world.session.ring_by_name(ConnectionId(1), id(42)));
    assert!(!world.session.ring_by_name(ConnectionId(1), id(43)));
    assert!(world.session.ring_by_name(ConnectionId(1), id(43)));
    assert!(!world.session.ring_by_name(ConnectionId(2), id(43)));
}

#[test]
fn rings_that_are_remembered_do_not_grow_for_ever() {
    let mut world = World::with(["phone"], 0);
    for bits in 0..2 * SENT_RINGS_REMEMBERED as u128 {
        ring(&mut world, bits);
    }
    assert!(world.session.ring_by_name(ConnectionId(1), id(SENT_RINGS_REMEMBERED as u128)));
    assert!(!world.session.ring_by_name(ConnectionId(1), id(SENT_RINGS_REMEMBERED as u128 - 1)));
}
