//! Ringing receipts, acknowledgements, and rings that a push told of.

use ringwire_e2e::{Settings, has};
use serde_json::json;

#[tokio::test]
async fn the_first_acknowledgement_that_covers_a_ring_tells_the_inviter_once() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut desk = site.connect("alice", "desk").await;
    let mut bob = site.connect("bob", "phone").await;
    let mut web = site.connect("bob", "web").await;
    let id = alice.ok("invite", json!({ "invitees": ["bob"] })).await["invitation_id"].clone();
    desk.expect("invitation.sent").await;
    let ring = bob.expect("invitation.received").await;
    web.expect("invitation.received").await;

    bob.ack(&ring["offset"]).await;
    for device in [&mut alice, &mut desk] {
        let event = device.expect("invitation.ringing").await;
        has(&event, json!({ "invitation_id": id, "invitee": "bob", "device_id": "phone", "version": 1 }));
    }
    // Neither the same device again nor another one rings a second time.
    bob.ack(&ring["offset"]).await;
    web.ok("ack", json!({ "offset": ring["offset"] })).await;
    site.nothing_for([&mut alice, &mut desk, &mut bob, &mut web]).await;

    let seen = site.invitation("alice", id.as_str().unwrap()).await;
    has(&seen["invitees"][0], json!({ "state": "pending", "ringing_device_id": "phone" }));
    has(&seen, json!({ "version": 1 }));
}

#[tokio::test]
async fn an_inviter_who_wants_no_receipts_gets_none() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    alice.ok("invite", json!({ "invitees": ["bob"], "receipts": false })).await;
    let ring = bob.expect("invitation.received").await;
    bob.ok("ack", json!({ "offset": ring["offset"] })).await;
    site.nothing_for([&mut alice, &mut bob]).await;
}

#[tokio::test]
async fn an_acknowledgement_before_the_ring_is_no_receipt() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    // It cannot cover what was not sent yet, however large it is.
    bob.ok("ack", json!({ "offset": 1_000_000 })).await;
    alice.ok("invite", json!({ "invitees": ["bob"] })).await;
    bob.expect("invitation.received").await;
    site.nothing_for([&mut alice, &mut bob]).await;
}

#[tokio::test]
async fn a_device_that_a_push_woke_rings_by_the_invitations_id() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let id = alice.ok("invite", json!({ "invitees": ["bob"], "data": "ring" })).await["invitation_id"].clone();
    bob.expect("invitation.received").await;
    let one = json!({ "invitation_id": id });
    // This connection has it, also one that had it in its snapshot.
    bob.refused("add_invited", one.clone(), "already_exists").await;
    let mut web = site.connect("bob", "web").await;
    has(&web.snapshot["active"][0], json!({ "invitation_id": id, "data": "ring" }));
    web.refused("add_invited", one.clone(), "already_exists").await;

    bob.ok("accept", one.clone()).await;
    let settled = web.refused("add_invited", one, "already_settled").await;
    has(&settled, json!({ "state": "accepted", "device_id": "phone" }));
    let unknown = json!({ "invitation_id": "00-0123456789abcdef0123456789abcdef" });
    web.refused("add_invited", unknown, "expired").await;
}

#[tokio::test]
async fn a_ring_that_a_snapshot_had_no_room_for_can_be_asked_for() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let id = alice.ok("invite", json!({ "invitees": ["bob"], "data": "ring" })).await["invitation_id"].clone();
    // More data than a snapshot holds, all of it newer.
    for _ in 0..22 {
        alice.ok("invite", json!({ "invitees": ["bob"], "data": "x".repeat(12 * 1024) })).await;
    }
    let mut bob = site.connect("bob", "phone").await;
    has(&bob.snapshot, json!({ "more": true }));
    assert!(bob.snapshot["active"].as_array().unwrap().iter().all(|active| active["invitation_id"] != id));

    let ring = bob.ok("add_invited", json!({ "invitation_id": id })).await;
    has(&ring["invitation"], json!({ "invitation_id": id, "data": "ring", "state": "active", "inviter": "alice" }));
    has(&alice.expect("invitation.ringing").await, json!({ "invitee": "bob", "device_id": "phone" }));
    bob.refused("add_invited", json!({ "invitation_id": id }), "already_exists").await;
}
