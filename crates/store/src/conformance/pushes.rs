//! Pushes: what becomes due with a commit, jobs under leases, dead letters.

use std::collections::BTreeSet;
use std::sync::Arc;

use ringwire_signaling::command::{Push, PushWhen};
use ringwire_signaling::push::PATIENCE_MS;
use ringwire_signaling::{Invitation, InvitationId, Invite, Partition, PushKind, UnixMillis, step};

use super::driver::{Driver, accept, cancel, device, invite, user};
use super::fixture::Fixture;
use crate::push::{DeadLetter, Failure, PushJob, TakenPush};
use crate::query::{Due, DueKind};

/// A lease that nothing here outlives unless it wants to.
const LEASE_MS: u64 = 60_000;
/// One that has passed after [`A_WHILE_MS`].
const SHORT_LEASE_MS: u64 = 150;
const A_WHILE_MS: u64 = 200;

fn driver(fixture: &Fixture) -> Driver<'_> {
    let mut driver = Driver::new(fixture);
    driver.pushes = true;
    driver
}

async fn due(fixture: &Fixture, after_ms: u64) -> Vec<Due> {
    let everywhere: Vec<Partition> = (0..=u8::MAX).map(Partition).collect();
    let until = fixture.clock.now().plus(after_ms);
    let due = fixture.store.due(everywhere, until, 1_000).await.unwrap();
    due.into_iter().filter(|due| matches!(due.kind, DueKind::Push(_) | DueKind::PushEnd(_))).collect()
}

async fn kinds(fixture: &Fixture, after_ms: u64) -> BTreeSet<DueKind> {
    due(fixture, after_ms).await.into_iter().map(|due| due.kind).collect()
}

fn job(id: InvitationId, name: &str, kind: PushKind) -> PushJob {
    PushJob { invitation: id, user: user(name), kind }
}

async fn queue(fixture: &Fixture, job: &PushJob, targets: &[&str]) -> bool {
    let targets = targets.iter().map(|target| (*target).to_owned()).collect();
    fixture.store.queue_push(job.clone(), targets).await.unwrap()
}

async fn take(fixture: &Fixture, target: &str, lease_ms: u64) -> Vec<TakenPush> {
    fixture.store.take_pushes(target.to_owned(), 100, lease_ms).await.unwrap()
}

async fn end(fixture: &Fixture, target: &str, job: &PushJob, failure: Option<&str>) {
    let failure = failure.map(|error| Failure { attempts: 1, error: error.to_owned() });
    fixture.store.end_push(target.to_owned(), job.clone(), failure).await.unwrap();
}

async fn put_off(fixture: &Fixture, job: &PushJob, at: UnixMillis) {
    fixture.store.put_off_push("hook".to_owned(), job.clone(), at, "no answer".to_owned()).await.unwrap();
}

async fn letters(fixture: &Fixture) -> Vec<DeadLetter> {
    fixture.store.dead_letters(None, 100).await.unwrap().letters
}

/// An invitation of bob by ann whose ring was queued for those targets.
async fn pushed(fixture: &Fixture, targets: &[&str]) -> (Invitation, PushJob) {
    let created = driver(fixture).invite(&invite("ann", &["bob"])).await;
    let ring = job(created.id, "bob", PushKind::Ring);
    assert!(queue(fixture, &ring, targets).await);
    (created, ring)
}

/// The decision is committed with the ring.
pub async fn who_is_not_connected_is_pushed_at_once_and_others_after_a_while(fixture: &Fixture) {
    let driver = driver(fixture);
    driver.listen(&["cid"]).await;
    let created = driver.invite(&invite("ann", &["bob", "cid"])).await;
    let bob = DueKind::Push(user("bob"));
    assert_eq!(kinds(fixture, 0).await, BTreeSet::from([bob.clone()]));
    let told: Vec<(InvitationId, DueKind)> =
        fixture.bell.all_due().into_iter().map(|due| (due.invitation, due.kind)).collect();
    assert_eq!(told, [(created.id, bob.clone())]);
    assert_eq!(kinds(fixture, PATIENCE_MS).await, BTreeSet::from([bob, DueKind::Push(user("cid"))]));

    let always = Push { when: PushWhen::Always, desc: "ring".into(), ..Push::default() };
    driver.invite(&Invite { push: Some(always), ..invite("dan", &["cid"]) }).await;
    assert_eq!(due(fixture, 0).await.len(), 2, "whoever is always pushed is so at once");
}

/// What the rules say without anybody to do it is left out.
pub async fn without_hooks_nothing_is_due(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let created = driver.invite(&invite("ann", &["bob"])).await;
    driver.act(created.id, &accept("bob")).await;
    assert_eq!(due(fixture, LEASE_MS).await, []);
    assert_eq!(fixture.bell.all_due(), []);
}

/// A device that rings needs no push.
pub async fn a_receipt_ends_what_is_due(fixture: &Fixture) {
    let driver = driver(fixture);
    driver.listen(&["bob", "cid"]).await;
    let created = driver.invite(&invite("ann", &["bob", "cid"])).await;
    driver.receipt(created.id, "bob", "phone").await;
    assert_eq!(kinds(fixture, PATIENCE_MS).await, BTreeSet::from([DueKind::Push(user("cid"))]));
    assert!(!queue(fixture, &job(created.id, "bob", PushKind::Ring), &["hook"]).await);
    assert_eq!(take(fixture, "hook", LEASE_MS).await, []);
}

/// Neither a push nor the end of one.
pub async fn an_answer_ends_what_is_due(fixture: &Fixture) {
    let driver = driver(fixture);
    driver.listen(&["bob", "cid"]).await;
    let created = driver.invite(&invite("ann", &["bob", "cid"])).await;
    driver.act(created.id, &accept("bob")).await;
    assert_eq!(kinds(fixture, LEASE_MS).await, BTreeSet::from([DueKind::Push(user("cid"))]));
    driver.act(created.id, &cancel("ann")).await;
    assert_eq!(due(fixture, LEASE_MS).await, []);
    assert!(!queue(fixture, &job(created.id, "bob", PushKind::Ring), &["hook"]).await);
}

/// Also if the targets are others by then.
pub async fn the_end_of_a_ring_is_pushed_where_the_ring_was(fixture: &Fixture) {
    let driver = driver(fixture);
    let (created, ring) = pushed(fixture, &["ios", "android"]).await;
    for target in ["ios", "android"] {
        assert_eq!(take(fixture, target, LEASE_MS).await.len(), 1);
        end(fixture, target, &ring, None).await;
    }
    driver.act(created.id, &accept("bob")).await;
    let ended = DueKind::PushEnd(user("bob"));
    assert_eq!(kinds(fixture, 0).await, BTreeSet::from([ended.clone()]));
    assert_eq!(fixture.bell.all_due().last().map(|due| due.kind.clone()), Some(ended));
    let over = job(created.id, "bob", PushKind::End);
    assert!(queue(fixture, &over, &["android", "web"]).await);
    assert!(!queue(fixture, &over, &["android", "web"]).await);
    assert_eq!(due(fixture, LEASE_MS).await, []);
    let taken: Vec<PushJob> = take(fixture, "android", LEASE_MS).await.into_iter().map(|taken| taken.job).collect();
    assert_eq!(taken, [over]);
    assert_eq!(take(fixture, "web", LEASE_MS).await, []);
    assert_eq!(letters(fixture).await, []);
}

/// All nodes look at what is due.
pub async fn what_is_due_is_queued_once(fixture: &Fixture) {
    let created = driver(fixture).invite(&invite("ann", &["bob"])).await;
    let ring = job(created.id, "bob", PushKind::Ring);
    let attempts: Vec<_> = (0..8)
        .map(|_| {
            let (store, ring) = (Arc::clone(&fixture.store), ring.clone());
            tokio::spawn(async move { store.queue_push(ring, vec!["hook".to_owned()]).await.unwrap() })
        })
        .collect();
    let mut queued = 0;
    for attempt in attempts {
        queued += usize::from(attempt.await.unwrap());
    }
    assert_eq!(queued, 1);
    assert_eq!(take(fixture, "hook", LEASE_MS).await.len(), 1);
    let unknown = job(driver(fixture).id(&user("ann")), "bob", PushKind::Ring);
    assert!(!queue(fixture, &unknown, &["hook"]).await);
}

/// A repeat of the attempt finds it committed, and queued.
pub async fn a_commit_that_is_sent_twice_is_pushed_once(fixture: &Fixture) {
    let driver = driver(fixture);
    let id = driver.id(&user("ann"));
    let commit = driver.creation(id, &invite("ann", &["bob"]), &ringwire_signaling::Facts::default());
    driver.send(commit.clone()).await;
    assert!(queue(fixture, &job(id, "bob", PushKind::Ring), &["hook"]).await);
    driver.send(commit).await;
    assert_eq!(due(fixture, LEASE_MS).await, []);
}

/// Under its lease it is nobody else's.
pub async fn a_job_is_taken_by_one_and_comes_back_when_its_taker_died(fixture: &Fixture) {
    let (_, ring) = pushed(fixture, &["hook"]).await;
    let queued_at = fixture.clock.now();
    let attempts: Vec<_> = (0..8)
        .map(|_| {
            let store = Arc::clone(&fixture.store);
            tokio::spawn(async move { store.take_pushes("hook".to_owned(), 1, SHORT_LEASE_MS).await.unwrap() })
        })
        .collect();
    let mut taken = Vec::new();
    for attempt in attempts {
        taken.extend(attempt.await.unwrap());
    }
    assert_eq!(taken.iter().map(|taken| (&taken.job, taken.attempts)).collect::<Vec<_>>(), [(&ring, 1)]);
    driver(fixture).pass(A_WHILE_MS).await;
    let again = take(fixture, "hook", LEASE_MS).await;
    assert_eq!(again.iter().map(|taken| (&taken.job, taken.attempts)).collect::<Vec<_>>(), [(&ring, 2)]);
    assert_eq!(again[0].queued_at, taken[0].queued_at);
    assert!(again[0].queued_at.0.abs_diff(queued_at.0) < 5_000);
}

/// And not before.
pub async fn a_job_that_was_put_off_comes_at_its_time(fixture: &Fixture) {
    let driver = driver(fixture);
    let (_, ring) = pushed(fixture, &["hook"]).await;
    take(fixture, "hook", LEASE_MS).await;
    let at = driver.now().plus(SHORT_LEASE_MS);
    put_off(fixture, &ring, at).await;
    let queues = fixture.store.push_queues(vec!["hook".to_owned(), "other".to_owned()]).await.unwrap();
    assert_eq!((queues[0].waiting, queues[0].next_at), (1, Some(at)));
    assert_eq!((queues[1].waiting, queues[1].next_at), (0, None));
    assert_eq!(take(fixture, "hook", LEASE_MS).await, []);
    driver.pass(A_WHILE_MS).await;
    assert_eq!(take(fixture, "hook", LEASE_MS).await.len(), 1);
}

/// Whoever comes late with a failure, after another delivered it, leaves no letter.
pub async fn a_job_ends_once(fixture: &Fixture) {
    let (_, ring) = pushed(fixture, &["hook"]).await;
    take(fixture, "hook", LEASE_MS).await;
    end(fixture, "hook", &ring, None).await;
    end(fixture, "hook", &ring, Some("too late")).await;
    let at = fixture.clock.now();
    put_off(fixture, &ring, at).await;
    assert_eq!(take(fixture, "hook", LEASE_MS).await, []);
    assert_eq!(letters(fixture).await, []);
}

/// A cancel that arrives before its ring would leave a phone ringing.
pub async fn an_end_does_not_overtake_its_ring(fixture: &Fixture) {
    let driver = driver(fixture);
    let (created, ring) = pushed(fixture, &["hook"]).await;
    take(fixture, "hook", LEASE_MS).await;
    driver.act(created.id, &cancel("ann")).await;
    let over = job(created.id, "bob", PushKind::End);
    assert!(queue(fixture, &over, &["hook"]).await);
    assert_eq!(take(fixture, "hook", LEASE_MS).await, [], "the ring is on its way");
    end(fixture, "hook", &ring, None).await;
    let taken: Vec<PushJob> = take(fixture, "hook", LEASE_MS).await.into_iter().map(|taken| taken.job).collect();
    assert_eq!(taken, [over]);
}

/// What was sent without an answer may have arrived.
pub async fn a_ring_that_failed_is_ended_all_the_same(fixture: &Fixture) {
    let driver = driver(fixture);
    for is_under_way in [true, false] {
        let (created, ring) = pushed(fixture, &["hook"]).await;
        take(fixture, "hook", LEASE_MS).await;
        let later = driver.now().plus(LEASE_MS);
        let over = job(created.id, "bob", PushKind::End);
        if !is_under_way {
            put_off(fixture, &ring, later).await;
        }
        driver.act(created.id, &cancel("ann")).await;
        assert!(queue(fixture, &over, &["hook"]).await);
        if is_under_way {
            put_off(fixture, &ring, later).await;
        }
        let taken: Vec<PushJob> = take(fixture, "hook", LEASE_MS).await.into_iter().map(|taken| taken.job).collect();
        assert_eq!(taken, std::slice::from_ref(&over));
        end(fixture, "hook", &over, None).await;
        assert_eq!(fixture.store.push_queues(vec!["hook".to_owned()]).await.unwrap()[0].waiting, 0);
        let letters = letters(fixture).await;
        let letter = letters.iter().find(|letter| letter.job == ring).expect("the ring failed");
        assert_eq!((letter.failure.attempts, letter.failure.error.as_str()), (1, "no answer"));
    }
}

/// Nobody has to be told of the end of what nobody was told of.
pub async fn a_ring_that_was_never_tried_is_a_letter_and_has_no_end(fixture: &Fixture) {
    let (created, ring) = pushed(fixture, &["hook"]).await;
    driver(fixture).act(created.id, &cancel("ann")).await;
    assert!(queue(fixture, &job(created.id, "bob", PushKind::End), &["hook"]).await);
    assert_eq!(take(fixture, "hook", LEASE_MS).await, []);
    let letters = letters(fixture).await;
    assert_eq!(letters.iter().map(|letter| &letter.job).collect::<Vec<_>>(), [&ring]);
    assert_eq!(letters[0].failure.attempts, 0);
}

/// In pages of any size.
pub async fn letters_are_read_newest_first_and_can_be_sent_again(fixture: &Fixture) {
    let driver = driver(fixture);
    let mut given_up = Vec::new();
    for number in 0..5 {
        let (_, ring) = pushed(fixture, &["hook"]).await;
        take(fixture, "hook", LEASE_MS).await;
        end(fixture, "hook", &ring, Some(&format!("answer {number}"))).await;
        given_up.push(ring);
        driver.pass(2).await;
    }
    let all = letters(fixture).await;
    let jobs: BTreeSet<&PushJob> = all.iter().map(|letter| &letter.job).collect();
    assert_eq!(jobs, given_up.iter().collect());
    assert!(all.windows(2).all(|pair| pair[0].cursor() > pair[1].cursor()), "newest first");
    for limit in [1, 2, 5, 6] {
        let (mut joined, mut before) = (Vec::new(), None);
        loop {
            let page = fixture.store.dead_letters(before, limit).await.unwrap();
            assert!(page.letters.len() <= limit);
            joined.extend(page.letters);
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(joined, all, "pages of {limit}");
    }

    let id = all[0].id();
    assert_eq!(fixture.store.dead_letter(id).await.unwrap().as_ref(), Some(&all[0]));
    assert!(fixture.store.remove_letter(id, Some(all[0].job.clone())).await.unwrap());
    assert!(!fixture.store.remove_letter(id, Some(all[0].job.clone())).await.unwrap());
    assert_eq!(fixture.store.dead_letter(id).await.unwrap(), None);
    let taken = take(fixture, "hook", LEASE_MS).await;
    assert_eq!(taken.iter().map(|taken| (&taken.job, taken.attempts)).collect::<Vec<_>>(), [(&all[0].job, 1)]);
    assert!(fixture.store.remove_letter(all[1].id(), None).await.unwrap());
    assert_eq!(letters(fixture).await, all[2..]);
    end(fixture, "hook", &all[0].job, Some("again")).await;
    assert_eq!(letters(fixture).await[0].failure.error, "again");
}

/// What one of them does with its jobs is nothing to the others.
pub async fn each_target_has_a_queue_of_its_own(fixture: &Fixture) {
    let (_, ring) = pushed(fixture, &["one", "other"]).await;
    assert_eq!(take(fixture, "one", LEASE_MS).await.len(), 1);
    end(fixture, "one", &ring, Some("no")).await;
    assert_eq!(take(fixture, "other", LEASE_MS).await.len(), 1);
    assert_eq!(take(fixture, "oth", LEASE_MS).await, []);
    let letters = letters(fixture).await;
    assert_eq!(letters.iter().map(|letter| letter.target.as_str()).collect::<Vec<_>>(), ["one"]);
}

/// The user's first one is told to the inviter; the others are kept beside it.
pub async fn the_receipts_of_every_device_are_kept_if_each_counts(fixture: &Fixture) {
    let driver = driver(fixture);
    driver.listen(&["bob"]).await;
    let each = Push { when: PushWhen::EachDevice, desc: "ring".into(), ..Push::default() };
    let created = driver.invite(&Invite { push: Some(each), ..invite("ann", &["bob"]) }).await;
    for name in ["phone", "tablet", "phone"] {
        driver.receipt(created.id, "bob", name).await;
        let post = step::device_receipt(&created, &user("bob"), &device(name), driver.now());
        driver.post(created.id, post.expect("each device counts")).await;
    }
    let detail = fixture.store.detail(created.id).await.unwrap().unwrap();
    assert_eq!(detail.ringing, [(user("bob"), device("phone"))]);
    assert_eq!(detail.received, [(user("bob"), device("phone")), (user("bob"), device("tablet"))]);
    assert_eq!(kinds(fixture, PATIENCE_MS).await, BTreeSet::from([DueKind::Push(user("bob"))]));
}
