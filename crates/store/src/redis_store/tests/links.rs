//! What happens to the links, and that they come back by themselves.

use std::time::{Duration, Instant};

use super::fixtures::{Node, eventually, quiet};
use crate::conformance::driver::{Driver, accept, device, invite, user};
use crate::error::StoreError;
use crate::query::Attach;
use crate::{PostOutcome, Store};
use ringwire_signaling::ConnectionId;
use ringwire_signaling::session::CloseReason;
use ringwire_test_redis::Server;

/// Operations fail within this much while the server is away.
const FAILS_WITHIN: Duration = Duration::from_millis(1_100);

/// A whole invitation between users of two nodes, heard on both.
async fn rings(one: &Node, other: &Node) {
    let (ann, bob) = (Driver::new(&one.fixture), Driver::new(&other.fixture));
    let (before_ann, before_bob) = (one.heard("ann"), other.heard("bob"));
    let created = ann.invite(&invite("ann", &["bob"])).await;
    assert_eq!(bob.receipt(created.id, "bob", "phone").await, PostOutcome::Posted);
    bob.act(created.id, &accept("bob")).await;
    eventually("the inviter hears all", || one.heard("ann") == before_ann + 3).await;
    eventually("the invitee hears all", || other.heard("bob") == before_bob + 2).await;
}

async fn two_nodes(server: &Server) -> (Node, Node) {
    let nodes = (Node::on(server), Node::on(server));
    Driver::new(&nodes.0.fixture).attach("ann", None).await;
    Driver::new(&nodes.1.fixture).attach("bob", None).await;
    rings(&nodes.0, &nodes.1).await;
    nodes
}

/// Works again, by itself.
async fn recovers(one: &Node, other: &Node) {
    for node in [one, other] {
        let end = Instant::now() + Duration::from_secs(15);
        while node.store.ready().await.is_err() {
            assert!(Instant::now() < end, "a store does not recover");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    for (node, name) in [(one, "ann"), (other, "bob")] {
        let end = Instant::now() + Duration::from_secs(15);
        while !node.store.present(vec![user(name)]).await.is_ok_and(|present| present.contains(&user(name))) {
            assert!(Instant::now() < end, "presence does not recover");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    rings(one, other).await;
}

async fn fails_in_time(node: &Node) {
    let asked = Instant::now();
    let outcome = node.store.load(Driver::new(&node.fixture).id(&user("ann"))).await;
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    assert!(asked.elapsed() < FAILS_WITHIN, "it took {:?}", asked.elapsed());
}

async fn killed_and_restarted(mut server: Server, away: Duration) {
    let (one, other) = two_nodes(&server).await;
    server.kill();
    let end = Instant::now() + away;
    while Instant::now() < end {
        fails_in_time(&one).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    server.restart();
    recovers(&one, &other).await;
    assert!(one.bell_interruptions() > 0 && other.bell_interruptions() > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_killed_and_restarted_with_its_data() {
    killed_and_restarted(Server::durable(), Duration::from_secs(4)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_killed_and_restarted_empty() {
    killed_and_restarted(Server::start(), Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_away_for_longer_than_any_lease() {
    killed_and_restarted(Server::durable(), Duration::from_mins(1)).await;
}

async fn frozen(away: Duration) {
    let server = Server::start();
    let (one, other) = two_nodes(&server).await;
    server.freeze(true);
    let end = Instant::now() + away;
    while Instant::now() < end {
        fails_in_time(&one).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    server.freeze(false);
    recovers(&one, &other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_frozen_for_a_moment() {
    frozen(Duration::from_secs(2)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_frozen_for_longer_than_a_lease() {
    frozen(Duration::from_secs(30)).await;
}

/// What a frozen server was sent before it froze must not happen when it thaws.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_frozen_server_held_is_refused_when_it_thaws() {
    let server = Server::start();
    let (one, _other) = two_nodes(&server).await;
    let driver = Driver::new(&one.fixture);
    let commit =
        driver.creation(driver.id(&user("ann")), &invite("ann", &["bob"]), &ringwire_signaling::Facts::default());
    server.freeze(true);
    assert!(one.store.commit(commit.clone()).await.is_err());
    tokio::time::sleep(Duration::from_secs(2)).await;
    server.freeze(false);
    eventually_ready(&one).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(driver.load(commit.step.next.id).await, None);
}

async fn eventually_ready(node: &Node) {
    while node.store.ready().await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_data_links_killed() {
    let server = Server::start();
    let (one, other) = two_nodes(&server).await;
    server.ask("CLIENT KILL TYPE normal SKIPME yes");
    recovers(&one, &other).await;
    assert!(one.store.counters().link_rebuilds > 0);
    assert_eq!(one.store.counters().incarnations, 0, "a blink costs no incarnation");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_subscriptions_killed() {
    let server = Server::start();
    let (one, other) = two_nodes(&server).await;
    server.ask("CLIENT KILL TYPE pubsub");
    eventually("both subscribe again", || {
        [&one, &other].iter().all(|node| node.store.counters().subscription_rebuilds > 0)
    })
    .await;
    recovers(&one, &other).await;
    assert!(one.bell_interruptions() > 0, "sessions look for what they missed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scripts_flushed() {
    let server = Server::start();
    let (one, other) = two_nodes(&server).await;
    server.ask("SCRIPT FLUSH");
    rings(&one, &other).await;
    assert_eq!(one.store.counters().link_rebuilds, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_turned_into_a_replica_and_back() {
    let server = Server::start();
    let (one, other) = two_nodes(&server).await;
    server.ask("REPLICAOF 127.0.0.1 1");
    let driver = Driver::new(&one.fixture);
    let commit =
        driver.creation(driver.id(&user("ann")), &invite("ann", &["bob"]), &ringwire_signaling::Facts::default());
    assert!(one.store.commit(commit).await.is_err());
    tokio::time::sleep(Duration::from_secs(2)).await;
    server.ask("REPLICAOF NO ONE");
    recovers(&one, &other).await;
    assert!(one.store.counters().link_rebuilds > 0);
}

/// A subscription that is open and says nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_subscription_is_found_by_its_probes() {
    let server = Server::start();
    let (one, other) = two_nodes(&server).await;
    // The server drops the channel of every subscriber and keeps their connections.
    server.ask("CONFIG SET client-output-buffer-limit \"pubsub 1 1 1\"");
    server.ask("CONFIG SET client-output-buffer-limit \"pubsub 33554432 8388608 60\"");
    let rebuilds = one.store.counters().subscription_rebuilds;
    one.store.state.membership.probe_seen.store(0, std::sync::atomic::Ordering::Relaxed);
    one.store.state.membership.probe_sent.store(u64::MAX, std::sync::atomic::Ordering::Relaxed);
    eventually("the silent subscription is built again", || one.store.counters().subscription_rebuilds > rebuilds)
        .await;
    one.store.state.membership.probe_sent.store(0, std::sync::atomic::Ordering::Relaxed);
    one.store.state.membership.probe_seen.store(0, std::sync::atomic::Ordering::Relaxed);
    recovers(&one, &other).await;
}

/// A doorbell that never came, with nothing rung after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_doorbell_is_noticed_with_the_next_probe() {
    let server = Server::start();
    let (one, _other) = two_nodes(&server).await;
    quiet(&one.store).await;
    let own = super::super::membership::name(one.store.state.membership.own());
    server.ask(&format!("HINCRBY rw:bells {own} 1"));
    eventually("the hole is seen", || one.store.counters().lost_doorbells == 1).await;
    assert!(one.bell_interruptions() > 0);
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(one.store.counters().lost_doorbells, 1, "it is told once");
}

/// Users of a node that died are gone when its lease is, and nobody keeps what it left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_of_a_dead_node_are_not_present() {
    let server = Server::start();
    let (one, other) = two_nodes(&server).await;
    assert!(one.store.present(vec![user("bob")]).await.unwrap().contains(&user("bob")));
    other.die();
    let died = Instant::now();
    while one.store.present(vec![user("bob")]).await.unwrap().contains(&user("bob")) {
        assert!(died.elapsed() < Duration::from_secs(7), "a dead node's user is still present");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let left = super::fixtures::presence_bytes(&one.store, "bob").await;
    assert_eq!(left, 0, "what the dead node left was cleared");
    eventually("the dead node is no longer among the living", || one.store.nodes().live.len() == 1).await;
}

/// A store that closes leaves at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stops_is_gone_at_once() {
    let server = Server::start();
    let (one, other) = two_nodes(&server).await;
    eventually("they know each other", || one.store.nodes().live.len() == 2).await;
    let fixture = other;
    tokio::task::spawn_blocking(move || drop(fixture)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(one.store.present(vec![user("bob")]).await.unwrap().is_empty());
}

/// The connection that a device leaves behind on another node is closed there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_connects_elsewhere_replaces_its_connection() {
    let server = Server::start();
    let (one, other) = two_nodes(&server).await;
    let attach = Attach {
        user: user("ann"),
        device: device("phone"),
        incarnation: 7,
        connection: ConnectionId(5),
        resume: None,
    };
    other.store.attach(attach).await.unwrap();
    eventually("the node is told", || one.closed() == [("ann".to_owned(), 1, CloseReason::Replaced)]).await;
    // Its end, noticed late, does not end the newer one.
    one.store.detach(user("ann"), device("phone"), ConnectionId(1)).await.unwrap();
    assert!(one.store.present(vec![user("ann")]).await.unwrap().contains(&user("ann")));
    assert!(other.closed().is_empty());
}

/// The device that has been connected longest goes, wherever it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_eleventh_device_on_another_node_closes_the_longest_connected_one() {
    let server = Server::start();
    let (one, other) = two_nodes(&server).await;
    for number in 1..=10 {
        let attach = Attach {
            user: user("ann"),
            device: device(&format!("device-{number}")),
            incarnation: 7,
            connection: ConnectionId(10 + number),
            resume: None,
        };
        other.store.attach(attach).await.unwrap();
    }
    eventually("the node is told", || one.closed() == [("ann".to_owned(), 1, CloseReason::TooManyDevices)]).await;
    assert!(other.closed().is_empty());
}

/// Whichever node an operator asks; a device that is nowhere is told nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_operators_want_reaches_the_node_concerned() {
    let server = Server::start();
    let (one, other) = two_nodes(&server).await;
    let node = one.store.nodes().own;
    let found = other.store.connections(user("ann")).await.unwrap();
    assert_eq!(found.iter().map(|one| (one.node, one.connection)).collect::<Vec<_>>(), [(node, ConnectionId(1))]);
    assert_eq!(other.store.kick(user("ann"), None).await.unwrap(), found);
    eventually("the node is told", || one.closed() == [("ann".to_owned(), 1, CloseReason::Kicked)]).await;
    assert!(other.store.drain(node).await.unwrap());
    eventually("the node is told to stop", || one.drains() == 1).await;
    assert!(other.closed().is_empty() && other.drains() == 0);
}
