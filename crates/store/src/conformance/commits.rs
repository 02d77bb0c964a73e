//! Commits: compare-and-set on version and tag, staleness, and what is due.

use std::sync::Arc;

use ringwire_signaling::{Action, Facts, Outcome, Partition, UnixMillis};

use super::driver::{Driver, accept, cancel, invite, invite_in_group, invite_without_timer, modify, reject, user};
use super::fixture::Fixture;
use crate::commit::{Commit, CommitOutcome, STALE_AFTER_MS, Stamp, Tag};
use crate::query::{Due, DueKind};

fn everywhere() -> Vec<Partition> {
    (0..=u8::MAX).map(Partition).collect()
}

async fn due(fixture: &Fixture, until: UnixMillis) -> Vec<Due> {
    fixture.store.due(everywhere(), until, 1_000).await.unwrap()
}

/// What a store shows after a creation is what the rules made.
pub async fn a_creation_can_be_read_back(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let request = invite("ann", &["bob", "cid"]);
    let commit = driver.creation(driver.id(&user("ann")), &request, &Facts::default());
    assert_eq!(driver.load(commit.step.next.id).await, None);
    assert_eq!(driver.send(commit.clone()).await, CommitOutcome::Committed);
    let stored = driver.load(commit.step.next.id).await.unwrap();
    assert_eq!(stored.invitation, commit.step.next);
    assert_eq!(stored.stamp(), Stamp { version: 1, tag: commit.tag });
    let detail = fixture.store.detail(commit.step.next.id).await.unwrap().unwrap();
    assert_eq!(detail.invitation, commit.step.next);
    assert_eq!(detail.operations, [commit.step.operation]);
    assert!(detail.ringing.is_empty());
    assert_eq!(fixture.store.detail(driver.id(&user("ann"))).await.unwrap(), None);
}

/// A second creation of an id gets what is there, whatever it contains.
pub async fn an_id_is_created_once(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let created = driver.invite(&invite("ann", &["bob"])).await;
    let again = driver.creation(created.id, &invite("ann", &["cid"]), &Facts::default());
    let CommitOutcome::Conflict(Some(current)) = driver.send(again).await else { panic!("created twice") };
    assert_eq!(current.invitation, created);
    assert_eq!(driver.load(created.id).await.unwrap(), *current);
    assert_eq!(driver.events("cid").await, [""; 0]);
}

/// A commit on an older state gets the one that won, and can be built on that.
pub async fn a_transition_needs_the_state_it_was_built_on(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let created = driver.invite(&invite("ann", &["bob", "cid"])).await;
    let late = driver.transition(created.id, &accept("cid")).await;
    let after = driver.act(created.id, &accept("bob")).await;
    let CommitOutcome::Conflict(Some(current)) = driver.send(late).await else { panic!("both won") };
    assert_eq!(current.invitation, after);
    assert_eq!(current.stamp(), driver.load(created.id).await.unwrap().stamp());
    let last = driver.act(created.id, &accept("cid")).await;
    assert!(last.is_settled());
    let operations = fixture.store.detail(created.id).await.unwrap().unwrap().operations;
    assert_eq!(operations.iter().map(|operation| operation.version).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(
        operations.iter().map(|operation| operation.action).collect::<Vec<_>>(),
        [Action::Invite, Action::Accept, Action::Accept]
    );
}

/// A transition of a record that is gone says so.
pub async fn a_transition_of_nothing_conflicts_with_nothing(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let created = driver.invite(&invite("ann", &["bob"])).await;
    let mut commit = driver.transition(created.id, &accept("bob")).await;
    commit.step.next.id = driver.id(&user("ann"));
    assert_eq!(driver.send(commit).await, CommitOutcome::Conflict(None));
}

/// After a failover two states may have one version.
pub async fn the_same_version_with_another_tag_conflicts(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let created = driver.invite(&invite("ann", &["bob"])).await;
    let mut commit = driver.transition(created.id, &accept("bob")).await;
    commit.built_on = Some(Stamp { version: 1, tag: Tag(1) });
    let outcome = driver.send(commit).await;
    assert!(matches!(outcome, CommitOutcome::Conflict(Some(current)) if current.invitation == created));
}

/// What a client library sends twice happens once, even if the second send comes late.
pub async fn the_same_attempt_twice_is_committed_once(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    driver.listen(&["bob"]).await;
    let creation = driver.creation(driver.id(&user("ann")), &invite("ann", &["bob"]), &Facts::default());
    let id = creation.step.next.id;
    assert_eq!(driver.send(creation.clone()).await, CommitOutcome::Committed);
    assert_eq!(driver.send(creation).await, CommitOutcome::Committed);
    let answer = driver.transition(id, &accept("bob")).await;
    assert_eq!(driver.send(answer.clone()).await, CommitOutcome::Committed);
    let sent_at = answer.sent_at.minus(10 * STALE_AFTER_MS);
    assert_eq!(driver.send(Commit { sent_at, ..answer }).await, CommitOutcome::Committed);
    assert_eq!(driver.events("ann").await, ["invitation.sent", "invitation.accepted"]);
    assert_eq!(driver.events("bob").await, ["invitation.received", "invitation.answered_elsewhere"]);
    assert_eq!(fixture.heard_by(&user("bob")).await.len(), 2);
    assert_eq!(fixture.store.detail(id).await.unwrap().unwrap().operations.len(), 2);
}

/// A node or a queue that stood still must not write what it held.
pub async fn a_commit_from_another_time_is_stale(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let creation = driver.creation(driver.id(&user("ann")), &invite("ann", &["bob"]), &Facts::default());
    let now = creation.sent_at;
    for sent_at in [now.minus(3 * STALE_AFTER_MS), now.plus(3 * STALE_AFTER_MS)] {
        let commit = Commit { sent_at, ..creation.clone() };
        assert_eq!(driver.send(commit).await, CommitOutcome::Stale);
    }
    assert_eq!(driver.load(creation.step.next.id).await, None);
    let slightly_off = now.minus(STALE_AFTER_MS / 3);
    assert_eq!(driver.send(Commit { sent_at: slightly_off, ..creation }).await, CommitOutcome::Committed);
}

/// The store's time decides whether a timer may fire.
pub async fn a_timer_that_fires_early_is_refused(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let created = driver.invite(&invite("ann", &["bob"])).await;
    let answer = driver.transition(created.id, &accept("bob")).await;
    let early = Commit { not_before: Some(driver.now().plus(20_000)), ..answer.clone() };
    assert_eq!(driver.send(early).await, CommitOutcome::TooEarly);
    assert_eq!(driver.load(created.id).await.unwrap().invitation, created);
    let in_time = Commit { not_before: Some(driver.now().minus(1)), ..answer };
    assert_eq!(driver.send(in_time).await, CommitOutcome::Committed);
}

/// Whatever the refusal, nothing of the commit remains.
pub async fn a_refused_commit_leaves_nothing(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    driver.group("team", &["ann", "bob", "eve"]).await;
    let request = invite_in_group("team", "ann", &["bob"]);
    let id = driver.id(&user("ann"));
    let facts = driver.facts(&request).await;
    let creation = driver.creation(id, &request, &facts);
    let stale = Commit { sent_at: driver.now().minus(60_000), ..creation.clone() };
    let early = Commit { not_before: Some(driver.now().plus(60_000)), ..creation.clone() };
    let unfounded = Commit { built_on: Some(Stamp { version: 4, tag: Tag(4) }), ..creation.clone() };
    assert_eq!(driver.send(stale).await, CommitOutcome::Stale);
    assert_eq!(driver.send(early).await, CommitOutcome::TooEarly);
    assert_eq!(driver.send(unfounded).await, CommitOutcome::Conflict(None));
    driver.group("team", &["ann"]).await;
    assert!(matches!(driver.send(creation).await, CommitOutcome::Guarded(_)));

    assert_eq!(driver.load(id).await, None);
    assert_eq!(fixture.store.detail(id).await.unwrap(), None);
    assert!(!fixture.store.relay(id).await.unwrap());
    assert_eq!(due(fixture, driver.now().plus(1_000_000)).await, []);
    for name in ["ann", "bob", "eve"] {
        assert_eq!(driver.events(name).await, [""; 0]);
        assert!(fixture.store.active(user(name), None, 10).await.unwrap().invitations.is_empty());
    }
    let conversation = crate::Conversation::Group(super::driver::group("team"));
    assert!(fixture.store.history(conversation, None, 10).await.unwrap().messages.is_empty());
    assert!(fixture.rings().await.is_empty());
}

/// Answers, a cancellation and a change at the same moment: exactly one of them happened.
pub async fn of_concurrent_answers_one_wins(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    for _ in 0..10 {
        let created = driver.invite(&invite("ann", &["bob", "cid"])).await;
        let commands = [accept("bob"), reject("bob"), accept("cid"), cancel("ann"), modify("ann", "other")];
        let mut commits = Vec::new();
        for command in commands {
            commits.push(driver.transition(created.id, &command).await);
        }
        let attempts = commits.into_iter().map(|commit| {
            let (store, attempt) = (Arc::clone(&fixture.store), commit.clone());
            (commit, tokio::spawn(async move { store.commit(attempt).await.unwrap() }))
        });
        let attempts: Vec<_> = attempts.collect();
        let mut winner = None;
        let mut losers = Vec::new();
        for (commit, attempt) in attempts {
            match attempt.await.unwrap() {
                CommitOutcome::Committed => assert!(winner.replace(commit).is_none(), "two commits won"),
                CommitOutcome::Conflict(Some(current)) => losers.push(*current),
                other => panic!("a race came to {other:?}"),
            }
        }
        let winner = winner.expect("one commit wins");
        assert_eq!(losers.len(), 4);
        let stored = driver.load(created.id).await.unwrap();
        assert_eq!((&stored.invitation, stored.tag), (&winner.step.next, winner.tag));
        assert!(losers.iter().all(|current| *current == stored), "a loser saw something else than the winner");
    }
}

/// The same id from several nodes: one of them created it.
pub async fn of_concurrent_creations_of_one_id_one_wins(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let id = driver.id(&user("ann"));
    let mut attempts = Vec::new();
    for _ in 0..8 {
        let creation = driver.creation(id, &invite("ann", &["bob"]), &Facts::default());
        let store = Arc::clone(&fixture.store);
        attempts.push(tokio::spawn(async move { store.commit(creation).await.unwrap() }));
    }
    let mut won = 0;
    for attempt in attempts {
        match attempt.await.unwrap() {
            CommitOutcome::Committed => won += 1,
            CommitOutcome::Conflict(Some(current)) => assert_eq!(current.invitation.id, id),
            other => panic!("a race came to {other:?}"),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(driver.events("bob").await, ["invitation.received"]);
}

/// The deadline stands from the creation until nobody is pending.
pub async fn a_deadline_is_due_until_a_commit_clears_it(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let created = driver.invite(&invite("ann", &["bob", "cid"])).await;
    let deadline = created.deadline().unwrap();
    let entry = [Due { at: deadline, invitation: created.id, kind: DueKind::Deadline }];
    assert_eq!(due(fixture, deadline.minus(1)).await, []);
    assert_eq!(due(fixture, deadline).await, entry);
    assert_eq!(due(fixture, deadline).await, entry);
    driver.act(created.id, &accept("bob")).await;
    assert_eq!(due(fixture, deadline).await, entry);
    let settled = driver.act(created.id, &reject("cid")).await;
    assert_eq!(settled.deadline(), None);
    assert_eq!(due(fixture, deadline).await, []);
    driver.invite(&invite_without_timer("ann", &["bob"])).await;
    assert_eq!(due(fixture, deadline.plus(1_000_000)).await, []);
    assert_eq!(settled.invitees[1].state.settlement().unwrap().outcome, Outcome::Rejected);
}

/// Sweepers ask for their partitions and take the earliest first.
pub async fn what_is_due_comes_by_time_and_partition(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let mut all = Vec::new();
    for (number, timeout_s) in [50, 10, 40, 20, 30].into_iter().enumerate() {
        let inviter = format!("user-{number}");
        let mut request = invite(&inviter, &["bob"]);
        request.timeout_s = timeout_s;
        let created = driver.invite(&request).await;
        all.push(Due { at: created.deadline().unwrap(), invitation: created.id, kind: DueKind::Deadline });
    }
    all.sort_unstable();
    let end = driver.now().plus(100_000);
    assert_eq!(due(fixture, end).await, all);
    assert_eq!(fixture.store.due(everywhere(), end, 2).await.unwrap(), all[..2]);
    assert_eq!(fixture.store.due(everywhere(), all[1].at, 9).await.unwrap(), all[..2]);
    for entry in &all {
        let partition = entry.invitation.partition;
        let there: Vec<Due> = all.iter().filter(|due| due.invitation.partition == partition).cloned().collect();
        assert_eq!(fixture.store.due(vec![partition], end, 9).await.unwrap(), there);
    }
    assert_eq!(fixture.store.due(Vec::new(), end, 9).await.unwrap(), []);
}
