//! Paging through what a user takes part in.

use ringwire_signaling::{Invitation, InvitationId};

use super::driver::{Driver, accept, cancel, invite, invite_without_timer, reject, user};
use super::fixture::Fixture;

async fn page_all(fixture: &Fixture, name: &str, limit: usize) -> Vec<Invitation> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = fixture.store.active(user(name), after, limit).await.unwrap();
        assert!(page.invitations.len() <= limit);
        all.extend(page.invitations);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

async fn ids(fixture: &Fixture, name: &str) -> Vec<InvitationId> {
    page_all(fixture, name, 100).await.into_iter().map(|invitation| invitation.id).collect()
}

/// As inviter until everybody settled, as invitee until the own answer.
pub async fn the_list_holds_what_a_user_takes_part_in(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let created = driver.invite(&invite("ann", &["bob", "cid"])).await.id;
    for name in ["ann", "bob", "cid"] {
        assert_eq!(ids(fixture, name).await, [created], "{name}");
    }
    let answered = driver.act(created, &accept("bob")).await;
    assert_eq!(ids(fixture, "bob").await, []);
    assert_eq!(page_all(fixture, "ann", 9).await, [answered]);
    driver.act(created, &reject("cid")).await;
    assert_eq!(ids(fixture, "ann").await, []);
    assert_eq!(ids(fixture, "cid").await, []);
    let open = driver.invite(&invite_without_timer("ann", &["bob"])).await.id;
    assert_eq!(ids(fixture, "bob").await, [open]);
    driver.act(open, &cancel("ann")).await;
    assert_eq!(ids(fixture, "bob").await, []);
}

/// In the order of ids, both roles together.
pub async fn pages_of_any_size_join_to_the_list(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let mut expected = Vec::new();
    for number in 0..7 {
        let other = format!("other-{number}");
        expected.push(driver.invite(&invite("ann", &[&other])).await.id);
        expected.push(driver.invite(&invite(&other, &["ann"])).await.id);
    }
    expected.sort_unstable();
    assert_eq!(ids(fixture, "ann").await, expected);
    let whole = page_all(fixture, "ann", 100).await;
    for limit in 1..=15 {
        assert_eq!(page_all(fixture, "ann", limit).await, whole, "in pages of {limit}");
    }
    assert_eq!(fixture.store.active(user("ann"), None, whole.len()).await.unwrap().next, None);
}
