//! Guards: what a store says of other keys in the same atomic step.

use std::sync::Arc;

use ringwire_signaling::command::Invite;
use ringwire_signaling::guard::Role;
use ringwire_signaling::limits::{PENDING_PER_USER, SENT_PER_USER};
use ringwire_signaling::policy::{Blocked, Busy};
use ringwire_signaling::step::IndexChange;
use ringwire_signaling::{Facts, FailReason, Guard, GuardFailure, InvitationId, InviteeState};

use super::driver::{Driver, accept, cancel, invite, invite_in_group, invite_without_timer, reject, user};
use super::fixture::Fixture;
use crate::commit::{Commit, CommitOutcome};

/// Commits an invite as it stands and returns what the guards said.
async fn failures(driver: &Driver<'_>, request: &Invite, facts: &Facts) -> Vec<GuardFailure> {
    let commit = driver.creation(driver.id(&request.by.user), request, facts);
    match driver.send(commit).await {
        CommitOutcome::Guarded(failures) => failures,
        CommitOutcome::Committed => Vec::new(),
        other => panic!("an invite came to {other:?}"),
    }
}

async fn fill_with_rings(driver: &Driver<'_>, name: &str, timerless_at: Option<usize>) -> Option<InvitationId> {
    let mut timerless = None;
    for number in 0..PENDING_PER_USER {
        let inviter = format!("inviter-{number}");
        if timerless_at.is_some_and(|at| number >= at) {
            let created = driver.invite(&invite_without_timer(&inviter, &[name])).await;
            timerless.get_or_insert(created.id);
        } else {
            driver.invite(&invite(&inviter, &[name])).await;
        }
        // Creation times differ, so that one of them is the oldest.
        driver.pass(1).await;
    }
    timerless
}

/// The fact names what may be dropped to make room, and dropping it makes room.
pub async fn a_full_list_names_its_oldest_invitation_without_a_timer(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let oldest = fill_with_rings(&driver, "bob", Some(10)).await;
    let request = invite("ann", &["bob"]);
    let full = GuardFailure::Full { user: user("bob"), role: Role::Invitee, oldest_timerless: oldest };
    assert_eq!(failures(&driver, &request, &Facts::default()).await, [full]);
    let created = driver.invite(&request).await;
    assert_eq!(created.pending().count(), 1);
    let active = fixture.store.active(user("bob"), None, 1_000).await.unwrap().invitations;
    assert_eq!(active.len(), PENDING_PER_USER);
    assert!(active.iter().all(|invitation| Some(invitation.id) != oldest));
}

/// With timers everywhere there is nothing to drop.
pub async fn a_full_list_without_such_names_none(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    fill_with_rings(&driver, "bob", None).await;
    let request = invite("ann", &["bob"]);
    let full = GuardFailure::Full { user: user("bob"), role: Role::Invitee, oldest_timerless: None };
    assert_eq!(failures(&driver, &request, &Facts::default()).await, [full]);
    let created = driver.invite(&request).await;
    assert_eq!(created.invitees[0].state, InviteeState::Failed(FailReason::RateLimited));
}

/// More invites at once than there are places: exactly the places are taken.
pub async fn concurrent_creations_respect_the_limit(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let mut attempts = Vec::new();
    for number in 0..PENDING_PER_USER + 16 {
        let request = invite(&format!("inviter-{number}"), &["bob"]);
        let commit = driver.creation(driver.id(&request.by.user), &request, &Facts::default());
        let store = Arc::clone(&fixture.store);
        attempts.push(tokio::spawn(async move { store.commit(commit).await.unwrap() }));
    }
    let mut committed = 0;
    for attempt in attempts {
        match attempt.await.unwrap() {
            CommitOutcome::Committed => committed += 1,
            CommitOutcome::Guarded(failures) => {
                assert!(matches!(failures[..], [GuardFailure::Full { oldest_timerless: None, .. }]), "{failures:?}");
            }
            other => panic!("an invite came to {other:?}"),
        }
    }
    assert_eq!(committed, PENDING_PER_USER);
}

/// Whichever commits second learns of the first: never both without knowing.
pub async fn two_users_who_invite_each_other_at_once_cross(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    for number in 0..20 {
        let (one, other) = (format!("one-{number}"), format!("other-{number}"));
        let commits = [(&one, &other), (&other, &one)]
            .map(|(from, to)| driver.creation(driver.id(&user(from)), &invite(from, &[to]), &Facts::default()));
        let ids = [commits[0].step.next.id, commits[1].step.next.id];
        let [first, second] = commits.map(|commit| {
            let store = Arc::clone(&fixture.store);
            tokio::spawn(async move { store.commit(commit).await.unwrap() })
        });
        match (first.await.unwrap(), second.await.unwrap()) {
            (CommitOutcome::Committed, CommitOutcome::Guarded(failures)) => {
                assert_eq!(failures, [GuardFailure::Crossed { invitation: ids[0] }]);
            }
            (CommitOutcome::Guarded(failures), CommitOutcome::Committed) => {
                assert_eq!(failures, [GuardFailure::Crossed { invitation: ids[1] }]);
            }
            other => panic!("glare came to {other:?}"),
        }
    }
}

/// So that every node names the same.
pub async fn a_crossing_names_the_smallest_invitation(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let mut ids = Vec::new();
    for inviter in ["bob", "cid", "bob"] {
        ids.push(driver.invite(&invite(inviter, &["ann"])).await.id);
    }
    let uninvolved = driver.invite(&invite("dan", &["ann"])).await.id;
    let request = invite("ann", &["bob", "cid"]);
    let smallest = ids.iter().min().copied().unwrap();
    let crossed = GuardFailure::Crossed { invitation: smallest };
    assert_eq!(failures(&driver, &request, &Facts::default()).await, [crossed]);
    let created = driver.invite(&request).await;
    assert_eq!(created.terms.crosses, Some(smallest));
    let other = driver.invite(&invite("ann", &["dan"])).await;
    assert_eq!(other.terms.crosses, Some(uninvolved));
}

/// Busy is who is pending where a timer runs.
pub async fn a_ringing_user_is_busy_and_one_without_a_timer_is_not(fixture: &Fixture) {
    let mut driver = Driver::new(fixture);
    driver.policy.busy = Busy::Reject;
    driver.invite(&invite_without_timer("ann", &["bob"])).await;
    let request = invite("eve", &["bob", "cid"]);
    let first = driver.invite(&request).await;
    assert_eq!(first.pending().count(), 2);
    let ringing = ["bob", "cid"].map(|name| GuardFailure::Ringing { user: user(name) });
    assert_eq!(failures(&driver, &request, &Facts::default()).await, ringing);
    let created = driver.invite(&invite("dan", &["bob", "fay"])).await;
    assert_eq!(created.invitees[0].state.settlement().unwrap().reason.as_deref(), Some("busy"));
    assert_eq!(created.pending().collect::<Vec<_>>(), [&user("fay")]);
    driver.act(first.id, &reject("bob")).await;
    let again = driver.invite(&invite("dan", &["bob"])).await;
    assert_eq!(again.pending().count(), 1);
}

/// Membership may have changed since it was read.
pub async fn strangers_to_a_group_are_named(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    driver.group("team", &["ann", "bob", "cid"]).await;
    let request = invite_in_group("team", "ann", &["bob", "cid"]);
    let facts = driver.facts(&request).await;
    driver.group("team", &["bob", "dan"]).await;
    let strangers = GuardFailure::NotMembers { users: vec![user("ann"), user("cid")] };
    assert_eq!(failures(&driver, &request, &facts).await, [strangers]);
    driver.group("team", &["cid", "bob", "ann"]).await;
    assert_eq!(failures(&driver, &request, &facts).await, []);
}

/// No group is another fact than no members.
pub async fn a_missing_group_is_told_from_an_empty_one(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    driver.group("team", &["ann", "bob"]).await;
    let request = invite_in_group("team", "ann", &["bob"]);
    let facts = driver.facts(&request).await;
    driver.group("team", &[]).await;
    let strangers = GuardFailure::NotMembers { users: vec![user("ann"), user("bob")] };
    assert_eq!(failures(&driver, &request, &facts).await, [strangers]);
    assert!(fixture.store.delete_group(super::driver::group("team")).await.unwrap());
    assert_eq!(failures(&driver, &request, &facts).await, [GuardFailure::GroupMissing]);
}

/// Each invitee's own list counts, and only while it is consulted.
pub async fn whoever_blocks_the_inviter_is_named(fixture: &Fixture) {
    let mut driver = Driver::new(fixture);
    for (of, blocked) in [("bob", "ann"), ("dan", "ann"), ("cid", "bob"), ("ann", "cid")] {
        fixture.store.block(user(of), user(blocked)).await.unwrap();
    }
    let request = invite("ann", &["bob", "cid", "dan"]);
    let blocked = ["bob", "dan"].map(|name| GuardFailure::Blocked { user: user(name) });
    assert_eq!(failures(&driver, &request, &Facts::default()).await, blocked);
    let created = driver.invite(&request).await;
    assert_eq!(created.pending().collect::<Vec<_>>(), [&user("cid")]);
    fixture.store.unblock(user("bob"), user("ann")).await.unwrap();
    assert_eq!(driver.invite(&invite("ann", &["bob"])).await.pending().count(), 1);
    driver.policy.blocked = Blocked::Ignore;
    assert_eq!(failures(&driver, &invite("ann", &["dan"]), &Facts::default()).await, []);
}

/// While the inviter has everything as if it rang.
pub async fn a_hidden_invitee_s_lists_and_inbox_stay_empty(fixture: &Fixture) {
    let mut driver = Driver::new(fixture);
    driver.policy.blocked = Blocked::Silent;
    fixture.store.block(user("bob"), user("ann")).await.unwrap();
    let created = driver.invite(&invite("ann", &["bob"])).await;
    assert_eq!(driver.load(created.id).await.unwrap().invitation, created);
    assert!(created.is_hidden_from(&user("bob")));
    assert_eq!(fixture.store.active(user("ann"), None, 9).await.unwrap().invitations, std::slice::from_ref(&created));
    driver.act(created.id, &cancel("ann")).await;
    assert_eq!(driver.events("ann").await, ["invitation.sent", "invitation.cancelled"]);
    assert_eq!(driver.events("bob").await, Vec::<&str>::new());
    let snapshot = fixture.store.snapshot(user("bob")).await.unwrap();
    assert_eq!((snapshot.active, snapshot.missed), (Vec::new(), Vec::new()));
}

fn ring(driver: &Driver<'_>, inviter: &str, below: &[(&str, u32)], window_ms: u64) -> Commit {
    let names: Vec<&str> = below.iter().map(|(name, _)| *name).collect();
    let mut commit = driver.creation(driver.id(&user(inviter)), &invite(inviter, &names), &Facts::default());
    let guards = below.iter().map(|(name, limit)| Guard::RingsBelow { user: user(name), limit: *limit, window_ms });
    commit.step.guards.extend(guards);
    commit
}

/// Rings by anybody count, and only those that were committed.
pub async fn whoever_was_rung_too_often_is_named(fixture: &Fixture) {
    const MINUTE_MS: u64 = 60_000;
    let driver = Driver::new(fixture);
    let first = ring(&driver, "ann", &[("bob", 2), ("cid", 3)], MINUTE_MS);
    assert_eq!(driver.send(first.clone()).await, CommitOutcome::Committed);
    // The same attempt again rings nobody again.
    assert_eq!(driver.send(first).await, CommitOutcome::Committed);
    assert_eq!(driver.send(ring(&driver, "dan", &[("bob", 2), ("cid", 3)], MINUTE_MS)).await, CommitOutcome::Committed);
    let too_often = |name: &str| GuardFailure::RungTooOften { user: user(name) };
    for inviter in ["eve", "fay"] {
        let outcome = driver.send(ring(&driver, inviter, &[("bob", 2), ("cid", 3)], MINUTE_MS)).await;
        assert_eq!(outcome, CommitOutcome::Guarded(vec![too_often("bob")]), "what was refused is no ring of cid");
    }
    assert_eq!(driver.send(ring(&driver, "eve", &[("cid", 3)], MINUTE_MS)).await, CommitOutcome::Committed);
    let outcome = driver.send(ring(&driver, "eve", &[("bob", 2), ("cid", 3)], MINUTE_MS)).await;
    assert_eq!(outcome, CommitOutcome::Guarded(vec![too_often("bob"), too_often("cid")]));
    assert_eq!(driver.send(ring(&driver, "bob", &[("hal", 1)], MINUTE_MS)).await, CommitOutcome::Committed);
}

/// However short that is.
pub async fn a_ring_counts_for_as_long_as_the_window_is(fixture: &Fixture) {
    const WINDOW_MS: u64 = 300;
    // What a node thinks of the store's time is off by little.
    const OFF_MS: u64 = 50;
    let driver = Driver::new(fixture);
    let begun = driver.now();
    assert_eq!(driver.send(ring(&driver, "ann", &[("bob", 1)], WINDOW_MS)).await, CommitOutcome::Committed);
    while driver.send(ring(&driver, "cid", &[("bob", 1)], WINDOW_MS)).await != CommitOutcome::Committed {
        driver.pass(20).await;
    }
    let waited = driver.now().since(begun);
    assert!(waited + OFF_MS >= WINDOW_MS, "after {waited} ms");
}

/// One round trip teaches everything.
pub async fn all_failures_come_at_once(fixture: &Fixture) {
    let mut driver = Driver::new(fixture);
    fill_with_rings(&driver, "bob", None).await;
    driver.invite(&invite("bob", &["ann"])).await;
    fixture.store.block(user("bob"), user("ann")).await.unwrap();
    driver.policy.busy = Busy::Reject;
    let found = failures(&driver, &invite("ann", &["bob", "cid"]), &Facts::default()).await;
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found.contains(&GuardFailure::Blocked { user: user("bob") }));
    assert!(found.iter().any(|failure| matches!(failure, GuardFailure::Full { role: Role::Invitee, .. })));
    assert!(found.contains(&GuardFailure::Ringing { user: user("bob") }));
    assert!(found.iter().any(|failure| matches!(failure, GuardFailure::Crossed { .. })));
}

/// Answers and cancellations take an invitation off the lists.
pub async fn what_ended_makes_room(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let mut sent = Vec::new();
    for number in 0..SENT_PER_USER {
        sent.push(driver.invite(&invite("ann", &[&format!("invitee-{number}")])).await.id);
    }
    let request = invite("ann", &["bob"]);
    let full = GuardFailure::Full { user: user("ann"), role: Role::Inviter, oldest_timerless: None };
    assert_eq!(failures(&driver, &request, &Facts::default()).await, std::slice::from_ref(&full));
    driver.act(sent[0], &accept("invitee-0")).await;
    assert_eq!(failures(&driver, &request, &Facts::default()).await, []);
    assert_eq!(failures(&driver, &request, &Facts::default()).await, [full]);
    driver.act(sent[1], &cancel("ann")).await;
    assert_eq!(failures(&driver, &request, &Facts::default()).await, []);
    assert_eq!(fixture.store.active(user("invitee-1"), None, 9).await.unwrap().invitations, []);
}

/// A drop names another invitation, which stays answerable.
pub async fn a_dropped_invitation_makes_room(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let old = driver.invite(&invite_without_timer("ann", &["bob"])).await;
    let request = invite("cid", &["bob"]);
    let mut commit: Commit = driver.creation(driver.id(&user("cid")), &request, &Facts::default());
    commit.step.index.insert(0, IndexChange::Drop { user: user("bob"), role: Role::Invitee, invitation: old.id });
    let created = commit.step.next.clone();
    assert_eq!(driver.send(commit).await, CommitOutcome::Committed);
    assert_eq!(fixture.store.active(user("bob"), None, 9).await.unwrap().invitations, [created]);
    assert_eq!(fixture.store.active(user("ann"), None, 9).await.unwrap().invitations, std::slice::from_ref(&old));
    let answered = driver.act(old.id, &accept("bob")).await;
    assert!(answered.is_settled());
    assert_eq!(fixture.store.active(user("ann"), None, 9).await.unwrap().invitations, []);
}
