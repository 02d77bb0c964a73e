//! What node processes say of themselves to each other.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ringwire_test_redis::Server;

use super::fixtures::{Node, eventually, keys_without_expiry};
use crate::Store;

/// What `node` knows of others, once it is this.
async fn knows(node: &Node, wanted: &[(u64, &str)], within: Duration) {
    let wanted: BTreeMap<u64, String> = wanted.iter().map(|(id, text)| (*id, (*text).to_owned())).collect();
    let started = Instant::now();
    loop {
        let found = node.store.descriptions().await.unwrap();
        if found == wanted {
            return;
        }
        assert!(started.elapsed() < within, "{found:?} instead of {wanted:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_node_says_of_itself_is_known_everywhere_for_as_long_as_it_lives() {
    const BEATS: Duration = Duration::from_secs(4);
    let server = Server::start();
    let (one, other, silent) = (Node::on(&server), Node::on(&server), Node::on(&server));
    let (id, other_id) = (one.store.nodes().own, other.store.nodes().own);
    eventually("they know each other", || {
        [&one, &other, &silent].iter().all(|node| node.store.nodes().live.len() == 3)
    })
    .await;
    one.store.describe("idle".to_owned());
    knows(&silent, &[(id, "idle")], BEATS).await;
    one.store.describe("busy".to_owned());
    other.store.describe("new".to_owned());
    for node in [&one, &other, &silent] {
        knows(node, &[(id, "busy"), (other_id, "new")], BEATS).await;
    }
    let kept: Vec<String> = keys_without_expiry(&silent.store).await;
    assert!(!kept.contains(&"rw:said".to_owned()), "{kept:?}");

    tokio::task::spawn_blocking(move || drop(other)).await.unwrap();
    let left = server.ask(&format!("HEXISTS rw:said {other_id:016x}"));
    assert!(left.starts_with(":0"), "whoever leaves takes it along: {left}");
    // A process that was killed is known until its lease has ended.
    one.die();
    knows(&silent, &[], Duration::from_secs(8)).await;
}
