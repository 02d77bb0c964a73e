//! Reading: one invitation, the active ones, the history of a conversation.

use std::collections::BTreeSet;

use ringwire_e2e::{Device, Settings, has};
use serde_json::{Value, json};

/// Every row of a listing, read in pages of `limit`.
async fn pages(device: &mut Device, method: &str, rows: &str, asked: Value, limit: usize) -> Vec<Value> {
    let mut all = Vec::new();
    let mut params = asked;
    params["limit"] = json!(limit);
    loop {
        let page = device.ok(method, params.clone()).await;
        let found = page[rows].as_array().expect("a page has rows");
        assert!(found.len() <= limit, "a page has {} rows", found.len());
        all.extend(found.iter().cloned());
        match page.get("cursor") {
            Some(cursor) => params["cursor"] = cursor.clone(),
            None => return all,
        }
    }
}

fn ids(rows: &[Value]) -> BTreeSet<String> {
    rows.iter().map(|row| row["invitation_id"].as_str().expect("a row has an id").to_owned()).collect()
}

#[tokio::test]
async fn get_shows_every_invitees_state_to_participants() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let invite = json!({
        "invitees": ["bob", "carol", "dave"], "data": "x", "kind": 0, "inviter_name": "Alice", "timeout_s": 60,
    });
    let invited = alice.ok("invite", invite).await;
    let id = &invited["invitation_id"];
    bob.ok("accept", json!({ "invitation_id": id, "data": "yes" })).await;
    alice.ok("cancel", json!({ "invitation_id": id, "invitees": ["carol"] })).await;
    for device in [&mut alice, &mut bob] {
        let seen = device.ok("get", json!({ "invitation_id": id })).await;
        let wanted = json!({
            "invitation_id": id, "version": 3, "state": "active", "inviter": "alice", "inviter_name": "Alice",
            "kind": 0, "data": "x", "timeout_s": 60, "online_user_only": false, "receipts": true,
            "created_at": invited["created_at"], "expires_at": invited["expires_at"], "modifications": 0,
        });
        has(&seen, wanted);
        assert!((50_000..=60_000).contains(&seen["remaining_ms"].as_u64().unwrap()), "{seen}");
        let accepted = json!({ "user": "bob", "state": "accepted", "device_id": "phone", "data": "yes" });
        has(&seen["invitees"][0], accepted);
        has(&seen["invitees"][1], json!({ "user": "carol", "state": "cancelled" }));
        has(&seen["invitees"][2], json!({ "user": "dave", "state": "pending" }));
    }
}

#[tokio::test]
async fn list_active_pages_through_everything_that_concerns_the_user() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let mut active = BTreeSet::new();
    for number in 0..7 {
        let invite = json!({ "invitees": [format!("friend-{number}")], "timeout_s": 60 * (number % 2) });
        active.insert(alice.ok("invite", invite).await["invitation_id"].as_str().unwrap().to_owned());
    }
    let received = bob.ok("invite", json!({ "invitees": ["alice"] })).await["invitation_id"].clone();
    active.insert(received.as_str().unwrap().to_owned());
    let answered = bob.ok("invite", json!({ "invitees": ["alice", "carol"] })).await["invitation_id"].clone();
    alice.ok("reject", json!({ "invitation_id": answered })).await;
    let cancelled = alice.ok("invite", json!({ "invitees": ["dave"] })).await["invitation_id"].clone();
    alice.ok("cancel", json!({ "invitation_id": cancelled })).await;

    for limit in [1, 3, 8, 100] {
        let rows = pages(&mut alice, "list_active", "invitations", json!({}), limit).await;
        assert_eq!((rows.len(), ids(&rows)), (8, active.clone()), "in pages of {limit}");
    }
    let rows = pages(&mut bob, "list_active", "invitations", json!({}), 20).await;
    assert_eq!(ids(&rows), ids(&[json!({ "invitation_id": received }), json!({ "invitation_id": answered })]));
    for row in &rows {
        assert!(row["remaining_ms"].as_u64().unwrap() > 20_000, "{row}");
    }
    for (limit, cursor) in [(0, json!(null)), (101, json!(null)), (1, json!("nonsense"))] {
        let field = if cursor.is_null() { "limit" } else { "cursor" };
        let params = json!({ "limit": limit, "cursor": cursor });
        has(&alice.refused("list_active", params, "invalid_params").await, json!({ "field": field }));
    }
}

#[tokio::test]
async fn the_history_of_two_users_has_one_message_for_each_operation_newest_first() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let mut carol = site.connect("carol", "phone").await;
    let first = alice.ok("invite", json!({ "invitees": ["bob"], "data": "one", "kind": 1 })).await;
    alice.ok("modify", json!({ "invitation_id": first["invitation_id"], "data": "one more" })).await;
    bob.ok("reject", json!({ "invitation_id": first["invitation_id"], "reason": "busy", "data": "no" })).await;
    let second = bob.ok("invite", json!({ "invitees": ["alice"], "data": "two" })).await;
    bob.ok("cancel", json!({ "invitation_id": second["invitation_id"], "data": "gone" })).await;
    let third = alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 1, "data": "three" })).await;
    alice.ok("invite", json!({ "invitees": ["carol"] })).await;
    alice.ok("invite", json!({ "invitees": ["bob"], "online_user_only": true })).await;
    while alice.event().await["type"] != "invitation.timed_out" {}

    let wanted = [
        json!({ "invitation_id": third["invitation_id"], "action": "timeout", "data": "three", "version": 2 }),
        json!({ "invitation_id": third["invitation_id"], "action": "invite", "data": "three", "by": "alice" }),
        json!({ "invitation_id": second["invitation_id"], "action": "cancel", "data": "gone", "by": "bob" }),
        json!({ "invitation_id": second["invitation_id"], "action": "invite", "data": "two", "by": "bob" }),
        json!({ "invitation_id": first["invitation_id"], "action": "reject", "data": "no", "reason": "busy" }),
        json!({ "invitation_id": first["invitation_id"], "action": "modify", "data": "one more", "version": 2 }),
        json!({ "invitation_id": first["invitation_id"], "action": "invite", "data": "one", "device_id": "phone" }),
    ];
    for limit in [1, 2, 3, 20] {
        let seen = pages(&mut alice, "history", "messages", json!({ "peer": "bob" }), limit).await;
        assert_eq!(seen.len(), wanted.len(), "in pages of {limit}: {seen:?}");
        for (message, wanted) in seen.iter().zip(&wanted) {
            has(message, wanted.clone());
        }
        assert_eq!(seen[0].get("by"), None, "a timeout is nobody's");
        assert_eq!(pages(&mut bob, "history", "messages", json!({ "peer": "alice" }), limit).await, seen);
    }
    assert_eq!(pages(&mut carol, "history", "messages", json!({ "peer": "alice" }), 5).await.len(), 1);
    assert!(pages(&mut carol, "history", "messages", json!({ "peer": "bob" }), 5).await.is_empty());
    for params in [json!({}), json!({ "peer": "bob", "group_id": "team" })] {
        has(&alice.refused("history", params, "invalid_params").await, json!({ "field": "peer" }));
    }
}

#[tokio::test]
async fn the_history_of_a_group_is_for_its_members() {
    let site = crate::site(Settings::new()).await;
    site.group("team", &["alice", "bob", "carol"]).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut carol = site.connect("carol", "phone").await;
    let mut mallory = site.connect("mallory", "phone").await;
    let invited = alice.ok("invite", json!({ "invitees": ["bob"], "group_id": "team", "data": "standup" })).await;
    let seen = pages(&mut carol, "history", "messages", json!({ "group_id": "team" }), 5).await;
    assert_eq!(seen.len(), 1);
    let id = &invited["invitation_id"];
    has(&seen[0], json!({ "invitation_id": id, "group_id": "team", "action": "invite", "data": "standup" }));
    assert!(pages(&mut alice, "history", "messages", json!({ "peer": "bob" }), 5).await.is_empty());
    has(&carol.ok("get", json!({ "invitation_id": id })).await, json!({ "group_id": "team", "audience": "members" }));

    let stranger = mallory.refused("history", json!({ "group_id": "team" }), "not_group_member").await;
    has(&stranger, json!({ "users": ["mallory"] }));
    mallory.refused("get", json!({ "invitation_id": id }), "not_found").await;
    mallory.refused("history", json!({ "group_id": "nobody" }), "group_not_found").await;
}
