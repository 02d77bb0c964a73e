//! The operators' listener: health, readiness, metrics.

use ringwire_e2e::{Behaviour, Hook, Http, Node, Settings, Targets, until};
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
    assert!(node.metric("ringwire_limited_total{limit=\"node\"}").await >= 1.0);
    bob.close().await;
    until("room for another", async || ringwire_client::raw::Raw::connect(&node.url(), None).await.ok()).await;
    alice.ok("ping", json!({})).await;
}

#[tokio::test]
async fn a_dead_letter_of_a_target_that_is_gone_is_kept_and_not_replayed() {
    let hook = Hook::new().await;
    hook.always(Behaviour::Status(410));
    let (before, after) = (Targets::all_to(&hook), Targets::new(&[("other", &hook.url, &[])]));
    let directory = tempfile::tempdir().unwrap();
    let token = "the-admin-token-of-the-tests-of-this-file";
    let settings = Settings::new().on(&directory.path().join("data")).with("admin.token", token);
    let mut node = Node::start_on(before.of(settings.clone())).await;
    node.connect("alice", "phone").await.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 0 })).await;
    let letter = until("the dead letter", async || {
        let page = node.operator().with_token(token).get("/v1/push/dead_letters").await.expect(200);
        page["dead_letters"].get(0).cloned()
    })
    .await;
    node.terminate().await;
    let node = Node::start_on(after.of(settings)).await;
    let client = node.operator().with_token(token);
    let path = format!("/v1/push/dead_letters/{}", letter["id"].as_str().unwrap());
    let problem = client.post(&format!("{path}/replay"), json!({})).await.problem(409, "conflict");
    assert_eq!(problem["detail"], "the target hook is not configured at this node any more");
    assert_eq!(client.get(&path).await.expect(200), letter);
}
