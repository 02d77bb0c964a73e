//! What clients should not send. Each gets its error, for that client only.

use std::time::Duration;

use ringwire_client::raw::Data;
use ringwire_e2e::{Device, Http, Node, Settings, Site, has};
use serde_json::{Value, json};

/// Two users; what the first does wrong must not concern the second.
struct Scene {
    site: Site,
    rude: Device,
    other: Device,
}

impl Scene {
    async fn new() -> Self {
        let site = crate::site(Settings::new()).await;
        let rude = site.connect("mallory", "phone").await;
        let other = site.connect("bob", "phone").await;
        Self { site, rude, other }
    }

    /// Both still work, and nothing was done to anybody.
    async fn goes_on(mut self) {
        self.site.nothing_for([&mut self.rude, &mut self.other]).await;
    }

    /// The server closed the one with this code; the other still works.
    async fn closes(mut self, code: u16) {
        let closed = self.rude.closed().await;
        assert_eq!(closed.0, code, "{}", closed.1);
        assert_ne!(closed.1, "", "the close says why");
        self.site.nothing_for([&mut self.other]).await;
    }
}

#[tokio::test]
async fn a_frame_that_is_no_request_is_answered_with_what_is_wrong() {
    let mut scene = Scene::new().await;
    for (frame, name) in [
        ("", "parse_error"),
        ("{", "parse_error"),
        ("hello", "parse_error"),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}{}", "parse_error"),
        ("null", "invalid_request"),
        ("\"ping\"", "invalid_request"),
        ("[]", "invalid_request"),
        ("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", "invalid_request"),
        ("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", "invalid_request"),
        ("{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}", "invalid_request"),
        ("{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"ping\"}", "invalid_request"),
        ("{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}", "invalid_request"),
        ("{\"jsonrpc\":\"2.0\",\"method\":\"invite\",\"params\":{\"invitees\":[\"bob\"]}}", "invalid_request"),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"ping\"}", "invalid_request"),
    ] {
        scene.rude.send_text(frame).await;
        let error = scene.rude.protest().await;
        assert_eq!(error["data"]["name"], name, "{frame:?} was answered with {error}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
    let id = 77;
    for frame in [
        json!({ "id": id, "method": "ping" }),
        json!({ "jsonrpc": "1.0", "id": id, "method": "ping" }),
        json!({ "jsonrpc": "2.0", "id": id }),
        json!({ "jsonrpc": "2.0", "id": id, "method": 7 }),
        json!({ "jsonrpc": "2.0", "id": id, "method": "ping", "extra": 1 }),
    ] {
        scene.rude.send_text(&frame.to_string()).await;
        let error = scene.rude.answer(id).await.unwrap_err();
        assert_eq!(error["data"]["name"], "invalid_request", "{frame} was answered with {error}");
    }
    let extra = json!({ "jsonrpc": "2.0", "id": id, "method": "ping", "extra": 1 });
    scene.rude.send_text(&extra.to_string()).await;
    let error = scene.rude.answer(id).await.unwrap_err();
    assert!(error["message"].as_str().unwrap().contains("extra"), "{error}");
    scene.goes_on().await;
}

#[tokio::test]
async fn parameters_are_refused_by_name() {
    let mut scene = Scene::new().await;
    scene.rude.refused("dance", json!({}), "method_not_found").await;
    scene.rude.refused("Invite", json!({ "invitees": ["bob"] }), "method_not_found").await;
    let id = "00-00000000000000000000000000000000";
    for (method, params, field) in [
        ("invite", json!({}), "invitees"),
        ("invite", json!([["bob"]]), "params"),
        ("invite", json!("bob"), "params"),
        ("invite", json!({ "invitees": "bob" }), "invitees"),
        ("invite", json!({ "invitees": [7] }), "invitees[0]"),
        ("invite", json!({ "invitees": [] }), "invitees"),
        ("invite", json!({ "invitees": ["", ""] }), "invitees"),
        ("invite", json!({ "invitees": ["bob", "mallory"] }), "invitees"),
        ("invite", json!({ "invitees": ["bob"], "timeout": 30 }), "timeout"),
        ("invite", json!({ "invitees": ["bob"], "timeout_s": "30" }), "timeout_s"),
        ("invite", json!({ "invitees": ["bob"], "timeout_s": -1 }), "timeout_s"),
        ("invite", json!({ "invitees": ["bob"], "timeout_s": 1.5 }), "timeout_s"),
        ("invite", json!({ "invitees": ["bob"], "data": { "room": 7 } }), "data"),
        ("invite", json!({ "invitees": ["bob"], "kind": "video" }), "kind"),
        ("invite", json!({ "invitees": ["bob"], "audience": "everybody" }), "audience"),
        ("invite", json!({ "invitees": ["bob"], "as": "alice" }), "as"),
        ("accept", json!({}), "invitation_id"),
        ("accept", json!({ "invitation_id": "nonsense" }), "invitation_id"),
        ("accept", json!({ "invitation_id": id, "reason": "x" }), "reason"),
        ("reject", json!({ "invitation_id": id, "reason": 7 }), "reason"),
        ("cancel", json!({ "invitation_id": id, "invitees": "bob" }), "invitees"),
        ("modify", json!({ "invitation_id": id, "version": "1" }), "version"),
        ("signal", json!({ "invitation_id": id, "to": [""] }), "to[0]"),
        ("get", json!({ "invitation_id": id.to_uppercase().replace('0', "A") }), "invitation_id"),
        ("list_active", json!({ "limit": 0 }), "limit"),
        ("history", json!({ "peer": "" }), "peer"),
        ("ack", json!({ "offset": -1 }), "offset"),
        ("refresh_token", json!({}), "token"),
        ("ping", json!({ "x": 1 }), "x"),
        ("hello", json!({ "token": "x" }), "device_id"),
        ("hello", json!({ "token": "x", "device_id": "a\tb" }), "device_id"),
        ("hello", json!({ "token": "x", "device_id": "x".repeat(129) }), "device_id"),
        ("hello", json!({ "token": "x", "device_id": "p", "platform": "x".repeat(33) }), "platform"),
        ("hello", json!({ "token": "x", "device_id": "p", "resume": { "epoch": 1 } }), "resume.epoch"),
    ] {
        let refused = scene.rude.refused(method, params.clone(), "invalid_params").await;
        assert_eq!(refused["field"], field, "{method} {params}");
    }
    scene.goes_on().await;
}

#[tokio::test]
async fn the_id_of_a_foreign_or_unknown_invitation_is_not_found() {
    let mut scene = Scene::new().await;
    let invited = scene.other.ok("invite", json!({ "invitees": ["carol"] })).await;
    let foreign = invited["invitation_id"].as_str().unwrap().to_owned();
    // The same bits in another partition name nothing.
    let partition = u8::from_str_radix(&foreign[..2], 16).unwrap();
    let elsewhere = format!("{:02x}{}", partition.wrapping_add(1), &foreign[2..]);
    for id in [&foreign, &elsewhere, &"ff-ffffffffffffffffffffffffffffffff".to_owned()] {
        for method in ["get", "accept", "reject", "cancel", "modify", "signal"] {
            scene.rude.refused(method, json!({ "invitation_id": id }), "not_found").await;
        }
    }
    for method in ["get", "cancel", "modify", "signal"] {
        scene.other.refused(method, json!({ "invitation_id": elsewhere }), "not_found").await;
    }
    has(&scene.other.ok("get", json!({ "invitation_id": foreign })).await, json!({ "version": 1, "state": "active" }));
    scene.goes_on().await;
}

#[tokio::test]
async fn a_frame_may_have_128_kibibytes_and_not_one_more() {
    const LIMIT: usize = 128 * 1024;
    let mut scene = Scene::new().await;
    let padded = |id: i64, bytes: usize| {
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": "ping" }).to_string();
        format!("{request}{}", " ".repeat(bytes - request.len()))
    };
    scene.rude.send_text(&padded(900, LIMIT)).await;
    scene.rude.answer(900).await.unwrap();
    scene.rude.send_fragment(Data::Text, padded(901, LIMIT + 1).as_bytes(), true).await;
    scene.closes(1009).await;
}

#[tokio::test]
async fn fragments_may_have_128_kibibytes_together() {
    let mut scene = Scene::new().await;
    let request = json!({ "jsonrpc": "2.0", "id": 900, "method": "ping" }).to_string();
    let (head, tail) = request.split_at(9);
    scene.rude.send_fragment(Data::Text, head.as_bytes(), false).await;
    scene.rude.send_fragment(Data::Continue, tail.as_bytes(), true).await;
    scene.rude.answer(900).await.unwrap();
    let large = vec![b' '; 100 * 1024];
    scene.rude.send_fragment(Data::Text, &large, false).await;
    scene.rude.send_fragment(Data::Continue, &large, false).await;
    scene.closes(1009).await;
}

#[tokio::test]
async fn binary_frames_are_not_supported() {
    let mut scene = Scene::new().await;
    scene.rude.send_fragment(Data::Binary, b"{}", true).await;
    scene.closes(1003).await;
    let mut scene = Scene::new().await;
    scene.rude.send_fragment(Data::Binary, b"{", false).await;
    scene.closes(1003).await;
}

#[tokio::test]
async fn thousands_of_tiny_fragments_end_the_connection() {
    let mut scene = Scene::new().await;
    scene.rude.send_fragment(Data::Text, b"", false).await;
    for _ in 0..5_000 {
        scene.rude.send_fragment(Data::Continue, b"", false).await;
    }
    scene.closes(1008).await;
}

#[tokio::test]
async fn text_that_is_not_utf8_ends_the_connection() {
    let mut scene = Scene::new().await;
    scene.rude.send_fragment(Data::Text, b"{\"jsonrpc\":\"2.0\xff\"}", true).await;
    scene.closes(1007).await;
    let mut scene = Scene::new().await;
    scene.rude.send_fragment(Data::Text, b"{\"jsonrpc\":\"2.0", false).await;
    scene.rude.send_fragment(Data::Continue, b"\xc3", true).await;
    scene.closes(1007).await;
}

#[tokio::test]
async fn a_continuation_of_nothing_ends_the_connection() {
    let mut scene = Scene::new().await;
    scene.rude.send_fragment(Data::Continue, b"x", true).await;
    scene.closes(1002).await;
}

#[tokio::test]
async fn requests_over_the_rate_are_told_when_to_come_again() {
    let settings = Settings::new().with("connection.requests_per_second", 20).with("connection.request_burst", 10);
    let site = crate::site(settings).await;
    let mut rude = site.connect("mallory", "phone").await;
    let mut other = site.connect("bob", "phone").await;
    let mut requests = Vec::new();
    for _ in 0..30 {
        requests.push(rude.send("ping", json!({})).await);
    }
    let mut refused = Vec::new();
    for request in requests {
        if let Err(error) = rude.answer(request).await {
            assert_eq!(error["data"]["name"], "rate_limited", "{error}");
            refused.push(error["data"]["retry_after_ms"].as_u64().unwrap());
        }
    }
    assert!(!refused.is_empty() && refused.iter().all(|wait| (1..=50).contains(wait)), "{refused:?}");
    other.ok("ping", json!({})).await;
}

#[tokio::test]
async fn nonsense_counts_against_the_rate_and_waiting_helps() {
    let settings = Settings::new().with("connection.requests_per_second", 1).with("connection.request_burst", 3);
    let site = crate::site(settings).await;
    // Hello is the first of three.
    let mut rude = site.connect("mallory", "phone").await;
    let mut other = site.connect("bob", "phone").await;
    rude.send_text("nonsense").await;
    rude.send_text("more of it").await;
    let wait = rude.refused("ping", json!({}), "rate_limited").await["retry_after_ms"].as_u64().unwrap();
    assert!((1..=1_000).contains(&wait), "{wait}");
    assert!(site.metric("ringwire_limited_total{limit=\"requests\"}").await >= 1.0);
    other.ok("ping", json!({})).await;
    tokio::time::sleep(Duration::from_millis(wait)).await;
    rude.ok("ping", json!({})).await;
}

#[tokio::test]
async fn tokens_that_prove_nothing_are_refused() {
    let site = crate::site(Settings::new()).await;
    let stranger = Node::start(Settings::new().with("auth.hs256_secret", "another secret of 32 bytes, or so")).await;
    let valid = site.token("alice", None).await;
    let expired = site.token_with("alice", &["--ttl", "0s"]).await;
    let wrong_key = stranger.token("alice", None).await;
    let [header, claims, signature] = valid.split('.').collect::<Vec<_>>()[..] else {
        panic!("a token has three parts")
    };
    // {"alg":"none"}
    let unsigned = "eyJhbGciOiJub25lIn0";
    let reversed: String = signature.chars().rev().collect();
    let mut other = site.connect("bob", "phone").await;
    for token in [
        "",
        "x",
        "a.b.c",
        &expired,
        &wrong_key,
        &format!("{unsigned}.{claims}."),
        &format!("{unsigned}.{claims}.{signature}"),
        &format!("{header}.{claims}."),
        &format!("{header}.{claims}.{reversed}"),
        &"x".repeat(9 * 1024),
    ] {
        let mut device = Device::open(&site.url(), None).await;
        device.refused("hello", json!({ "token": token, "device_id": "phone" }), "unauthenticated").await;
        // The same connection may try again.
        device.greet(&valid, "phone").await;
        if !token.is_empty() {
            let reply = Http::new(site.public()).with_token(token).get("/v1/invitations").await;
            let _ = reply.problem(401, "unauthenticated");
        }
        device.close().await;
    }
    let mut device = Device::open(&site.url(), Some(&wrong_key)).await;
    device.refused("hello", json!({ "device_id": "phone" }), "unauthenticated").await;
    device.refused("hello", json!({ "device_id": "phone", "token": Value::Null }), "unauthenticated").await;
    site.nothing_for([&mut other]).await;
}

#[tokio::test]
async fn tokens_for_others_are_refused_where_the_operator_names_issuer_and_audience() {
    let settings = Settings::new().with("auth.hs256_secret", "s".repeat(32));
    let strict = settings.clone().with("auth.issuer", "https://id.example").with("auth.audience", "ringwire");
    let site = crate::site(strict.clone()).await;
    let mut alice = site.connect("alice", "phone").await;
    alice.ok("ping", json!({})).await;
    for other in [settings, strict.clone().with("auth.issuer", "x"), strict.with("auth.audience", "x")] {
        let token = Node::start(other).await.token("alice", None).await;
        let reply = Http::new(site.public()).with_token(&token).get("/v1/invitations").await;
        let _ = reply.problem(401, "unauthenticated");
    }
}

#[tokio::test]
async fn a_websocket_without_the_subprotocol_or_a_plain_request_does_no_harm() {
    let site = crate::site(Settings::new()).await;
    let plain = Http::new(site.public()).get("/v1/connect").await;
    assert!((400..500).contains(&plain.status), "{}", plain.status);
    let bare = ringwire_client::raw::Raw::connect_without_subprotocol(&site.url()).await;
    assert!(bare.is_ok(), "a client may leave the subprotocol out");
    let mut other = site.connect("bob", "phone").await;
    site.nothing_for([&mut other]).await;
}
