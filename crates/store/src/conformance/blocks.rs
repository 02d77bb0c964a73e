//! Whom users block.

use ringwire_signaling::limits::BLOCKED_PER_USER;

use super::driver::user;
use super::fixture::Fixture;
use crate::query::BlockPage;

/// In order, whatever the order in which they came, and nothing of users with similar names.
pub async fn a_list_has_those_who_are_blocked_by_name(fixture: &Fixture) {
    let store = &fixture.store;
    assert_eq!(store.blocks(user("ann"), None, 10).await.unwrap(), BlockPage::default());
    for name in ["mallory", "eve", "mallory"] {
        assert!(store.block(user("ann"), user(name)).await.unwrap());
    }
    store.block(user("anna"), user("bob")).await.unwrap();
    store.block(user("an"), user("cid")).await.unwrap();
    let page = store.blocks(user("ann"), None, 10).await.unwrap();
    assert_eq!(page, BlockPage { users: vec![user("eve"), user("mallory")], next: None });
    assert!(store.unblock(user("ann"), user("eve")).await.unwrap());
    assert!(!store.unblock(user("ann"), user("eve")).await.unwrap());
    assert!(!store.unblock(user("ann"), user("bob")).await.unwrap());
    assert_eq!(store.blocks(user("ann"), None, 10).await.unwrap().users, [user("mallory")]);
}

/// Also when the name at which a page ended is no longer on the list.
pub async fn pages_of_blocked_users_join_to_the_list(fixture: &Fixture) {
    let store = &fixture.store;
    let names: Vec<_> = (0..7).map(|number| user(&format!("user-{number}"))).collect();
    for name in &names {
        store.block(user("ann"), name.clone()).await.unwrap();
    }
    for size in [1, 3, 7] {
        let (mut read, mut after) = (Vec::new(), None);
        loop {
            let page = store.blocks(user("ann"), after, size).await.unwrap();
            assert!(page.users.len() <= size);
            read.extend(page.users);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(read, names, "in pages of {size}");
    }
    let page = store.blocks(user("ann"), None, 3).await.unwrap();
    store.unblock(user("ann"), user("user-2")).await.unwrap();
    assert_eq!(store.blocks(user("ann"), page.next, 3).await.unwrap().users, names[3..6]);
}

/// Those who are on it stay on it.
pub async fn a_full_list_takes_nobody(fixture: &Fixture) {
    let store = &fixture.store;
    for number in 0..BLOCKED_PER_USER {
        assert!(store.block(user("ann"), user(&format!("user-{number}"))).await.unwrap());
    }
    assert!(!store.block(user("ann"), user("mallory")).await.unwrap());
    assert!(store.block(user("ann"), user("user-7")).await.unwrap());
    store.unblock(user("ann"), user("user-7")).await.unwrap();
    assert!(store.block(user("ann"), user("mallory")).await.unwrap());
}
