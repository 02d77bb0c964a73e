//! Sizes and counts: the last that fits, and the first that does not.

use ringwire_e2e::{Settings, has};
use serde_json::json;

#[tokio::test]
async fn a_hundred_invitees_ring_and_a_hundred_and_one_are_refused() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut last = site.connect("user-99", "phone").await;
    let users = |count: usize| (0..count).map(|number| format!("user-{number}")).collect::<Vec<_>>();
    let refused = alice.refused("invite", json!({ "invitees": users(101) }), "invalid_params").await;
    has(&refused, json!({ "field": "invitees" }));
    let invited = alice.ok("invite", json!({ "invitees": users(100) })).await;
    assert_eq!(last.expect("invitation.received").await["invitees"].as_array().unwrap().len(), 100);
    let cancelled = alice.ok("cancel", json!({ "invitation_id": invited["invitation_id"] })).await;
    assert_eq!(cancelled["invitees"].as_array().unwrap().len(), 100);
    last.expect("invitation.cancelled").await;
    site.nothing_for([&mut alice, &mut last]).await;
}

#[tokio::test]
async fn data_may_have_twelve_kibibytes_and_comes_back_byte_for_byte() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    // Characters of several bytes, quotes and controls: what counts is the size after decoding.
    let largest = format!("{}\u{0}\"\\\n{}", "é€🙂".repeat(1000), "x".repeat(12 * 1024 - 9 * 1000 - 4));
    assert_eq!(largest.len(), 12 * 1024);
    let over = format!("{largest}y");

    let id = alice.ok("invite", json!({ "invitees": ["bob"], "data": largest })).await["invitation_id"].clone();
    has(&bob.expect("invitation.received").await, json!({ "data": largest }));
    for (method, params) in [
        ("invite", json!({ "invitees": ["bob"], "data": over })),
        ("modify", json!({ "invitation_id": id, "data": over })),
        ("signal", json!({ "invitation_id": id, "data": over })),
        ("cancel", json!({ "invitation_id": id, "data": over })),
    ] {
        let refused = alice.refused(method, params, "payload_too_large").await;
        has(&refused, json!({ "field": "data", "limit": 12 * 1024 }));
    }
    for method in ["accept", "reject"] {
        bob.refused(method, json!({ "invitation_id": id, "data": over }), "payload_too_large").await;
    }
    alice.ok("modify", json!({ "invitation_id": id, "data": largest })).await;
    has(&bob.expect("invitation.modified").await, json!({ "data": largest }));
    alice.ok("signal", json!({ "invitation_id": id, "data": largest })).await;
    has(&bob.expect("signal").await, json!({ "data": largest }));
    bob.ok("accept", json!({ "invitation_id": id, "data": largest })).await;
    has(&alice.expect("invitation.accepted").await, json!({ "data": largest }));
    let seen = site.invitation("bob", id.as_str().unwrap()).await;
    has(&seen, json!({ "data": largest }));
    has(&seen["invitees"][0], json!({ "data": largest }));
}

#[tokio::test]
async fn ids_of_128_bytes_work_and_longer_ones_are_refused() {
    let site = crate::site(Settings::new()).await;
    let long = "é".repeat(64);
    let mut alice = site.connect("alice", &long).await;
    let mut bob = site.connect(&long, "phone").await;
    alice.ok("invite", json!({ "invitees": [long] })).await;
    bob.expect("invitation.received").await;
    let refused = alice.refused("invite", json!({ "invitees": ["bob", "x".repeat(129)] }), "invalid_params").await;
    has(&refused, json!({ "field": "invitees[1]" }));
    let refused = alice.refused("invite", json!({ "invitees": ["bob\u{7}"] }), "invalid_params").await;
    has(&refused, json!({ "field": "invitees[0]" }));
    let group = json!({ "invitees": ["bob"], "group_id": "x".repeat(129) });
    has(&alice.refused("invite", group, "invalid_params").await, json!({ "field": "group_id" }));
    let request = json!({ "invitees": ["bob"], "request_id": "x".repeat(65) });
    has(&alice.refused("invite", request, "invalid_params").await, json!({ "field": "request_id" }));
    alice.ok("invite", json!({ "invitees": ["bob"], "request_id": "é".repeat(64) })).await;
    let name = json!({ "invitees": ["bob"], "inviter_name": "x".repeat(129) });
    has(&alice.refused("invite", name, "invalid_params").await, json!({ "field": "inviter_name" }));
}

#[tokio::test]
async fn an_invitee_who_rings_too_often_fails_alone() {
    let site = crate::site(Settings::new().without_rate_limit()).await;
    let mut alice = site.connect("alice", "phone").await;
    for _ in 0..64 {
        alice.ok("invite", json!({ "invitees": ["bob"] })).await;
    }
    let mut carol = site.connect("carol", "phone").await;
    let invited = carol.ok("invite", json!({ "invitees": ["bob", "dave"] })).await;
    has(&invited, json!({ "failed": { "bob": "rate_limited" } }));
}

#[tokio::test]
async fn an_invitation_without_a_timer_makes_room_for_a_newer_one() {
    let site = crate::site(Settings::new().without_rate_limit()).await;
    let mut alice = site.connect("alice", "phone").await;
    let oldest = alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 0 })).await["invitation_id"].clone();
    for _ in 0..64 {
        has(&alice.ok("invite", json!({ "invitees": ["bob"] })).await, json!({ "failed": {} }));
    }
    let mut bob = site.connect("bob", "phone").await;
    let listed = bob.ok("list_active", json!({ "limit": 100 })).await;
    let rows = listed["invitations"].as_array().unwrap();
    assert_eq!(rows.len(), 64);
    assert!(rows.iter().all(|row| row["invitation_id"] != oldest));
}

#[tokio::test]
async fn an_inviter_of_256_active_invitations_has_to_wait() {
    let site = crate::site(Settings::new().without_rate_limit()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut requests = Vec::new();
    for number in 0..256 {
        requests.push(alice.send("invite", json!({ "invitees": [format!("user-{number}")] })).await);
    }
    let mut first = None;
    for request in requests {
        let invited = alice.answer(request).await.unwrap();
        first.get_or_insert(invited["invitation_id"].clone());
    }
    let limited = alice.refused("invite", json!({ "invitees": ["one-more"] }), "rate_limited").await;
    assert!(limited["retry_after_ms"].as_u64().unwrap() > 0);
    alice.ok("cancel", json!({ "invitation_id": first })).await;
    alice.ok("invite", json!({ "invitees": ["one-more"] })).await;
}

#[tokio::test]
async fn the_settings_of_a_push_are_checked() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let with = |push: serde_json::Value| json!({ "invitees": ["bob"], "push": push });
    let push = json!({
        "title": "Alice", "desc": "calls you", "ext": "e".repeat(4096), "resource_id": "r", "voip": true,
        "when": "each_device", "vendor": { "sound": "x" },
    });
    alice.ok("invite", with(push)).await;
    alice.ok("invite", with(json!({ "disable": true }))).await;
    for (push, name, field) in [
        (json!({ "title": "x" }), "invalid_params", "push.desc"),
        (json!({ "desc": "x", "ext": "e".repeat(4097) }), "payload_too_large", "push.ext"),
        (json!({ "desc": "x", "vendor": { "x": "e".repeat(4096) } }), "payload_too_large", "push.vendor"),
        (json!({ "desc": "x", "vendor": "x" }), "invalid_params", "push.vendor"),
        (json!({ "desc": "x", "when": "never" }), "invalid_params", "push.when"),
        (json!({ "desc": "x", "sound": "y" }), "invalid_params", "push.sound"),
    ] {
        has(&alice.refused("invite", with(push), name).await, json!({ "field": field }));
    }
}
