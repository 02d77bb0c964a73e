//! The HTTP interface: the same operations for servers and scripts, told to the same devices.

use ringwire_e2e::{Http, Settings, has};
use serde_json::{Value, json};

fn path(invited: &Value, operation: &str) -> String {
    format!("/v1/invitations/{}{operation}", invited["invitation_id"].as_str().expect("an invitation has an id"))
}

#[tokio::test]
async fn every_operation_over_http_reaches_devices_on_websockets() {
    let site = crate::site(Settings::new()).await;
    let alice = site.http("alice").await;
    let bob = site.http("bob").await;
    let mut phone = site.connect("bob", "phone").await;
    let mut desk = site.connect("alice", "desk").await;

    let invite = json!({ "invitees": ["bob", "carol"], "data": "x", "device_id": "script" });
    let invited = alice.post("/v1/invitations", invite).await.expect(201);
    has(&invited, json!({ "failed": {} }));
    let id = &invited["invitation_id"];
    let ring = phone.expect("invitation.received").await;
    has(&ring, json!({ "invitation_id": id, "data": "x", "inviter": "alice" }));
    has(&desk.expect("invitation.sent").await, json!({ "invitation_id": id, "device_id": "script" }));

    let _ = alice.post(&path(&invited, "/modify"), json!({ "data": "y", "version": 1 })).await.expect(200);
    has(&phone.expect("invitation.modified").await, json!({ "data": "y", "device_id": Value::Null }));
    desk.expect("invitation.modified").await;
    let posted = alice.post(&path(&invited, "/signal"), json!({ "data": "s", "to": ["bob"] })).await.expect(200);
    has(&posted, json!({ "invitation_id": id }));
    has(&phone.expect("signal").await, json!({ "data": "s", "from": "alice" }));
    let accepted = bob.post(&path(&invited, "/accept"), json!({ "data": "yes" })).await.expect(200);
    has(&accepted, json!({ "version": 3, "invitees": ["bob"] }));
    has(&desk.expect("invitation.accepted").await, json!({ "invitee": "bob", "data": "yes" }));
    // No device answered, so all of bob's hear of it.
    has(&phone.expect("invitation.answered_elsewhere").await, json!({ "outcome": "accepted" }));

    let active = alice.get("/v1/invitations?limit=5").await.expect(200);
    has(&active["invitations"][0], json!({ "invitation_id": id, "state": "active", "version": 3 }));
    let cancelled = alice.post(&path(&invited, "/cancel"), json!({ "invitees": ["carol"] })).await.expect(200);
    has(&cancelled, json!({ "invitees": ["carol"] }));
    desk.expect("invitation.cancelled").await;
    let seen = bob.get(&path(&invited, "")).await.expect(200);
    has(&seen, json!({ "state": "settled", "data": "y" }));
    has(&bob.get("/v1/invitations").await.expect(200), json!({ "invitations": [] }));

    let second = bob.post("/v1/invitations", json!({ "invitees": ["alice"], "timeout_s": 0 })).await.expect(201);
    has(&second, json!({ "expires_at": null }));
    desk.expect("invitation.received").await;
    phone.expect("invitation.sent").await;
    let reject = json!({ "reason": "busy", "device_id": "script" });
    let _ = alice.post(&path(&second, "/reject"), reject).await.expect(200);
    has(&phone.expect("invitation.rejected").await, json!({ "reason": "busy", "device_id": "script" }));
    desk.expect("invitation.answered_elsewhere").await;

    let page = alice.get("/v1/history?peer=bob&limit=1").await.expect(200);
    has(&page["messages"][0], json!({ "action": "reject", "invitation_id": second["invitation_id"] }));
    let cursor = page["cursor"].as_str().unwrap();
    let page = alice.get(&format!("/v1/history?peer=bob&limit=1&cursor={cursor}")).await.expect(200);
    has(&page["messages"][0], json!({ "action": "invite", "invitation_id": second["invitation_id"] }));
    site.nothing_for([&mut phone, &mut desk]).await;
}

#[tokio::test]
async fn an_idempotency_key_makes_a_repeat_harmless() {
    let site = crate::site(Settings::new()).await;
    let alice = site.http("alice").await;
    let mut bob = site.connect("bob", "phone").await;
    let keyed = alice.clone().with_header("Idempotency-Key", "k-1");
    let invite = json!({ "invitees": ["bob"] });
    let invited = keyed.post("/v1/invitations", invite.clone()).await.expect(201);
    assert_eq!(keyed.post("/v1/invitations", invite.clone()).await.expect(201), invited);
    let named = json!({ "invitees": ["bob"], "request_id": "k-1" });
    assert_eq!(alice.post("/v1/invitations", named.clone()).await.expect(201), invited);
    // The same request id over the other protocol.
    let mut phone = site.connect("alice", "phone").await;
    assert_eq!(phone.ok("invite", named).await, invited);
    let _ = keyed.post("/v1/invitations", json!({ "invitees": ["carol"] })).await.problem(409, "conflict");
    let differs = json!({ "invitees": ["bob"], "request_id": "k-2" });
    let refused = keyed.post("/v1/invitations", differs).await.problem(400, "invalid_params");
    has(&refused, json!({ "field": "request_id" }));

    let cancelling = alice.clone().with_header("Idempotency-Key", "k-2");
    let cancelled = cancelling.post(&path(&invited, "/cancel"), json!({})).await.expect(200);
    assert_eq!(cancelling.post(&path(&invited, "/cancel"), json!({})).await.expect(200), cancelled);
    let _ = alice.post(&path(&invited, "/cancel"), json!({})).await.problem(409, "already_settled");
    bob.expect("invitation.received").await;
    bob.expect("invitation.cancelled").await;
    phone.expect("invitation.cancelled").await;
    site.nothing_for([&mut bob, &mut phone]).await;

    let long = alice.with_header("Idempotency-Key", &"x".repeat(65));
    let _ = long.post("/v1/invitations", invite).await.problem(400, "invalid_params");
}

#[tokio::test]
async fn only_a_servers_token_acts_for_other_users() {
    let site = crate::site(Settings::new()).await;
    let server = site.server().await;
    let mallory = site.http("mallory").await;
    let mut bob = site.connect("bob", "phone").await;
    let invite = json!({ "as": "alice", "invitees": ["bob"] });
    let _ = mallory.post("/v1/invitations", invite.clone()).await.problem(403, "forbidden");
    let invited = server.post("/v1/invitations", invite).await.expect(201);
    has(&bob.expect("invitation.received").await, json!({ "inviter": "alice" }));
    for (method, target) in [
        ("GET", path(&invited, "?as=alice")),
        ("GET", "/v1/invitations?as=alice".to_owned()),
        ("GET", "/v1/history?peer=bob&as=alice".to_owned()),
    ] {
        let _ = mallory.request(method, &target, "").await.problem(403, "forbidden");
        let _ = server.request(method, &target, "").await.expect(200);
    }
    let _ = mallory.post(&path(&invited, "/accept"), json!({ "as": "bob" })).await.problem(403, "forbidden");
    let _ = server.post(&path(&invited, "/accept"), json!({ "as": "bob" })).await.expect(200);
    has(&bob.expect("invitation.answered_elsewhere").await, json!({ "invitee": "bob" }));
    // Naming oneself is no acting for others.
    let _ = mallory.post("/v1/invitations", json!({ "as": "mallory", "invitees": ["eve"] })).await.expect(201);
}

#[tokio::test]
async fn servers_manage_groups_and_users_do_not() {
    let site = crate::site(Settings::new()).await;
    let server = site.server().await;
    let user = site.http("alice").await;
    for (method, target, body) in [
        ("PUT", "/v1/groups/team", "{\"members\":[\"alice\"]}"),
        ("GET", "/v1/groups/team", ""),
        ("DELETE", "/v1/groups/team", ""),
        ("PUT", "/v1/groups/team/members/alice", ""),
        ("DELETE", "/v1/groups/team/members/alice", ""),
    ] {
        let _ = user.request(method, target, body).await.problem(403, "forbidden");
    }
    for (method, target) in [
        ("GET", "/v1/groups/team"),
        ("DELETE", "/v1/groups/team"),
        ("PUT", "/v1/groups/team/members/bob"),
        ("DELETE", "/v1/groups/team/members/bob"),
    ] {
        let _ = server.request(method, target, "").await.problem(404, "group_not_found");
    }
    let made = server.put("/v1/groups/team", json!({ "members": ["carol", "alice", "carol"] })).await.expect(200);
    assert_eq!(made, json!({ "group_id": "team", "members": ["alice", "carol"] }));
    let added = server.put("/v1/groups/team/members/b%C3%B6b%2F", json!({})).await;
    assert_eq!((added.status, added.text.as_str()), (204, ""));
    assert_eq!(server.delete("/v1/groups/team/members/carol").await.status, 204);
    let seen = server.get("/v1/groups/team").await.expect(200);
    assert_eq!(seen["members"], json!(["alice", "böb/"]));
    let members: Vec<String> = (0..501).map(|number| format!("member-{number}")).collect();
    let refused = server.put("/v1/groups/team", json!({ "members": members })).await.problem(400, "invalid_params");
    has(&refused, json!({ "field": "members" }));
    let _ = server.put("/v1/groups/team", json!({ "members": members[..500] })).await.expect(200);
    let _ = server.put("/v1/groups/team/members/one-more", json!({})).await.problem(400, "invalid_params");
    assert_eq!(server.delete("/v1/groups/team").await.status, 204);
    let _ = server.get("/v1/groups/team").await.problem(404, "group_not_found");
}

#[tokio::test]
async fn problems_are_told_as_problem_json() {
    let site = crate::site(Settings::new()).await;
    let alice = site.http("alice").await;
    let nothing = Http::new(site.public());
    for client in [nothing.clone(), nothing.with_token("nonsense")] {
        for target in ["/v1/invitations", "/v1/history?peer=bob", "/v1/groups/team"] {
            let reply = client.get(target).await;
            assert_eq!(reply.headers["www-authenticate"], "Bearer");
            let _ = reply.problem(401, "unauthenticated");
        }
    }
    for target in ["/", "/v2/invitations", "/v1/invitations/", "/v1/invitations/x/accept/y", "/healthz", "/metrics"] {
        let _ = alice.get(target).await.problem(404, "not_found");
    }
    for (method, target) in [
        ("DELETE", "/v1/invitations"),
        ("POST", "/v1/history"),
        ("PATCH", "/v1/groups/team"),
        ("GET", "/v1/invitations/00-00000000000000000000000000000000/accept"),
        ("POST", "/v1/invitations/00-00000000000000000000000000000000"),
    ] {
        let _ = alice.request(method, target, "").await.problem(405, "method_not_found");
    }
    let missing = "/v1/invitations/00-00000000000000000000000000000000";
    let _ = alice.get(missing).await.problem(404, "not_found");
    let _ = alice.get("/v1/invitations/nonsense").await.problem(404, "not_found");
    let _ = alice.post(&format!("{missing}/dance"), json!({})).await.problem(404, "not_found");
    for (body, name, field) in [
        ("{", "parse_error", Value::Null),
        ("[]", "invalid_params", json!("body")),
        ("{\"invitees\":[\"bob\"],\"dta\":\"x\"}", "invalid_params", json!("dta")),
        ("{\"invitees\":\"bob\"}", "invalid_params", json!("invitees")),
        ("{\"invitees\":[\"alice\"]}", "invalid_params", json!("invitees")),
        ("{}", "invalid_params", json!("invitees")),
    ] {
        let problem = alice.request("POST", "/v1/invitations", body).await.problem(400, name);
        has(&problem, json!({ "field": field }));
    }
    let long = json!({ "invitees": ["bob"], "data": "x".repeat(12 * 1024 + 1) });
    let problem = alice.post("/v1/invitations", long).await.problem(413, "payload_too_large");
    has(&problem, json!({ "field": "data", "limit": 12 * 1024 }));
    let huge = json!({ "invitees": ["bob"], "data": "x".repeat(128 * 1024) });
    let problem = alice.post("/v1/invitations", huge).await.problem(413, "payload_too_large");
    has(&problem, json!({ "field": "body", "limit": 128 * 1024 }));
    for target in ["/v1/invitations/%FF", "/v1/invitations/%", "/v1/invitations/%00"] {
        let _ = alice.get(target).await.problem(404, "not_found");
    }
    let _ = alice.get("/v1/history?peer=%00").await.problem(400, "invalid_params");
    let _ = alice.get("/v1/history?peer=bob&peer=carol").await.problem(400, "invalid_params");
    let problem = alice.get("/v1/history?peer=bob&limt=1").await.problem(400, "invalid_params");
    has(&problem, json!({ "field": "limt" }));
    let _ = alice.get("/v1/history").await.problem(400, "invalid_params");
    // A body where the path names the invitation already.
    let twice = json!({ "invitation_id": "00-00000000000000000000000000000000" });
    let problem = alice.post(&format!("{missing}/accept"), twice).await.problem(400, "invalid_params");
    has(&problem, json!({ "field": "invitation_id" }));
}
