//! What passes away: with days to pass, nothing remains.

use ringwire_signaling::command::{Command, Invite};
use ringwire_signaling::inbox::{Position, Resumption};
use ringwire_signaling::limits::{
    EPHEMERAL_GRACE_MS, INBOX_AGE_MS, MISSED_AGE_MS, PENDING_PER_USER, SNAPSHOT_TIMERLESS_MS,
};
use ringwire_signaling::{ConnectionId, Facts, PushKind, step};

use super::driver::{
    Driver, accept, cancel, device, group, invite, invite_in_group, invite_without_timer, names, signal, user,
};
use super::fixture::Fixture;
use crate::commit::{CommitOutcome, PostOutcome};
use crate::push::PushJob;
use crate::query::Conversation;

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;

/// Exactly at its time, whenever the store sweeps.
pub async fn a_record_is_gone_at_its_end(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let created = driver.invite(&invite_without_timer("ann", &["bob"])).await;
    let pair = Conversation::Pair(user("ann"), user("bob"));
    driver.pass(DAY_MS - MINUTE_MS).await;
    assert!(driver.load(created.id).await.is_some());
    assert_eq!(fixture.store.history(pair.clone(), None, 9).await.unwrap().messages.len(), 1);
    assert_eq!(fixture.store.active(user("bob"), None, 9).await.unwrap().invitations.len(), 1);
    let late = driver.transition(created.id, &accept("bob")).await;
    // Without a sweep at first.
    fixture.clock.advance(MINUTE_MS);
    for _ in 0..2 {
        assert_eq!(driver.load(created.id).await, None);
        assert_eq!(fixture.store.detail(created.id).await.unwrap(), None);
        assert_eq!(fixture.store.history(pair.clone(), None, 9).await.unwrap().messages, []);
        assert_eq!(fixture.store.active(user("bob"), None, 9).await.unwrap().invitations, []);
        assert_eq!(fixture.store.active(user("ann"), None, 9).await.unwrap().invitations, []);
        assert_eq!(fixture.store.snapshot(user("bob")).await.unwrap().active, []);
        driver.pass(1).await;
    }
    let late = crate::Commit { sent_at: driver.now(), ..late };
    assert_eq!(driver.send(late).await, CommitOutcome::Conflict(None));
}

/// Of every kind of thing that a store holds.
pub async fn everything_goes_in_the_end(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    assert_eq!(fixture.control.leftovers().await, [""; 0]);
    driver.group("team", &["ann", "bob", "cid", "dan"]).await;
    let settled = driver.invite(&invite("ann", &["bob", "cid"])).await;
    driver.receipt(settled.id, "bob", "phone").await;
    driver.signal(settled.id, &signal("ann", "hello", Some("r-1"))).await;
    driver.act(settled.id, &accept("bob")).await;
    driver.act(settled.id, &cancel("ann")).await;
    let ringing = driver.invite(&invite_in_group("team", "ann", &["bob"])).await;
    driver.relay_all(ringing.id).await;
    let waiting = driver.invite(&invite_in_group("team", "bob", &["ann"])).await;
    driver.act(waiting.id, &cancel("bob")).await;
    let open = driver.invite(&invite_without_timer("cid", &["ann", "bob"])).await;
    driver.signal(open.id, &signal("cid", "hello", Some("r-1"))).await;
    let mut gone = settled.clone();
    gone.id = driver.id(&user("ann"));
    let orphan = step::signal(&gone, &signal("ann", "hello", Some("r-2")), driver.now()).unwrap();
    assert_eq!(driver.post(gone.id, orphan).await, PostOutcome::Posted);
    driver.attach("eve", None).await;
    fixture.store.acknowledge(user("bob"), driver.inbox("bob").await.position).await.unwrap();
    fixture.store.detach(user("eve"), device("phone"), ConnectionId(1)).await.unwrap();
    fixture.store.delete_group(group("team")).await.unwrap();
    assert_ne!(fixture.control.leftovers().await, [""; 0]);
    // In steps, as it happens: what is swept early must not leave what is swept late.
    for _ in 0..18 {
        driver.pass(DAY_MS / 2).await;
    }
    assert_eq!(driver.load(ringing.id).await, None);
    assert_eq!(fixture.control.leftovers().await, [""; 0]);
}

/// A request id may be used again when its invitation is gone.
pub async fn an_id_is_free_again_after_its_end(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let first = driver.invite(&invite_without_timer("ann", &["bob"])).await;
    driver.act(first.id, &super::driver::modify("ann", "new")).await;
    // Without a sweep: what expired and still lies there must not show.
    fixture.clock.advance(DAY_MS + MINUTE_MS);
    let again = driver.creation(first.id, &invite("ann", &["cid"]), &Facts::default());
    let next = again.step.next.clone();
    assert_eq!(driver.send(again).await, CommitOutcome::Committed);
    let detail = fixture.store.detail(first.id).await.unwrap().unwrap();
    assert_eq!((detail.invitation, detail.operations.len()), (next, 1));
    assert_eq!(fixture.store.active(user("bob"), None, 9).await.unwrap().invitations, []);
    let pair = Conversation::Pair(user("ann"), user("bob"));
    assert_eq!(fixture.store.history(pair, None, 9).await.unwrap().messages, []);
    driver.pass(MINUTE_MS).await;
    assert!(driver.load(first.id).await.is_some());
}

/// The end of a settled record counts from when it settled.
pub async fn a_settled_record_is_retained_anew(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let created = driver.invite(&invite_without_timer("ann", &["bob"])).await;
    driver.pass(DAY_MS / 2).await;
    driver.act(created.id, &accept("bob")).await;
    driver.pass(DAY_MS).await;
    assert!(driver.load(created.id).await.is_some());
    driver.pass(6 * DAY_MS - MINUTE_MS).await;
    assert!(driver.load(created.id).await.is_some());
    driver.pass(2 * MINUTE_MS).await;
    assert_eq!(driver.load(created.id).await, None);
}

/// And a device from before them starts again, while one from after them goes on.
pub async fn old_entries_are_not_served(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let start = driver.attach("bob", None).await.position;
    let created = driver.invite(&invite("ann", &["bob"])).await;
    driver.signal(created.id, &signal("ann", "one", None)).await;
    let between = driver.inbox("bob").await.position;
    driver.pass(INBOX_AGE_MS - MINUTE_MS).await;
    let created = driver.invite(&invite("ann", &["bob"])).await;
    driver.signal(created.id, &signal("ann", "two", None)).await;
    assert_eq!(driver.inbox("bob").await.entries.len(), 4);
    // Without a sweep at first.
    fixture.clock.advance(2 * MINUTE_MS);
    for _ in 0..2 {
        assert_eq!(driver.events("bob").await, ["invitation.received", "signal"]);
        let Resumption::Backlog(backlog) = driver.attach("bob", Some(between)).await.resumption else {
            panic!("a device that lacks nothing old was reset")
        };
        assert_eq!(names(&backlog), ["invitation.received", "signal"]);
        assert!(matches!(driver.attach("bob", Some(start)).await.resumption, Resumption::Reset(_)));
        driver.pass(1).await;
    }
    driver.pass(INBOX_AGE_MS).await;
    let end = driver.inbox("bob").await;
    assert_eq!((end.entries.len(), end.position.offset), (0, 4));
    assert_eq!(driver.attach("bob", Some(end.position)).await.resumption, Resumption::Backlog(Vec::new()));
    driver.invite(&invite("ann", &["bob"])).await;
    assert_eq!(driver.inbox("bob").await.entries[0].previous, end.position.check);
}

/// A week after its last event and its last device.
pub async fn an_inbox_that_nobody_uses_goes(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    driver.invite(&invite("ann", &["bob"])).await;
    let before: Position = driver.inbox("bob").await.position;
    driver.pass(5 * DAY_MS).await;
    assert_eq!(driver.inbox("bob").await.position, before);
    driver.pass(4 * DAY_MS).await;
    let after = driver.attach("bob", Some(before)).await;
    assert_ne!(after.position.epoch, before.epoch);
    assert_eq!(after.position.offset, 0);
    assert!(matches!(after.resumption, Resumption::Reset(_)));
}

/// However long nothing happens.
pub async fn an_inbox_with_a_connected_device_stays(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let before = driver.attach("bob", None).await.position;
    for _ in 0..20 {
        driver.pass(DAY_MS).await;
    }
    assert_eq!(driver.inbox("bob").await.position, before);
    fixture.store.detach(user("bob"), device("phone"), ConnectionId(1)).await.unwrap();
    for _ in 0..20 {
        driver.pass(DAY_MS).await;
    }
    assert_ne!(driver.inbox("bob").await.position.epoch, before.epoch);
}

/// A minute after its end they go together, so that no ring stays without its end.
pub async fn the_rings_of_an_ended_online_only_invitation_are_not_served_for_long(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let start = driver.attach("bob", None).await.position;
    let created = driver.invite(&Invite { online_user_only: true, ..invite("ann", &["bob"]) }).await;
    driver.act(created.id, &cancel("ann")).await;
    let other = driver.invite(&invite("ann", &["bob"])).await;
    let backlog = || async {
        let Resumption::Backlog(backlog) = driver.attach("bob", Some(start)).await.resumption else {
            panic!("the device was reset")
        };
        backlog.iter().map(|entry| entry.event.invitation).collect::<Vec<_>>()
    };
    assert_eq!(backlog().await, [created.id, created.id, other.id]);
    driver.pass(EPHEMERAL_GRACE_MS + 1_000).await;
    assert_eq!(backlog().await, [other.id]);
    assert_eq!(driver.inbox("bob").await.position.offset, 3);
}

/// Others are found in the list of active ones.
pub async fn an_old_invitation_without_a_timer_is_not_in_the_snapshot(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let open = driver.invite(&invite_without_timer("ann", &["bob"])).await;
    let timed = driver.invite(&Invite { timeout_s: 3_600, ..invite("ann", &["bob"]) }).await;
    let mut both = [open.id, timed.id];
    both.sort_unstable();
    let shown = || async {
        let snapshot = fixture.store.snapshot(user("bob")).await.unwrap();
        let mut ids: Vec<_> = snapshot.active.iter().map(|invitation| invitation.id).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(shown().await, both);
    driver.pass(SNAPSHOT_TIMERLESS_MS + 1_000).await;
    assert_eq!(shown().await, [timed.id]);
    assert_eq!(fixture.store.active(user("bob"), None, 9).await.unwrap().invitations.len(), 2);
}

/// Nobody wants to hear of it later.
pub async fn what_was_missed_is_forgotten_after_a_day(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let created = driver.invite(&invite("ann", &["bob"])).await;
    let deadline = created.deadline().unwrap();
    driver.pass(deadline.since(driver.now())).await;
    let missed = driver.act(created.id, &Command::Timeout).await;
    driver.pass(MISSED_AGE_MS - MINUTE_MS).await;
    assert_eq!(fixture.store.snapshot(user("bob")).await.unwrap().missed, [missed]);
    driver.pass(2 * MINUTE_MS).await;
    assert_eq!(fixture.store.snapshot(user("bob")).await.unwrap().missed, []);
}

/// An expired invitation does not count against a user.
pub async fn what_has_gone_makes_room(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    for number in 0..PENDING_PER_USER {
        driver.invite(&invite_without_timer(&format!("inviter-{number}"), &["bob"])).await;
    }
    // Without a sweep.
    fixture.clock.advance(DAY_MS + MINUTE_MS);
    let commit = driver.creation(driver.id(&user("ann")), &invite("ann", &["bob"]), &Facts::default());
    assert_eq!(driver.send(commit).await, CommitOutcome::Committed);
    let crossing = driver.creation(driver.id(&user("bob")), &invite("bob", &["inviter-3"]), &Facts::default());
    assert_eq!(driver.send(crossing).await, CommitOutcome::Committed);
}

/// Then the same name is another post.
pub async fn a_note_of_a_post_is_forgotten(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let created = driver.invite(&Invite { timeout_s: 86_400, ..invite("ann", &["bob"]) }).await;
    let named = signal("ann", "hello", Some("r-1"));
    assert_eq!(driver.signal(created.id, &named).await, PostOutcome::Posted);
    driver.pass(30 * MINUTE_MS).await;
    assert_eq!(driver.signal(created.id, &named).await, PostOutcome::Repeat);
    driver.pass(31 * MINUTE_MS).await;
    assert_eq!(driver.signal(created.id, &named).await, PostOutcome::Posted);
}

/// That it was made is told of what nobody looked after for as long as it was kept.
pub async fn what_is_due_of_events_outlives_the_record(fixture: &Fixture) {
    let mut driver = Driver::new(fixture);
    (driver.events, driver.pushes) = (true, true);
    let created = driver.invite(&invite_without_timer("ann", &["bob"])).await;
    driver.pass(2 * DAY_MS).await;
    assert_eq!(driver.load(created.id).await, None);
    let job = PushJob { invitation: created.id, user: user("ann"), kind: PushKind::Created };
    assert!(fixture.store.queue_push(job.clone(), vec!["billing".to_owned()]).await.unwrap());
    let taken = fixture.store.take_pushes("billing".to_owned(), 9, MINUTE_MS).await.unwrap();
    assert_eq!(taken.into_iter().map(|taken| taken.job).collect::<Vec<_>>(), std::slice::from_ref(&job));
    fixture.store.end_push("billing".to_owned(), job, None).await.unwrap();
    for _ in 0..18 {
        driver.pass(DAY_MS / 2).await;
    }
    assert_eq!(fixture.control.leftovers().await, [""; 0]);
}
