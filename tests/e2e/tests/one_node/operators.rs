//! The operators' listener: health, readiness, metrics.

use ringwire_e2e::{Http, Node, Settings, until};
use serde_json::json;

#[tokio::test]
async fn health_and_readiness_are_told_to_operators_only() {
    let node = Node::new().await;
    for target in ["/healthz", "/readyz"] {
        let reply = node.operator().get(target).await;
        assert_eq!((reply.status, reply.text.as_str()), (200, "ok\n"), "{target}");
    }
    for target in ["/healthz", "/readyz", "/metrics"] {
        let _ = Http::new(node.public()).get(target).await.problem(404, "not_found");
    }
    let _ = node.operator().get("/v1/connect").await.problem(403, "forbidden");
}

#[tokio::test]
async fn metrics_count_what_happens() {
    let node = Node::new().await;
    let reply = node.operator().get("/metrics").await;
    assert!(reply.headers["content-type"].starts_with("application/openmetrics-text"), "{:?}", reply.headers);
    assert!(reply.text.ends_with("# EOF\n"));

    let mut alice = node.connect("alice", "phone").await;
    let mut bob = node.connect("bob", "phone").await;
    let id = alice.ok("invite", json!({ "invitees": ["bob"] })).await["invitation_id"].clone();
    bob.ok("accept", json!({ "invitation_id": id })).await;
    bob.refused("accept", json!({ "invitation_id": id }), "already_settled").await;
    let exactly = async |name: &str, wanted: f64| (node.metric(name).await - wanted).abs() < 0.5;
    assert!(exactly("ringwire_operations_total{operation=\"invite\",result=\"ok\"}", 1.0).await);
    assert!(exactly("ringwire_operations_total{operation=\"accept\",result=\"ok\"}", 1.0).await);
    assert!(exactly("ringwire_operations_total{operation=\"accept\",result=\"already_settled\"}", 1.0).await);
    assert!(exactly("ringwire_stage_seconds_count{stage=\"commit\"}", 2.0).await);
    assert!(exactly("ringwire_connections", 2.0).await);
    bob.close().await;
    until("the connection to be gone", async || exactly("ringwire_connections", 1.0).await.then_some(())).await;
    until("the session to be gone", async || exactly("ringwire_sessions", 1.0).await.then_some(())).await;
}

#[tokio::test]
async fn more_connections_than_allowed_are_turned_away() {
    let node = Node::start(Settings::new().with("http.max_connections", 2)).await;
    let mut alice = node.connect("alice", "phone").await;
    let bob = node.connect("bob", "phone").await;
    let refused = ringwire_client::raw::Raw::connect(&node.url(), None).await;
    let error = refused.err().expect("the third is turned away");
    assert_eq!(error.code(), Some(ringwire_client::ErrorCode::Unavailable), "{error}");
    bob.close().await;
    until("room for another", async || ringwire_client::raw::Raw::connect(&node.url(), None).await.ok()).await;
    alice.ok("ping", json!({})).await;
}
