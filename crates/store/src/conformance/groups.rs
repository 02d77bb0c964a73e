//! Groups and their members.

use std::collections::BTreeSet;

use ringwire_signaling::limits::GROUP_MEMBERS;

use super::driver::{Driver, group, user};
use super::fixture::Fixture;

/// In order, whatever the order in which they came, and nothing of groups with similar names.
pub async fn a_group_has_its_members_by_name(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let store = &fixture.store;
    driver.group("team", &["cid", "ann", "bob"]).await;
    driver.group("team-2", &["dan"]).await;
    driver.group("tea", &["eve"]).await;
    let names = ["ann", "bob", "cid"].map(user);
    assert_eq!(store.members(group("team")).await.unwrap().unwrap(), names);
    driver.group("team", &["fay"]).await;
    assert_eq!(store.members(group("team")).await.unwrap().unwrap(), [user("fay")]);
    assert!(store.delete_group(group("team")).await.unwrap());
    assert_eq!(store.members(group("team")).await.unwrap(), None);
    assert_eq!(store.members(group("team-2")).await.unwrap().unwrap(), [user("dan")]);
    assert_eq!(store.members(group("tea")).await.unwrap().unwrap(), [user("eve")]);
}

/// Adding a member and removing a stranger are no errors.
pub async fn members_come_and_go(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let store = &fixture.store;
    driver.group("team", &["ann"]).await;
    assert_eq!(store.add_member(group("team"), user("bob")).await.unwrap(), Some(true));
    assert_eq!(store.add_member(group("team"), user("bob")).await.unwrap(), Some(true));
    assert_eq!(store.members(group("team")).await.unwrap().unwrap(), [user("ann"), user("bob")]);
    assert!(store.remove_member(group("team"), user("ann")).await.unwrap());
    assert!(store.remove_member(group("team"), user("ann")).await.unwrap());
    assert_eq!(store.members(group("team")).await.unwrap().unwrap(), [user("bob")]);
}

/// Members who are in it stay in it.
pub async fn a_full_group_takes_nobody(fixture: &Fixture) {
    let store = &fixture.store;
    let members: BTreeSet<_> = (0..GROUP_MEMBERS).map(|number| user(&format!("member-{number}"))).collect();
    store.put_group(group("team"), members).await.unwrap();
    assert_eq!(store.add_member(group("team"), user("ann")).await.unwrap(), Some(false));
    assert_eq!(store.add_member(group("team"), user("member-7")).await.unwrap(), Some(true));
    assert!(store.remove_member(group("team"), user("member-7")).await.unwrap());
    assert_eq!(store.add_member(group("team"), user("ann")).await.unwrap(), Some(true));
    assert_eq!(store.members(group("team")).await.unwrap().unwrap().len(), GROUP_MEMBERS);
}

/// A group exists until it is deleted, with or without members.
pub async fn a_missing_group_is_no_empty_group(fixture: &Fixture) {
    let driver = Driver::new(fixture);
    let store = &fixture.store;
    assert_eq!(store.members(group("team")).await.unwrap(), None);
    assert_eq!(store.add_member(group("team"), user("ann")).await.unwrap(), None);
    assert!(!store.remove_member(group("team"), user("ann")).await.unwrap());
    assert!(!store.delete_group(group("team")).await.unwrap());
    assert_eq!(store.members(group("team")).await.unwrap(), None);
    driver.group("team", &[]).await;
    assert_eq!(store.members(group("team")).await.unwrap(), Some(Vec::new()));
}
