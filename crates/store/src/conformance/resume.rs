//! How a device that connects goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ringwire_signaling::inbox::{Check, Epoch, Position, Resumption};
use ringwire_signaling::{ConnectionId, Facts};

use super::driver::{Driver, accept, assert_chain, device, invite, user};
use super::fixture::Fixture;
use crate::commit::CommitOutcome;
use crate::query::Attach;

/// Without a claim there is nothing to resume.
pub async fn a_new_device_gets_a_snapshot(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let created = driver.invite(&invite("ann", &["bob"])).await;
    let attachment = driver.attach("bob", None).await;
    let Resumption::Reset(snapshot) = attachment.resumption else { panic!("resumed from nowhere") };
    assert_eq!(snapshot.position, attachment.position);
    assert_eq!(attachment.position, driver.inbox("bob").await.position);
    assert_eq!(snapshot.active, [created]);
    assert!(snapshot.missed.is_empty() && !snapshot.more);
}

/// From every place where a device can have been.
pub async fn a_device_gets_what_it_missed(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    for _ in 0..4 {
        let created = driver.invite(&invite("ann", &["bob"])).await;
        driver.act(created.id, &accept("bob")).await;
    }
    let inbox = driver.inbox("bob").await;
    assert_eq!(inbox.entries.len(), 8);
    for offset in 0..8_usize {
        let check = offset.checked_sub(1).map_or(Check::default(), |index| inbox.entries[index].check);
        let claim = Position { offset: offset as u64, check, ..inbox.position };
        let attachment = driver.attach("bob", Some(claim)).await;
        assert_eq!(attachment.position, inbox.position);
        assert_eq!(attachment.resumption, Resumption::Backlog(inbox.entries[offset..].to_vec()), "from {offset}");
    }
}

/// The end of the inbox is a place to resume from.
pub async fn a_device_that_missed_nothing_gets_an_empty_backlog(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let fresh = driver.attach("bob", None).await.position;
    assert_eq!(driver.attach("bob", Some(fresh)).await.resumption, Resumption::Backlog(Vec::new()));
    driver.invite(&invite("ann", &["bob"])).await;
    let end = driver.inbox("bob").await.position;
    assert_eq!(driver.attach("bob", Some(end)).await.resumption, Resumption::Backlog(Vec::new()));
}

/// A wrong check, and an offset that was never given.
pub async fn a_claim_that_does_not_hold_is_reset(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    for _ in 0..3 {
        driver.invite(&invite("ann", &["bob"])).await;
    }
    let inbox = driver.inbox("bob").await;
    let end = inbox.position;
    let middle = Position { offset: 2, check: inbox.entries[1].check, ..end };
    assert!(matches!(driver.attach("bob", Some(middle)).await.resumption, Resumption::Backlog(_)));
    for claim in [
        Position { check: Check(end.check.0 ^ 1), ..end },
        Position { check: Check(middle.check.0 ^ 1), ..middle },
        Position { check: Check(1), offset: 0, ..end },
        Position { offset: 4, ..end },
        Position { offset: u64::MAX, ..end },
    ] {
        let attachment = driver.attach("bob", Some(claim)).await;
        let Resumption::Reset(snapshot) = attachment.resumption else { panic!("resumed from {claim:?}") };
        assert_eq!((snapshot.position, snapshot.active.len()), (end, 3));
    }
}

/// Positions of another life say nothing, however well they look.
pub async fn a_claim_in_another_epoch_is_reset(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    driver.invite(&invite("ann", &["bob"])).await;
    let end = driver.inbox("bob").await.position;
    let claim = Position { epoch: Epoch(end.epoch.0 ^ 1), ..end };
    assert!(matches!(driver.attach("bob", Some(claim)).await.resumption, Resumption::Reset(_)));
}

/// Whoever attaches while others write has everything: up to its position from the answer, and
/// after it by the doorbell.
pub async fn nothing_slips_between_attaching_and_ringing(fixture: &Fixture) {
    const INVITES: usize = 48;
    let driver = Driver::new(fixture);
    let start = driver.attach("bob", None).await.position;
    let done = Arc::new(AtomicBool::new(false));
    let (store, stop) = (Arc::clone(&fixture.store), Arc::clone(&done));
    let attaching = tokio::spawn(async move {
        let mut seen = Vec::new();
        // At least once: on a busy machine all invitations may be made before this runs.
        loop {
            let attach = Attach {
                user: user("bob"),
                device: device("phone"),
                incarnation: 7,
                connection: ConnectionId(2),
                resume: Some(start),
            };
            seen.push(store.attach(attach).await.unwrap());
            if stop.load(Ordering::SeqCst) {
                return seen;
            }
            tokio::task::yield_now().await;
        }
    });
    for number in 0..INVITES {
        let request = invite(&format!("inviter-{number}"), &["bob"]);
        let commit = driver.creation(driver.id(&request.by.user), &request, &Facts::default());
        assert_eq!(driver.send(commit).await, CommitOutcome::Committed);
    }
    done.store(true, Ordering::SeqCst);
    let seen = attaching.await.unwrap();
    let heard = fixture.heard_by(&user("bob")).await;
    assert_eq!(heard.len(), INVITES);
    for attachment in seen {
        let Resumption::Backlog(mut entries) = attachment.resumption else { panic!("a live device was reset") };
        let position = attachment.position;
        assert_eq!(entries.last().map_or(0, |last| last.offset), position.offset);
        entries.extend(heard.iter().filter(|entry| entry.offset > position.offset).cloned());
        assert_eq!(entries.len(), INVITES);
        assert_chain(&entries);
    }
}
