//! Events for records of calls: every invitation is told of twice, when it is created and when it is settled.

use ringwire_e2e::{Behaviour, Device, Hook, Settings, Site, Targets, has, until};
use serde_json::{Value, json};

async fn site(hook: &Hook) -> (Site, Targets) {
    let targets = Targets::new(&[]).with_events("billing", hook);
    (crate::site(targets.of(Settings::new())).await, targets)
}

async fn invite(alice: &mut Device, parameters: Value) -> Value {
    alice.ok("invite", parameters).await["invitation_id"].clone()
}

/// Waits for the next event, which is this one of this invitation.
async fn expect(hook: &mut Hook, kind: &str, id: &Value) -> Value {
    let told = hook.pushed().await;
    assert_eq!((&told.body["type"], &told.body["data"]["invitation_id"]), (&json!(kind), id), "{}", told.body);
    told.body
}

/// What the hook is told of an invitation that has ended: both in order, and which states the invitees are in.
async fn recorded(hook: &mut Hook, id: &Value, invitees: Value) {
    expect(hook, "invitation.created", id).await;
    let settled = expect(hook, "invitation.settled", id).await;
    has(&settled["data"], json!({ "state": "settled", "invitees": invitees }));
}

#[tokio::test]
async fn an_answered_invitation_is_told_twice_with_all_that_a_record_needs() {
    let mut hook = Hook::new().await;
    let (site, _targets) = site(&hook).await;
    site.group("team", &["alice", "bob", "carol"]).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "web").await;
    let mut carol = site.connect("carol", "pad").await;
    let asked = json!({
        "invitees": ["bob", "carol"], "group_id": "team", "kind": 1, "data": "{\"room\":7}", "timeout_s": 60,
    });
    let invited = alice.ok("invite", asked).await;
    let id = &invited["invitation_id"];
    let created = expect(&mut hook, "invitation.created", id).await;
    assert_eq!(created["timestamp"].as_str().unwrap().len(), "2026-11-21T14:02:03.412Z".len());
    let common = json!({
        "inviter": "alice", "group_id": "team", "kind": 1, "data": "{\"room\":7}", "timeout_s": 60,
        "created_at": invited["created_at"],
    });
    has(&created["data"], common.clone());
    let pending = json!([{ "user": "bob", "state": "pending" }, { "user": "carol", "state": "pending" }]);
    has(&created["data"], json!({ "state": "active", "version": 1, "invitees": pending }));

    let accepted = bob.ok("accept", json!({ "invitation_id": id, "data": "secret" })).await;
    let rejected = carol.ok("reject", json!({ "invitation_id": id, "reason": "busy" })).await;
    let settled = expect(&mut hook, "invitation.settled", id).await;
    has(&settled["data"], common);
    let answered = json!([
        { "user": "bob", "state": "accepted", "device_id": "web", "at": accepted["at"] },
        { "user": "carol", "state": "rejected", "reason": "busy", "device_id": "pad", "at": rejected["at"] },
    ]);
    has(
        &settled["data"],
        json!({ "state": "settled", "version": 3, "settled_at": rejected["at"], "invitees": answered }),
    );
    assert!(hook.rest().is_empty());
}

#[tokio::test]
async fn cancelled_timed_out_and_failed_invitations_are_told_too() {
    let mut hook = Hook::new().await;
    let (site, _targets) = site(&hook).await;
    let mut alice = site.connect("alice", "phone").await;
    let id = invite(&mut alice, json!({ "invitees": ["bob"] })).await;
    let cancelled = alice.ok("cancel", json!({ "invitation_id": id })).await;
    recorded(&mut hook, &id, json!([{ "user": "bob", "state": "cancelled", "at": cancelled["at"] }])).await;

    let id = invite(&mut alice, json!({ "invitees": ["bob"], "timeout_s": 1, "push": { "disable": true } })).await;
    expect(&mut hook, "invitation.created", &id).await;
    let settled = expect(&mut hook, "invitation.settled", &id).await;
    has(&settled["data"]["invitees"][0], json!({ "user": "bob", "state": "timed_out" }));
    alice.expect("invitation.timed_out").await;

    let id = invite(&mut alice, json!({ "invitees": ["bob"], "online_user_only": true })).await;
    recorded(&mut hook, &id, json!([{ "user": "bob", "state": "failed", "reason": "offline" }])).await;
    assert!(hook.rest().is_empty());
}

#[tokio::test]
async fn a_hook_that_was_down_is_told_the_creation_first() {
    let mut hook = Hook::new().await;
    let (site, _targets) = site(&hook).await;
    let mut alice = site.connect("alice", "phone").await;
    hook.always(Behaviour::Status(503));
    let id = invite(&mut alice, json!({ "invitees": ["bob"] })).await;
    let first = hook.pushed().await;
    alice.ok("cancel", json!({ "invitation_id": id })).await;
    assert_eq!(first.body["type"], "invitation.created");
    for _ in 0..3 {
        assert_eq!(hook.pushed().await.id, first.id, "the settlement waits");
    }
    hook.always(Behaviour::Status(204));
    // One more attempt may have failed meanwhile.
    let settled = until("the settlement to be told", async || {
        let told = hook.pushed().await;
        if told.id == first.id { None } else { Some(told) }
    })
    .await;
    assert_eq!(settled.body["type"], "invitation.settled");
    assert!(hook.rest().is_empty());
}

#[tokio::test]
async fn events_go_to_their_targets_and_pushes_to_theirs() {
    let (mut push, mut billing) = (Hook::new().await, Hook::new().await);
    let targets = Targets::all_to(&push).with_events("billing", &billing);
    let site = crate::site(targets.of(Settings::new())).await;
    let mut alice = site.connect("alice", "phone").await;
    let id = invite(&mut alice, json!({ "invitees": ["bob"] })).await;
    push.expect("push.ring", "bob").await;
    expect(&mut billing, "invitation.created", &id).await;
    alice.ok("cancel", json!({ "invitation_id": id })).await;
    push.expect("push.cancel", "bob").await;
    expect(&mut billing, "invitation.settled", &id).await;
    let delivered = "ringwire_pushes_total{target=\"billing\",kind=\"invitation.settled\",outcome=\"delivered\"}";
    until("the delivery to be counted", async || (site.sum(delivered).await >= 1.0).then_some(())).await;
    assert!(push.rest().is_empty() && billing.rest().is_empty());
}

#[tokio::test]
async fn without_targets_nothing_is_told() {
    let mut push = Hook::new().await;
    let targets = Targets::all_to(&push);
    let site = crate::site(targets.of(Settings::new())).await;
    let mut alice = site.connect("alice", "phone").await;
    let id = invite(&mut alice, json!({ "invitees": ["bob"] })).await;
    push.expect("push.ring", "bob").await;
    alice.ok("cancel", json!({ "invitation_id": id })).await;
    push.expect("push.cancel", "bob").await;
    assert!(push.rest().is_empty());
}
