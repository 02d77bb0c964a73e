//! Connections: hello, devices that replace each other, tokens that expire.

use ringwire_e2e::{Device, Settings, has};
use serde_json::json;

#[tokio::test]
async fn hello_says_who_is_connected_and_where() {
    let site = crate::site(Settings::new().with("connection.heartbeat_s", 25)).await;
    let alice = site.connect("alice", "phone").await;
    has(&alice.hello, json!({ "user": "alice", "resumed": false, "heartbeat_s": 25, "offset": 0 }));
    for text in ["node", "epoch", "check"] {
        assert!(alice.hello[text].is_string(), "{text}");
    }
    assert!(alice.hello["server_time"].is_u64());
    has(&alice.snapshot, json!({ "active": [], "missed": [], "more": false }));
}

#[tokio::test]
async fn the_token_may_come_in_the_header() {
    let site = crate::site(Settings::new()).await;
    let token = site.token("alice", None).await;
    let mut alice = Device::open(&site.url(), Some(&token)).await;
    let hello = alice.ok("hello", json!({ "device_id": "phone", "platform": "linux" })).await;
    has(&hello, json!({ "user": "alice" }));
    alice.expect("session.snapshot").await;
}

#[tokio::test]
async fn ping_tells_the_servers_time() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let pong = alice.ok("ping", json!({})).await;
    let apart = pong["server_time"].as_u64().unwrap().abs_diff(alice.hello["server_time"].as_u64().unwrap());
    assert!(apart < 10_000);
}

#[tokio::test]
async fn the_same_device_again_replaces_its_older_connection() {
    let site = crate::site(Settings::new()).await;
    let mut older = site.connect("alice", "phone").await;
    let mut desk = site.connect("alice", "desk").await;
    let mut newer = site.connect("alice", "phone").await;
    has(&older.expect("session.closing").await, json!({ "reason": "replaced" }));
    assert_eq!(older.closed().await, (4100, "replaced".to_owned()));
    site.nothing_for([&mut desk, &mut newer]).await;
}

#[tokio::test]
async fn an_eleventh_device_closes_the_longest_connected_one() {
    let site = crate::site(Settings::new()).await;
    let mut first = site.connect("alice", "device-0").await;
    let mut others = Vec::new();
    for number in 1..11 {
        others.push(site.connect("alice", &format!("device-{number}")).await);
    }
    has(&first.expect("session.closing").await, json!({ "reason": "too_many_devices" }));
    assert_eq!(first.closed().await.0, 4104);
    assert!(site.metric("ringwire_limited_total{limit=\"devices\"}").await >= 1.0);
    let mut bob = site.connect("bob", "phone").await;
    bob.ok("invite", json!({ "invitees": ["alice"] })).await;
    for device in &mut others {
        device.expect("invitation.received").await;
    }
}

#[tokio::test]
async fn a_connection_without_hello_is_closed() {
    let site = crate::site(Settings::new().with("connection.hello_timeout_s", 1)).await;
    let mut silent = Device::open(&site.url(), None).await;
    has(&silent.expect("session.closing").await, json!({ "reason": "hello_timeout" }));
    assert_eq!(silent.closed().await, (4105, "hello_timeout".to_owned()));
    // A hello that is refused is none.
    let mut refused = Device::open(&site.url(), None).await;
    refused.refused("hello", json!({ "token": "x", "device_id": "phone" }), "unauthenticated").await;
    refused.expect("session.closing").await;
    assert_eq!(refused.closed().await.0, 4105);
}

#[tokio::test]
async fn hello_twice_is_refused_and_the_session_goes_on() {
    let site = crate::site(Settings::new()).await;
    let token = site.token("alice", None).await;
    let mut alice = site.connect("alice", "phone").await;
    alice.refused("hello", json!({ "token": token, "device_id": "phone" }), "invalid_request").await;
    site.nothing_for([&mut alice]).await;
}

#[tokio::test]
async fn nothing_works_before_hello() {
    let site = crate::site(Settings::new()).await;
    let mut stranger = Device::open(&site.url(), None).await;
    for (method, params) in [
        ("invite", json!({ "invitees": ["bob"] })),
        ("accept", json!({ "invitation_id": "00-00000000000000000000000000000000" })),
        ("list_active", json!({})),
        ("ping", json!({})),
        ("ack", json!({ "offset": 1 })),
        ("refresh_token", json!({ "token": "x" })),
    ] {
        stranger.refused(method, params, "unauthenticated").await;
    }
    stranger.greet(&site.token("alice", None).await, "phone").await;
    site.nothing_for([&mut stranger]).await;
}

#[tokio::test]
async fn an_expiring_token_is_announced_and_then_ends_the_connection() {
    let settings = Settings::new().with("connection.token_warning_s", 1).with("connection.token_grace_s", 1);
    let site = crate::site(settings).await;
    let token = site.token_with("alice", &["--ttl", "3s"]).await;
    let mut alice = Device::open(&site.url(), None).await;
    alice.greet(&token, "phone").await;
    let warning = alice.expect("session.closing").await;
    has(&warning, json!({ "reason": "token_expired" }));
    assert!(warning["closes_at"].is_u64());
    alice.ok("ping", json!({})).await;
    let closing = alice.expect("session.closing").await;
    has(&closing, json!({ "reason": "token_expired" }));
    assert_eq!(closing.get("closes_at"), None);
    assert_eq!(alice.closed().await, (4102, "token_expired".to_owned()));
}

#[tokio::test]
async fn a_token_that_has_expired_only_serves_to_be_refreshed() {
    let settings = Settings::new().with("connection.token_warning_s", 0).with("connection.token_grace_s", 60);
    let site = crate::site(settings).await;
    let token = site.token_with("alice", &["--ttl", "1s"]).await;
    let mut alice = Device::open(&site.url(), None).await;
    alice.greet(&token, "phone").await;
    // With no warning before it, the announcement comes when the token expires.
    alice.expect("session.closing").await;
    alice.refused("ping", json!({}), "unauthenticated").await;
    let other = site.token("bob", None).await;
    alice.refused("refresh_token", json!({ "token": other }), "forbidden").await;
    alice.refused("refresh_token", json!({ "token": token }), "unauthenticated").await;
    let fresh = site.token("alice", None).await;
    let refreshed = alice.ok("refresh_token", json!({ "token": fresh })).await;
    assert!(refreshed["expires_at"].as_u64().unwrap() > alice.hello["server_time"].as_u64().unwrap() + 3_600_000);
    alice.ok("ping", json!({})).await;
    site.nothing_for([&mut alice]).await;
}

#[tokio::test]
async fn a_connection_whose_token_was_refreshed_outlives_the_first_one() {
    let settings = Settings::new().with("connection.token_warning_s", 1).with("connection.token_grace_s", 0);
    let site = crate::site(settings).await;
    let fresh = site.token("alice", None).await;
    let mut alice = Device::open(&site.url(), None).await;
    alice.greet(&site.token_with("alice", &["--ttl", "2s"]).await, "phone").await;
    let mut bob = Device::open(&site.url(), None).await;
    bob.greet(&site.token_with("bob", &["--ttl", "3s"]).await, "phone").await;
    alice.expect("session.closing").await;
    alice.ok("refresh_token", json!({ "token": fresh })).await;
    // Bob's token outlived alice's first one.
    bob.expect("session.closing").await;
    bob.expect("session.closing").await;
    assert_eq!(bob.closed().await.0, 4102);
    site.nothing_for([&mut alice]).await;
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_dropped() {
    let settings = Settings::new().with("connection.heartbeat_s", 1).with("connection.pong_timeout_s", 1);
    let site = crate::site(settings).await;
    let mut alice = site.connect("alice", "phone").await;
    // Bob reads nothing, and so answers nothing.
    let mut bob = site.connect("bob", "phone").await;
    ringwire_e2e::until("bob to be dropped", async || {
        alice.ok("ping", json!({})).await;
        (site.metric("ringwire_connections").await < 1.5).then_some(())
    })
    .await;
    assert_eq!(bob.closed().await.0, 1000);
    alice.ok("ping", json!({})).await;
}
