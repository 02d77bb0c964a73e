//! The full state of a user: what is active, and what was missed.

use ringwire_signaling::command::Invite;
use ringwire_signaling::inbox::{Epoch, Position, Snapshot};
use ringwire_signaling::limits::{DATA_BYTES, PENDING_PER_USER, SNAPSHOT_ACTIVE, SNAPSHOT_MISSED};
use ringwire_signaling::{Invitation, InvitationId};

use super::driver::{Driver, accept, cancel, invite, modify, reject, text, user};
use super::fixture::Fixture;

/// By then acknowledgements are written, where they need not be at once.
const WRITTEN_MS: u64 = 1_500;

async fn snapshot(fixture: &Fixture, name: &str) -> Snapshot {
    fixture.store.snapshot(user(name)).await.unwrap()
}

fn ids(invitations: &[Invitation]) -> Vec<InvitationId> {
    invitations.iter().map(|invitation| invitation.id).collect()
}

/// Both parts of a user, as they are now, oldest first.
pub async fn a_snapshot_holds_what_is_active(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let rung = driver.invite(&invite("ann", &["bob", "cid"])).await;
    driver.pass(2).await;
    let sent = driver.invite(&invite("bob", &["dan"])).await;
    driver.pass(2).await;
    let answered = driver.invite(&invite("ann", &["bob", "cid"])).await;
    driver.act(answered.id, &accept("bob")).await;
    let changed = driver.act(rung.id, &modify("ann", "new")).await;
    let found = snapshot(fixture, "bob").await;
    assert_eq!(found.active, [changed, sent]);
    assert_eq!(found.position, driver.inbox("bob").await.position);
    assert!(found.missed.is_empty() && !found.more);
    assert_eq!(ids(&snapshot(fixture, "ann").await.active), [rung.id, answered.id]);
    assert_eq!(snapshot(fixture, "eve").await.active, []);
}

/// Cancelled and timed out alike, until a device acknowledged the event that told of it.
pub async fn what_was_missed_is_shown_until_it_is_acknowledged(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let mut missed = Vec::new();
    for _ in 0..3 {
        let created = driver.invite(&invite("ann", &["bob"])).await;
        missed.push(driver.act(created.id, &cancel("ann")).await);
    }
    assert_eq!(snapshot(fixture, "bob").await.missed, missed);
    assert_eq!(snapshot(fixture, "ann").await.missed, []);
    let inbox = driver.inbox("bob").await;
    let second = &inbox.entries[3];
    let position = Position { offset: second.offset, check: second.check, ..inbox.position };
    fixture.store.acknowledge(user("bob"), position).await.unwrap();
    assert_eq!(snapshot(fixture, "bob").await.missed, missed[2..]);
    fixture.store.acknowledge(user("bob"), inbox.position).await.unwrap();
    assert_eq!(snapshot(fixture, "bob").await.missed, []);
    let attached = driver.attach("bob", None).await;
    assert_eq!(attached.position, inbox.position);
}

/// What is acknowledged stays so, at once and when it was written.
pub async fn an_acknowledgement_only_rises_and_belongs_to_its_epoch(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    for _ in 0..2 {
        let created = driver.invite(&invite("ann", &["bob"])).await;
        driver.act(created.id, &cancel("ann")).await;
    }
    let end = driver.inbox("bob").await.position;
    let elsewhere = Position { epoch: Epoch(end.epoch.0 ^ 1), ..end };
    let acknowledge = |position| fixture.store.acknowledge(user("bob"), position);
    acknowledge(elsewhere).await.unwrap();
    assert_eq!(snapshot(fixture, "bob").await.missed.len(), 2);
    driver.pass(WRITTEN_MS).await;
    assert_eq!(snapshot(fixture, "bob").await.missed.len(), 2);
    acknowledge(end).await.unwrap();
    for pause in [0, WRITTEN_MS, WRITTEN_MS] {
        driver.pass(pause).await;
        acknowledge(Position { offset: 1, ..end }).await.unwrap();
        acknowledge(elsewhere).await.unwrap();
        assert_eq!(snapshot(fixture, "bob").await.missed, []);
    }
    fixture.store.acknowledge(user("nobody"), end).await.unwrap();
    driver.pass(WRITTEN_MS).await;
}

/// Who answered did not miss it, whoever else did.
pub async fn an_answer_is_not_missed(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let created = driver.invite(&invite("ann", &["bob", "cid", "dan"])).await;
    driver.act(created.id, &accept("bob")).await;
    driver.act(created.id, &reject("cid")).await;
    let last = driver.act(created.id, &cancel("ann")).await;
    for (name, missed) in [("bob", 0), ("cid", 0), ("dan", 1), ("ann", 0)] {
        let found = snapshot(fixture, name).await;
        assert_eq!((found.active.len(), found.missed.len()), (0, missed), "{name}");
    }
    assert_eq!(snapshot(fixture, "dan").await.missed, [last]);
}

/// A ring that is not shown is worse than a sent invitation that is not.
pub async fn rings_go_before_what_the_user_sent(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let mut rings = Vec::new();
    for number in 0..PENDING_PER_USER - 1 {
        rings.push(driver.invite(&invite(&format!("inviter-{number}"), &["bob"])).await.id);
    }
    for number in 0..4 {
        driver.pass(2).await;
        driver.invite(&invite("bob", &[&format!("invitee-{number}")])).await;
    }
    let found = snapshot(fixture, "bob").await;
    assert_eq!(found.active.len(), SNAPSHOT_ACTIVE);
    assert!(found.more);
    let shown = ids(&found.active);
    assert!(rings.iter().all(|ring| shown.contains(ring)));
}

/// A snapshot is one frame.
pub async fn a_snapshot_is_bound_by_its_bytes(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    for number in 0..40 {
        let request = Invite { data: text(DATA_BYTES), ..invite(&format!("inviter-{number}"), &["bob"]) };
        driver.invite(&request).await;
    }
    let found = snapshot(fixture, "bob").await;
    assert!(found.more);
    assert!((10..=30).contains(&found.active.len()), "{} large invitations in a snapshot", found.active.len());
}

/// The list of what was missed does not grow for ever.
pub async fn at_most_so_many_are_missed_and_the_newest_stay(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let mut missed = Vec::new();
    for _ in 0..SNAPSHOT_MISSED + 5 {
        let created = driver.invite(&invite("ann", &["bob"])).await;
        missed.push(driver.act(created.id, &cancel("ann")).await.id);
    }
    assert_eq!(ids(&snapshot(fixture, "bob").await.missed), missed[5..]);
}

/// Who was not rung hears nothing of it.
pub async fn an_online_only_ring_is_in_the_snapshot_of_who_was_rung(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    driver.attach("bob", None).await;
    let request = Invite { online_user_only: true, ..invite("ann", &["bob", "cid"]) };
    let created = driver.invite(&request).await;
    assert_eq!(snapshot(fixture, "bob").await.active, [created]);
    assert_eq!(snapshot(fixture, "cid").await.active, []);
    assert_eq!(driver.events("cid").await, [""; 0]);
}
