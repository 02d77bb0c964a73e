//! A rolling upgrade: nodes of two releases side by side, which speak different versions to each other.

use ringwire_e2e::{Device, Settings, Site, has};
use serde_json::json;

/// Devices of alice on an old node, of bob on the new one and on another old one.
async fn parties(site: &Site) -> [Device; 3] {
    let [old, new, other] = site.nodes() else { panic!("three nodes") };
    [old.connect("alice", "phone").await, new.connect("bob", "phone").await, other.connect("bob", "tablet").await]
}

#[tokio::test]
async fn nodes_of_two_releases_ring_each_other_and_lose_nothing() {
    let site = Site::of_two_releases(Settings::new()).await;
    let [mut alice, mut bob, mut tablet] = parties(&site).await;
    // Whoever commits writes the doorbells of all: each release does so in turn.
    for round in 0..10 {
        let id = alice.ok("invite", json!({ "invitees": ["bob"], "data": round.to_string() })).await["invitation_id"]
            .clone();
        for device in [&mut bob, &mut tablet] {
            has(&device.expect("invitation.received").await, json!({ "invitation_id": id }));
        }
        alice.ok("modify", json!({ "invitation_id": id, "data": "changed" })).await;
        for device in [&mut bob, &mut tablet] {
            has(&device.expect("invitation.modified").await, json!({ "data": "changed" }));
        }
        bob.ok("accept", json!({ "invitation_id": id })).await;
        has(&alice.expect("invitation.accepted").await, json!({ "invitee": "bob", "version": 3 }));
        has(&tablet.expect("invitation.answered_elsewhere").await, json!({ "device_id": "phone" }));
        bob.ok("signal", json!({ "invitation_id": id, "data": "offer" })).await;
        has(&alice.expect("signal").await, json!({ "data": "offer" }));

        let back = bob.ok("invite", json!({ "invitees": ["alice"], "timeout_s": 1 })).await["invitation_id"].clone();
        has(&alice.expect("invitation.received").await, json!({ "invitation_id": back }));
        has(&tablet.expect("invitation.sent").await, json!({ "invitation_id": back }));
        if round == 0 {
            for device in [&mut alice, &mut bob, &mut tablet] {
                has(&device.expect("invitation.timed_out").await, json!({ "invitation_id": back }));
            }
        } else {
            alice.ok("reject", json!({ "invitation_id": back })).await;
            for device in [&mut bob, &mut tablet] {
                has(&device.expect("invitation.rejected").await, json!({ "invitation_id": back }));
            }
        }
    }
    site.nothing_for([&mut alice, &mut bob, &mut tablet]).await;
    assert!(site.metric("ringwire_gaps_healed_total").await > 0.5, "the old nodes read the store instead");
}

#[tokio::test]
async fn a_device_that_moves_to_a_node_of_another_release_leaves_no_connection_behind() {
    let site = Site::of_two_releases(Settings::new()).await;
    let [mut alice, mut bob, _tablet] = parties(&site).await;
    let [old, new, _] = site.nodes() else { panic!("three nodes") };
    let _alice = new.connect("alice", "phone").await;
    let _bob = old.connect("bob", "phone").await;
    for device in [&mut alice, &mut bob] {
        has(&device.expect("session.closing").await, json!({ "reason": "replaced" }));
        assert_eq!(device.closed().await.0, 4100);
    }
}
