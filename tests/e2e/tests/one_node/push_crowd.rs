//! Many pushes for a target that is down: they wait in the store, take no memory, and hold up nobody.

use std::time::{Duration, Instant};

use ringwire_e2e::{Behaviour, Hook, Node, Settings, Targets, until};
use serde_json::json;

/// Invitations of a hundred invitees each; `RINGWIRE_PUSH_CROWD` sets another number.
const INVITATIONS: u32 = 40;
const INVITEES: u32 = 100;
/// Jobs that wait for one target at most.
const QUEUED: u32 = 100_000;
/// How much larger the process may be for the second half: invitations that ring are in memory, and a store's cache
/// and an allocator keep what they had; a job is a row of the store.
const GROWTH_KIB: u64 = 64 * 1024;
/// A push of another target is not held up.
const AT_ONCE: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_crowd_that_waits_for_a_dead_target_costs_others_nothing() {
    let invitations = std::env::var("RINGWIRE_PUSH_CROWD").map_or(INVITATIONS, |text| text.parse().unwrap());
    let mut good = Hook::new().await;
    let silent = Hook::new().await;
    silent.always(Behaviour::Silence);
    let targets = Targets::new(&[("silent", &silent.url, &[]), ("good", &good.url, &["ios"])]);
    let settings =
        targets.of(Settings::new()).without_rate_limit().with("push.timeout_ms", 1_000).with("store.cache_mib", 8);
    let mut node = Node::start(settings).await;
    let mut alice = node.connect("alice", "phone").await;
    let mut bob = node.connect("bob", "phone").await;
    bob.ok("devices", json!({ "action": "set", "platform": "ios", "tokens": { "apns": "token" } })).await;
    bob.close().await;

    // What a crowd costs that rings and is waited for at last: the second half of it is no different.
    let mut grown = Vec::new();
    for half in 0..2 {
        let before = node.process().resident_kib();
        for crowd in 0..invitations / 2 {
            let name = |number| format!("crowd-{half}-{crowd}-{number}");
            let invitees: Vec<String> = (0..INVITEES).map(name).collect();
            alice.ok("invite", json!({ "invitees": invitees, "timeout_s": 3_600 })).await;
            if crowd % 100 == 99 {
                // A user sends a bounded number of them at once.
                alice = node.connect(&format!("alice-{half}-{crowd}"), "phone").await;
            }
        }
        until("all pushes to wait", async || all_wait(&node, (half + 1) * invitations / 2 * INVITEES).await).await;
        grown.push(node.process().resident_kib().saturating_sub(before));
    }
    println!("half of {invitations} invitations grew the node by {} KiB, the other half by {} KiB", grown[0], grown[1]);
    assert!(grown[1] < GROWTH_KIB, "the node grew by {} KiB", grown[1]);
    for _ in 0..5 {
        let started = Instant::now();
        let invited = alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 60 })).await;
        let ring = good.expect("push.ring", "bob").await;
        assert!(ring.at - started < AT_ONCE, "it took {:?}", ring.at - started);
        println!("a push of the other target took {:?}", ring.at - started);
        alice.ok("cancel", json!({ "invitation_id": invited["invitation_id"] })).await;
        good.expect("push.cancel", "bob").await;
    }
}

async fn all_wait(node: &Node, jobs: u32) -> Option<()> {
    let waiting = node.metric_if_any("ringwire_push_waiting{target=\"silent\"}").await?;
    (waiting >= f64::from(jobs.min(QUEUED))).then_some(())
}
