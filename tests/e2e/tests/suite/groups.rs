//! Invitations in groups: who may invite whom, and who hears of it.

use ringwire_e2e::{Settings, has};
use serde_json::json;

#[tokio::test]
async fn the_whole_group_follows_an_invitation_and_only_invitees_ring() {
    let site = crate::site(Settings::new()).await;
    site.group("team", &["alice", "bob", "carol", "dave"]).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let mut carol = site.connect("carol", "phone").await;
    let mut dave = site.connect("dave", "phone").await;
    let invite = json!({ "invitees": ["bob", "carol"], "group_id": "team", "data": "standup", "timeout_s": 2 });
    let id = alice.ok("invite", invite).await["invitation_id"].clone();
    for (device, invited) in [(&mut bob, true), (&mut carol, true), (&mut dave, false)] {
        let ring = device.expect("invitation.received").await;
        let wanted = json!({
            "invitation_id": id, "invited": invited, "group_id": "team", "audience": "members", "data": "standup",
        });
        has(&ring, wanted);
        device.ok("ack", json!({ "offset": ring["offset"] })).await;
    }
    // Receipts come from invitees only.
    let ringing = [alice.expect("invitation.ringing").await, alice.expect("invitation.ringing").await];
    let mut rung: Vec<&str> = ringing.iter().map(|event| event["invitee"].as_str().unwrap()).collect();
    rung.sort_unstable();
    assert_eq!(rung, ["bob", "carol"]);

    bob.ok("accept", json!({ "invitation_id": id })).await;
    for device in [&mut alice, &mut carol, &mut dave] {
        has(&device.expect("invitation.accepted").await, json!({ "invitee": "bob", "group_id": "team" }));
    }
    alice.ok("modify", json!({ "invitation_id": id, "data": "room 2" })).await;
    for device in [&mut bob, &mut carol, &mut dave] {
        has(&device.expect("invitation.modified").await, json!({ "data": "room 2" }));
    }
    for device in [&mut alice, &mut carol, &mut dave] {
        has(&device.expect("invitation.timed_out").await, json!({ "invitees": ["carol"], "settled": true }));
    }
    has(&dave.ok("get", json!({ "invitation_id": id })).await, json!({ "state": "settled" }));
    dave.refused("accept", json!({ "invitation_id": id }), "not_found").await;
    site.nothing_for([&mut alice, &mut bob, &mut carol, &mut dave]).await;
}

#[tokio::test]
async fn an_audience_of_invitees_leaves_the_others_in_peace() {
    let site = crate::site(Settings::new()).await;
    site.group("team", &["alice", "bob", "dave"]).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let mut dave = site.connect("dave", "phone").await;
    let invite = json!({ "invitees": ["bob"], "group_id": "team", "audience": "invitees" });
    let id = alice.ok("invite", invite).await["invitation_id"].clone();
    has(&bob.expect("invitation.received").await, json!({ "audience": "invitees", "group_id": "team" }));
    alice.ok("cancel", json!({ "invitation_id": id })).await;
    bob.expect("invitation.cancelled").await;
    site.nothing_for([&mut alice, &mut bob, &mut dave]).await;
}

#[tokio::test]
async fn an_invitation_names_the_users_who_are_no_members_and_reaches_nobody() {
    let site = crate::site(Settings::new()).await;
    site.group("team", &["alice", "bob"]).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let mut mallory = site.connect("mallory", "phone").await;
    let invite = json!({ "invitees": ["bob", "carol", "dave"], "group_id": "team" });
    let refused = alice.refused("invite", invite, "not_group_member").await;
    has(&refused, json!({ "users": ["carol", "dave"] }));
    let refused =
        mallory.refused("invite", json!({ "invitees": ["bob"], "group_id": "team" }), "not_group_member").await;
    has(&refused, json!({ "users": ["mallory"] }));
    let missing = json!({ "invitees": ["bob"], "group_id": "none" });
    alice.refused("invite", missing, "group_not_found").await;
    site.nothing_for([&mut alice, &mut bob]).await;
}

#[tokio::test]
async fn a_large_group_hears_of_an_invitation_to_one() {
    let site = crate::site(Settings::new()).await;
    let members: Vec<String> = (0..500).map(|number| format!("member-{number}")).collect();
    let names: Vec<&str> = members.iter().map(String::as_str).collect();
    site.group("hall", &names).await;
    let mut first = site.connect("member-0", "phone").await;
    let mut second = site.connect("member-1", "phone").await;
    let mut others = Vec::new();
    for number in [2, 99, 250, 498, 499] {
        others.push(site.connect(&members[number], "phone").await);
    }
    let id = first.ok("invite", json!({ "invitees": ["member-1"], "group_id": "hall" })).await["invitation_id"].clone();
    has(&second.expect("invitation.received").await, json!({ "invited": true }));
    for device in &mut others {
        has(&device.expect("invitation.received").await, json!({ "invited": false, "invitation_id": id }));
    }
    second.ok("accept", json!({ "invitation_id": id })).await;
    for device in &mut others {
        has(&device.expect("invitation.accepted").await, json!({ "invitee": "member-1", "invitation_id": id }));
    }
}
