//! The main job as an app does it: two users with the Rust SDK, from the first ring to the last word.

use std::collections::BTreeMap;

use ringwire_client::params::{
    AcceptParams, CancelParams, Conversation, HistoryParams, InviteParams, ListActiveParams, ModifyParams,
    RejectParams, SignalParams,
};
use ringwire_client::{ErrorCode, GroupId, UserId, signaling_info};
use ringwire_e2e::{Settings, Told, Witness, audit};
use serde_json::json;

fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

#[tokio::test]
async fn alice_rings_bob_who_answers_on_one_of_two_devices() {
    let site = crate::site(Settings::new()).await;
    let alice = Witness::connect(site.node(), "alice", "phone").await;
    let bob = Witness::connect(site.node(), "bob", "phone").await;
    let web = Witness::connect(site.node(), "bob", "web").await;

    let mut invite = InviteParams::new(vec![user("bob")]);
    invite.data = "{\"room\":7}".into();
    invite.inviter_name = Some("Alice".into());
    let invited = alice.client.invite(invite).await.unwrap();
    let ring = bob.hears_event("invitation.received").await;
    assert_eq!((ring.invitation_id, ring.inviter_name.as_deref()), (invited.invitation_id, Some("Alice")));
    web.hears_event("invitation.received").await;
    // The SDK acknowledges, and the first receipt reaches alice.
    let ringing = alice.hears_event("invitation.ringing").await;
    assert_eq!(ringing.invitee, Some(user("bob")));

    let mut modify = ModifyParams::new(invited.invitation_id);
    modify.data = "{\"room\":8}".into();
    alice.client.modify(modify).await.unwrap();
    assert_eq!(bob.hears_event("invitation.modified").await.data.as_deref(), Some("{\"room\":8}"));
    let mut signal = SignalParams::new(invited.invitation_id);
    signal.data = "offer".into();
    alice.client.signal(signal).await.unwrap();
    assert_eq!(bob.hears_event("signal").await.data.as_deref(), Some("offer"));

    let mut accept = AcceptParams::new(invited.invitation_id);
    accept.data = "coming".into();
    bob.client.accept(accept).await.unwrap();
    let accepted = alice.hears_event("invitation.accepted").await;
    assert_eq!((accepted.data.as_deref(), accepted.settled), (Some("coming"), true));
    let elsewhere = web.hears_event("invitation.answered_elsewhere").await;
    assert_eq!(elsewhere.outcome.as_deref(), Some("accepted"));
    assert_eq!(elsewhere.device_id.as_ref().map(ringwire_client::DeviceId::as_str), Some("phone"));
    let late = web.client.reject(RejectParams::new(invited.invitation_id)).await.unwrap_err();
    assert_eq!(late.code(), Some(ErrorCode::AlreadySettled));

    let state = alice.client.get(invited.invitation_id).await.unwrap();
    assert!(state.is_settled());
    let peer = HistoryParams::new(Conversation::Peer(user("bob")));
    let history = alice.client.history(peer).await.unwrap();
    let actions: Vec<&str> = history.messages.iter().map(|message| message.info.action.as_ref()).collect();
    assert_eq!(actions, ["accept", "modify", "invite"]);
    // What an app reads from an event and from the history is the same.
    let info = signaling_info(&serde_json::to_value(&history.messages[0]).unwrap()).unwrap();
    assert_eq!(Some(info), accepted.signaling_info());
    for witness in [alice, bob, web] {
        audit::is_gap_free(site.node(), &witness).await;
        let told = witness.close().await;
        assert!(matches!(told.last(), Some(Told::Disconnected(_))), "{told:?}");
    }
}

#[tokio::test]
async fn rings_end_by_timeout_and_by_cancel() {
    let site = crate::site(Settings::new()).await;
    let alice = Witness::connect(site.node(), "alice", "phone").await;
    let bob = Witness::connect(site.node(), "bob", "phone").await;
    let mut invite = InviteParams::new(vec![user("bob")]);
    invite.timeout_s = 1;
    let first = alice.client.invite(invite.clone()).await.unwrap();
    for witness in [&alice, &bob] {
        assert_eq!(witness.hears_event("invitation.timed_out").await.invitation_id, first.invitation_id);
    }
    invite.timeout_s = 60;
    let second = alice.client.invite(invite).await.unwrap();
    assert_eq!(bob.client.list_active(ListActiveParams::default()).await.unwrap().invitations.len(), 1);
    alice.client.cancel(CancelParams::new(second.invitation_id)).await.unwrap();
    assert_eq!(bob.hears_event("invitation.cancelled").await.invitation_id, second.invitation_id);
    assert!(bob.client.list_active(ListActiveParams::default()).await.unwrap().invitations.is_empty());
    let late = bob.client.accept(AcceptParams::new(second.invitation_id)).await.unwrap_err();
    assert_eq!(late.code(), Some(ErrorCode::AlreadySettled));
}

#[tokio::test]
async fn a_group_rings_and_a_push_can_be_followed() {
    let site = crate::site(Settings::new()).await;
    site.group("team", &["alice", "bob", "carol"]).await;
    let alice = Witness::connect(site.node(), "alice", "phone").await;
    let carol = Witness::connect(site.node(), "carol", "phone").await;
    let mut invite = InviteParams::new(vec![user("bob")]);
    invite.group_id = Some(GroupId::parse("team").unwrap());
    let invited = alice.client.invite(invite).await.unwrap();
    assert_eq!(carol.hears_event("invitation.received").await.invited, Some(false));

    // What a push hook hands to bob's phone, which was not connected.
    let payload = json!({ "invitation": {
        "invitation_id": invited.invitation_id.to_string(), "inviter": "alice", "invitees": ["bob"], "data": "",
        "timeout_s": 30, "action": "invite", "at": invited.created_at,
    }});
    let info = signaling_info(&payload).unwrap();
    let bob = Witness::connect(site.node(), "bob", "phone").await;
    // The snapshot had it already, which SDKs take for success.
    assert_eq!(bob.client.add_invited(&info).await.unwrap(), None);
    bob.client.accept(AcceptParams::new(info.invitation_id)).await.unwrap();
    for witness in [&alice, &carol] {
        assert_eq!(witness.hears_event("invitation.accepted").await.invitee, Some(user("bob")));
    }
    let group = HistoryParams::new(Conversation::Group(GroupId::parse("team").unwrap()));
    assert_eq!(carol.client.history(group).await.unwrap().messages.len(), 2);
}

#[tokio::test]
async fn an_app_registers_its_device_and_blocks_who_bothers() {
    let site = crate::site(Settings::new()).await;
    let bob = Witness::connect(site.node(), "bob", "phone").await;
    let mallory = Witness::connect(site.node(), "mallory", "phone").await;
    let tokens = BTreeMap::from([("fcm".to_owned(), "t".to_owned())]);
    bob.client.set_device("android", tokens).await.unwrap();
    let listed = bob.client.devices().await.unwrap().devices;
    assert_eq!(
        (listed.len(), listed[0].device_id.as_str(), &*listed[0].providers),
        (1, "phone", &["fcm".to_owned()][..])
    );
    bob.client.remove_device(None).await.unwrap();
    assert!(bob.client.devices().await.unwrap().devices.is_empty());

    bob.client.block(user("mallory")).await.unwrap();
    assert_eq!(bob.client.blocks(None).await.unwrap().users, [user("mallory")]);
    let invited = mallory.client.invite(InviteParams::new(vec![user("bob")])).await.unwrap();
    assert_eq!(invited.failed[&user("bob")], "blocked");
    bob.client.unblock(user("mallory")).await.unwrap();
    mallory.client.invite(InviteParams::new(vec![user("bob")])).await.unwrap();
    bob.hears_event("invitation.received").await;
    let refused = bob.client.block(user("bob")).await.unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::InvalidParams));
}
