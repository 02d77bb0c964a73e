//! The admin API: what operators see and change, whichever node they ask.

use ringwire_e2e::{Device, Http, Node, Settings, has, until};
use serde_json::{Value, json};

const TOKEN: &str = "the-admin-token-of-the-tests-of-this-file";

fn settings() -> Settings {
    Settings::new().with("admin.token", TOKEN)
}

fn operator(node: &Node) -> Http {
    node.operator().with_token(TOKEN)
}

fn id(invited: &Value) -> &str {
    invited["invitation_id"].as_str().expect("an invitation has an id")
}

#[tokio::test]
async fn it_is_closed_without_a_token_of_its_own() {
    let site = crate::site(Settings::new()).await;
    let node = site.node();
    for path in ["/", "/openapi.json", "/v1/nodes", "/v1/config", "/v1/nothing"] {
        let problem = node.operator().with_token("whatever").get(path).await.problem(403, "forbidden");
        assert!(problem["detail"].as_str().unwrap().contains("admin.token"), "{problem}");
    }
    assert_eq!(node.operator().get("/healthz").await.status, 200);
}

#[tokio::test]
async fn only_its_own_token_opens_it_and_opens_nothing_else() {
    let site = crate::site(settings()).await;
    let node = site.node();
    let _ = node.operator().get("/v1/nodes").await.problem(401, "unauthenticated");
    for other in [node.token("alice", None).await, node.token("backend", Some("server")).await, format!("{TOKEN}-")] {
        let client = node.operator().with_token(&other);
        let _ = client.get("/v1/nodes").await.problem(401, "unauthenticated");
        let _ = client.put("/v1/log", json!({ "filter": "off" })).await.problem(401, "unauthenticated");
    }
    let public = Http::new(node.public()).with_token(TOKEN);
    let _ = public.get("/v1/invitations").await.problem(401, "unauthenticated");
    let _ = operator(node).get("/v1/nothing").await.problem(404, "not_found");
    let _ = operator(node).post("/v1/nodes", json!({})).await.problem(405, "method_not_found");
    assert_eq!(node.operator().get("/").await.status, 200);
    assert_eq!(node.operator().get("/openapi.json").await.expect(200)["openapi"], "3.1.0");
}

#[tokio::test]
async fn every_node_lists_all_with_what_they_hold() {
    let site = crate::site(settings()).await;
    let node = site.node();
    let phone = node.connect("alice", "phone").await;
    for asked in site.nodes() {
        // Of the others it hears with their beats.
        let nodes = until("all nodes to have said how they are", async || {
            let nodes = operator(asked).get("/v1/nodes").await.expect(200)["nodes"].as_array().unwrap().clone();
            let connections = nodes.iter().filter_map(|node| node["said"]["connections"].as_u64());
            (connections.collect::<Vec<_>>().len() == site.nodes().len()
                && nodes.iter().any(|node| node["said"]["connections"] == 1))
            .then_some(nodes)
        })
        .await;
        let of = |wanted: &Node| {
            let wanted = wanted.public().to_string();
            nodes.iter().find(move |node| node["said"]["address"] == wanted).expect("it is in the list")
        };
        for other in site.nodes() {
            let is_holder = other.public() == node.public();
            let held = usize::from(is_holder);
            let said = json!({ "ready": true, "draining": false, "connections": held, "sessions": held, "actors": 0 });
            has(&of(other)["said"], said);
            assert!(of(other)["said"]["at"].as_u64() >= Some(other.ready_at_ms() - 5_000), "{nodes:?}");
            assert_eq!(of(other)["this"], other.public() == asked.public());
            assert_eq!(of(other)["id"] == phone.hello["node"], is_holder);
        }
    }
}

#[tokio::test]
async fn an_invitation_is_shown_whole_and_listed_whoever_asks() {
    let site = crate::site(settings()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "web").await;
    let invited = alice.ok("invite", json!({ "invitees": ["bob", "carol"], "data": "secret" })).await;
    let ring = bob.expect("invitation.received").await;
    bob.ack(&ring["offset"]).await;
    alice.expect("invitation.ringing").await;
    alice.ok("modify", json!({ "invitation_id": id(&invited), "data": "other" })).await;

    let seen = operator(site.node()).get(&format!("/v1/invitations/{}", id(&invited))).await.expect(200);
    has(&seen, json!({ "inviter": "alice", "state": "active", "version": 2, "data": "other" }));
    has(&seen["invitees"][0], json!({ "user": "bob", "state": "pending", "ringing_device_id": "web" }));
    has(&seen["operations"][0], json!({ "action": "invite", "data": "secret", "by": "alice", "device_id": "phone" }));
    has(&seen["operations"][1], json!({ "action": "modify", "data": "other" }));
    for nothing in ["/v1/invitations/nonsense", "/v1/invitations/00-00000000000000000000000000000000"] {
        let _ = operator(site.node()).get(nothing).await.problem(404, "not_found");
    }

    for _ in 0..2 {
        alice.ok("invite", json!({ "invitees": ["carol"] })).await;
    }
    let mut found = std::collections::BTreeSet::new();
    let mut query = "/v1/invitations?user=carol&state=active&limit=2".to_owned();
    loop {
        let page = operator(site.node()).get(&query).await.expect(200);
        found.extend(page["invitations"].as_array().unwrap().iter().map(|one| id(one).to_owned()));
        let Some(cursor) = page["cursor"].as_str() else { break };
        query = format!("/v1/invitations?user=carol&limit=2&cursor={cursor}");
    }
    assert_eq!(found.len(), 3);
    let client = operator(site.node());
    for (query, field) in [
        ("limit=2", "user"),
        ("user=", "user"),
        ("user=carol&state=settled", "state"),
        ("user=carol&cursor=forged", "cursor"),
        ("user=carol&limit=1000", "limit"),
        ("user=carol&colour=red", "colour"),
        ("user=carol&user=bob", "user"),
        ("user=carol&as=bob", "as"),
    ] {
        let problem = client.get(&format!("/v1/invitations?{query}")).await.problem(400, "invalid_params");
        assert_eq!(problem["field"], field, "{query}");
    }
}

#[tokio::test]
async fn a_cancelled_invitation_ends_on_every_device_with_the_reason() {
    let site = crate::site(settings()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "web").await;
    let invited = alice.ok("invite", json!({ "invitees": ["bob"] })).await;
    bob.expect("invitation.received").await;
    let node = site.node();
    let path = format!("/v1/invitations/{}/cancel", id(&invited));
    let problem = operator(node).post(&path, json!({})).await.problem(400, "invalid_params");
    assert_eq!(problem["field"], "reason");
    let done = operator(node).post(&path, json!({ "reason": "abuse" })).await.expect(200);
    has(&done, json!({ "version": 2, "invitees": ["bob"] }));
    for device in [&mut alice, &mut bob] {
        let event = device.expect("invitation.cancelled").await;
        has(&event, json!({ "invitation_id": id(&invited), "reason": "abuse", "settled": true, "invitees": ["bob"] }));
    }
    let _ = operator(node).post(&path, json!({ "reason": "abuse" })).await.problem(409, "already_settled");
    let missing = "/v1/invitations/00-00000000000000000000000000000000/cancel";
    let _ = operator(node).post(missing, json!({ "reason": "abuse" })).await.problem(404, "not_found");

    let record = |outcome: &'static str| {
        node.log().find("the record", move |line| {
            line.fields["operation"] == "POST /v1/invitations/{id}/cancel" && line.fields["outcome"] == outcome
        })
    };
    let line = record("ok").await.unwrap();
    has(&line.fields, json!({ "subject": id(&invited), "reason": "abuse", "level": "INFO" }));
    assert!(line.fields["remote"].as_str().unwrap().starts_with("127.0.0.1:"), "{}", line.text);
    for outcome in ["already_settled", "not_found", "invalid_params"] {
        record(outcome).await.unwrap();
    }
}

#[tokio::test]
async fn groups_are_managed_without_a_servers_token() {
    let site = crate::site(settings()).await;
    let _ = operator(site.node()).get("/v1/groups/team").await.problem(404, "group_not_found");
    let group = json!({ "group_id": "team", "members": ["alice", "bob"] });
    let put = operator(site.node()).put("/v1/groups/team", json!({ "members": ["bob", "alice"] })).await.expect(200);
    assert_eq!(put, group);
    assert_eq!(operator(site.node()).get("/v1/groups/team").await.expect(200), group);
    let mut alice = site.connect("alice", "phone").await;
    alice.ok("invite", json!({ "invitees": ["bob"], "group_id": "team" })).await;
    assert_eq!(operator(site.node()).delete("/v1/groups/team").await.status, 204);
    let _ = operator(site.node()).delete("/v1/groups/team").await.problem(404, "group_not_found");
}

#[tokio::test]
async fn settings_are_shown_without_secrets_and_the_log_can_be_changed() {
    let site = crate::site(settings().with("auth.hs256_secret", "x".repeat(40))).await;
    let node = site.node();
    let config = operator(node).get("/v1/config").await.expect(200);
    has(&config["admin"], json!({ "token": "***" }));
    has(&config["auth"], json!({ "hs256_secret": "***" }));
    has(&config["log"], json!({ "format": "json" }));

    let client = operator(node);
    let before = client.get("/v1/log").await.expect(200);
    assert_eq!(before["filter"], config["log"]["filter"]);
    for wrong in [json!({ "filter": "ringwire_node=loud" }), json!({ "filter": "x".repeat(1025) })] {
        assert_eq!(client.put("/v1/log", wrong).await.problem(400, "invalid_params")["field"], "filter");
    }
    assert_eq!(client.get("/v1/log").await.expect(200), before);
    let quiet = json!({ "filter": "off" });
    assert_eq!(client.put("/v1/log", quiet.clone()).await.expect(200), quiet);
    // The record of operators' requests goes on under every filter.
    assert_eq!(client.put("/v1/log", before.clone()).await.expect(200), before);
    let records = || {
        let lines = node.log().lines();
        let records = lines.iter().filter(|line| line.fields["operation"] == "PUT /v1/log");
        records.map(|line| line.fields["outcome"].clone()).collect::<Vec<_>>()
    };
    until("all records", async || (records().len() == 4).then_some(())).await;
    assert_eq!(records(), ["invalid_params", "invalid_params", "ok", "ok"]);
}

#[tokio::test]
async fn timers_are_counted() {
    let site = crate::site(settings()).await;
    let mut alice = site.connect("alice", "phone").await;
    for timeout_s in [0, 30, 40, 3_600] {
        alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": timeout_s })).await;
    }
    let timers = operator(site.node()).get("/v1/timers").await.expect(200);
    has(
        &timers,
        json!({ "overdue": { "deadlines": 0, "pushes": 0, "relays": 0 }, "oldest_overdue_ms": 0, "more": false }),
    );
    has(&timers["soon"], json!({ "deadlines": 2, "pushes": 0, "relays": 0 }));
}

#[tokio::test]
async fn a_drained_node_ends_as_on_a_signal_whichever_is_asked() {
    let mut site = crate::site(settings().with("shutdown.drain_ms", 0)).await;
    let asked = operator(site.nodes().last().unwrap());
    for nothing in ["0000000000000000", "nonsense", "+1"] {
        let path = format!("/v1/nodes/{nothing}/drain");
        let _ = asked.post(&path, json!({})).await.problem(404, "not_found");
    }
    // The last one is asked for all, and goes last.
    for node in site.nodes_mut() {
        let mut phone = node.connect("alice", "phone").await;
        let path = format!("/v1/nodes/{}/drain", phone.hello["node"].as_str().unwrap());
        assert_eq!(asked.post(&path, json!({ "reason": "upgrade" })).await.status, 202);
        assert_eq!(phone.closed().await, (1012, "draining".to_owned()));
        assert_eq!(node.process().ended().await.0, Some(0));
    }
}

#[tokio::test]
async fn a_user_is_found_and_kicked_on_whichever_node() {
    let site = crate::site(settings()).await;
    let mut phone = site.connect("alice", "phone").await;
    let mut web = site.connect("alice", "web").await;
    let mut bob = site.connect("bob", "phone").await;
    bob.ok("invite", json!({ "invitees": ["alice"], "timeout_s": 0 })).await;
    phone.expect("invitation.received").await;
    web.expect("invitation.received").await;
    phone.ok("invite", json!({ "invitees": ["carol"] })).await;
    web.expect("invitation.sent").await;

    let set = json!({ "action": "set", "platform": "ios", "tokens": { "apns_voip": "a secret" } });
    phone.ok("devices", set).await;

    let seen = operator(site.node()).get("/v1/users/alice").await.expect(200);
    has(&seen["devices"][0], json!({ "device_id": "phone", "platform": "ios", "providers": ["apns_voip"] }));
    assert!(!seen.to_string().contains("secret"), "{seen}");
    has(&seen, json!({ "user": "alice", "present": true, "active": { "inviter": 1, "invitee": 1 } }));
    let mut connections = seen["connections"].as_array().unwrap().clone();
    connections.sort_by_key(|one| one["device_id"].to_string());
    let at = |device: &Device, id: &str| json!({ "device_id": id, "node": device.hello["node"] });
    assert_eq!(connections, [at(&phone, "phone"), at(&web, "web")]);
    let nobody = operator(site.node()).get("/v1/users/nobody").await.expect(200);
    has(
        &nobody,
        json!({ "present": false, "connections": [], "devices": [], "active": { "inviter": 0, "invitee": 0 } }),
    );

    let client = operator(site.node());
    let only = json!({ "device_id": "phone", "reason": "stolen" });
    let kicked = client.post("/v1/users/alice/kick", only).await.expect(200);
    assert_eq!(kicked, json!({ "closed": [at(&phone, "phone")] }));
    assert_eq!(phone.closed().await, (4101, "kicked".to_owned()));
    until("the connection to be gone", async || {
        let seen = client.get("/v1/users/alice").await.expect(200);
        (seen["connections"].as_array().unwrap().len() == 1).then_some(())
    })
    .await;
    web.ok("ping", json!({})).await;

    let kicked = client.request("POST", "/v1/users/alice/kick", "").await.expect(200);
    assert_eq!(kicked, json!({ "closed": [at(&web, "web")] }));
    assert_eq!(web.closed().await, (4101, "kicked".to_owned()));
    until("nobody to be there", async || {
        let kicked = client.post("/v1/users/alice/kick", json!({})).await.expect(200);
        kicked["closed"].as_array().unwrap().is_empty().then_some(())
    })
    .await;
    bob.ok("ping", json!({})).await;
    let long = json!({ "reason": "x".repeat(65) });
    assert_eq!(client.post("/v1/users/alice/kick", long).await.problem(400, "invalid_params")["field"], "reason");
    let wrong = json!({ "device_id": "" });
    assert_eq!(client.post("/v1/users/alice/kick", wrong).await.problem(400, "invalid_params")["field"], "device_id");
    // Its token is still good, so a person may come back.
    site.connect("alice", "phone").await;
}
