//! Who is connected.

use std::collections::BTreeSet;

use ringwire_signaling::{ConnectionId, UserId};

use super::driver::{Driver, device, user};
use super::fixture::Fixture;
use crate::query::Attach;

async fn attach(fixture: &Fixture, name: &str, with: &str, connection: u64) {
    let attach = Attach {
        user: user(name),
        device: device(with),
        incarnation: 7,
        connection: ConnectionId(connection),
        resume: None,
    };
    fixture.store.attach(attach).await.unwrap();
}

async fn detach(fixture: &Fixture, name: &str, with: &str, connection: u64) {
    fixture.store.detach(user(name), device(with), ConnectionId(connection)).await.unwrap();
}

async fn present(fixture: &Fixture) -> BTreeSet<UserId> {
    fixture.store.present(["ann", "bob", "cid"].map(user).to_vec()).await.unwrap()
}

/// With any device.
pub async fn who_attached_is_present_until_detached(fixture: &Fixture) {
    fixture.store.ready().await.unwrap();
    assert!(present(fixture).await.is_empty());
    attach(fixture, "ann", "phone", 1).await;
    attach(fixture, "ann", "tablet", 2).await;
    attach(fixture, "bob", "phone", 3).await;
    assert_eq!(present(fixture).await, [user("ann"), user("bob")].into());
    detach(fixture, "ann", "phone", 1).await;
    detach(fixture, "bob", "phone", 3).await;
    assert_eq!(present(fixture).await, [user("ann")].into());
    detach(fixture, "ann", "tablet", 2).await;
    assert!(present(fixture).await.is_empty());
    let driver = Driver::new(fixture);
    driver.attach("cid", None).await;
    assert_eq!(present(fixture).await, [user("cid")].into());
}

/// A device that reconnects is there, whenever the end of the old connection is noticed.
pub async fn a_late_detach_does_not_end_a_newer_connection(fixture: &Fixture) {
    attach(fixture, "ann", "phone", 1).await;
    attach(fixture, "ann", "phone", 2).await;
    detach(fixture, "ann", "phone", 1).await;
    assert_eq!(present(fixture).await, [user("ann")].into());
    detach(fixture, "ann", "phone", 2).await;
    detach(fixture, "ann", "phone", 2).await;
    assert!(present(fixture).await.is_empty());
}
