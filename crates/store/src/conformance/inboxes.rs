//! Inboxes: offsets, checks, doorbells, epochs.

use std::collections::BTreeMap;
use std::sync::Arc;

use ringwire_signaling::inbox::{Check, Resumption};
use ringwire_signaling::{Event, Facts, UserId};

use super::driver::{Driver, accept, assert_chain, cancel, invite, modify, names, reject, signal, user};
use super::fixture::Fixture;
use crate::commit::CommitOutcome;

/// From the first entry on, whatever wrote them.
pub async fn offsets_are_gap_free_and_checks_form_a_chain(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    for round in 0..5 {
        let created = driver.invite(&invite("ann", &["bob", "cid"])).await;
        driver.receipt(created.id, "bob", "phone").await;
        driver.act(created.id, &modify("ann", "new")).await;
        driver.signal(created.id, &signal("ann", "hello", None)).await;
        driver.act(created.id, &accept("bob")).await;
        let last = if round % 2 == 0 { reject("cid") } else { cancel("ann") };
        driver.act(created.id, &last).await;
    }
    for name in ["ann", "bob", "cid"] {
        let inbox = driver.inbox(name).await;
        assert_chain(&inbox.entries);
        let (first, last) = (&inbox.entries[0], inbox.entries.last().unwrap());
        assert_eq!((first.offset, first.previous), (1, Check::default()));
        assert_eq!((last.offset, last.check), (inbox.position.offset, inbox.position.check));
        assert_eq!(inbox.entries.len() as u64, inbox.position.offset);
    }
    let received = "invitation.received";
    let round = [received, "invitation.modified", "signal", "invitation.answered_elsewhere"];
    let bob = driver.events("bob").await;
    assert_eq!(bob[..5], [&round[..], &["invitation.rejected"]].concat());
    assert_eq!(bob[5..10], [&round[..], &[received]].concat());
}

/// What rang is exactly what was appended, also when many write at once.
pub async fn every_appended_entry_rings_once_in_order_with_its_origin(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let people = ["ann", "bob", "cid", "dan"];
    driver.listen(&people).await;
    let mut writers = Vec::new();
    for number in 0..32 {
        let inviter = people[number % 4];
        let invitees: Vec<&str> = people.iter().filter(|name| **name != inviter).copied().collect();
        let request = invite(inviter, &invitees);
        // A crossing is a fact here, so that no guard asks about it.
        let facts = Facts { crosses: Some(driver.id(&user("ann"))), ..Facts::default() };
        let commit = driver.creation(driver.id(&user(inviter)), &request, &facts);
        let store = Arc::clone(&fixture.store);
        writers.push(tokio::spawn(async move { store.commit(commit).await.unwrap() }));
    }
    for writer in writers {
        assert_eq!(writer.await.unwrap(), CommitOutcome::Committed);
    }
    let heard = fixture.heard().await;
    let mut appended = BTreeMap::new();
    for name in people {
        let inbox = driver.inbox(name).await;
        assert_chain(&inbox.entries);
        assert_eq!(inbox.entries.len(), 32);
        appended.insert(user(name), inbox.entries);
    }
    assert_eq!(heard, appended);
    let rings = fixture.rings().await;
    assert!(rings.iter().flatten().all(|delivery| delivery.origin == driver.origin));
    for ring in rings {
        let epoch = driver.inbox(ring[0].user.as_str()).await.position.epoch;
        assert_eq!(ring[0].epoch, epoch);
        let one: &Arc<Event> = &ring[0].entry.event;
        assert!(
            ring.iter().all(|delivery| delivery.entry.event.invitation == one.invitation),
            "commits mixed in a ring"
        );
    }
}

/// A gap is filled from after the last offset that is held.
pub async fn a_stretch_holds_what_follows_an_offset(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    for _ in 0..6 {
        driver.invite(&invite("ann", &["bob"])).await;
    }
    let whole = driver.inbox("bob").await;
    assert_eq!(names(&whole.entries), ["invitation.received"; 6]);
    for after in 0..=6 {
        let part = fixture.store.stretch(user("bob"), after).await.unwrap();
        assert_eq!(part.position, whole.position);
        assert_eq!(part.entries, whole.entries[usize::try_from(after).unwrap()..]);
    }
    for beyond in [7, u64::MAX] {
        let nothing = fixture.store.stretch(user("bob"), beyond).await.unwrap();
        assert_eq!((nothing.position, nothing.entries.len()), (whole.position, 0));
    }
}

/// It begins at zero, and keeps the epoch that was told.
pub async fn a_user_of_whom_nothing_is_known_has_an_empty_inbox(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let inbox = driver.inbox("nobody").await;
    assert_eq!((inbox.position.offset, inbox.position.check, inbox.entries.len()), (0, Check::default(), 0));
    let attachment = driver.attach("nobody", None).await;
    assert_eq!(attachment.position, inbox.position);
    driver.invite(&invite("ann", &["nobody"])).await;
    let after = driver.inbox("nobody").await;
    assert_eq!((after.position.epoch, after.position.offset), (inbox.position.epoch, 1));
    let other = driver.inbox("somebody").await;
    assert_ne!(other.position.epoch, inbox.position.epoch, "two inboxes with one epoch");
}

/// Nothing of the old life can be resumed, and the new one goes on by itself.
pub async fn a_replaced_epoch_ends_the_old_life(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    driver.invite(&invite("ann", &["bob"])).await;
    driver.invite(&invite("ann", &["bob"])).await;
    let before = driver.inbox("bob").await.position;
    fixture.store.replace_epoch(user("bob"), before.epoch).await.unwrap();
    let after = driver.inbox("bob").await;
    assert_ne!(after.position.epoch, before.epoch);
    assert_eq!(after.entries, []);
    let attachment = driver.attach("bob", Some(before)).await;
    let Resumption::Reset(snapshot) = attachment.resumption else { panic!("resumed across lives") };
    assert_eq!((snapshot.position, snapshot.active.len()), (after.position, 2));

    driver.invite(&invite("ann", &["bob"])).await;
    let resumed = driver.attach("bob", Some(after.position)).await;
    let Resumption::Backlog(backlog) = resumed.resumption else { panic!("the new life is not resumed") };
    assert_eq!(names(&backlog), ["invitation.received"]);
    assert_eq!(backlog[0].offset, after.position.offset + 1);
    assert_eq!(backlog[0].previous, after.position.check);
    let rung = fixture.heard_by(&user("bob")).await;
    assert_eq!(rung.last(), backlog.last());
}

/// Two sessions that find the same fault replace the epoch once.
pub async fn an_epoch_is_replaced_only_if_it_is_the_expected_one(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    driver.invite(&invite("ann", &["bob"])).await;
    let old = driver.inbox("bob").await.position.epoch;
    fixture.store.replace_epoch(user("bob"), old).await.unwrap();
    let new = driver.inbox("bob").await.position.epoch;
    fixture.store.replace_epoch(user("bob"), old).await.unwrap();
    assert_eq!(driver.inbox("bob").await.position.epoch, new);
    let nobody: UserId = user("nobody");
    fixture.store.replace_epoch(nobody, old).await.unwrap();
}
