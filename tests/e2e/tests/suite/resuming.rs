//! Devices that come back: the missed events, or the full state.

use ringwire_e2e::{Device, Settings, has};
use serde_json::{Value, json};

#[tokio::test]
async fn a_device_resumes_where_it_was_and_misses_nothing() {
    let site = crate::site(Settings::new()).await;
    let token = site.token("bob", None).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    alice.ok("invite", json!({ "invitees": ["bob"], "data": "1" })).await;
    let last = bob.expect("invitation.received").await;
    bob.close().await;

    let id = alice.ok("invite", json!({ "invitees": ["bob"], "data": "2" })).await["invitation_id"].clone();
    alice.ok("cancel", json!({ "invitation_id": id })).await;
    let mut bob = Device::open(&site.url(), None).await;
    bob.resume(&token, "phone", &last).await;
    has(&bob.hello, json!({ "resumed": true, "epoch": last["epoch"], "offset": last["offset"].as_u64().unwrap() + 2 }));
    has(&bob.expect("invitation.received").await, json!({ "data": "2", "invitation_id": id }));
    let last = bob.expect("invitation.cancelled").await;
    has(&last, json!({ "invitation_id": id, "offset": bob.hello["offset"], "check": bob.hello["check"] }));
    site.nothing_for([&mut alice, &mut bob]).await;
}

#[tokio::test]
async fn a_resumed_device_gets_the_event_of_its_own_operation() {
    let site = crate::site(Settings::new()).await;
    let token = site.token("bob", None).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let id = alice.ok("invite", json!({ "invitees": ["bob"] })).await["invitation_id"].clone();
    let ring = bob.expect("invitation.received").await;
    bob.ok("accept", json!({ "invitation_id": id })).await;
    bob.close().await;
    // As if the answer had been lost with the connection.
    let mut bob = Device::open(&site.url(), None).await;
    bob.resume(&token, "phone", &ring).await;
    let own = bob.expect("invitation.answered_elsewhere").await;
    has(&own, json!({ "invitation_id": id, "device_id": "phone", "outcome": "accepted" }));
}

#[tokio::test]
async fn a_position_that_cannot_be_verified_leads_to_a_snapshot() {
    let site = crate::site(Settings::new()).await;
    let token = site.token("bob", None).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let id = alice.ok("invite", json!({ "invitees": ["bob"] })).await["invitation_id"].clone();
    let ring = bob.expect("invitation.received").await;
    let with = |name: &str, value: Value| {
        let mut position = ring.clone();
        position[name] = value;
        position
    };
    let lies = [
        with("check", json!("00000000")),
        with("epoch", json!("0000000000000001")),
        with("offset", json!(ring["offset"].as_u64().unwrap() + 7)),
    ];
    for lie in lies {
        let mut device = Device::open(&site.url(), None).await;
        device.resume(&token, "other", &lie).await;
        has(&device.hello, json!({ "resumed": false }));
        let snapshot = device.expect("session.snapshot").await;
        has(&snapshot, json!({ "reset": true, "epoch": ring["epoch"], "offset": ring["offset"], "more": false }));
        has(&snapshot["active"][0], json!({ "invitation_id": id, "state": "active" }));
        assert!(snapshot["active"][0]["remaining_ms"].as_u64().unwrap() <= 30_000);
        device.close().await;
    }
    let mut device = Device::open(&site.url(), None).await;
    device.resume(&token, "other", &ring).await;
    has(&device.hello, json!({ "resumed": true }));
}

#[tokio::test]
async fn a_snapshot_tells_what_was_missed_since_the_last_acknowledgement() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let seen = alice.ok("invite", json!({ "invitees": ["bob"] })).await["invitation_id"].clone();
    bob.expect("invitation.received").await;
    alice.ok("cancel", json!({ "invitation_id": seen })).await;
    let last = bob.expect("invitation.cancelled").await;
    bob.ok("ack", json!({ "offset": last["offset"] })).await;
    bob.close().await;

    let missed = alice.ok("invite", json!({ "invitees": ["bob"], "data": "where are you?" })).await;
    alice.ok("cancel", json!({ "invitation_id": missed["invitation_id"] })).await;
    let rings = alice.ok("invite", json!({ "invitees": ["bob"] })).await;
    let bob = site.connect("bob", "new-phone").await;
    let ids = |list: &str| -> Vec<Value> {
        bob.snapshot[list].as_array().unwrap().iter().map(|one| one["invitation_id"].clone()).collect()
    };
    assert_eq!(ids("active"), [rings["invitation_id"].clone()]);
    assert_eq!(ids("missed"), [missed["invitation_id"].clone()]);
    has(&bob.snapshot["missed"][0], json!({ "state": "settled", "data": "where are you?" }));
}

#[tokio::test]
async fn an_inbox_that_went_on_too_far_leads_to_a_snapshot() {
    let site = crate::site(Settings::new().without_rate_limit()).await;
    let token = site.token("bob", None).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let id = alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 600 })).await["invitation_id"].clone();
    let ring = bob.expect("invitation.received").await;
    bob.close().await;
    // The inbox keeps 256 events; these push the ring and one more out of it.
    let mut requests = Vec::new();
    for number in 0..257 {
        requests.push(alice.send("signal", json!({ "invitation_id": id, "data": number.to_string() })).await);
    }
    for request in requests {
        alice.answer(request).await.unwrap();
    }
    let mut bob = Device::open(&site.url(), None).await;
    bob.resume(&token, "phone", &ring).await;
    has(&bob.hello, json!({ "resumed": false }));
    let snapshot = bob.expect("session.snapshot").await;
    has(&snapshot["active"][0], json!({ "invitation_id": id }));
}
