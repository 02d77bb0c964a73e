//! Pushes of a cluster whose nodes die: what one was about to tell a hook, another tells.

use std::time::{Duration, Instant};

use ringwire_e2e::{Behaviour, Hook, Settings, Site, Targets, has};
use serde_json::json;

/// How long a target may take to answer in these tests.
const TIMEOUT_MS: u64 = 1_000;

/// What a node held when it died is told by another: the request's time, a margin of a second, and a look at the queue.
/// The second is for a loaded machine.
const TAKEN_OVER_WITHIN: Duration = Duration::from_millis(TIMEOUT_MS + 1_000 + 500 + 1_000);

/// What falls due while its node is dead is found by the second node that looks after it, within a second and a half.
const FOUND_WITHIN: Duration = Duration::from_millis(2_000 + 1_500 + 1_000);

async fn site(hook: &Hook) -> (Site, Targets) {
    let targets = Targets::all_to(hook);
    let settings = targets.of(Settings::new()).with("push.timeout_ms", TIMEOUT_MS);
    (Site::three_nodes(settings).await, targets)
}

#[tokio::test]
async fn a_push_whose_node_is_killed_while_it_is_sent_is_sent_by_another() {
    let mut hook = Hook::new().await;
    let (mut site, _targets) = site(&hook).await;
    let mut alice = site.nodes()[0].connect("alice", "phone").await;
    // Whichever node takes it: the first one made it due at once, and looks first.
    hook.then([Behaviour::Silence]);
    let invited = alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 60 })).await;
    let first = hook.expect("push.ring", "bob").await;
    site.nodes_mut()[0].kill();
    let killed = Instant::now();
    let again = hook.expect("push.ring", "bob").await;
    println!("told again {:?} after the kill", again.at - killed);
    assert!(again.at - killed < TAKEN_OVER_WITHIN, "it took {:?}", again.at - killed);
    assert_eq!(again.id, first.id, "the hook can tell that it is the same");

    // Woken, bob finds the ring anywhere, and alice is told elsewhere.
    let mut bob = site.nodes()[1].connect("bob", "phone").await;
    has(&bob.snapshot["active"][0], json!({ "invitation_id": invited["invitation_id"] }));
    bob.ok("accept", json!({ "invitation_id": invited["invitation_id"] })).await;
    let over = hook.expect("push.cancel", "bob").await;
    has(&over.body["data"], json!({ "state": "accepted", "device_id": "phone" }));
    assert!(hook.rest().is_empty());
}

#[tokio::test]
async fn a_push_that_falls_due_after_its_node_was_killed_is_sent_by_another() {
    let mut hook = Hook::new().await;
    let (mut site, _targets) = site(&hook).await;
    let mut alice = site.nodes()[0].connect("alice", "phone").await;
    let mut bob = site.nodes()[1].connect("bob", "phone").await;
    let invited = alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 8 })).await;
    let rung = Instant::now();
    site.nodes_mut()[0].kill();
    // Bob's device has it, and says nothing.
    bob.expect("invitation.received").await;
    let ring = hook.expect("push.ring", "bob").await;
    println!("told {:?} after the ring", ring.at - rung);
    assert!(ring.at - rung < FOUND_WITHIN, "it took {:?}", ring.at - rung);
    let over = hook.expect("push.cancel", "bob").await;
    has(&over.body["data"], json!({ "state": "timed_out", "invitation_id": invited["invitation_id"] }));
    assert!(hook.rest().is_empty());
}

#[tokio::test]
async fn nodes_that_all_look_send_each_push_once() {
    const RINGS: usize = 100;
    let mut hook = Hook::new().await;
    let targets = Targets::all_to(&hook);
    let site = Site::three_nodes(targets.of(Settings::new()).without_rate_limit()).await;
    let mut inviters = Vec::new();
    for number in 0..3 {
        inviters.push(site.nodes()[number].connect(&format!("alice-{number}"), "phone").await);
    }
    let mut requests = Vec::new();
    for number in 0..RINGS {
        let invite = json!({ "invitees": [format!("bob-{number}")], "timeout_s": 60 });
        requests.push((number % 3, inviters[number % 3].send("invite", invite).await));
    }
    let mut ids = std::collections::BTreeSet::new();
    for (inviter, request) in requests {
        let invited = inviters[inviter].answer(request).await.unwrap();
        ids.insert((inviter, invited["invitation_id"].as_str().unwrap().to_owned()));
    }
    let mut told = std::collections::BTreeSet::new();
    for _ in 0..RINGS {
        assert!(told.insert(hook.pushed().await.id), "a push came twice");
    }
    for (inviter, id) in &ids {
        inviters[*inviter].ok("cancel", json!({ "invitation_id": id })).await;
    }
    for _ in 0..RINGS {
        let over = hook.pushed().await;
        assert_eq!(over.body["type"], "push.cancel");
        assert!(told.insert(over.id), "a push came twice");
    }
    assert!(hook.rest().is_empty());
}
