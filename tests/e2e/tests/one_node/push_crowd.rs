//! Many pushes for a target that is down: they wait in the store, take no memory, and hold up nobody.

use std::time::{Duration, Instant};

use ringwire_e2e::{Behaviour, Hook, Node, Settings, Targets, until};
use serde_json::json;

/// Invitations of a hundred invitees each; `RINGWIRE_PUSH_CROWD` sets another number.
const INVITATIONS: usize = 40;
const INVITEES: usize = 100;
/// How much larger the process may be afterwards: what a store's cache and an allocator keep, and no job.
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
    let settings = targets.of(Settings::new()).without_rate_limit().with("push.timeout_ms", 1_000);
    let mut node = Node::start(settings).await;
    let mut alice = node.connect("alice", "phone").await;
    let mut bob = node.connect("bob", "phone").await;
    bob.ok("devices", json!({ "action": "set", "platform": "ios", "tokens": { "apns": "token" } })).await;
    bob.close().await;

    let before = node.process().resident_kib();
    for crowd in 0..invitations {
        let invitees: Vec<String> = (0..INVITEES).map(|number| format!("crowd-{crowd}-{number}")).collect();
        alice.ok("invite", json!({ "invitees": invitees, "timeout_s": 3_600 })).await;
        if crowd % 200 == 199 {
            // A user sends a bounded number of them at once.
            alice.close().await;
            alice = node.connect(&format!("alice-{crowd}"), "phone").await;
        }
    }
    let waiting = "ringwire_push_waiting{target=\"silent\"}";
    let jobs = f64::from(u32::try_from(invitations * INVITEES).unwrap());
    let has_all = async || {
        let text = node.operator().get("/metrics").await.text;
        let value = text.lines().find_map(|line| line.strip_prefix(waiting)?.trim().parse::<f64>().ok());
        value.is_some_and(|value| value >= jobs.min(100_000.0)).then_some(())
    };
    until("all pushes to wait", has_all).await;
    for _ in 0..5 {
        let started = Instant::now();
        let invited = alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 60 })).await;
        let ring = good.expect("push.ring", "bob").await;
        assert!(ring.at - started < AT_ONCE, "it took {:?}", ring.at - started);
        println!("a push of the other target took {:?}", ring.at - started);
        alice.ok("cancel", json!({ "invitation_id": invited["invitation_id"] })).await;
        good.expect("push.cancel", "bob").await;
    }
    let after = node.process().resident_kib();
    println!("{jobs} pushes wait; the node grew from {before} to {after} KiB");
    assert!(after < before + GROWTH_KIB, "the node grew from {before} to {after} KiB");
}
