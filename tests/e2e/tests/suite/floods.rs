//! Who is turned away before anything of theirs is done: pages of foreign origins, and addresses and users that ask for
//! too much.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use ringwire_e2e::{Device, Http, Knock, Settings, Site, has, until};
use serde_json::json;

const PAGE: &str = "https://app.example";

#[tokio::test]
async fn pages_of_other_origins_are_refused_where_the_operator_lists_some() {
    let site =
        crate::site(Settings::new().with("http.allowed_origins", "https://App.example, http://localhost:3000")).await;
    for allowed in [PAGE, "HTTPS://APP.EXAMPLE", "http://localhost:3000"] {
        let knock = Knock::at(site.public(), &[("Origin", allowed)]).await;
        assert_eq!(knock.status, 101, "{allowed}: {}", knock.body);
    }
    for foreign in ["https://evil.example", "http://app.example", "https://app.example.evil.example", "null"] {
        let knock = Knock::at(site.public(), &[("Origin", foreign)]).await;
        assert_eq!((knock.status, &knock.body["name"]), (403, &json!("forbidden")), "{foreign}");
        let reply = site.http("alice").await.with_header("Origin", foreign).get("/v1/invitations").await;
        assert!(!reply.headers.contains_key("access-control-allow-origin"), "{foreign}");
        let _ = reply.problem(403, "forbidden");
    }
    // Programs are no pages.
    assert_eq!(Knock::at(site.public(), &[]).await.status, 101);
    site.connect("bob", "phone").await.ok("ping", json!({})).await;
    let refused = limited(&site, "origin").await;
    assert!((refused - 8.0).abs() < 0.5, "{refused}");
}

#[tokio::test]
async fn browsers_of_allowed_origins_can_use_http() {
    let site = crate::site(Settings::new().with("http.allowed_origins", PAGE)).await;
    let page = Http::new(site.public()).with_header("Origin", PAGE);
    let asking = page.clone().with_header("Access-Control-Request-Method", "POST");
    let asking = asking.with_header("Access-Control-Request-Headers", "authorization,idempotency-key");
    let preflight = asking.request("OPTIONS", "/v1/invitations", "").await;
    assert_eq!(preflight.status, 204);
    for (name, value) in [
        ("access-control-allow-origin", PAGE),
        ("access-control-allow-methods", "GET, POST, PUT, DELETE"),
        ("access-control-allow-headers", "authorization, content-type, idempotency-key"),
        ("vary", "origin, access-control-request-method, access-control-request-headers"),
    ] {
        assert_eq!(preflight.headers[name], value);
    }
    let token = site.token("alice", None).await;
    let reply = page.clone().with_token(&token).post("/v1/invitations", json!({ "invitees": ["bob"] })).await;
    assert_eq!(reply.headers["access-control-allow-origin"], PAGE);
    assert_eq!(reply.headers["vary"], "origin");
    has(&reply.expect(201), json!({ "failed": {} }));
    // A page has to be able to read what is wrong.
    let refused = page.get("/v1/invitations").await;
    assert_eq!(refused.headers["access-control-allow-origin"], PAGE);
    let _ = refused.problem(401, "unauthenticated");
    let program = site.http("alice").await.get("/v1/invitations").await;
    assert!(!program.headers.contains_key("access-control-allow-origin"));
    assert_eq!(program.headers["vary"], "origin");
}

#[tokio::test]
async fn without_a_list_every_page_may_connect_and_nothing_is_said_of_origins() {
    let site = crate::site(Settings::new()).await;
    assert_eq!(Knock::at(site.public(), &[("Origin", PAGE)]).await.status, 101);
    let reply = site.http("alice").await.with_header("Origin", PAGE).get("/v1/invitations").await;
    assert!(!reply.headers.contains_key("access-control-allow-origin") && !reply.headers.contains_key("vary"));
    let _ = reply.expect(200);
    let preflight =
        Http::new(site.public()).with_header("Origin", PAGE).request("OPTIONS", "/v1/invitations", "").await;
    let _ = preflight.problem(405, "method_not_found");
}

const NEIGHBOUR: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

const BURST: u64 = 3;

fn few_handshakes() -> Settings {
    Settings::new().with("limits.handshakes_per_second_per_ip", 1).with("limits.handshake_burst_per_ip", BURST)
}

/// All who knock with these headers get together what one address may, however long that takes.
async fn count_as_one(node: SocketAddr, forwarded: &[&str]) {
    let started = Instant::now();
    let mut taken = 0;
    for _ in 0..=BURST {
        for forwarded in forwarded {
            taken += u64::from(Knock::at(node, &[("X-Forwarded-For", forwarded)]).await.status == 101);
        }
    }
    let most = BURST + started.elapsed().as_secs() + 1;
    assert!((BURST..=most).contains(&taken), "{taken} instead of {most} at most");
}

async fn limited(site: &Site, limit: &str) -> f64 {
    site.metric(&format!("ringwire_limited_total{{limit=\"{limit}\"}}")).await
}

/// Uses up what an address may, and sees it turned away.
async fn flood(node: SocketAddr) -> Knock {
    for _ in 0..100 {
        let knock = Knock::at(node, &[]).await;
        if knock.status != 101 {
            return knock;
        }
    }
    panic!("nobody limits handshakes");
}

#[tokio::test]
async fn an_address_that_connects_too_fast_is_told_when_to_come_again_and_others_are_unharmed() {
    let site = crate::site(few_handshakes()).await;
    let node = site.public();
    let refused = flood(node).await;
    assert_eq!((refused.status, &refused.body["name"]), (429, &json!("rate_limited")));
    assert!((1..=1_000).contains(&refused.body["retry_after_ms"].as_u64().unwrap()), "{}", refused.body);
    assert_eq!(refused.headers["retry-after"], "1");
    assert!(limited(&site, "handshakes").await > 0.5);
    assert_eq!(Knock::from(NEIGHBOUR, node, &[]).await.status, 101);
    let comes_again = async || (Knock::at(node, &[]).await.status == 101).then_some(());
    until("the allowance to grow again", comes_again).await;
}

#[tokio::test]
async fn nobody_is_believed_about_another_address_but_a_trusted_proxy() {
    let site = crate::site(few_handshakes()).await;
    count_as_one(site.public(), &["192.0.2.1", "192.0.2.2", "192.0.2.3"]).await;

    let site = crate::site(few_handshakes().with("http.trusted_proxies", "127.0.0.1,10.0.0.0/8")).await;
    let node = site.public();
    // What the client itself wrote stands further left, and what a second proxy added further right.
    count_as_one(node, &["192.0.2.1", "198.51.100.1, 192.0.2.1", "192.0.2.1, 10.1.2.3"]).await;
    for other in ["192.0.2.2", "192.0.2.1, 192.0.2.3"] {
        assert_eq!(Knock::at(node, &[("X-Forwarded-For", other)]).await.status, 101, "{other}");
    }
    let neighbour = Knock::from(NEIGHBOUR, node, &[("X-Forwarded-For", "192.0.2.1")]).await;
    assert_eq!(neighbour.status, 101, "the neighbour is no proxy");
}

#[tokio::test]
async fn ipv6_addresses_of_one_network_count_as_one() {
    let site = crate::site(few_handshakes().with("http.trusted_proxies", "127.0.0.1")).await;
    let node = site.public();
    count_as_one(node, &["2001:db8::1", "2001:db8::2", "2001:db8::ffff:1"]).await;
    assert_eq!(Knock::at(node, &[("X-Forwarded-For", "2001:db8:0:1::1")]).await.status, 101);
}

#[tokio::test]
async fn an_address_has_as_many_connections_as_it_may_until_one_ends() {
    let site = crate::site(Settings::new().with("limits.connections_per_ip", 2)).await;
    let node = site.public();
    let (first, _second) = (Knock::at(node, &[]).await, Knock::at(node, &[]).await);
    assert_eq!(first.status, 101);
    let refused = Knock::at(node, &[]).await;
    assert_eq!((refused.status, &refused.body["name"]), (429, &json!("rate_limited")));
    assert_eq!(refused.headers["retry-after"], "1");
    assert!(limited(&site, "connections").await > 0.5);
    assert_eq!(Knock::from(NEIGHBOUR, node, &[]).await.status, 101);
    drop(first);
    until("room", async || (Knock::at(node, &[]).await.status == 101).then_some(())).await;
}

fn few_invites() -> Settings {
    Settings::new().with("limits.invites_per_second", 1).with("limits.invite_burst", BURST)
}

/// Invites until it is refused.
async fn invite_too_often(alice: &mut Device) -> serde_json::Value {
    for _ in 0..100 {
        if let Err(error) = alice.call("invite", json!({ "invitees": ["bob"] })).await {
            return error;
        }
    }
    panic!("nobody limits invites");
}

#[tokio::test]
async fn who_invites_too_fast_is_told_when_to_come_again_and_others_are_unharmed() {
    let site = crate::site(few_invites()).await;
    let node = &site.nodes()[0];
    let mut alice = node.connect("alice", "phone").await;
    let first = alice.ok("invite", json!({ "invitees": ["bob"], "request_id": "r-1" })).await;
    let refused = invite_too_often(&mut alice).await;
    assert_eq!(refused["data"]["name"], "rate_limited", "{refused}");
    assert!((1..=1_000).contains(&refused["data"]["retry_after_ms"].as_u64().unwrap()), "{refused}");
    assert!(limited(&site, "invites").await > 0.5);
    // What was done is told again, and everything else goes on.
    for _ in 0..=BURST {
        let again = alice.ok("invite", json!({ "invitees": ["bob"], "request_id": "r-1" })).await;
        assert_eq!(again, first);
    }
    alice.ok("cancel", json!({ "invitation_id": first["invitation_id"] })).await;
    node.connect("bob", "phone").await.ok("invite", json!({ "invitees": ["alice"] })).await;
    let invite = async || alice.call("invite", json!({ "invitees": ["carol"] })).await.ok();
    until("the allowance to grow again", invite).await;
}

#[tokio::test]
async fn a_user_has_one_allowance_of_invites_whichever_way_they_come() {
    let site = crate::site(few_invites()).await;
    let node = &site.nodes()[0];
    let mut devices = [node.connect("alice", "phone").await, node.connect("alice", "web").await];
    let (own, server) = (node.http("alice").await, node.server().await);
    let started = Instant::now();
    let mut taken = 0;
    let mut last = Vec::new();
    for _ in 0..=BURST {
        for device in &mut devices {
            taken += u64::from(device.call("invite", json!({ "invitees": ["bob"] })).await.is_ok());
        }
        last = vec![
            own.post("/v1/invitations", json!({ "invitees": ["bob"] })).await,
            server.post("/v1/invitations", json!({ "invitees": ["bob"], "as": "alice" })).await,
        ];
        taken += u64::try_from(last.iter().filter(|reply| reply.status == 201).count()).unwrap();
    }
    let most = BURST + started.elapsed().as_secs() + 1;
    assert!((BURST..=most).contains(&taken), "{taken} instead of {most} at most");
    for refused in last.into_iter().filter(|reply| reply.status != 201) {
        assert_eq!(refused.headers["retry-after"], "1");
        let _ = refused.problem(429, "rate_limited");
    }
    let _ = server.post("/v1/invitations", json!({ "invitees": ["bob"], "as": "carol" })).await.expect(201);
}

#[tokio::test]
async fn a_user_whom_many_invite_is_rung_only_so_often_and_others_do_not_notice() {
    const RINGS: usize = 5;
    const INVITERS: usize = 20;
    let site = crate::site(Settings::new().with("limits.rings_per_minute", RINGS)).await;
    let mut bob = site.connect("bob", "phone").await;
    let mut web = site.connect("bob", "web").await;
    let mut carol = site.connect("carol", "phone").await;
    let mut inviters = Vec::new();
    for number in 0..INVITERS {
        inviters.push(site.connect(&format!("inviter-{number}"), "phone").await);
    }
    let mut requests = Vec::new();
    for (number, inviter) in inviters.iter_mut().enumerate() {
        // Each has somebody else to ring as well.
        requests.push(inviter.send("invite", json!({ "invitees": ["bob", format!("friend-{number}")] })).await);
    }
    let mut rung = Vec::new();
    for (inviter, request) in inviters.iter_mut().zip(requests) {
        let invited = inviter.answer(request).await.unwrap();
        let failed = invited["failed"].as_object().unwrap();
        if failed.is_empty() {
            rung.push(invited["invitation_id"].clone());
        } else {
            has(&invited, json!({ "failed": { "bob": "rate_limited" } }));
        }
    }
    assert_eq!(rung.len(), RINGS);
    for device in [&mut bob, &mut web] {
        let mut heard = Vec::new();
        for _ in 0..RINGS {
            heard.push(device.expect("invitation.received").await["invitation_id"].clone());
        }
        assert!(heard.iter().all(|id| rung.contains(id)), "{heard:?}");
    }
    // Nothing waits for bob: the next event is of what he does himself.
    let own = bob.ok("invite", json!({ "invitees": ["carol"] })).await;
    has(&web.expect("invitation.sent").await, json!({ "invitation_id": own["invitation_id"] }));
    has(&carol.expect("invitation.received").await, json!({ "inviter": "bob" }));
    let limited = limited(&site, "rings").await;
    assert!((limited - 15.0).abs() < 0.5, "{limited}");
}
