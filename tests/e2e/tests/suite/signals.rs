//! Signals: data beside the invitation's state.

use ringwire_e2e::{Settings, has};
use serde_json::json;

#[tokio::test]
async fn signals_pass_between_participants_before_and_after_an_answer() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut desk = site.connect("alice", "desk").await;
    let mut bob = site.connect("bob", "phone").await;
    let mut carol = site.connect("carol", "phone").await;
    let id = alice.ok("invite", json!({ "invitees": ["bob", "carol"] })).await["invitation_id"].clone();
    desk.expect("invitation.sent").await;
    bob.expect("invitation.received").await;
    carol.expect("invitation.received").await;

    alice.ok("signal", json!({ "invitation_id": id, "data": "offer" })).await;
    for device in [&mut bob, &mut carol] {
        let event = device.expect("signal").await;
        has(&event, json!({ "from": "alice", "device_id": "phone", "data": "offer", "version": 1, "settled": false }));
    }
    bob.ok("signal", json!({ "invitation_id": id, "data": "answer", "to": ["alice"] })).await;
    for device in [&mut alice, &mut desk] {
        has(&device.expect("signal").await, json!({ "from": "bob", "data": "answer" }));
    }

    bob.ok("accept", json!({ "invitation_id": id })).await;
    carol.ok("reject", json!({ "invitation_id": id })).await;
    for device in [&mut alice, &mut desk] {
        device.expect("invitation.accepted").await;
        device.expect("invitation.rejected").await;
    }
    bob.expect("invitation.rejected").await;
    carol.expect("invitation.accepted").await;

    // It is settled; who accepted still takes part, who rejected does not.
    bob.ok("signal", json!({ "invitation_id": id, "data": "bye" })).await;
    for device in [&mut alice, &mut desk] {
        has(&device.expect("signal").await, json!({ "data": "bye", "settled": true }));
    }
    let settled = carol.refused("signal", json!({ "invitation_id": id, "data": "x" }), "already_settled").await;
    has(&settled, json!({ "state": "rejected" }));
    let to_carol = json!({ "invitation_id": id, "data": "x", "to": ["carol"] });
    has(&bob.refused("signal", to_carol, "invalid_params").await, json!({ "field": "to" }));
    let to_nobody = json!({ "invitation_id": id, "data": "x", "to": [] });
    has(&bob.refused("signal", to_nobody, "invalid_params").await, json!({ "field": "to" }));
    site.nothing_for([&mut alice, &mut desk, &mut bob, &mut carol]).await;
}

#[tokio::test]
async fn signals_of_one_sender_arrive_in_order() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let id = alice.ok("invite", json!({ "invitees": ["bob"] })).await["invitation_id"].clone();
    bob.expect("invitation.received").await;
    let mut requests = Vec::new();
    for number in 0..50 {
        requests.push(alice.send("signal", json!({ "invitation_id": id, "data": number.to_string() })).await);
    }
    for number in 0..50 {
        has(&bob.expect("signal").await, json!({ "data": number.to_string() }));
    }
    for request in requests {
        alice.answer(request).await.unwrap();
    }
}

#[tokio::test]
async fn a_repeated_signal_arrives_once() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let id = alice.ok("invite", json!({ "invitees": ["bob"] })).await["invitation_id"].clone();
    bob.expect("invitation.received").await;
    let signal = json!({ "invitation_id": id, "data": "ice", "request_id": "s-1" });
    alice.ok("signal", signal.clone()).await;
    alice.ok("signal", signal).await;
    has(&bob.expect("signal").await, json!({ "data": "ice" }));
    site.nothing_for([&mut alice, &mut bob]).await;
}
