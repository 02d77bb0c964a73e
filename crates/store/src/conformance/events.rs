//! Events of invitations: due with the commit that made them, told each target in order.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use ringwire_signaling::{Invitation, InvitationId, Invite, PushKind};

use super::driver::{Driver, accept, cancel, invite, user};
use super::fixture::Fixture;
use crate::Store;
use crate::push::{Failure, PushJob};
use crate::query::DueKind;

/// A lease that nothing here outlives unless it wants to.
const LEASE_MS: u64 = 60_000;
/// One that has passed after [`A_WHILE_MS`].
const SHORT_LEASE_MS: u64 = 150;
const A_WHILE_MS: u64 = 200;
/// Invitations of the crowd.
const CROWD: usize = 40;

fn driver(fixture: &Fixture) -> Driver<'_> {
    let mut driver = Driver::new(fixture);
    driver.events = true;
    driver
}

fn job(id: InvitationId, kind: PushKind) -> PushJob {
    PushJob { invitation: id, user: user("ann"), kind }
}

async fn due(fixture: &Fixture) -> BTreeSet<DueKind> {
    let everywhere = (0..=u8::MAX).map(ringwire_signaling::Partition).collect();
    let due = fixture.store.due(everywhere, fixture.clock.now(), 1_000).await.unwrap();
    due.into_iter().map(|due| due.kind).collect()
}

async fn queue(fixture: &Fixture, job: &PushJob, targets: &[&str]) -> bool {
    let targets = targets.iter().map(|target| (*target).to_owned()).collect();
    fixture.store.queue_push(job.clone(), targets).await.unwrap()
}

async fn take(fixture: &Fixture, target: &str, lease_ms: u64) -> Vec<PushKind> {
    let taken = fixture.store.take_pushes(target.to_owned(), 100, lease_ms).await.unwrap();
    taken.into_iter().map(|taken| taken.job.kind).collect()
}

async fn end(fixture: &Fixture, target: &str, job: &PushJob, failure: Option<&str>) {
    let failure = failure.map(|error| Failure { attempts: 1, error: error.to_owned() });
    fixture.store.end_push(target.to_owned(), job.clone(), failure).await.unwrap();
}

async fn put_off(fixture: &Fixture, job: &PushJob, after_ms: u64) {
    let at = fixture.clock.now().plus(after_ms);
    fixture.store.put_off_push("billing".to_owned(), job.clone(), at, "no answer".to_owned()).await.unwrap();
}

/// An invitation of bob by ann that was answered, both of whose events were queued.
async fn answered(fixture: &Fixture) -> (Invitation, PushJob, PushJob) {
    let created = driver(fixture).invite(&invite("ann", &["bob"])).await;
    assert!(queue(fixture, &job(created.id, PushKind::Created), &["billing"]).await);
    driver(fixture).act(created.id, &accept("bob")).await;
    assert!(queue(fixture, &job(created.id, PushKind::Settled), &["billing"]).await);
    let (first, last) = (job(created.id, PushKind::Created), job(created.id, PushKind::Settled));
    (created, first, last)
}

/// What the rules say without anybody to do it is left out.
pub async fn without_targets_no_event_is_due(fixture: &Fixture) {
    let mut driver = Driver::new(fixture);
    driver.pushes = true;
    let created = driver.invite(&invite("ann", &["bob"])).await;
    driver.act(created.id, &cancel("ann")).await;
    assert_eq!(due(fixture).await, BTreeSet::new());
    assert!(!queue(fixture, &job(created.id, PushKind::Created), &["billing"]).await);
}

/// And told to whoever committed it.
pub async fn an_event_is_due_with_the_commit_that_made_it(fixture: &Fixture) {
    let driver = driver(fixture);
    let (was_created, was_settled) = (DueKind::Created(user("ann")), DueKind::Settled(user("ann")));
    let created = driver.invite(&invite("ann", &["bob", "cid"])).await;
    assert_eq!(due(fixture).await, BTreeSet::from([was_created.clone()]));
    driver.act(created.id, &accept("bob")).await;
    assert_eq!(due(fixture).await, BTreeSet::from([was_created.clone()]), "cid is pending");
    driver.act(created.id, &cancel("ann")).await;
    assert_eq!(due(fixture).await, BTreeSet::from([was_created.clone(), was_settled.clone()]));
    let told: Vec<DueKind> = fixture.bell.all_due().into_iter().map(|due| due.kind).collect();
    assert_eq!(told, [was_created, was_settled]);
}

/// Both with one commit.
pub async fn an_invitation_that_fails_at_once_was_created_and_settled(fixture: &Fixture) {
    let driver = driver(fixture);
    let created = driver.invite(&Invite { online_user_only: true, ..invite("ann", &["bob"]) }).await;
    assert!(created.is_settled());
    assert_eq!(due(fixture).await, BTreeSet::from([DueKind::Created(user("ann")), DueKind::Settled(user("ann"))]));
    assert!(queue(fixture, &job(created.id, PushKind::Created), &["billing"]).await);
    assert!(queue(fixture, &job(created.id, PushKind::Settled), &["billing"]).await);
    assert_eq!(due(fixture).await, BTreeSet::new());
    assert_eq!(take(fixture, "billing", LEASE_MS).await, [PushKind::Created]);
    end(fixture, "billing", &job(created.id, PushKind::Created), None).await;
    assert_eq!(take(fixture, "billing", LEASE_MS).await, [PushKind::Settled]);
}

/// All nodes look at what is due.
pub async fn an_event_is_queued_once_for_each_target(fixture: &Fixture) {
    let created = driver(fixture).invite(&invite("ann", &["bob"])).await;
    let first = job(created.id, PushKind::Created);
    assert!(queue(fixture, &first, &["billing", "archive"]).await);
    assert!(!queue(fixture, &first, &["billing", "archive"]).await);
    assert!(!queue(fixture, &job(created.id, PushKind::Settled), &["billing"]).await, "it is not settled");
    for target in ["billing", "archive"] {
        assert_eq!(take(fixture, target, LEASE_MS).await, [PushKind::Created]);
        end(fixture, target, &first, None).await;
        assert_eq!(take(fixture, target, LEASE_MS).await, []);
    }
}

/// The node that committed the creation died, or was slower.
pub async fn a_settlement_that_is_queued_first_brings_its_creation(fixture: &Fixture) {
    let driver = driver(fixture);
    let created = driver.invite(&invite("ann", &["bob"])).await;
    driver.act(created.id, &accept("bob")).await;
    assert!(queue(fixture, &job(created.id, PushKind::Settled), &["billing"]).await);
    assert!(!queue(fixture, &job(created.id, PushKind::Created), &["billing"]).await);
    assert_eq!(due(fixture).await, BTreeSet::new());
    assert_eq!(take(fixture, "billing", LEASE_MS).await, [PushKind::Created]);
    assert_eq!(take(fixture, "billing", LEASE_MS).await, []);
    end(fixture, "billing", &job(created.id, PushKind::Created), None).await;
    assert_eq!(take(fixture, "billing", LEASE_MS).await, [PushKind::Settled]);
}

/// Under a lease, put off, after its taker died.
pub async fn a_settlement_waits_until_the_creation_was_delivered_or_is_a_dead_letter(fixture: &Fixture) {
    let driver = driver(fixture);
    for failure in [None, Some("for a day")] {
        let (_, first, last) = answered(fixture).await;
        assert_eq!(take(fixture, "billing", SHORT_LEASE_MS).await, [PushKind::Created]);
        assert_eq!(take(fixture, "billing", LEASE_MS).await, [], "the creation is on its way");
        driver.pass(A_WHILE_MS).await;
        assert_eq!(take(fixture, "billing", LEASE_MS).await, [PushKind::Created], "its taker died");
        put_off(fixture, &first, SHORT_LEASE_MS).await;
        assert_eq!(take(fixture, "billing", LEASE_MS).await, [], "the creation is put off");
        driver.pass(A_WHILE_MS).await;
        assert_eq!(take(fixture, "billing", LEASE_MS).await, [PushKind::Created]);
        end(fixture, "billing", &first, failure).await;
        assert_eq!(take(fixture, "billing", LEASE_MS).await, [PushKind::Settled]);
        end(fixture, "billing", &first, failure).await;
        assert_eq!(take(fixture, "billing", LEASE_MS).await, [], "who comes late breaks no lease");
        end(fixture, "billing", &last, None).await;
        assert_eq!(fixture.store.push_queues(vec!["billing".to_owned()]).await.unwrap()[0].waiting, 0);
    }
    assert_eq!(fixture.store.dead_letters(None, 9).await.unwrap().letters.len(), 1);
}

/// Order is kept for each of them.
pub async fn a_target_that_was_told_the_creation_does_not_wait_for_another(fixture: &Fixture) {
    let driver = driver(fixture);
    let created = driver.invite(&invite("ann", &["bob"])).await;
    let first = job(created.id, PushKind::Created);
    assert!(queue(fixture, &first, &["billing", "archive"]).await);
    assert_eq!(take(fixture, "archive", LEASE_MS).await, [PushKind::Created]);
    end(fixture, "archive", &first, None).await;
    driver.act(created.id, &accept("bob")).await;
    assert!(queue(fixture, &job(created.id, PushKind::Settled), &["billing", "archive"]).await);
    assert_eq!(take(fixture, "archive", LEASE_MS).await, [PushKind::Settled]);
    assert_eq!(take(fixture, "billing", LEASE_MS).await, [PushKind::Created]);
}

/// Whether that was tried before or not.
pub async fn a_creation_that_is_sent_again_holds_the_settlement_that_waits(fixture: &Fixture) {
    for is_tried in [false, true] {
        let (_, first, last) = answered(fixture).await;
        assert_eq!(take(fixture, "billing", LEASE_MS).await, [PushKind::Created]);
        end(fixture, "billing", &first, Some("no")).await;
        if is_tried {
            assert_eq!(take(fixture, "billing", LEASE_MS).await, [PushKind::Settled]);
            put_off(fixture, &last, 0).await;
        }
        assert!(fixture.store.remove_letter(first.id("billing"), Some(first.clone())).await.unwrap());
        assert_eq!(take(fixture, "billing", LEASE_MS).await, [PushKind::Created]);
        assert_eq!(take(fixture, "billing", LEASE_MS).await, []);
        end(fixture, "billing", &first, None).await;
        assert_eq!(take(fixture, "billing", LEASE_MS).await, [PushKind::Settled]);
        end(fixture, "billing", &last, Some("no")).await;
        // Alone it waits for nothing.
        assert!(fixture.store.remove_letter(last.id("billing"), Some(last.clone())).await.unwrap());
        assert_eq!(take(fixture, "billing", LEASE_MS).await, [PushKind::Settled]);
        end(fixture, "billing", &last, None).await;
    }
}

/// Takes jobs until all are ended; some creations fail at first. Says when a settlement came too early.
async fn deliver(store: Arc<dyn Store>, ended: Arc<Mutex<Vec<PushJob>>>, clock: Arc<crate::clock::Clock>) {
    while ended.lock().unwrap().len() < 2 * CROWD {
        for taken in store.take_pushes("billing".to_owned(), 3, LEASE_MS).await.unwrap() {
            let job = taken.job;
            if job.kind == PushKind::Created && taken.attempts == 1 && job.invitation.bits % 2 == 0 {
                let again = store.put_off_push("billing".to_owned(), job, clock.now(), "no answer".to_owned());
                again.await.unwrap();
                continue;
            }
            {
                let mut ended = ended.lock().unwrap();
                let is_told = ended.contains(&PushJob { kind: PushKind::Created, ..job.clone() });
                assert!(job.kind == PushKind::Created || is_told, "{job:?} was taken before its creation");
                assert!(!ended.contains(&job), "{job:?} was taken twice");
                ended.push(job.clone());
            }
            store.end_push("billing".to_owned(), job, None).await.unwrap();
        }
    }
}

/// Whoever of them is first.
pub async fn many_who_queue_and_take_at_once_keep_the_order(fixture: &Fixture) {
    let driver = driver(fixture);
    let ended = Arc::new(Mutex::new(Vec::new()));
    let takers: Vec<_> = (0..4)
        .map(|_| tokio::spawn(deliver(Arc::clone(&fixture.store), Arc::clone(&ended), Arc::clone(&fixture.clock))))
        .collect();
    let mut queueing = Vec::new();
    for _ in 0..CROWD {
        let created = driver.invite(&Invite { online_user_only: true, ..invite("ann", &["bob"]) }).await;
        for kind in [PushKind::Settled, PushKind::Created] {
            let (store, job) = (Arc::clone(&fixture.store), job(created.id, kind));
            queueing
                .push(tokio::spawn(async move { store.queue_push(job, vec!["billing".to_owned()]).await.unwrap() }));
        }
    }
    for queued in queueing {
        queued.await.unwrap();
    }
    for taker in takers {
        taker.await.unwrap();
    }
    assert_eq!(fixture.store.push_queues(vec!["billing".to_owned()]).await.unwrap()[0].waiting, 0);
}
