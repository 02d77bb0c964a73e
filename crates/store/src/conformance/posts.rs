//! Posts: receipts and signals beside the state.

use std::sync::Arc;

use ringwire_signaling::step;

use super::driver::{Driver, accept, device, invite, signal, user};
use super::fixture::Fixture;
use crate::commit::{PostCommit, PostOutcome, STALE_AFTER_MS};

/// Whichever of the user's devices comes first, also when they come at once.
pub async fn a_receipt_is_told_once_per_user(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let created = driver.invite(&invite("ann", &["bob", "cid"])).await;
    assert_eq!(driver.receipt(created.id, "bob", "phone").await, PostOutcome::Posted);
    assert_eq!(driver.receipt(created.id, "bob", "tablet").await, PostOutcome::Repeat);
    assert_eq!(driver.receipt(created.id, "bob", "phone").await, PostOutcome::Repeat);
    let receipts: Vec<_> = (0..8)
        .map(|number| {
            let post = step::receipt(&created, &user("cid"), &device(&format!("device-{number}")), driver.now());
            let sent_at = driver.now();
            let post = PostCommit {
                id: created.id,
                post: post.unwrap(),
                retained_until: sent_at.plus(60_000),
                sent_at,
                origin: None,
            };
            let store = Arc::clone(&fixture.store);
            tokio::spawn(async move { store.post(post).await.unwrap() })
        })
        .collect();
    let mut posted = 0;
    for receipt in receipts {
        posted += usize::from(receipt.await.unwrap() == PostOutcome::Posted);
    }
    assert_eq!(posted, 1);
    let ringing = fixture.store.detail(created.id).await.unwrap().unwrap().ringing;
    assert_eq!(ringing.len(), 2);
    assert_eq!(ringing[0], (user("bob"), device("phone")));
    assert_eq!(ringing[1].0, user("cid"));
    assert_eq!(driver.events("ann").await, ["invitation.sent", "invitation.ringing", "invitation.ringing"]);
}

/// The sender's name for a signal counts per sender and invitation.
pub async fn a_named_signal_is_posted_once(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let created = driver.invite(&invite("ann", &["bob"])).await;
    let other = driver.invite(&invite("ann", &["bob"])).await;
    assert_eq!(driver.signal(created.id, &signal("ann", "one", Some("r-1"))).await, PostOutcome::Posted);
    assert_eq!(driver.signal(created.id, &signal("ann", "one", Some("r-1"))).await, PostOutcome::Repeat);
    assert_eq!(driver.signal(created.id, &signal("bob", "one", Some("r-1"))).await, PostOutcome::Posted);
    assert_eq!(driver.signal(created.id, &signal("ann", "two", Some("r-2"))).await, PostOutcome::Posted);
    assert_eq!(driver.signal(other.id, &signal("ann", "one", Some("r-1"))).await, PostOutcome::Posted);
    let signals = |events: Vec<&str>| events.iter().filter(|name| **name == "signal").count();
    assert_eq!(signals(driver.events("bob").await), 3);
    assert_eq!(signals(driver.events("ann").await), 1);
    assert!(fixture.store.detail(created.id).await.unwrap().unwrap().ringing.is_empty());
}

/// Without a name there is nothing to recognise.
pub async fn an_unnamed_signal_is_posted_every_time(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let created = driver.invite(&invite("ann", &["bob"])).await;
    for _ in 0..3 {
        assert_eq!(driver.signal(created.id, &signal("ann", "same", None)).await, PostOutcome::Posted);
    }
    assert_eq!(driver.events("bob").await, ["invitation.received", "signal", "signal", "signal"]);
}

/// And leaves no note that would make a later one a repeat.
pub async fn a_post_from_another_time_is_stale(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let created = driver.invite(&invite("ann", &["bob"])).await;
    let command = signal("ann", "hello", Some("r-1"));
    let post = step::signal(&created, &command, driver.now()).unwrap();
    let now = driver.now();
    for sent_at in [now.minus(3 * STALE_AFTER_MS), now.plus(3 * STALE_AFTER_MS)] {
        let retained_until = now.plus(60_000);
        let late = PostCommit { id: created.id, post: post.clone(), retained_until, sent_at, origin: None };
        assert_eq!(fixture.store.post(late).await.unwrap(), PostOutcome::Stale);
    }
    assert_eq!(driver.events("bob").await, ["invitation.received"]);
    assert_eq!(driver.signal(created.id, &command).await, PostOutcome::Posted);
}

/// A transition that was stepped before the post is still built on the right state.
pub async fn a_post_leaves_the_state_as_it_is(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let created = driver.invite(&invite("ann", &["bob"])).await;
    let before = driver.load(created.id).await;
    let answer = driver.transition(created.id, &accept("bob")).await;
    driver.receipt(created.id, "bob", "phone").await;
    driver.signal(created.id, &signal("ann", "hello", Some("r-1"))).await;
    assert_eq!(driver.load(created.id).await, before);
    assert_eq!(driver.send(answer).await, crate::CommitOutcome::Committed);
    let detail = fixture.store.detail(created.id).await.unwrap().unwrap();
    assert_eq!((detail.operations.len(), detail.ringing.len()), (2, 1));
}

/// Whether the invitation is still there is for the rules to know.
pub async fn a_post_needs_no_record(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let mut created = driver.invite(&invite("ann", &["bob"])).await;
    created.id = driver.id(&user("ann"));
    for outcome in [PostOutcome::Posted, PostOutcome::Repeat] {
        let post = step::signal(&created, &signal("ann", "hello", Some("r-1")), driver.now()).unwrap();
        assert_eq!(driver.post(created.id, post).await, outcome);
    }
    assert_eq!(driver.load(created.id).await, None);
    assert_eq!(driver.events("bob").await, ["invitation.received", "signal"]);
}
