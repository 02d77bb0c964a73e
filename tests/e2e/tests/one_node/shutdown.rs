//! SIGTERM: clients are sent elsewhere in good order, and the process ends in time.

use std::time::{Duration, Instant};

use ringwire_client::ErrorCode;
use ringwire_client::raw::Raw;
use ringwire_e2e::{Http, Mute, Node, Settings, Told, Witness, audit, has, until};
use serde_json::json;

#[tokio::test]
async fn clients_are_told_and_closed_within_the_window() {
    let mut node = Node::start(Settings::new().with("shutdown.drain_ms", 1_000)).await;
    let mut devices = Vec::new();
    for number in 0..20 {
        devices.push(node.connect(&format!("user-{number}"), "phone").await);
    }
    let id = devices[0].ok("invite", json!({ "invitees": ["user-1"] })).await["invitation_id"].clone();
    devices[1].expect("invitation.received").await;

    let started = Instant::now();
    node.process().terminate();
    let mut closed_after = Vec::new();
    for device in &mut devices {
        has(&device.expect("session.closing").await, json!({ "reason": "draining" }));
        assert_eq!(device.closed().await, (1012, "draining".to_owned()));
        closed_after.push(started.elapsed());
    }
    // Read one after the other, so the last one read says when all were closed.
    assert!(closed_after[19] <= Duration::from_secs(2), "{closed_after:?}");
    let (code, _) = node.process().ended().await;
    assert_eq!(code, Some(0));
    assert!(started.elapsed() <= Duration::from_secs(5), "it took {:?}", started.elapsed());

    node.restart().await;
    has(&node.invitation("user-1", id.as_str().unwrap()).await, json!({ "state": "active", "version": 1 }));
}

#[tokio::test]
async fn an_interrupt_from_the_terminal_ends_it_as_well() {
    let mut node = Node::start(Settings::new().with("shutdown.drain_ms", 100)).await;
    let mut alice = node.connect("alice", "phone").await;
    node.process().interrupt();
    assert_eq!(alice.closed().await.0, 1012);
    assert_eq!(node.process().ended().await.0, Some(0));
}

#[tokio::test]
async fn a_node_that_drains_serves_those_it_has_and_takes_nobody_new() {
    let mut node = Node::start(Settings::new().with("shutdown.drain_ms", 4_000)).await;
    let token = node.token("late", None).await;
    let mut devices = Vec::new();
    for number in 0..20 {
        devices.push(node.connect(&format!("user-{number}"), "phone").await);
    }
    node.process().terminate();
    until("the node to be unready", async || (!node.is_ready().await).then_some(())).await;
    assert_eq!(node.operator().get("/healthz").await.status, 200);
    let refused = Raw::connect(&node.url(), None).await.err().expect("it takes no new connection");
    assert_eq!(refused.code(), Some(ErrorCode::Unavailable), "{refused}");
    // Requests over HTTP still work, and so do the connections whose turn has not come.
    let late = Http::new(node.public()).with_token(&token);
    let _ = late.post("/v1/invitations", json!({ "invitees": ["user-0"] })).await.expect(201);
    let mut served = 0;
    for device in &mut devices {
        served += usize::from(device.call_or_end("ping", json!({})).await.is_some_and(|answer| answer.is_ok()));
    }
    assert!(served > 0, "no turn of twenty is in the last seconds");
    assert_eq!(node.process().ended().await.0, Some(0));
}

#[tokio::test]
async fn a_client_that_never_reads_does_not_hold_the_process() {
    let settings = Settings::new()
        .without_rate_limit()
        .with("connection.outbound_kib", 64 * 1024)
        .with("shutdown.drain_ms", 500)
        .with("shutdown.deadline_ms", 5_000);
    let mut node = Node::start(settings).await;
    let mut alice = node.connect("alice", "phone").await;
    let _mute = Mute::connect(&node, "bob", "phone").await;
    let id = alice.ok("invite", json!({ "invitees": ["bob"] })).await["invitation_id"].clone();
    // More than the sockets' buffers hold, less than the queue that cuts a slow reader.
    let mut requests = Vec::new();
    for _ in 0..50 {
        let signal = json!({ "invitation_id": id, "data": "x".repeat(12 * 1024) });
        requests.push(alice.send("signal", signal).await);
    }
    for request in requests {
        alice.answer(request).await.unwrap();
    }
    let started = Instant::now();
    let (code, _) = node.terminate().await;
    assert_eq!(code, Some(0));
    assert!(started.elapsed() <= Duration::from_secs(6), "it took {:?}", started.elapsed());
    alice.expect("session.closing").await;
}

#[tokio::test]
async fn clients_of_the_sdk_come_back_after_a_restart_and_go_on() {
    let mut node = Node::start(Settings::new().with("shutdown.drain_ms", 200)).await;
    let alice = Witness::connect(&node, "alice", "phone").await;
    let bob = Witness::connect(&node, "bob", "phone").await;
    let bobs = ringwire_client::UserId::parse("bob").unwrap();
    let invite = ringwire_client::params::InviteParams::new(vec![bobs]);
    let invited = alice.client.invite(invite).await.unwrap();
    bob.hears_event("invitation.received").await;
    assert_eq!(node.terminate().await.0, Some(0));
    let reason = bob
        .hears("the end of the connection", |told| match told {
            Told::Disconnected(reason) => Some(reason.clone()),
            Told::Connected { .. } | Told::Event(_) => None,
        })
        .await;
    assert_eq!(reason.close_code(), Some(1012));
    // Asked while the node is away, done when it is back.
    let accept = ringwire_client::params::AcceptParams::new(invited.invitation_id);
    let (accepted, ()) = tokio::join!(bob.client.accept(accept), node.restart());
    assert_eq!(accepted.unwrap().version, 2);
    assert_eq!(alice.hears_event("invitation.accepted").await.invitation_id, invited.invitation_id);
    for witness in [alice, bob] {
        audit::is_gap_free(&node, &witness).await;
        witness.close().await;
    }
}
