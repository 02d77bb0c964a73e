//! Devices that users registered for pushes.

use std::collections::BTreeMap;

use ringwire_signaling::limits::REGISTERED_DEVICES_PER_USER;
use ringwire_signaling::{RegisteredDevice, UnixMillis};

use super::driver::{device, user};
use super::fixture::Fixture;

fn registered(name: &str, token: &str, set_at: u64) -> RegisteredDevice {
    let tokens = BTreeMap::from([("fcm".to_owned(), token.to_owned()), ("apns_voip".to_owned(), "v".repeat(4096))]);
    RegisteredDevice { device: device(name), platform: "ios".to_owned(), tokens, set_at: UnixMillis(set_at) }
}

async fn names(fixture: &Fixture, of: &str) -> Vec<String> {
    fixture.store.devices(user(of)).await.unwrap().iter().map(|one| one.device.to_string()).collect()
}

/// In order, whatever the order in which they came, and nothing of users with similar names.
pub async fn a_user_has_the_registered_devices_by_name(fixture: &Fixture) {
    let store = &fixture.store;
    assert_eq!(store.devices(user("ann")).await.unwrap(), []);
    let [web, pad] = [registered("web", "one", 5), registered("pad", "two", 7)];
    store.put_device(user("ann"), web.clone()).await.unwrap();
    store.put_device(user("ann"), pad.clone()).await.unwrap();
    store.put_device(user("anna"), registered("car", "three", 6)).await.unwrap();
    store.put_device(user("an"), registered("tv", "four", 6)).await.unwrap();
    assert_eq!(store.devices(user("ann")).await.unwrap(), [pad, web]);
}

/// Wholly: a provider that is not named again is gone.
pub async fn a_device_that_is_registered_again_is_replaced(fixture: &Fixture) {
    let store = &fixture.store;
    store.put_device(user("ann"), registered("web", "one", 5)).await.unwrap();
    let mut again = registered("web", "two", 6);
    again.tokens.remove("apns_voip");
    store.put_device(user("ann"), again.clone()).await.unwrap();
    assert_eq!(store.devices(user("ann")).await.unwrap(), [again]);
}

/// Whether there was one is said, and other users' devices of that name stay.
pub async fn a_removed_device_is_gone(fixture: &Fixture) {
    let store = &fixture.store;
    for of in ["ann", "bob"] {
        store.put_device(user(of), registered("web", "one", 5)).await.unwrap();
    }
    assert!(store.remove_device(user("ann"), device("web")).await.unwrap());
    assert!(!store.remove_device(user("ann"), device("web")).await.unwrap());
    assert_eq!(names(fixture, "ann").await, Vec::<String>::new());
    assert_eq!(names(fixture, "bob").await, ["web"]);
}

/// By the time at which it was set last, not by name or by the order in which it came first.
pub async fn one_device_too_many_drops_that_which_was_set_longest_ago(fixture: &Fixture) {
    let store = &fixture.store;
    let last = REGISTERED_DEVICES_PER_USER - 1;
    for number in 0..=last {
        store.put_device(user("ann"), registered(&format!("{number:02}"), "t", 300 + number as u64)).await.unwrap();
    }
    store.put_device(user("ann"), registered("00", "t", 1_000)).await.unwrap();
    assert_eq!(names(fixture, "ann").await.len(), REGISTERED_DEVICES_PER_USER);
    store.put_device(user("ann"), registered("new", "t", 1_001)).await.unwrap();
    let left = names(fixture, "ann").await;
    assert_eq!(left.len(), REGISTERED_DEVICES_PER_USER);
    assert!(!left.contains(&"01".to_owned()) && left.contains(&"00".to_owned()), "{left:?}");
    // The newest stays, whatever its time says.
    store.put_device(user("ann"), registered("past", "t", 1)).await.unwrap();
    let left = names(fixture, "ann").await;
    assert!(!left.contains(&"02".to_owned()) && left.contains(&"past".to_owned()), "{left:?}");
}
