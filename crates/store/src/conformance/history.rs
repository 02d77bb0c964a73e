//! Paging through conversations.

use ringwire_signaling::command::Invite;
use ringwire_signaling::{Action, InvitationId};

use super::driver::{Driver, accept, cancel, group, invite, invite_in_group, modify, reject, user};
use super::fixture::Fixture;
use crate::query::{Conversation, HistoryPage, Message};

async fn page_all(fixture: &Fixture, conversation: &Conversation, limit: usize) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut cursor = None;
    loop {
        let page: HistoryPage = fixture.store.history(conversation.clone(), cursor, limit).await.unwrap();
        assert!(page.messages.len() <= limit);
        messages.extend(page.messages);
        cursor = page.next;
        if cursor.is_none() {
            return messages;
        }
    }
}

fn summary(messages: &[Message]) -> Vec<(InvitationId, Action)> {
    messages.iter().map(|message| (message.invitation.id, message.operation.action)).collect()
}

fn pair(one: &str, other: &str) -> Conversation {
    Conversation::Pair(user(one), user(other))
}

/// Newest invitation first, inside it newest operation first, whoever invited.
pub async fn a_conversation_reads_newest_first_from_both_sides(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let first = driver.invite(&invite("ann", &["bob"])).await.id;
    driver.act(first, &modify("ann", "new")).await;
    driver.pass(2).await;
    let second = driver.invite(&invite("bob", &["ann", "cid"])).await.id;
    driver.pass(2).await;
    // An older invitation stays in its place whatever happens to it.
    driver.act(first, &accept("bob")).await;
    driver.act(second, &reject("ann")).await;
    let expected = [
        (second, Action::Reject),
        (second, Action::Invite),
        (first, Action::Accept),
        (first, Action::Modify),
        (first, Action::Invite),
    ];
    let messages = page_all(fixture, &pair("ann", "bob"), 100).await;
    assert_eq!(summary(&messages), expected);
    assert_eq!(summary(&page_all(fixture, &pair("bob", "ann"), 100).await), expected);
    assert_eq!(summary(&page_all(fixture, &pair("cid", "bob"), 100).await), expected[..2]);
    assert_eq!(page_all(fixture, &pair("ann", "cid"), 100).await, []);
    assert_eq!(&*messages[2].operation.data, "yes");
    assert_eq!(messages[0].invitation, driver.load(second).await.unwrap().invitation);
}

/// A cursor stands wherever a page ended.
pub async fn pages_of_any_size_join_to_the_whole(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    for number in 0..6 {
        let created = driver.invite(&invite("ann", &["bob"])).await.id;
        for _ in 0..number {
            driver.act(created, &modify("ann", "new")).await;
        }
        // Some invitations share their time of creation.
        driver.pass(number % 2).await;
    }
    let whole = page_all(fixture, &pair("ann", "bob"), 100).await;
    assert_eq!(whole.len(), 6 + 15);
    for limit in 1..=whole.len() + 1 {
        assert_eq!(page_all(fixture, &pair("ann", "bob"), limit).await, whole, "in pages of {limit}");
    }
    let page = fixture.store.history(pair("ann", "bob"), None, whole.len()).await.unwrap();
    assert_eq!(page.next, None);
}

/// Between users and in a group are different conversations.
pub async fn a_group_has_a_conversation_of_its_own(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    driver.group("team", &["ann", "bob", "cid"]).await;
    let in_group = driver.invite(&invite_in_group("team", "ann", &["bob", "cid"])).await.id;
    driver.act(in_group, &cancel("ann")).await;
    driver.pass(2).await;
    let beside = driver.invite(&invite("ann", &["bob"])).await.id;
    let team = Conversation::Group(group("team"));
    let expected = [(in_group, Action::Cancel), (in_group, Action::Invite)];
    for limit in [1, 2, 9] {
        assert_eq!(summary(&page_all(fixture, &team, limit).await), expected);
    }
    assert_eq!(summary(&page_all(fixture, &pair("ann", "bob"), 9).await), [(beside, Action::Invite)]);
    assert_eq!(page_all(fixture, &Conversation::Group(group("tea")), 9).await, []);
}

/// Neither online-only invitations, nor for whom an invitation failed.
pub async fn what_is_not_for_history_is_not_in_it(fixture: &Fixture) {
    let mut driver = Driver::new(fixture);
    driver.attach("bob", None).await;
    driver.invite(&Invite { online_user_only: true, ..invite("ann", &["bob"]) }).await;
    assert_eq!(page_all(fixture, &pair("ann", "bob"), 9).await, []);

    let blocking = ringwire_signaling::Facts {
        blocking: [user("cid")].into_iter().collect(),
        ..ringwire_signaling::Facts::default()
    };
    driver.origin = None;
    let commit = driver.creation(driver.id(&user("ann")), &invite("ann", &["cid", "dan"]), &blocking);
    driver.send(commit).await;
    assert_eq!(page_all(fixture, &pair("ann", "cid"), 9).await, []);
    assert_eq!(page_all(fixture, &pair("ann", "dan"), 9).await.len(), 1);
}
