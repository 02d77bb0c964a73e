//! The disk fails: nothing that was acknowledged is lost, nothing else is told, and the store goes
//! on by itself when the disk works again.

use std::sync::Arc;
use std::time::Duration;

use ringwire_signaling::{Facts, InvitationId};

use super::disk::{Disk, Fails};
use super::fixtures::{self, NO_CACHE};
use crate::StoreError;
use crate::commit::{Commit, CommitOutcome};
use crate::conformance::driver::{Driver, accept, assert_chain, invite, text};
use crate::conformance::fixture::Fixture;

/// Waits until the store says that it works.
async fn until_ready(fixture: &Fixture) {
    let ready = async {
        while fixture.store.ready().await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ready).await.expect("the store recovers");
}

fn creations(driver: &Driver<'_>, count: usize) -> Vec<Commit> {
    let creation = |number| {
        let request = invite(&format!("inviter-{number}"), &[&format!("invitee-{}", number % 7)]);
        driver.creation(driver.id(&request.by.user), &request, &Facts::default())
    };
    (0..count).map(creation).collect()
}

/// Sends all at once and returns what was acknowledged and what was not.
async fn send_all(fixture: &Fixture, commits: Vec<Commit>) -> (Vec<InvitationId>, Vec<InvitationId>) {
    let sent = commits.into_iter().map(|commit| {
        let (id, store) = (commit.step.next.id, Arc::clone(&fixture.store));
        (id, tokio::spawn(async move { store.commit(commit).await }))
    });
    let sent: Vec<_> = sent.collect();
    let (mut acknowledged, mut failed) = (Vec::new(), Vec::new());
    for (id, answer) in sent {
        match answer.await.unwrap() {
            Ok(CommitOutcome::Committed) => acknowledged.push(id),
            Err(StoreError::Unavailable(_)) => failed.push(id),
            other => panic!("a commit came to {other:?}"),
        }
    }
    (acknowledged, failed)
}

/// Everything that was acknowledged is there and rang; whatever else is there is there as a whole.
async fn assert_consistent(fixture: &Fixture, acknowledged: &[InvitationId], failed: &[InvitationId]) {
    let driver = Driver::new(fixture);
    let rang: Vec<InvitationId> = fixture.bell.rings().iter().map(|ring| ring[0].entry.event.invitation).collect();
    for id in acknowledged {
        assert!(driver.load(*id).await.is_some(), "{id} is lost");
        assert!(rang.contains(id), "{id} did not ring");
    }
    for id in acknowledged.iter().chain(failed) {
        let stored = driver.load(*id).await;
        let inviter = match &stored {
            Some(stored) => stored.invitation.terms.inviter.clone(),
            None => continue,
        };
        let detail = fixture.store.detail(*id).await.unwrap().unwrap();
        assert_eq!(detail.operations.len(), 1);
        let sent = driver.inbox(inviter.as_str()).await.entries;
        assert!(sent.iter().any(|entry| entry.event.invitation == *id), "{id} is there in part");
    }
    for number in 0..7 {
        let inbox = driver.inbox(&format!("invitee-{number}")).await;
        assert_chain(&inbox.entries);
        for entry in &inbox.entries {
            assert!(driver.load(entry.event.invitation).await.is_some(), "an event of nothing");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_disk_is_survived_wherever_it_fails() {
    for operations in [0, 1, 2, 3, 5, 8, 13, 21, 34] {
        let disk = Disk::default();
        let fixture = fixtures::on(&disk, NO_CACHE);
        let driver = Driver::new(&fixture);
        let (mut acknowledged, none) = send_all(&fixture, creations(&driver, 8)).await;
        assert!(none.is_empty());
        disk.fail_after(operations);
        let mut failed = Vec::new();
        while failed.is_empty() {
            let (also, others) = send_all(&fixture, creations(&driver, 64)).await;
            acknowledged.extend(also);
            failed.extend(others);
            assert!(acknowledged.len() < 400, "nothing failed after {operations} operations");
        }
        assert!(disk.is_failing());
        // While it fails, a failure is said at once.
        let answer = tokio::time::timeout(Duration::from_secs(5), fixture.store.ready()).await;
        assert!(answer.expect("an answer comes in time").is_err());
        let interruptions = fixture.bell.interruptions();

        disk.heal();
        until_ready(&fixture).await;
        assert_eq!(fixture.bell.interruptions(), interruptions + 1);
        assert_consistent(&fixture, &acknowledged, &failed).await;
        let (again, none) = send_all(&fixture, creations(&driver, 8)).await;
        assert!(none.is_empty());
        acknowledged.extend(again);
        assert_consistent(&fixture, &acknowledged, &failed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_survived() {
    let disk = Disk::default();
    let fixture = fixtures::on(&disk, NO_CACHE);
    let driver = Driver::new(&fixture);
    disk.fail(Fails::Growing);
    let mut acknowledged = Vec::new();
    let mut failed = Vec::new();
    while failed.is_empty() {
        let mut commits = creations(&driver, 16);
        for commit in &mut commits {
            commit.step.next.data = text(12_000);
        }
        let (some, others) = send_all(&fixture, commits).await;
        acknowledged.extend(some);
        failed.extend(others);
        assert!(acknowledged.len() < 400, "the disk never filled up");
        // Lists of active invitations are bounded, so some are answered.
        for id in &acknowledged[acknowledged.len().saturating_sub(16)..] {
            let Some(stored) = fixture.store.load(*id).await.ok().flatten() else { continue };
            let invitee = stored.invitation.invitees[0].user.clone();
            let commit = driver.transition(*id, &accept(invitee.as_str())).await;
            if fixture.store.commit(commit).await.is_err() {
                break;
            }
        }
    }
    disk.heal();
    until_ready(&fixture).await;
    for id in &acknowledged {
        assert!(driver.load(*id).await.is_some(), "{id} is lost");
    }
    assert!(send_all(&fixture, creations(&driver, 4)).await.1.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_read_is_healed_without_any_write() {
    let disk = Disk::default();
    let fixture = fixtures::on(&disk, NO_CACHE);
    let driver = Driver::new(&fixture);
    let (acknowledged, _) = send_all(&fixture, creations(&driver, 32)).await;
    disk.fail(Fails::Everything);
    let read = fixture.store.load(acknowledged[0]).await;
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
    disk.heal();
    let healed = async {
        while fixture.store.load(acknowledged[0]).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), healed).await.expect("reads work again");
    assert_consistent(&fixture, &acknowledged, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_failure_loses_nothing_that_was_acknowledged() {
    for operations in [0, 1, 2, 3, 4, 6, 9, 14, 22, 31, 45] {
        let disk = Disk::default();
        let fixture = fixtures::on(&disk, NO_CACHE);
        let driver = Driver::new(&fixture);
        let (mut acknowledged, _) = send_all(&fixture, creations(&driver, 8)).await;
        disk.fail_after(operations);
        let (also, failed) = send_all(&fixture, creations(&driver, 64)).await;
        acknowledged.extend(also);
        drop(fixture);
        disk.heal();
        // Some of the sectors that were under way arrived, in no order.
        disk.lose_power(|number| (number * 7 + operations) % 3 == 0);

        let fixture = fixtures::on(&disk, NO_CACHE);
        let driver = Driver::new(&fixture);
        for id in &acknowledged {
            assert!(driver.load(*id).await.is_some(), "{id} is lost after {operations} operations");
        }
        assert_consistent(&fixture, &[], &[acknowledged, failed].concat()).await;
        assert!(send_all(&fixture, creations(&driver, 4)).await.1.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_together_is_made_durable_together() {
    let disk = Disk::default();
    let fixture = fixtures::on(&disk, NO_CACHE);
    let driver = Driver::new(&fixture);
    disk.hold(true);
    let before = disk.syncs();
    let (first, rest) = (creations(&driver, 1), creations(&driver, 100));
    let store = Arc::clone(&fixture.store);
    let first = tokio::spawn(async move { store.commit(first.into_iter().next().unwrap()).await });
    // The writer stands in the first commit's sync while the others queue.
    let sending: Vec<_> = rest
        .into_iter()
        .map(|commit| {
            let store = Arc::clone(&fixture.store);
            tokio::spawn(async move { store.commit(commit).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(fixture.bell.rings().is_empty(), "it rang before the sync");
    assert!(!first.is_finished(), "it was answered before the sync");
    disk.hold(false);
    assert_eq!(first.await.unwrap().unwrap(), CommitOutcome::Committed);
    for answer in sending {
        assert!(answer.await.unwrap().is_ok());
    }
    let syncs = disk.syncs() - before;
    assert!(syncs <= 10, "{syncs} syncs for 101 commits");
    assert_eq!(fixture.bell.rings().len(), 101);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_nothing_costs_no_sync() {
    let disk = Disk::default();
    let fixture = fixtures::on(&disk, NO_CACHE);
    let driver = Driver::new(&fixture);
    let created = driver.invite(&invite("ann", &["bob"])).await;
    driver.receipt(created.id, "bob", "phone").await;
    let late = driver.transition(created.id, &accept("bob")).await;
    driver.act(created.id, &accept("bob")).await;
    driver.attach("bob", None).await;
    let before = (disk.syncs(), disk.writes());
    assert!(matches!(driver.send(late.clone()).await, CommitOutcome::Conflict(_)));
    let stale = Commit { sent_at: driver.now().minus(9_000), ..late };
    assert_eq!(driver.send(stale).await, CommitOutcome::Stale);
    driver.attach("bob", None).await;
    driver.inbox("ann").await;
    assert!(!fixture.store.relay(created.id).await.unwrap());
    assert_eq!((disk.syncs(), disk.writes()), before);
    fixture.store.ready().await.unwrap();
    assert!(disk.syncs() > before.0, "readiness proves that writes become durable");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_is_said() {
    let disk = Disk::default();
    let fixture = fixtures::on(&disk, NO_CACHE);
    disk.hold(true);
    let blocked = {
        let driver = Driver::new(&fixture);
        let store = Arc::clone(&fixture.store);
        let commit = creations(&driver, 1).remove(0);
        tokio::spawn(async move { store.commit(commit).await })
    };
    let mut waiting = Vec::new();
    let refused = loop {
        let store = Arc::clone(&fixture.store);
        let ready = tokio::spawn(async move { store.ready().await });
        tokio::task::yield_now().await;
        if waiting.len() % 256 == 255 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if ready.is_finished() {
            break ready.await.unwrap();
        }
        waiting.push(ready);
        assert!(waiting.len() < 3 * crate::embedded::writer::QUEUE, "the queue has no end");
    };
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    disk.hold(false);
    assert!(blocked.await.unwrap().is_ok());
    until_ready(&fixture).await;
}
