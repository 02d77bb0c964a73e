//! Offline pushes: who is pushed, when, what the hook is told, and what happens when it fails.

use std::time::{Duration, Instant};

use ringwire_client::signaling_info;
use ringwire_e2e::{Behaviour, Device, Hook, Settings, Site, Targets, has, until};
use serde_json::{Value, json};

/// Whoever has no connection is pushed within a second.
const AT_ONCE: Duration = Duration::from_secs(1);
/// Whoever is connected and gives no receipt, not before two, and within three and a half.
const PATIENCE_S: std::ops::Range<f64> = 1.9..3.5;

async fn site(hook: &Hook) -> (Site, Targets) {
    let targets = Targets::all_to(hook);
    (crate::site(targets.of(Settings::new())).await, targets)
}

async fn invite(alice: &mut Device, parameters: Value) -> Value {
    alice.ok("invite", parameters).await["invitation_id"].clone()
}

/// Shows that no more came: what the hook gets next is of an invitation that is made now.
async fn nothing_more(hook: &mut Hook, alice: &mut Device) {
    let id = invite(alice, json!({ "invitees": ["nobody else"], "timeout_s": 0 })).await;
    hook.expect("push.ring", "nobody else").await;
    alice.ok("cancel", json!({ "invitation_id": id })).await;
    hook.expect("push.cancel", "nobody else").await;
}

#[tokio::test]
async fn whoever_has_no_connection_is_pushed_at_once_and_told_of_the_end() {
    let mut hook = Hook::new().await;
    let (site, _targets) = site(&hook).await;
    let mut alice = site.connect("alice", "phone").await;
    let push = json!({
        "title": "Alice", "desc": "is calling", "ext": "e", "resource_id": "ring.caf", "voip": true,
        "vendor": { "android": { "channel": "calls" } },
    });
    let asked = json!({
        "invitees": ["bob"], "data": "{\"room\":7}", "timeout_s": 30, "kind": 1, "inviter_name": "Alice A.", "push": push,
    });
    let started = Instant::now();
    let invited = alice.ok("invite", asked).await;
    let id = &invited["invitation_id"];
    let ring = hook.expect("push.ring", "bob").await;
    assert!(ring.at - started < AT_ONCE, "it took {:?}", ring.at - started);
    let data = &ring.body["data"];
    has(
        data,
        json!({
            "invitation_id": id, "action": "invite", "inviter": "alice", "inviter_name": "Alice A.", "invitees": ["bob"],
            "data": "{\"room\":7}", "kind": 1, "timeout_s": 30, "at": invited["created_at"], "state": "pending",
            "expires_at": invited["expires_at"], "version": 1, "push": push, "devices": [],
        }),
    );
    let remaining = data["remaining_ms"].as_u64().unwrap();
    assert!((28_000..=30_000).contains(&remaining), "{remaining} ms remain");
    assert!(ring.body["timestamp"].as_str().unwrap().ends_with('Z'), "{}", ring.body);
    let info = signaling_info(&ring.body).expect("the push says what rings");
    assert_eq!((info.action.as_ref(), info.invitation_id.to_string().as_str()), ("invite", id.as_str().unwrap()));

    alice.ok("cancel", json!({ "invitation_id": id, "data": "never mind" })).await;
    let over = hook.expect("push.cancel", "bob").await;
    has(
        &over.body["data"],
        json!({
            "invitation_id": id, "action": "cancel", "invitees": ["bob"], "data": "never mind", "state": "cancelled",
            "remaining_ms": 0, "version": 2,
        }),
    );
    assert_ne!(over.id, ring.id);
    nothing_more(&mut hook, &mut alice).await;
}

#[tokio::test]
async fn a_device_that_is_connected_and_silent_is_pushed_after_a_while_and_one_that_rings_is_not() {
    let mut hook = Hook::new().await;
    let (site, _targets) = site(&hook).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let mut carol = site.connect("carol", "phone").await;
    let mut dan = site.connect("dan", "phone").await;
    let started = Instant::now();
    let id = invite(&mut alice, json!({ "invitees": ["bob", "carol", "dan"] })).await;
    for device in [&mut carol, &mut dan] {
        let ring = device.expect("invitation.received").await;
        device.ack(&ring["offset"]).await;
    }
    alice.expect("invitation.ringing").await;
    alice.expect("invitation.ringing").await;
    // Bob's connection stands, and nobody reads from it.
    let ring = hook.expect("push.ring", "bob").await;
    let waited = (ring.at - started).as_secs_f64();
    assert!(PATIENCE_S.contains(&waited), "it took {waited} s");
    bob.ok("accept", json!({ "invitation_id": id, "data": "here" })).await;
    let over = hook.expect("push.cancel", "bob").await;
    has(&over.body["data"], json!({ "action": "accept", "state": "accepted", "device_id": "phone", "data": "here" }));
    dan.ok("reject", json!({ "invitation_id": id, "reason": "busy" })).await;
    alice.ok("cancel", json!({ "invitation_id": id })).await;
    nothing_more(&mut hook, &mut alice).await;
}

#[tokio::test]
async fn whoever_answers_in_time_is_not_pushed() {
    let mut hook = Hook::new().await;
    let (site, _targets) = site(&hook).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let started = Instant::now();
    let id = invite(&mut alice, json!({ "invitees": ["bob"] })).await;
    bob.expect("invitation.received").await;
    bob.ok("accept", json!({ "invitation_id": id })).await;
    // Until whoever is not told now would have been.
    let mut carol = site.connect("carol", "phone").await;
    let other = invite(&mut alice, json!({ "invitees": ["carol"] })).await;
    carol.expect("invitation.received").await;
    hook.expect("push.ring", "carol").await;
    assert!(started.elapsed().as_secs_f64() > PATIENCE_S.start);
    carol.ok("accept", json!({ "invitation_id": other })).await;
    hook.expect("push.cancel", "carol").await;
    nothing_more(&mut hook, &mut alice).await;
}

#[tokio::test]
async fn whoever_a_push_woke_gets_the_ring_with_the_time_that_is_left_and_after_its_end_no_ghost() {
    let mut hook = Hook::new().await;
    let (site, _targets) = site(&hook).await;
    let mut alice = site.connect("alice", "phone").await;
    let id = invite(&mut alice, json!({ "invitees": ["bob"], "timeout_s": 2, "data": "ring" })).await;
    hook.expect("push.ring", "bob").await;
    let mut bob = site.connect("bob", "phone").await;
    let active = &bob.snapshot["active"][0];
    has(active, json!({ "invitation_id": id, "data": "ring" }));
    assert!((1..=2_000).contains(&active["remaining_ms"].as_u64().unwrap()), "{active}");
    bob.expect("invitation.timed_out").await;
    let over = hook.expect("push.cancel", "bob").await;
    has(&over.body["data"], json!({ "action": "timeout", "state": "timed_out" }));

    // This one wakes too late.
    let mut web = site.connect("bob", "web").await;
    has(&web.snapshot, json!({ "active": [] }));
    assert_eq!(web.snapshot["missed"][0]["invitation_id"], id);
    web.refused("add_invited", json!({ "invitation_id": id }), "already_settled").await;
    site.nothing_for([&mut web]).await;
}

#[tokio::test]
async fn pushes_go_to_the_targets_of_the_users_devices_with_their_tokens() {
    let (mut apple, mut google, mut rest) = (Hook::new().await, Hook::new().await, Hook::new().await);
    let targets = Targets::new(&[
        ("apple", &apple.url, &["ios", "ipados"]),
        ("google", &google.url, &["android"]),
        ("rest", &rest.url, &[]),
    ]);
    let site = crate::site(targets.of(Settings::new())).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let (voip, fcm) = (json!({ "apns_voip": "token-1" }), json!({ "fcm": "token-2" }));
    bob.ok("devices", json!({ "action": "set", "platform": "ios", "tokens": voip })).await;
    let pad = json!({ "action": "set", "device_id": "pad", "platform": "android", "tokens": fcm });
    bob.ok("devices", pad).await;
    bob.close().await;

    let id = invite(&mut alice, json!({ "invitees": ["bob", "carol"] })).await;
    let phone = json!({ "device_id": "phone", "platform": "ios", "tokens": voip });
    let pad = json!({ "device_id": "pad", "platform": "android", "tokens": fcm });
    let ring = apple.expect("push.ring", "bob").await;
    has(&ring.body["data"], json!({ "devices": [phone] }));
    let other = google.expect("push.ring", "bob").await;
    has(&other.body["data"], json!({ "devices": [pad] }));
    assert_ne!(ring.id, other.id, "each target has a message of its own");
    let (one, another) = (rest.pushed().await.body, rest.pushed().await.body);
    let (to_bob, to_carol) = if one["data"]["user"] == "bob" { (one, another) } else { (another, one) };
    has(&to_bob["data"], json!({ "user": "bob", "devices": [pad, phone] }));
    has(&to_carol["data"], json!({ "user": "carol", "devices": [] }));

    alice.ok("cancel", json!({ "invitation_id": id })).await;
    apple.expect("push.cancel", "bob").await;
    google.expect("push.cancel", "bob").await;
    for _ in 0..2 {
        assert_eq!(rest.pushed().await.body["type"], "push.cancel");
    }
    assert!(apple.rest().is_empty() && google.rest().is_empty() && rest.rest().is_empty());
}

#[tokio::test]
async fn each_device_without_a_receipt_is_pushed_if_that_is_asked_for() {
    let mut hook = Hook::new().await;
    let (site, _targets) = site(&hook).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let mut pad = site.connect("bob", "pad").await;
    for (device, token) in [("phone", "token-1"), ("pad", "token-2"), ("old", "token-3")] {
        let tokens = json!({ "fcm": token });
        let set = json!({ "action": "set", "device_id": device, "platform": "android", "tokens": tokens });
        bob.ok("devices", set).await;
    }
    let each = json!({ "desc": "ring", "when": "each_device" });
    let id = invite(&mut alice, json!({ "invitees": ["bob"], "push": each })).await;
    for device in [&mut bob, &mut pad] {
        let ring = device.expect("invitation.received").await;
        device.ack(&ring["offset"]).await;
    }
    let ring = hook.expect("push.ring", "bob").await;
    let told: Vec<&Value> =
        ring.body["data"]["devices"].as_array().unwrap().iter().map(|device| &device["device_id"]).collect();
    assert_eq!(told, ["old"]);
    bob.ok("accept", json!({ "invitation_id": id })).await;
    let over = hook.expect("push.cancel", "bob").await;
    assert_eq!(over.body["data"]["devices"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn what_wants_no_push_gets_none_and_what_always_wants_one_does() {
    let mut hook = Hook::new().await;
    let (site, _targets) = site(&hook).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    invite(&mut alice, json!({ "invitees": ["carol"], "push": { "disable": true } })).await;
    invite(&mut alice, json!({ "invitees": ["bob", "carol"], "online_user_only": true })).await;
    let started = Instant::now();
    let always = json!({ "desc": "ring", "when": "always" });
    invite(&mut alice, json!({ "invitees": ["bob"], "push": always })).await;
    for _ in 0..2 {
        let ring = bob.expect("invitation.received").await;
        bob.ack(&ring["offset"]).await;
    }
    hook.expect("push.ring", "bob").await;
    assert!(started.elapsed() < AT_ONCE);
    nothing_more(&mut hook, &mut alice).await;
}

#[tokio::test]
async fn a_hook_that_fails_is_asked_again_with_the_same_id_until_it_takes_the_push() {
    let mut hook = Hook::new().await;
    let mut elsewhere = Hook::new().await;
    let (site, _targets) = site(&hook).await;
    let mut alice = site.connect("alice", "phone").await;
    hook.then([Behaviour::Status(500), Behaviour::Redirect(elsewhere.url.clone()), Behaviour::Huge]);
    let id = invite(&mut alice, json!({ "invitees": ["bob"], "timeout_s": 60 })).await;
    let first = hook.expect("push.ring", "bob").await;
    for _ in 0..2 {
        let again = hook.expect("push.ring", "bob").await;
        assert_eq!(again.id, first.id, "a repeat has the same name");
    }
    // What it says is not read, only that it said yes.
    alice.ok("cancel", json!({ "invitation_id": id })).await;
    hook.expect("push.cancel", "bob").await;
    assert!(elsewhere.rest().is_empty(), "redirects are not followed");
    nothing_more(&mut hook, &mut alice).await;
}

#[tokio::test]
async fn a_push_that_failed_is_not_repeated_once_a_device_rings() {
    let mut hook = Hook::new().await;
    let (site, _targets) = site(&hook).await;
    let mut alice = site.connect("alice", "phone").await;
    hook.always(Behaviour::Status(500));
    let id = invite(&mut alice, json!({ "invitees": ["bob"], "timeout_s": 60 })).await;
    hook.expect("push.ring", "bob").await;
    // He looks at his phone before the hook works again.
    let mut bob = site.connect("bob", "phone").await;
    bob.ack(&bob.hello["offset"].clone()).await;
    alice.expect("invitation.ringing").await;
    hook.always(Behaviour::Status(204));
    let needless = "ringwire_pushes_total{target=\"hook\",kind=\"push.ring\",outcome=\"needless\"}";
    until("the repeat to be left out", async || (site.sum(needless).await >= 1.0).then_some(())).await;
    hook.rest();
    alice.ok("cancel", json!({ "invitation_id": id })).await;
    hook.expect("push.cancel", "bob").await;
}

#[tokio::test]
async fn a_hook_that_is_gone_gets_nothing_again() {
    let mut hook = Hook::new().await;
    let (site, _targets) = site(&hook).await;
    let mut alice = site.connect("alice", "phone").await;
    hook.then([Behaviour::Status(410)]);
    invite(&mut alice, json!({ "invitees": ["bob"], "timeout_s": 60 })).await;
    hook.expect("push.ring", "bob").await;
    let dead = "ringwire_pushes_total{target=\"hook\",kind=\"push.ring\",outcome=\"dead\"}";
    until("the push to be given up", async || (site.sum(dead).await >= 1.0).then_some(())).await;
    nothing_more(&mut hook, &mut alice).await;
}

#[tokio::test]
async fn a_hook_that_says_nothing_and_one_that_is_not_there_hold_up_no_other() {
    let mut silent = Hook::new().await;
    silent.always(Behaviour::Silence);
    let mut good = Hook::new().await;
    let targets = Targets::new(&[
        ("silent", &silent.url, &[]),
        ("closed", "http://127.0.0.1:9/push", &[]),
        ("good", &good.url, &[]),
    ]);
    let settings = targets.of(Settings::new()).without_rate_limit().with("push.max_in_flight", 4);
    let site = crate::site(settings.with("push.timeout_ms", 1_000)).await;
    let mut alice = site.connect("alice", "phone").await;
    for number in 0..60 {
        let started = Instant::now();
        let bob = format!("bob-{number}");
        invite(&mut alice, json!({ "invitees": [bob], "timeout_s": 120 })).await;
        let ring = good.expect("push.ring", &bob).await;
        assert!(ring.at - started < AT_ONCE, "push {number} took {:?}", ring.at - started);
    }
    let down = |target: &str| format!("ringwire_push_target_down{{target=\"{target}\"}}");
    for target in ["silent", "closed"] {
        until("the target to count as down", async || (site.sum(&down(target)).await >= 1.0).then_some(())).await;
    }
    assert!(site.sum(&down("good")).await < 1.0);
    // It works again, and is found to.
    silent.always(Behaviour::Status(200));
    silent.rest();
    let works = "ringwire_pushes_total{target=\"silent\",kind=\"push.ring\",outcome=\"delivered\"}";
    until("the target to work again", async || (site.sum(works).await >= 1.0).then_some(())).await;
}
