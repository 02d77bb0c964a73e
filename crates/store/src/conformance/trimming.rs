//! The bounds of an inbox.

use ringwire_signaling::inbox::{Check, Position, Resumption};
use ringwire_signaling::limits::{DATA_BYTES, INBOX_BYTES, INBOX_EVENTS};

use super::driver::{Driver, assert_chain, invite, signal, text, user};
use super::fixture::Fixture;

/// Events beyond the bound in these cases.
const SURPLUS: usize = 20;

async fn fill(driver: &Driver<'_>, data: &str, count: usize) {
    let created = driver.invite(&invite("ann", &["bob"])).await;
    for _ in 1..count {
        driver.signal(created.id, &signal("ann", data, None)).await;
    }
}

/// Older ones go first, and offsets go on.
pub async fn an_inbox_keeps_the_last_events(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    fill(&driver, "hello", INBOX_EVENTS + SURPLUS).await;
    let inbox = driver.inbox("bob").await;
    assert_eq!(inbox.entries.len(), INBOX_EVENTS);
    assert_eq!(inbox.position.offset, (INBOX_EVENTS + SURPLUS) as u64);
    assert_eq!(inbox.entries[0].offset, SURPLUS as u64 + 1);
    assert_chain(&inbox.entries);
}

/// Large events count by their size.
pub async fn an_inbox_keeps_as_many_bytes_as_allowed(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let most = INBOX_BYTES / DATA_BYTES;
    fill(&driver, &text(DATA_BYTES), most + SURPLUS).await;
    let inbox = driver.inbox("bob").await;
    assert!((most - 3..=most).contains(&inbox.entries.len()), "{} entries are kept", inbox.entries.len());
    assert_eq!(inbox.position.offset, (most + SURPLUS) as u64);
    assert_chain(&inbox.entries);
    fill(&driver, "short", 2).await;
    assert_chain(&driver.inbox("bob").await.entries);
}

/// The check of the entry before the oldest is known, those before it are not.
pub async fn a_device_resumes_from_the_last_trimmed_entry_and_not_from_before(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    driver.listen(&["bob"]).await;
    fill(&driver, "hello", INBOX_EVENTS + SURPLUS).await;
    let inbox = driver.inbox("bob").await;
    let heard = fixture.heard_by(&user("bob")).await;
    let at = |offset: usize| Position {
        epoch: inbox.position.epoch,
        offset: offset as u64,
        check: offset.checked_sub(1).map_or(Check::default(), |index| heard[index].check),
    };
    let last_trimmed = driver.attach("bob", Some(at(SURPLUS))).await.resumption;
    assert_eq!(last_trimmed, Resumption::Backlog(inbox.entries.clone()));
    let oldest = driver.attach("bob", Some(at(SURPLUS + 1))).await.resumption;
    assert_eq!(oldest, Resumption::Backlog(inbox.entries[1..].to_vec()));
    for before in [0, 1, SURPLUS - 1] {
        let resumption = driver.attach("bob", Some(at(before))).await.resumption;
        assert!(matches!(resumption, Resumption::Reset(_)), "resumed from {before}");
    }
    let wrong = Position { check: Check(at(SURPLUS).check.0 ^ 1), ..at(SURPLUS) };
    assert!(matches!(driver.attach("bob", Some(wrong)).await.resumption, Resumption::Reset(_)));
}
