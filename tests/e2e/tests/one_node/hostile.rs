//! Clients that mean harm, and secrets that must not leak.

use std::time::{Duration, Instant};

use ringwire_client::raw::Raw;
use ringwire_e2e::{Device, Http, Node, Process, Settings, has, within};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn json_that_is_deep_or_doubled_or_half_a_character_is_only_an_error() {
    let node = Node::new().await;
    let mut rude = node.connect("mallory", "phone").await;
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(20_000), close.repeat(20_000));
    rude.send_text(&deep("[", "]")).await;
    assert_eq!(rude.protest().await["data"]["name"], "invalid_request");
    rude.send_text(&deep("{\"a\":", "}").replace("{}", "{\"a\":1}")).await;
    rude.protest().await;
    for (id, params) in [
        (901, deep("[", "]")),
        (902, format!("{{\"invitees\":{}}}", deep("[", "]"))),
        (903, format!("{{\"invitees\":[\"bob\"],\"push\":{{\"desc\":\"x\",\"vendor\":{}}}}}", deep("[", "]"))),
        (904, "{\"invitees\":[\"bob\"],\"invitees\":[\"carol\"]}".to_owned()),
    ] {
        rude.send_text(&format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"invite\",\"params\":{params}}}")).await;
        let error = rude.answer(id).await.unwrap_err();
        assert_eq!(error["data"]["name"], "invalid_params", "{error}");
    }
    let half = "{\"jsonrpc\":\"2.0\",\"id\":905,\"method\":\"invite\",\"params\":{\"invitees\":[\"bob\"],\"data\":\"\\ud800\"}}";
    rude.send_text(half).await;
    rude.answer(905).await.unwrap_err();
    // A vendor object may be deep; it is handed on as it is.
    let vendor = format!("{}1{}", "{\"a\":".repeat(300), "}".repeat(300));
    let push = format!("{{\"desc\":\"x\",\"vendor\":{vendor}}}");
    let invite = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":906,\"method\":\"invite\",\"params\":{{\"invitees\":[\"bob\"],\"push\":{push}}}}}"
    );
    rude.send_text(&invite).await;
    rude.answer(906).await.unwrap();
    node.nothing_for([&mut rude]).await;
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut() {
    let node = Node::new().await;
    let started = Instant::now();
    let mut slow = TcpStream::connect(node.public()).await.unwrap();
    slow.write_all(b"GET /v1/connect HTTP/1.1\r\nHost: ringwire\r\nX-Slow: ").await.unwrap();
    let mut answer = Vec::new();
    within("the connection to be cut", slow.read_to_end(&mut answer)).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(12), "{:?}", started.elapsed());
    let mut other = node.connect("bob", "phone").await;
    node.nothing_for([&mut other]).await;
}

#[tokio::test]
async fn connections_that_say_nothing_do_not_keep_others_out() {
    let node = Node::start(Settings::new().with("connection.hello_timeout_s", 1)).await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(within("a connection", Raw::connect(&node.url(), None)).await.unwrap());
    }
    let mut alice = node.connect("alice", "phone").await;
    alice.ok("ping", json!({})).await;
    for raw in &mut silent {
        assert_eq!(raw.end_within(Duration::from_secs(10)).await.close_code(), Some(4105));
    }
    ringwire_e2e::until("them to be gone", async || (node.metric("ringwire_connections").await < 1.5).then_some(()))
        .await;
    alice.ok("ping", json!({})).await;
}

#[tokio::test]
async fn tokens_and_data_are_in_no_log() {
    let secret = "a secret that nobody should ever see";
    let settings = Settings::new().with("auth.hs256_secret", secret).with("log.filter", "trace");
    let mut node = Node::start(settings).await;
    let token = node.token("alice", None).await;
    let stranger = Node::start(Settings::new().with("auth.hs256_secret", "x".repeat(40))).await;
    let refused = stranger.token("alice", None).await;
    let mut alice = Device::open(&node.url(), Some(&token)).await;
    alice.refused("hello", json!({ "token": refused, "device_id": "phone" }), "unauthenticated").await;
    alice.greet(&token, "phone").await;
    alice.ok("refresh_token", json!({ "token": token })).await;
    alice.ok("invite", json!({ "invitees": ["bob"], "data": "between the two of us" })).await;
    let http = Http::new(node.public());
    let _ = http.clone().with_token(&token).get("/v1/invitations").await.expect(200);
    let _ = http.with_token(&refused).get("/v1/invitations").await.problem(401, "unauthenticated");
    assert_eq!(node.terminate().await.0, Some(0));
    assert!(node.log().lines().len() > 10, "the log is detailed");
    for line in node.log().lines() {
        for text in [secret, &token, &refused, "between the two of us"] {
            assert!(!line.text.contains(text), "{}", line.text);
        }
    }
}

#[tokio::test]
async fn a_start_that_is_killed_at_any_moment_is_not_in_the_way_of_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings::new().on(&directory.path().join("data"));
    for number in 0..25 {
        let mut process = Process::start(settings.command(&["serve"]));
        // Every two milliseconds of the start once: there is no right moment to wait for.
        tokio::time::sleep(Duration::from_millis(2 * number)).await;
        process.kill();
    }
    let mut node = Node::start_on(settings.clone()).await;
    let mut alice = node.connect("alice", "phone").await;
    let id = alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 600 })).await["invitation_id"].clone();
    for _ in 0..5 {
        node.kill();
        node.restart().await;
        has(&node.invitation("alice", id.as_str().unwrap()).await, json!({ "state": "active", "version": 1 }));
    }
}
