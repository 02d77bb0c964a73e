//! What the writer does by itself between operations.

use std::sync::Arc;
use std::time::Duration;

use ringwire_signaling::Facts;

use super::fixtures::{self, at, path_in};
use crate::conformance::driver::{Driver, cancel, invite, user};
use crate::conformance::fixture::Fixture;
use crate::embedded::writer::SWEEP_ROWS;

/// Longer than anything is kept.
const LONG_MS: u64 = 40 * 24 * 60 * 60 * 1000;

async fn fill(fixture: &Fixture, count: usize) {
    let driver = Driver::new(fixture);
    let sending: Vec<_> = (0..count)
        .map(|number| {
            let request = invite(&format!("inviter-{number}"), &[&format!("invitee-{number}")]);
            let commit = driver.creation(driver.id(&request.by.user), &request, &Facts::default());
            let store = Arc::clone(&fixture.store);
            tokio::spawn(async move { store.commit(commit).await.unwrap() })
        })
        .collect();
    for sent in sending {
        sent.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_expired_goes_by_itself_part_by_part() {
    let fixture = fixtures::file().await;
    fill(&fixture, SWEEP_ROWS).await;
    assert!(!fixture.control.leftovers().await.is_empty());
    fixture.clock.advance(LONG_MS);
    let gone = async {
        while !fixture.control.leftovers().await.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), gone).await.expect("everything goes");
}

#[tokio::test]
async fn memory_is_swept_by_whoever_writes() {
    let fixture = fixtures::memory().await;
    fill(&fixture, SWEEP_ROWS).await;
    fixture.clock.advance(LONG_MS);
    for _ in 0..30 {
        fixture.store.ready().await.unwrap();
    }
    assert_eq!(fixture.control.leftovers().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledgements_are_written_before_the_store_closes() {
    let directory = tempfile::tempdir().unwrap();
    let path = path_in(&directory);
    {
        let fixture = at(&path);
        let driver = Driver::new(&fixture);
        let created = driver.invite(&invite("ann", &["bob"])).await;
        driver.act(created.id, &cancel("ann")).await;
        let position = driver.inbox("bob").await.position;
        fixture.store.acknowledge(user("bob"), position).await.unwrap();
    }
    let fixture = at(&path);
    assert_eq!(fixture.store.snapshot(user("bob")).await.unwrap().missed, []);
    assert_eq!(Driver::new(&fixture).inbox("bob").await.position.offset, 2);
}
