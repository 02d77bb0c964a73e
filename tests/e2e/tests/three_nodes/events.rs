//! Events of a cluster whose nodes die: what one was about to tell, another tells, in order.

use std::time::{Duration, Instant};

use ringwire_e2e::{Behaviour, Hook, Settings, Site, Targets, has};
use serde_json::json;

/// How long a target may take to answer in these tests.
const TIMEOUT_MS: u64 = 1_000;

/// What a node held when it died is told by another: the request's time, a margin of a second, and a look at the queue.
/// The second is for a loaded machine.
const TAKEN_OVER_WITHIN: Duration = Duration::from_millis(TIMEOUT_MS + 1_000 + 500 + 1_000);

#[tokio::test]
async fn an_event_whose_node_is_killed_while_it_is_sent_is_told_by_another_and_before_the_next() {
    let mut hook = Hook::new().await;
    let targets = Targets::new(&[]).with_events("billing", &hook);
    let settings = targets.of(Settings::new()).with("push.timeout_ms", TIMEOUT_MS);
    let mut site = Site::three_nodes(settings).await;
    let mut alice = site.nodes()[0].connect("alice", "phone").await;
    let mut bob = site.nodes()[1].connect("bob", "phone").await;
    // Whichever node takes it: the first one made it due at once, and looks first.
    hook.then([Behaviour::Silence]);
    let invited = alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 60 })).await;
    let id = &invited["invitation_id"];
    let first = hook.pushed().await;
    assert_eq!(first.body["type"], "invitation.created");
    site.nodes_mut()[0].kill();
    let killed = Instant::now();
    // What is settled meanwhile waits for it.
    bob.ok("accept", json!({ "invitation_id": id })).await;
    let again = hook.pushed().await;
    assert!(again.at - killed < TAKEN_OVER_WITHIN, "it took {:?}", again.at - killed);
    assert_eq!(again.id, first.id, "the hook can tell that it is the same");
    has(&again.body["data"], json!({ "invitation_id": id, "version": 2, "state": "settled" }));
    let settled = hook.pushed().await;
    assert_eq!(settled.body["type"], "invitation.settled");
    has(&settled.body["data"], json!({ "invitation_id": id, "version": 2 }));
    assert!(hook.rest().is_empty());
}
