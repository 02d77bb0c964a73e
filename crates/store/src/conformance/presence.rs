//! Who is connected.

use std::collections::BTreeSet;
use std::time::Duration;

use ringwire_signaling::session::CloseReason;
use ringwire_signaling::{ConnectionId, UserId};

use super::driver::{Driver, device, user};
use super::fixture::Fixture;
use crate::query::{Attach, Connected};

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

fn devices(connections: Vec<Connected>) -> BTreeSet<(String, u64)> {
    connections.into_iter().map(|one| (one.device.as_str().to_owned(), one.connection.0)).collect()
}

/// With the connection that counts.
pub async fn the_connections_of_a_user_are_those_that_are_attached(fixture: &Fixture) {
    let of = async |name: &str| devices(fixture.store.connections(user(name)).await.unwrap());
    assert_eq!(of("ann").await, [].into());
    attach(fixture, "ann", "phone", 1).await;
    attach(fixture, "ann", "tablet", 2).await;
    attach(fixture, "ann", "phone", 3).await;
    attach(fixture, "bob", "phone", 4).await;
    assert_eq!(of("ann").await, [("phone".to_owned(), 3), ("tablet".to_owned(), 2)].into());
    detach(fixture, "ann", "phone", 3).await;
    assert_eq!(of("ann").await, [("tablet".to_owned(), 2)].into());
}

/// Told through the doorbell of the node that holds the connection; presence stays until it has ended.
pub async fn who_is_kicked_is_told_to_go(fixture: &Fixture) {
    let kick =
        async |name: &str, with: Option<&str>| devices(fixture.store.kick(user(name), with.map(device)).await.unwrap());
    attach(fixture, "ann", "phone", 1).await;
    attach(fixture, "ann", "tablet", 2).await;
    attach(fixture, "bob", "phone", 3).await;
    assert_eq!(kick("cid", None).await, [].into());
    assert_eq!(kick("ann", Some("watch")).await, [].into());
    assert_eq!(kick("ann", Some("phone")).await, [("phone".to_owned(), 1)].into());
    assert_eq!(told(fixture, 1).await, [("ann".to_owned(), 1)]);
    detach(fixture, "ann", "phone", 1).await;
    attach(fixture, "ann", "phone", 4).await;
    assert_eq!(kick("ann", None).await, [("phone".to_owned(), 4), ("tablet".to_owned(), 2)].into());
    let mut all = told(fixture, 3).await;
    all.sort();
    assert_eq!(all, [("ann".to_owned(), 1), ("ann".to_owned(), 2), ("ann".to_owned(), 4)]);
    assert_eq!(present(fixture).await, [user("ann"), user("bob")].into());
}

/// The first so many connections that were told to go as kicked.
async fn told(fixture: &Fixture, count: usize) -> Vec<(String, u64)> {
    let waiting = async {
        while fixture.bell.closed_connections().len() < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(15), waiting).await.unwrap();
    let closed = fixture.bell.closed_connections().into_iter();
    closed
        .map(|(user, connection, reason)| {
            assert_eq!(reason, CloseReason::Kicked);
            (user.as_str().to_owned(), connection.0)
        })
        .collect()
}

/// A name that no process has.
pub async fn a_node_that_is_not_there_is_not_drained(fixture: &Fixture) {
    assert!(!fixture.store.drain(0x0bad_0000_0000_0bad).await.unwrap());
}
