//! Broadcasts to a group's audience.

use std::sync::Arc;

use ringwire_signaling::Partition;
use ringwire_signaling::limits::RELAY_BATCH;

use super::driver::{Driver, accept, assert_chain, cancel, invite, invite_in_group, modify, reject, user};
use super::fixture::Fixture;
use crate::query::DueKind;

/// Members of the group beyond the participants: two whole batches and a part.
const AUDIENCE: usize = 2 * RELAY_BATCH + 7;
/// Long after a relay that stopped should be taken up.
const LATER_MS: u64 = 10_000;

async fn large_group(driver: &Driver<'_>) -> Vec<String> {
    let audience: Vec<String> = (0..AUDIENCE).map(|number| format!("member-{number:03}")).collect();
    let members: Vec<&str> = audience.iter().map(String::as_str).chain(["ann", "bob"]).collect();
    driver.group("team", &members).await;
    audience
}

/// One call does not hold the store for long, and everybody hears once.
pub async fn an_audience_is_served_in_batches_each_member_once(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let audience = large_group(&driver).await;
    driver.listen(&audience.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let created = driver.invite(&invite_in_group("team", "ann", &["bob"])).await;
    fixture.forget_rings().await;
    assert_eq!(driver.events(&audience[0]).await, [""; 0]);
    assert_eq!(driver.relay_all(created.id).await, 3);
    let rings = fixture.rings().await;
    assert_eq!(rings.iter().map(Vec::len).collect::<Vec<_>>(), [RELAY_BATCH, RELAY_BATCH, 7]);
    assert!(rings.iter().flatten().all(|delivery| delivery.origin.is_none()));
    for member in &audience {
        let inbox = driver.inbox(member).await;
        assert_eq!(inbox.entries.len(), 1, "{member}");
        assert!(!inbox.entries[0].event.is_ring());
        assert_eq!(inbox.entries[0].event.invitation, created.id);
        assert_eq!(fixture.heard_by(&user(member)).await, inbox.entries);
    }
    assert_eq!(driver.events("bob").await, ["invitation.received"]);
    assert!(!fixture.store.relay(created.id).await.unwrap());
    assert_eq!(driver.events(&audience[0]).await.len(), 1);
}

/// Whatever waits in the outbox goes in the order of the commits.
pub async fn broadcasts_reach_a_member_in_order(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let audience = large_group(&driver).await;
    let created = driver.invite(&invite_in_group("team", "ann", &["bob"])).await;
    assert!(fixture.store.relay(created.id).await.unwrap());
    driver.act(created.id, &modify("ann", "new")).await;
    driver.act(created.id, &accept("bob")).await;
    driver.relay_all(created.id).await;
    for member in [&audience[0], &audience[RELAY_BATCH], &audience[AUDIENCE - 1]] {
        let inbox = driver.inbox(member).await;
        assert_chain(&inbox.entries);
        assert_eq!(
            super::driver::names(&inbox.entries),
            ["invitation.received", "invitation.modified", "invitation.accepted"]
        );
    }
}

/// The committing node and a sweeper may relay at once.
pub async fn concurrent_relays_serve_everybody_once(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let audience = large_group(&driver).await;
    let created = driver.invite(&invite_in_group("team", "ann", &["bob"])).await;
    driver.act(created.id, &reject("bob")).await;
    let relays: Vec<_> = (0..4)
        .map(|_| {
            let store = Arc::clone(&fixture.store);
            tokio::spawn(async move { while store.relay(created.id).await.unwrap() {} })
        })
        .collect();
    for relay in relays {
        relay.await.unwrap();
    }
    for member in &audience {
        assert_eq!(driver.events(member).await, ["invitation.received", "invitation.rejected"], "{member}");
    }
}

/// A node that died in the middle leaves the rest to whoever sweeps.
pub async fn a_relay_that_stopped_is_due_later(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let audience = large_group(&driver).await;
    let everywhere: Vec<Partition> = (0..=u8::MAX).map(Partition).collect();
    let relays = |until| {
        let (store, everywhere) = (Arc::clone(&fixture.store), everywhere.clone());
        async move {
            let due = store.due(everywhere, until, 100).await.unwrap();
            due.into_iter().filter(|due| due.kind == DueKind::Relay).map(|due| due.invitation).collect::<Vec<_>>()
        }
    };
    let created = driver.invite(&invite_in_group("team", "ann", &["bob"])).await;
    let committed_at = driver.now();
    assert_eq!(relays(committed_at).await, []);
    assert_eq!(relays(committed_at.plus(LATER_MS)).await, [created.id]);
    driver.act(created.id, &cancel("ann")).await;
    assert!(fixture.store.relay(created.id).await.unwrap());
    assert_eq!(relays(committed_at.plus(LATER_MS)).await, [created.id]);
    // The first broadcast is served, and the second waits.
    for _ in 1..3 {
        assert!(fixture.store.relay(created.id).await.unwrap());
    }
    assert_eq!(driver.events(&audience[AUDIENCE - 1]).await, ["invitation.received"]);
    assert_eq!(relays(committed_at.plus(LATER_MS)).await, [created.id]);
    // What serves the rest knows only the id.
    driver.relay_all(created.id).await;
    assert_eq!(relays(committed_at.plus(10 * LATER_MS)).await, []);
    for member in &audience {
        assert_eq!(driver.events(member).await, ["invitation.received", "invitation.cancelled"], "{member}");
    }
}

/// Neither an unknown invitation, nor one between users, nor a group of participants has any.
pub async fn without_an_audience_there_is_nothing_to_relay(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    assert!(!fixture.store.relay(driver.id(&user("ann"))).await.unwrap());
    let pair = driver.invite(&invite("ann", &["bob"])).await;
    assert!(!fixture.store.relay(pair.id).await.unwrap());
    driver.group("pair", &["ann", "bob"]).await;
    let created = driver.invite(&invite_in_group("pair", "ann", &["bob"])).await;
    assert!(!fixture.store.relay(created.id).await.unwrap());
    let everywhere: Vec<Partition> = (0..=u8::MAX).map(Partition).collect();
    let due = fixture.store.due(everywhere, driver.now().plus(LATER_MS), 100).await.unwrap();
    assert!(due.iter().all(|due| due.kind == DueKind::Deadline));
}
