//! Users who block others, and what the operator made of that.

use ringwire_e2e::{Settings, has};
use serde_json::{Value, json};

#[tokio::test]
async fn an_invite_of_a_blocked_user_fails_until_the_block_ends() {
    let site = crate::site(Settings::new()).await;
    let mut bob = site.connect("bob", "phone").await;
    let mut carol = site.connect("carol", "phone").await;
    let mut mallory = site.connect("mallory", "phone").await;
    assert_eq!(bob.ok("blocks", json!({ "action": "add", "user": "mallory" })).await, json!({}));
    let invited = mallory.ok("invite", json!({ "invitees": ["bob", "carol"] })).await;
    has(&invited, json!({ "failed": { "bob": "blocked" } }));
    has(&carol.expect("invitation.received").await, json!({ "invitees": ["carol"] }));
    // Bob may still invite, and whoever blocks is not blocked.
    bob.ok("invite", json!({ "invitees": ["mallory"] })).await;
    mallory.expect("invitation.received").await;
    site.nothing_for([&mut bob, &mut carol, &mut mallory]).await;

    bob.ok("blocks", json!({ "action": "remove", "user": "mallory" })).await;
    has(&mallory.ok("invite", json!({ "invitees": ["bob"] })).await, json!({ "failed": {} }));
    bob.expect("invitation.received").await;
}

#[tokio::test]
async fn a_ring_that_is_pending_goes_on_when_its_inviter_is_blocked() {
    let site = crate::site(Settings::new()).await;
    let mut bob = site.connect("bob", "phone").await;
    let mut mallory = site.connect("mallory", "phone").await;
    let id = mallory.ok("invite", json!({ "invitees": ["bob"] })).await["invitation_id"].clone();
    bob.expect("invitation.received").await;
    bob.ok("blocks", json!({ "action": "add", "user": "mallory" })).await;
    bob.ok("accept", json!({ "invitation_id": id })).await;
    mallory.expect("invitation.accepted").await;
}

#[tokio::test]
async fn blocked_users_are_listed_in_pages() {
    let site = crate::site(Settings::new()).await;
    let (server, bob, eve) = (site.server().await, site.http("bob").await, site.http("eve").await);
    for name in ["dan", "cid", "a%20b"] {
        assert_eq!(bob.put(&format!("/v1/blocks/{name}"), json!({})).await.status, 204);
    }
    assert_eq!(server.put("/v1/blocks/eve?as=bob", json!({})).await.status, 204);
    let _ = eve.put("/v1/blocks/dan?as=bob", json!({})).await.problem(403, "forbidden");
    let first = bob.get("/v1/blocks?limit=3").await.expect(200);
    assert_eq!(first["users"], json!(["a b", "cid", "dan"]));
    let cursor = first["cursor"].as_str().unwrap();
    let rest = server.get(&format!("/v1/blocks?as=bob&limit=3&cursor={cursor}")).await.expect(200);
    assert_eq!(rest, json!({ "users": ["eve"] }));
    assert_eq!(bob.delete("/v1/blocks/dan").await.status, 204);
    assert_eq!(bob.delete("/v1/blocks/dan").await.status, 204);
    let mut phone = site.connect("bob", "phone").await;
    let listed = phone.ok("blocks", json!({ "action": "list" })).await;
    assert_eq!(listed, json!({ "users": ["a b", "cid", "eve"] }));
    assert_eq!(eve.get("/v1/blocks").await.expect(200), json!({ "users": [] }));
    assert_eq!(bob.put("/v1/blocks/bob", json!({})).await.problem(400, "invalid_params")["field"], "user");
}

#[tokio::test]
async fn a_user_blocks_at_most_a_thousand_others() {
    let site = crate::site(Settings::new().without_rate_limit()).await;
    let mut bob = site.connect("bob", "phone").await;
    let add = |number: usize| json!({ "action": "add", "user": format!("user-{number}") });
    let mut requests = Vec::new();
    for number in 0..1000 {
        requests.push(bob.send("blocks", add(number)).await);
        if requests.len() == 50 {
            for request in requests.drain(..) {
                bob.answer(request).await.unwrap();
            }
        }
    }
    has(&bob.refused("blocks", add(1000), "invalid_params").await, json!({ "field": "user" }));
    bob.ok("blocks", add(7)).await;
    bob.ok("blocks", json!({ "action": "remove", "user": "user-7" })).await;
    bob.ok("blocks", add(1000)).await;
}

#[tokio::test]
async fn an_operator_may_have_blocks_ignored() {
    let site = crate::site(Settings::new().with("policy.blocked", "ignore")).await;
    let mut bob = site.connect("bob", "phone").await;
    let mut mallory = site.connect("mallory", "phone").await;
    bob.ok("blocks", json!({ "action": "add", "user": "mallory" })).await;
    has(&mallory.ok("invite", json!({ "invitees": ["bob"] })).await, json!({ "failed": {} }));
    bob.expect("invitation.received").await;
}

fn invitee<'a>(seen: &'a Value, name: &str) -> &'a Value {
    seen["invitees"].as_array().unwrap().iter().find(|one| one["user"] == name).unwrap()
}

#[tokio::test]
async fn a_silent_block_looks_like_nobody_answers_and_the_blocker_learns_of_nothing() {
    let site = crate::site(Settings::new().with("policy.blocked", "silent")).await;
    site.group("team", &["mallory", "bob", "carol", "dave"]).await;
    let mut bob = site.connect("bob", "phone").await;
    let mut carol = site.connect("carol", "phone").await;
    let mut dave = site.connect("dave", "phone").await;
    let mut mallory = site.connect("mallory", "phone").await;
    bob.ok("blocks", json!({ "action": "add", "user": "mallory" })).await;
    let invite = json!({ "invitees": ["bob", "carol"], "group_id": "team", "timeout_s": 2 });
    let invited = mallory.ok("invite", invite).await;
    has(&invited, json!({ "failed": {} }));
    let id = invited["invitation_id"].clone();
    has(&carol.expect("invitation.received").await, json!({ "invitees": ["bob", "carol"], "invited": true }));
    has(&dave.expect("invitation.received").await, json!({ "invitees": ["bob", "carol"], "invited": false }));
    for seen in ["mallory", "carol", "dave"] {
        let seen = site.invitation(seen, id.as_str().unwrap()).await;
        assert_eq!(invitee(&seen, "bob"), &json!({ "user": "bob", "state": "pending" }));
    }

    let about = json!({ "invitation_id": id });
    for method in ["get", "accept", "reject", "signal", "cancel", "modify", "add_invited"] {
        bob.refused(method, about.clone(), "not_found").await;
    }
    assert_eq!(bob.ok("list_active", json!({})).await, json!({ "invitations": [] }));
    carol.ok("signal", json!({ "invitation_id": id, "to": ["bob"], "data": "are you there?" })).await;
    carol.ok("reject", about.clone()).await;
    mallory.expect("invitation.rejected").await;
    dave.expect("invitation.rejected").await;
    for device in [&mut mallory, &mut dave] {
        has(&device.expect("invitation.timed_out").await, json!({ "invitees": ["bob"], "settled": true }));
    }
    bob.refused("get", about.clone(), "not_found").await;
    assert_eq!(bob.ok("history", json!({ "group_id": "team" })).await["messages"], json!([]));
    assert_eq!(dave.ok("history", json!({ "group_id": "team" })).await["messages"].as_array().unwrap().len(), 3);
    site.nothing_for([&mut bob, &mut carol, &mut dave, &mut mallory]).await;
}

#[tokio::test]
async fn a_silently_blocked_inviter_s_history_is_not_the_blocker_s() {
    let site = crate::site(Settings::new().with("policy.blocked", "silent")).await;
    let mut bob = site.connect("bob", "phone").await;
    let mut mallory = site.connect("mallory", "phone").await;
    let seen = bob.ok("invite", json!({ "invitees": ["mallory"] })).await["invitation_id"].clone();
    bob.ok("blocks", json!({ "action": "add", "user": "mallory" })).await;
    let id = mallory.ok("invite", json!({ "invitees": ["bob"] })).await["invitation_id"].clone();
    mallory.ok("cancel", json!({ "invitation_id": id })).await;
    let count = |listed: &Value| listed["messages"].as_array().unwrap().len();
    assert_eq!(count(&mallory.ok("history", json!({ "peer": "bob" })).await), 3);
    let listed = bob.ok("history", json!({ "peer": "mallory" })).await;
    assert_eq!((count(&listed), &listed["messages"][0]["invitation_id"]), (1, &seen));
    // What a device gets that starts from nothing.
    let mut pad = site.connect("bob", "pad").await;
    let snapshot = &pad.snapshot;
    assert_eq!(snapshot["missed"], json!([]));
    has(&snapshot["active"][0], json!({ "invitation_id": seen }));
    site.nothing_for([&mut bob, &mut pad]).await;
}
