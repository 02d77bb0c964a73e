//! Cancel and modify: what an inviter may do while it rings.

use ringwire_e2e::{Settings, has};
use serde_json::json;

#[tokio::test]
async fn cancelling_ends_the_ring_on_every_device() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut desk = site.connect("alice", "desk").await;
    let mut bob = site.connect("bob", "phone").await;
    let mut web = site.connect("bob", "web").await;
    let id = alice.ok("invite", json!({ "invitees": ["bob"] })).await["invitation_id"].clone();
    desk.expect("invitation.sent").await;
    bob.expect("invitation.received").await;
    web.expect("invitation.received").await;

    let cancelled = alice.ok("cancel", json!({ "invitation_id": id, "data": "never mind" })).await;
    has(&cancelled, json!({ "version": 2, "invitees": ["bob"] }));
    for device in [&mut desk, &mut bob, &mut web] {
        let event = device.expect("invitation.cancelled").await;
        has(&event, json!({ "invitees": ["bob"], "data": "never mind", "device_id": "phone", "settled": true }));
    }
    let settled = bob.refused("accept", json!({ "invitation_id": id }), "already_settled").await;
    has(&settled, json!({ "state": "cancelled" }));
    alice.refused("cancel", json!({ "invitation_id": id }), "already_settled").await;
    site.nothing_for([&mut alice, &mut desk, &mut bob, &mut web]).await;
}

#[tokio::test]
async fn cancelling_a_part_leaves_the_others_ringing() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let mut carol = site.connect("carol", "phone").await;
    let id = alice.ok("invite", json!({ "invitees": ["bob", "carol", "dave"] })).await["invitation_id"].clone();
    bob.expect("invitation.received").await;
    carol.expect("invitation.received").await;

    let cancelled = alice.ok("cancel", json!({ "invitation_id": id, "invitees": ["bob", "dave"] })).await;
    has(&cancelled, json!({ "invitees": ["bob", "dave"] }));
    let event = bob.expect("invitation.cancelled").await;
    has(&event, json!({ "invitees": ["bob", "dave"], "settled": false }));
    site.nothing_for([&mut bob, &mut carol]).await;

    bob.refused("accept", json!({ "invitation_id": id }), "already_settled").await;
    let again = json!({ "invitation_id": id, "invitees": ["bob"] });
    alice.refused("cancel", again, "already_settled").await;
    let stranger = json!({ "invitation_id": id, "invitees": ["erin"] });
    has(&alice.refused("cancel", stranger, "invalid_params").await, json!({ "field": "invitees" }));
    let nobody = json!({ "invitation_id": id, "invitees": [] });
    has(&alice.refused("cancel", nobody, "invalid_params").await, json!({ "field": "invitees" }));

    carol.ok("accept", json!({ "invitation_id": id })).await;
    has(&alice.expect("invitation.accepted").await, json!({ "invitee": "carol", "settled": true }));
}

#[tokio::test]
async fn modified_data_reaches_those_who_ring_or_accepted() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut desk = site.connect("alice", "desk").await;
    let mut bob = site.connect("bob", "phone").await;
    let mut carol = site.connect("carol", "phone").await;
    let mut dave = site.connect("dave", "phone").await;
    let invite = json!({ "invitees": ["bob", "carol", "dave"], "data": "voice" });
    let id = alice.ok("invite", invite).await["invitation_id"].clone();
    desk.expect("invitation.sent").await;
    for device in [&mut bob, &mut carol, &mut dave] {
        device.expect("invitation.received").await;
    }
    bob.ok("accept", json!({ "invitation_id": id })).await;
    dave.ok("reject", json!({ "invitation_id": id })).await;
    carol.expect("invitation.accepted").await;
    carol.expect("invitation.rejected").await;
    bob.expect("invitation.rejected").await;
    desk.expect("invitation.accepted").await;
    desk.expect("invitation.rejected").await;

    let modified = alice.ok("modify", json!({ "invitation_id": id, "data": "video", "version": 3 })).await;
    has(&modified, json!({ "version": 4 }));
    for device in [&mut desk, &mut bob, &mut carol] {
        let event = device.expect("invitation.modified").await;
        has(&event, json!({ "data": "video", "invitees": ["bob", "carol"], "device_id": "phone", "version": 4 }));
    }
    site.nothing_for([&mut desk, &mut bob, &mut carol]).await;

    let stale = json!({ "invitation_id": id, "data": "late", "version": 3 });
    has(&alice.refused("modify", stale, "conflict").await, json!({ "version": 4 }));
    let seen = site.invitation("dave", id.as_str().unwrap()).await;
    has(&seen, json!({ "data": "video", "modifications": 1, "state": "active" }));
}

#[tokio::test]
async fn data_can_be_replaced_thirty_two_times() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let id = alice.ok("invite", json!({ "invitees": ["bob"] })).await["invitation_id"].clone();
    for number in 0..32 {
        alice.ok("modify", json!({ "invitation_id": id, "data": number.to_string() })).await;
    }
    let limited = alice.refused("modify", json!({ "invitation_id": id, "data": "32" }), "rate_limited").await;
    assert!(limited["retry_after_ms"].is_u64());
    has(&site.invitation("alice", id.as_str().unwrap()).await, json!({ "data": "31", "version": 33 }));
}
