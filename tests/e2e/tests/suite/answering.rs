//! Accept and reject, and what the devices of both sides see of it.

use ringwire_e2e::{Settings, has};
use serde_json::json;

#[tokio::test]
async fn an_accepted_invitation_reaches_every_device_once() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut desk = site.connect("alice", "desk").await;
    let mut bob = site.connect("bob", "phone").await;
    let mut web = site.connect("bob", "web").await;

    let invite = json!({ "invitees": ["bob"], "data": "{\"room\":7}", "kind": 1, "inviter_name": "Alice A." });
    let invited = alice.ok("invite", invite).await;
    let id = &invited["invitation_id"];
    has(&invited, json!({ "failed": {} }));
    assert_eq!(invited["expires_at"].as_u64(), invited["created_at"].as_u64().map(|at| at + 30_000));

    let ring = bob.expect("invitation.received").await;
    let wanted = json!({
        "invitation_id": id, "invited": true, "version": 1, "kind": 1, "inviter": "alice", "inviter_name": "Alice A.",
        "invitees": ["bob"], "data": "{\"room\":7}", "expires_at": invited["expires_at"], "settled": false,
    });
    has(&ring, wanted.clone());
    has(&web.expect("invitation.received").await, wanted);
    let sent = desk.expect("invitation.sent").await;
    has(&sent, json!({ "invitation_id": id, "device_id": "phone", "invitees": ["bob"], "failed": {} }));

    let accepted = bob.ok("accept", json!({ "invitation_id": id, "data": "on my way" })).await;
    has(&accepted, json!({ "invitation_id": id, "version": 2, "invitees": ["bob"] }));
    let wanted = json!({
        "invitation_id": id, "version": 2, "settled": true, "invitee": "bob", "device_id": "phone",
        "data": "on my way", "at": accepted["at"],
    });
    has(&alice.expect("invitation.accepted").await, wanted.clone());
    has(&desk.expect("invitation.accepted").await, wanted.clone());
    let elsewhere = web.expect("invitation.answered_elsewhere").await;
    has(&elsewhere, wanted);
    has(&elsewhere, json!({ "outcome": "accepted" }));

    site.nothing_for([&mut alice, &mut desk, &mut bob, &mut web]).await;
}

#[tokio::test]
async fn a_rejection_carries_its_reason_and_declined_if_none_is_given() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let mut web = site.connect("bob", "web").await;
    for (reason, told) in [(json!(null), "declined"), (json!("busy"), "busy"), (json!("in a meeting"), "in a meeting")]
    {
        let id = alice.ok("invite", json!({ "invitees": ["bob"] })).await["invitation_id"].clone();
        bob.expect("invitation.received").await;
        web.expect("invitation.received").await;
        bob.ok("reject", json!({ "invitation_id": id, "reason": reason, "data": "later" })).await;
        let wanted = json!({ "reason": told, "data": "later", "invitee": "bob", "device_id": "phone" });
        has(&alice.expect("invitation.rejected").await, wanted.clone());
        let elsewhere = web.expect("invitation.answered_elsewhere").await;
        has(&elsewhere, wanted);
        has(&elsewhere, json!({ "outcome": "rejected" }));
    }
    let id = alice.ok("invite", json!({ "invitees": ["bob"] })).await["invitation_id"].clone();
    bob.expect("invitation.received").await;
    web.expect("invitation.received").await;
    let long = json!({ "invitation_id": id, "reason": "x".repeat(65) });
    has(&bob.refused("reject", long, "invalid_params").await, json!({ "field": "reason" }));
    site.nothing_for([&mut alice, &mut bob, &mut web]).await;
}

#[tokio::test]
async fn several_invitees_answer_each_for_themselves() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let mut carol = site.connect("carol", "phone").await;
    let id = alice.ok("invite", json!({ "invitees": ["bob", "carol", "bob", ""] })).await["invitation_id"].clone();
    for device in [&mut bob, &mut carol] {
        has(&device.expect("invitation.received").await, json!({ "invitees": ["bob", "carol"] }));
    }

    bob.ok("accept", json!({ "invitation_id": id })).await;
    let wanted = json!({ "invitee": "bob", "version": 2, "settled": false });
    has(&alice.expect("invitation.accepted").await, wanted.clone());
    has(&carol.expect("invitation.accepted").await, wanted);

    carol.ok("reject", json!({ "invitation_id": id })).await;
    let wanted = json!({ "invitee": "carol", "version": 3, "settled": true, "reason": "declined" });
    has(&alice.expect("invitation.rejected").await, wanted.clone());
    has(&bob.expect("invitation.rejected").await, wanted);

    let seen = site.invitation("bob", id.as_str().unwrap()).await;
    has(&seen, json!({ "state": "settled", "version": 3 }));
    has(&seen["invitees"][0], json!({ "user": "bob", "state": "accepted", "device_id": "phone" }));
    has(&seen["invitees"][1], json!({ "user": "carol", "state": "rejected", "reason": "declined" }));
    site.nothing_for([&mut alice, &mut bob, &mut carol]).await;
}

#[tokio::test]
async fn a_second_answer_is_told_what_won_and_where() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let mut web = site.connect("bob", "web").await;
    let id = alice.ok("invite", json!({ "invitees": ["bob"] })).await["invitation_id"].clone();
    bob.ok("accept", json!({ "invitation_id": id })).await;
    let settled = web.refused("reject", json!({ "invitation_id": id }), "already_settled").await;
    has(&settled, json!({ "state": "accepted", "device_id": "phone" }));
    let settled = alice.refused("cancel", json!({ "invitation_id": id }), "already_settled").await;
    has(&settled, json!({ "state": "accepted", "device_id": "phone" }));
    alice.refused("modify", json!({ "invitation_id": id, "data": "x" }), "already_settled").await;
}

#[tokio::test]
async fn each_operation_is_only_for_whom_it_is_meant() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let mut mallory = site.connect("mallory", "phone").await;
    let id = alice.ok("invite", json!({ "invitees": ["bob"] })).await["invitation_id"].clone();
    let one = json!({ "invitation_id": id });
    for method in ["accept", "reject"] {
        alice.refused(method, one.clone(), "not_invitee").await;
    }
    for method in ["cancel", "modify"] {
        bob.refused(method, one.clone(), "not_inviter").await;
    }
    for method in ["accept", "reject", "cancel", "modify", "signal", "get", "add_invited"] {
        mallory.refused(method, one.clone(), "not_found").await;
    }
    alice.refused("add_invited", one, "not_invitee").await;
    bob.expect("invitation.received").await;
    site.nothing_for([&mut alice, &mut bob, &mut mallory]).await;
}
