//! Tokens of an issuer that publishes its keys: while it rotates them, and while it is away.

use futures_util::future::join_all;
use ringwire_e2e::http::HttpReply;
use ringwire_e2e::{Device, Http, Issuer, Node, Settings, SigningKey, has, until};
use serde_json::json;

const ALL: [&str; 3] = ["RS256", "ES256", "EdDSA"];
/// Longer than a test: one look at the keys for whatever comes.
const ONCE: u64 = 3_600;

/// A node that accepts the issuer's tokens and has its keys.
async fn node(issuer: &Issuer, throttle_s: u64) -> Node {
    let settings = Settings::new().with("auth.jwks_throttle_s", throttle_s);
    let node = Node::start(issuer.accepted_by(settings, &ALL)).await;
    is_counted(&node, &issuer.metric("ok"), 1).await;
    node
}

/// Waits until the node has counted so many, and no more.
async fn is_counted(node: &Node, metric: &str, times: u64) {
    until(metric, async || {
        let text = node.operator().get("/metrics").await.text;
        text.lines().any(|line| line == format!("{metric} {times}")).then_some(())
    })
    .await;
}

async fn listed(node: &Node, token: &str) -> HttpReply {
    Http::new(node.public()).with_token(token).get("/v1/invitations").await
}

/// What the node says about a token in the end, when it was told to wait as often as a slow machine makes it.
async fn verdict(node: &Node, token: &str) -> HttpReply {
    until("a verdict about a token", async || {
        let reply = listed(node, token).await;
        (reply.status != 503).then_some(reply)
    })
    .await
}

#[tokio::test]
async fn tokens_under_published_keys_open_websocket_and_http() {
    let issuer = Issuer::new(&[("a", SigningKey::Rsa), ("b", SigningKey::Elliptic), ("c", SigningKey::Edwards)]).await;
    let node = node(&issuer, ONCE).await;
    for (id, key) in [("a", SigningKey::Rsa), ("b", SigningKey::Elliptic), ("c", SigningKey::Edwards)] {
        let token = issuer.token(id, key, "alice");
        let _ = listed(&node, &token).await.expect(200);
        let mut alice = Device::open(&node.url(), None).await;
        alice.greet(&token, "phone").await;
        has(&alice.hello, json!({ "user": "alice" }));
    }
    let backend = issuer.token_with("a", SigningKey::Rsa, &json!({ "sub": "backend", "role": "server" }));
    let server = Http::new(node.public()).with_token(&backend);
    let _ = server.get("/v1/invitations?as=alice").await.expect(200);
    // Others are verified as ever.
    let mut bob = node.connect("bob", "phone").await;
    node.nothing_for([&mut bob]).await;
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn tokens_that_are_not_the_issuers_are_refused_without_asking_it() {
    let issuer = Issuer::new(&[("a", SigningKey::Rsa), ("b", SigningKey::Elliptic)]).await;
    let node = node(&issuer, 1).await;
    for (claims, key) in [
        (json!({ "sub": "alice", "iss": "https://id.elsewhere" }), SigningKey::Rsa),
        (json!({ "sub": "alice", "iss": null }), SigningKey::Rsa),
        (json!({ "sub": "alice", "aud": "mail" }), SigningKey::Rsa),
        (json!({ "sub": "alice", "exp": 1_000_000_000 }), SigningKey::Rsa),
        (json!({ "sub": "" }), SigningKey::Rsa),
        // Another key under this one's id.
        (json!({ "sub": "alice" }), SigningKey::Elliptic),
    ] {
        let _ = listed(&node, &issuer.token_with("a", key, &claims)).await.problem(401, "unauthenticated");
    }
    let mut stranger = Device::open(&node.url(), None).await;
    let token = issuer.token_with("a", SigningKey::Rsa, &json!({ "sub": "alice", "iss": "https://id.elsewhere" }));
    stranger.refused("hello", json!({ "token": token, "device_id": "phone" }), "unauthenticated").await;
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn a_new_key_is_found_when_the_first_token_names_it() {
    let issuer = Issuer::new(&[("old", SigningKey::Rsa)]).await;
    let node = node(&issuer, ONCE).await;
    issuer.publish(&[("old", SigningKey::Rsa), ("new", SigningKey::Elliptic)]);
    // All at once: they share one look.
    let users: Vec<_> =
        (0..8).map(|number| issuer.token("new", SigningKey::Elliptic, &format!("user-{number}"))).collect();
    for reply in join_all(users.iter().map(|token| verdict(&node, token))).await {
        let _ = reply.expect(200);
    }
    let _ = listed(&node, &issuer.token("old", SigningKey::Rsa, "alice")).await.expect(200);
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn a_live_connection_takes_a_token_under_a_new_key() {
    let issuer = Issuer::new(&[("old", SigningKey::Rsa)]).await;
    let node = node(&issuer, ONCE).await;
    let mut alice = Device::open(&node.url(), None).await;
    alice.greet(&issuer.token("old", SigningKey::Rsa, "alice"), "phone").await;
    issuer.publish(&[("new", SigningKey::Edwards)]);
    let expires_at = 4_000_000_000_u64;
    let token = issuer.token_with("new", SigningKey::Edwards, &json!({ "sub": "alice", "exp": expires_at }));
    let refreshed =
        until("the token to be taken", async || match alice.call("refresh_token", json!({ "token": token })).await {
            Err(error) if error["data"]["name"] == "unavailable" => None,
            answer => Some(answer.unwrap()),
        })
        .await;
    has(&refreshed, json!({ "expires_at": expires_at * 1000 }));
    let of_bob = issuer.token("new", SigningKey::Edwards, "bob");
    alice.refused("refresh_token", json!({ "token": of_bob }), "forbidden").await;
    let retired = issuer.token("old", SigningKey::Rsa, "alice");
    alice.refused("refresh_token", json!({ "token": retired }), "unauthenticated").await;
    node.nothing_for([&mut alice]).await;
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn while_the_issuer_is_away_known_keys_go_on_and_others_have_to_wait() {
    let issuer = Issuer::new(&[("old", SigningKey::Rsa)]).await;
    let node = node(&issuer, 1).await;
    issuer.leave();
    let (old, new) =
        (issuer.token("old", SigningKey::Rsa, "alice"), issuer.token("new", SigningKey::Elliptic, "alice"));
    let problem = listed(&node, &new).await.problem(503, "unavailable");
    assert!(problem["retry_after_ms"].as_u64().unwrap() > 0, "{problem}");
    is_counted(&node, &issuer.metric("failed"), 1).await;
    let mut alice = Device::open(&node.url(), None).await;
    alice.refused("hello", json!({ "token": new, "device_id": "phone" }), "unavailable").await;
    alice.greet(&old, "phone").await;
    let _ = listed(&node, &old).await.expect(200);
    assert!(node.is_ready().await);
    // It comes back with the new key: whoever tries again is let in, and a token under no key is refused for good.
    issuer.publish(&[("old", SigningKey::Rsa), ("new", SigningKey::Elliptic)]);
    let _ = verdict(&node, &new).await.expect(200);
    let forged = issuer.token("forged", SigningKey::Edwards, "alice");
    let _ = verdict(&node, &forged).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_node_that_starts_before_its_issuer_serves_it_as_soon_as_it_is_there() {
    let issuer = Issuer::new(&[]).await;
    issuer.leave();
    let settings = Settings::new().with("auth.jwks_throttle_s", 1);
    let node = Node::start(issuer.accepted_by(settings, &ALL)).await;
    issuer.is_asked(1).await;
    assert!(node.is_ready().await);
    let token = issuer.token("a", SigningKey::Rsa, "alice");
    let _ = listed(&node, &token).await.problem(503, "unavailable");
    issuer.publish(&[("a", SigningKey::Rsa)]);
    let _ = verdict(&node, &token).await.expect(200);
}

#[tokio::test]
async fn keys_that_are_taken_back_or_added_are_seen_without_a_token_that_asks() {
    let issuer = Issuer::new(&[("old", SigningKey::Rsa)]).await;
    let settings = Settings::new().with("auth.jwks_refresh_s", 1).with("auth.jwks_throttle_s", ONCE);
    let node = Node::start(issuer.accepted_by(settings, &ALL)).await;
    let token = issuer.token("old", SigningKey::Rsa, "alice");
    let _ = verdict(&node, &token).await.expect(200);
    issuer.publish(&[("new", SigningKey::Elliptic)]);
    until("the old key to be gone", async || (listed(&node, &token).await.status == 401).then_some(())).await;
    let _ = verdict(&node, &issuer.token("new", SigningKey::Elliptic, "alice")).await.expect(200);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_makes_the_node_ask_once_and_holds_nobody_up() {
    let issuer = Issuer::new(&[("a", SigningKey::Edwards)]).await;
    let node = node(&issuer, ONCE).await;
    let mut alice = Device::open(&node.url(), None).await;
    alice.greet(&issuer.token("a", SigningKey::Edwards, "alice"), "phone").await;
    for wave in 0..4 {
        let tokens: Vec<_> =
            (0..50).map(|number| issuer.token(&format!("{wave}-{number}"), SigningKey::Edwards, "mallory")).collect();
        let flood = join_all(tokens.iter().map(|token| listed(&node, token)));
        let (replies, ()) = tokio::join!(flood, async {
            alice.ok("ping", json!({})).await;
        });
        for reply in replies {
            assert!(reply.status == 401 || reply.status == 503, "{}", reply.text);
        }
    }
    let last = issuer.token("last", SigningKey::Edwards, "mallory");
    let _ = verdict(&node, &last).await.problem(401, "unauthenticated");
    assert_eq!(issuer.asked(), 2);
    is_counted(&node, &issuer.metric("ok"), 2).await;
}
