//! Presence, busy users, glare, and repeated requests.

use ringwire_e2e::{Settings, has, until};
use serde_json::json;

#[tokio::test]
async fn online_user_only_rings_who_is_connected_and_names_the_others() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let invite = json!({ "invitees": ["bob", "carol"], "online_user_only": true });
    let invited = alice.ok("invite", invite).await;
    has(&invited, json!({ "failed": { "carol": "offline" } }));
    has(&bob.expect("invitation.received").await, json!({ "invitees": ["bob"] }));
    let seen = site.invitation("alice", invited["invitation_id"].as_str().unwrap()).await;
    has(&seen, json!({ "state": "active", "online_user_only": true }));
    has(&seen["invitees"][1], json!({ "user": "carol", "state": "failed", "reason": "offline" }));
    // Who was not rung is not told later either.
    let carol = site.connect("carol", "phone").await;
    has(&carol.snapshot, json!({ "active": [], "missed": [] }));

    bob.ok("accept", json!({ "invitation_id": invited["invitation_id"] })).await;
    has(&alice.expect("invitation.accepted").await, json!({ "settled": true }));

    let nobody = alice.ok("invite", json!({ "invitees": ["dave", "erin"], "online_user_only": true })).await;
    has(&nobody, json!({ "failed": { "dave": "offline", "erin": "offline" } }));
    let seen = site.invitation("alice", nobody["invitation_id"].as_str().unwrap()).await;
    has(&seen, json!({ "state": "settled" }));
    site.nothing_for([&mut alice, &mut bob]).await;
}

#[tokio::test]
async fn a_user_who_disconnected_is_offline() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let bob = site.connect("bob", "phone").await;
    bob.close().await;
    // Carol's app vanishes without a word.
    drop(site.connect("carol", "phone").await);
    for user in ["bob", "carol"] {
        until("the user to be offline", async || {
            let invited = alice.ok("invite", json!({ "invitees": [user], "online_user_only": true })).await;
            (invited["failed"][user] == "offline").then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_settled_invitation_is_forgotten_after_its_retention() {
    let site = crate::site(Settings::new().with("policy.settled_retention_h", 0)).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let id = alice.ok("invite", json!({ "invitees": ["bob"] })).await["invitation_id"].clone();
    bob.expect("invitation.received").await;
    bob.ok("accept", json!({ "invitation_id": id })).await;
    alice.expect("invitation.accepted").await;
    alice.refused("get", json!({ "invitation_id": id }), "not_found").await;
    bob.refused("add_invited", json!({ "invitation_id": id }), "expired").await;
    has(&alice.ok("history", json!({ "peer": "bob" })).await, json!({ "messages": [] }));
    site.nothing_for([&mut alice, &mut bob]).await;
}

#[tokio::test]
async fn concurrent_invitations_ring_by_default() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut carol = site.connect("carol", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    alice.ok("invite", json!({ "invitees": ["bob"] })).await;
    carol.ok("invite", json!({ "invitees": ["bob"] })).await;
    has(&bob.expect("invitation.received").await, json!({ "inviter": "alice" }));
    has(&bob.expect("invitation.received").await, json!({ "inviter": "carol" }));
}

#[tokio::test]
async fn a_busy_user_is_rejected_for_where_the_operator_wants_it() {
    let site = crate::site(Settings::new().with("policy.busy", "reject")).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut carol = site.connect("carol", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    // One without a timer does not keep anybody busy.
    alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 0 })).await;
    let rings = alice.ok("invite", json!({ "invitees": ["bob"] })).await["invitation_id"].clone();
    bob.expect("invitation.received").await;
    bob.expect("invitation.received").await;

    let invited = carol.ok("invite", json!({ "invitees": ["bob"] })).await;
    has(&invited, json!({ "failed": {} }));
    let rejected = carol.expect("invitation.rejected").await;
    has(&rejected, json!({ "invitee": "bob", "reason": "busy", "settled": true, "version": 1 }));
    assert_eq!(rejected.get("device_id"), None);
    let seen = site.invitation("carol", invited["invitation_id"].as_str().unwrap()).await;
    has(&seen["invitees"][0], json!({ "state": "rejected", "reason": "busy" }));

    bob.ok("reject", json!({ "invitation_id": rings })).await;
    alice.expect("invitation.rejected").await;
    carol.ok("invite", json!({ "invitees": ["bob"] })).await;
    has(&bob.expect("invitation.received").await, json!({ "inviter": "carol" }));
}

#[tokio::test]
async fn two_users_who_invite_each_other_learn_of_it_from_the_later_one() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let first = alice.ok("invite", json!({ "invitees": ["bob"] })).await;
    assert_eq!(first.get("crosses"), None);
    let second = bob.ok("invite", json!({ "invitees": ["alice"] })).await;
    has(&second, json!({ "crosses": first["invitation_id"] }));
    assert_eq!(bob.expect("invitation.received").await.get("crosses"), None);
    has(&alice.expect("invitation.received").await, json!({ "crosses": first["invitation_id"] }));
    // Both stand until somebody acts.
    for invited in [&first, &second] {
        has(&site.invitation("alice", invited["invitation_id"].as_str().unwrap()).await, json!({ "state": "active" }));
    }
    // A later one crosses nothing once the first has ended.
    alice.ok("cancel", json!({ "invitation_id": first["invitation_id"] })).await;
    assert_eq!(bob.ok("invite", json!({ "invitees": ["alice"] })).await.get("crosses"), None);
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer_and_does_nothing() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut desk = site.connect("alice", "desk").await;
    let mut bob = site.connect("bob", "phone").await;
    let invite = json!({ "invitees": ["bob"], "data": "x", "request_id": "r-1" });
    let first = alice.ok("invite", invite.clone()).await;
    let id = first["invitation_id"].clone();
    assert_eq!(alice.ok("invite", invite.clone()).await, first);
    assert_eq!(desk.ok("invite", invite.clone()).await, first);
    desk.expect("invitation.sent").await;
    bob.expect("invitation.received").await;
    for other in [json!({ "data": "y" }), json!({ "invitees": ["carol"] }), json!({ "timeout_s": 31 })] {
        let mut changed = invite.clone();
        changed.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
        alice.refused("invite", changed, "conflict").await;
    }
    // Request ids belong to their user.
    let other = bob.ok("invite", json!({ "invitees": ["carol"], "request_id": "r-1" })).await;
    assert_ne!(other["invitation_id"], id);

    let accept = json!({ "invitation_id": id, "data": "yes", "request_id": "a-1" });
    let accepted = bob.ok("accept", accept.clone()).await;
    assert_eq!(bob.ok("accept", accept).await, accepted);
    bob.refused("accept", json!({ "invitation_id": id, "data": "no", "request_id": "a-1" }), "conflict").await;
    bob.refused("reject", json!({ "invitation_id": id, "data": "yes", "request_id": "a-1" }), "conflict").await;
    bob.refused("accept", json!({ "invitation_id": id, "data": "yes" }), "already_settled").await;
    alice.expect("invitation.accepted").await;
    desk.expect("invitation.accepted").await;
    // The first answer of the invite stands, although the invitation went on.
    assert_eq!(alice.ok("invite", invite).await, first);

    let id = alice.ok("invite", json!({ "invitees": ["bob", "carol"] })).await["invitation_id"].clone();
    desk.expect("invitation.sent").await;
    bob.expect("invitation.received").await;
    let cancel = json!({ "invitation_id": id, "request_id": "c-1" });
    let cancelled = alice.ok("cancel", cancel.clone()).await;
    assert_eq!(alice.ok("cancel", cancel).await, cancelled);
    let other = json!({ "invitation_id": id, "request_id": "c-1", "invitees": ["bob"] });
    alice.refused("cancel", other, "conflict").await;
    desk.expect("invitation.cancelled").await;
    bob.expect("invitation.cancelled").await;
    site.nothing_for([&mut alice, &mut desk, &mut bob]).await;
}
