//! A disk without room: nothing new is acknowledged, nothing acknowledged is lost, and the node lives.

use ringwire_e2e::{Node, Settings, has, until};
use serde_json::{Value, json};

/// An invitation that fills two pages of the store, by one of several inviters.
fn invite(number: usize) -> Value {
    let data = format!("{number:>5}{}", "x".repeat(8_000));
    let inviter = format!("inviter-{}", number / 100);
    json!({ "as": inviter, "invitees": ["carol"], "timeout_s": 0, "data": data, "request_id": format!("r-{number}") })
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_heals_without_a_restart() {
    let settings = Settings::new().without_rate_limit().surviving_full_disk();
    let mut node = Node::start(settings).await;
    let mut alice = node.connect("alice", "phone").await;
    let mut bob = node.connect("bob", "phone").await;
    let server = node.server().await;
    let standing = alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 600 })).await["invitation_id"].clone();
    bob.expect("invitation.received").await;
    let mut acknowledged = Vec::new();

    // From here on the file of the store cannot grow.
    let bytes = std::fs::metadata(node.data().join("store.redb")).unwrap().len();
    node.process().limit_files(Some(bytes));
    let mut failed = None;
    for number in 0..2_000 {
        let reply = server.post("/v1/invitations", invite(number)).await;
        if reply.status == 503 {
            let problem = reply.problem(503, "unavailable");
            assert!(problem["retry_after_ms"].is_u64());
            failed = Some(number);
            break;
        }
        acknowledged.push(reply.expect(201)["invitation_id"].as_str().unwrap().to_owned());
    }
    let failed = failed.expect("2 000 invitations do not fit into a file that cannot grow");

    // Little may still fit where something was before. From here on nothing does, and every operation says so, on every
    // protocol; connections stay.
    node.process().limit_files(Some(0));
    alice.refused("invite", json!({ "invitees": ["carol"] }), "unavailable").await;
    assert_eq!(node.operator().get("/healthz").await.status, 200);
    until("the node to be unready", async || (!node.is_ready().await).then_some(())).await;
    bob.refused("accept", json!({ "invitation_id": standing }), "unavailable").await;
    alice.refused("cancel", json!({ "invitation_id": standing }), "unavailable").await;
    let unavailable = alice.refused("invite", json!({ "invitees": ["carol"] }), "unavailable").await;
    assert!(unavailable["retry_after_ms"].as_u64().unwrap() > 0);
    alice.ok("ping", json!({})).await;

    // Room again: it recovers by itself, and connected devices go on.
    node.process().limit_files(None);
    until("the node to be ready", async || node.is_ready().await.then_some(())).await;
    let repeated = server.post("/v1/invitations", invite(failed)).await.expect(201);
    acknowledged.push(repeated["invitation_id"].as_str().unwrap().to_owned());
    bob.ok("accept", json!({ "invitation_id": standing, "data": "at last" })).await;
    has(&alice.expect("invitation.accepted").await, json!({ "data": "at last", "invitee": "bob" }));
    node.nothing_for([&mut alice, &mut bob]).await;

    for restarted in [false, true] {
        if restarted {
            node.kill();
            node.restart().await;
        }
        for (number, id) in acknowledged.iter().enumerate() {
            let Value::String(inviter) = invite(number)["as"].take() else { panic!("an inviter has a name") };
            let seen = server.get(&format!("/v1/invitations/{id}?as={inviter}")).await.expect(200);
            has(&seen, json!({ "data": invite(number)["data"], "version": 1 }));
        }
        let seen = node.invitation("alice", standing.as_str().unwrap()).await;
        has(&seen, json!({ "state": "settled", "version": 2 }));
    }
}

#[tokio::test]
async fn a_crash_on_a_disk_that_takes_nothing_loses_nothing() {
    let settings = Settings::new().without_rate_limit().surviving_full_disk();
    let mut node = Node::start(settings).await;
    let mut alice = node.connect("alice", "phone").await;
    let mut acknowledged = Vec::new();
    for _ in 0..50 {
        let invited = alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 600 })).await;
        acknowledged.push(invited["invitation_id"].as_str().unwrap().to_owned());
    }
    // Not even what is there can be written over.
    node.process().limit_files(Some(0));
    let invite = json!({ "invitees": ["carol"], "timeout_s": 600, "request_id": "r-1" });
    alice.refused("invite", invite.clone(), "unavailable").await;
    alice.refused("cancel", json!({ "invitation_id": acknowledged[0] }), "unavailable").await;
    node.kill();
    node.restart().await;
    for id in &acknowledged {
        has(&node.invitation("alice", id).await, json!({ "state": "active", "version": 1 }));
    }
    let mut alice = node.connect("alice", "phone").await;
    let invited = alice.ok("invite", invite.clone()).await;
    assert_eq!(alice.ok("invite", invite).await, invited);
    let listed = alice.ok("list_active", json!({ "limit": 100 })).await;
    assert_eq!(listed["invitations"].as_array().unwrap().len(), 51);
}
