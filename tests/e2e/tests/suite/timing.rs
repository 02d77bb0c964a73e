//! Deadlines: invitations that time out, and those that never do.

use std::time::Instant;

use ringwire_e2e::{Settings, has};
use serde_json::json;

#[tokio::test]
async fn an_unanswered_invitation_times_out_for_everybody_at_its_deadline() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut desk = site.connect("alice", "desk").await;
    let mut bob = site.connect("bob", "phone").await;
    let mut carol = site.connect("carol", "phone").await;
    let started = Instant::now();
    let invite = json!({ "invitees": ["bob", "carol"], "timeout_s": 1, "data": "hello?" });
    let invited = alice.ok("invite", invite).await;
    let id = invited["invitation_id"].clone();
    desk.expect("invitation.sent").await;
    bob.expect("invitation.received").await;
    carol.expect("invitation.received").await;
    carol.ok("accept", json!({ "invitation_id": id })).await;
    for device in [&mut alice, &mut desk, &mut bob] {
        device.expect("invitation.accepted").await;
    }

    for device in [&mut alice, &mut desk, &mut bob] {
        let event = device.expect("invitation.timed_out").await;
        has(&event, json!({ "invitees": ["bob"], "data": "hello?", "settled": true, "version": 3 }));
        assert!(event["at"].as_u64() >= invited["expires_at"].as_u64(), "{event} came before its deadline");
    }
    assert!(started.elapsed().as_millis() < 2_000, "it took {:?}", started.elapsed());
    has(
        &bob.refused("accept", json!({ "invitation_id": id }), "already_settled").await,
        json!({ "state": "timed_out" }),
    );
    site.nothing_for([&mut alice, &mut desk, &mut bob, &mut carol]).await;
}

#[tokio::test]
async fn an_invitation_without_a_timer_waits_until_somebody_acts() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let timeless = alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 0 })).await;
    has(&timeless, json!({ "expires_at": null }));
    let ring = bob.expect("invitation.received").await;
    has(&ring, json!({ "timeout_s": 0 }));
    assert!(ring.get("expires_at").is_none_or(serde_json::Value::is_null));

    // One with a timer comes and goes meanwhile.
    alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 1 })).await;
    bob.expect("invitation.received").await;
    bob.expect("invitation.timed_out").await;
    alice.expect("invitation.timed_out").await;

    let id = timeless["invitation_id"].clone();
    let seen = site.invitation("bob", id.as_str().unwrap()).await;
    has(&seen, json!({ "state": "active", "remaining_ms": null, "expires_at": null }));
    bob.ok("accept", json!({ "invitation_id": id })).await;
    alice.expect("invitation.accepted").await;
    site.nothing_for([&mut alice, &mut bob]).await;
}

#[tokio::test]
async fn an_answered_invitation_does_not_time_out() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let first = alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 1 })).await;
    bob.expect("invitation.received").await;
    bob.ok("accept", json!({ "invitation_id": first["invitation_id"] })).await;
    alice.expect("invitation.accepted").await;
    // One that is created after it times out after it would have.
    alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 1 })).await;
    bob.expect("invitation.received").await;
    bob.expect("invitation.timed_out").await;
    alice.expect("invitation.timed_out").await;
    site.nothing_for([&mut alice, &mut bob]).await;
}

#[tokio::test]
async fn a_timeout_longer_than_a_day_is_refused() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 86_400 })).await;
    let refused = alice.refused("invite", json!({ "invitees": ["bob"], "timeout_s": 86_401 }), "invalid_params").await;
    has(&refused, json!({ "field": "timeout_s" }));
}
