//! What views show of the state, and what `signaling_info` reads from them.

use ringwire_signaling::info::SignalingInfo;
use ringwire_signaling::session;
use ringwire_wire::view::{
    CloseReason, EventView, HistoryMessage, InvitationView, Ringing, SignalingInfoView, signaling_info,
};
use serde_json::{Value, json};

use crate::samples::{
    EPOCH, ID, NOW, device, entry, events, invitation_in_a_group, invitation_of_two, operation, timeout, user,
};

#[test]
fn an_active_invitation_shows_how_long_it_rings() {
    let view = InvitationView::of(&invitation_of_two(), &[], &[], NOW.plus(10_000));
    assert_eq!((view.state.as_ref(), view.is_settled()), ("active", false));
    assert_eq!((view.expires_at, view.remaining_ms), (Some(NOW.0 + 30_000), Some(20_000)));
    let late = InvitationView::of(&invitation_of_two(), &[], &[], NOW.plus(31_000));
    assert_eq!(late.remaining_ms, Some(0));
    let mut timerless = invitation_of_two();
    std::sync::Arc::make_mut(&mut timerless.terms).timeout_s = 0;
    let value = serde_json::to_value(InvitationView::of(&timerless, &[], &[], NOW)).unwrap();
    assert_eq!((&value["expires_at"], &value["remaining_ms"]), (&Value::Null, &Value::Null));
    assert!(value.get("expires_at").is_some() && value.get("remaining_ms").is_some());
    assert!(value.get("audience").is_none() && value.get("group_id").is_none());
}

#[test]
fn a_settled_invitation_shows_every_invitee() {
    let ringing = [Ringing { user: user("carol"), device: device("pad") }];
    let view = InvitationView::of(&invitation_in_a_group(), &[timeout(), operation()], &ringing, NOW.plus(2_000));
    assert!(view.is_settled());
    assert_eq!((view.remaining_ms, view.settled_at), (None, Some(NOW.0 + 1_000)));
    assert_eq!(view.audience.as_deref(), Some("invitees"));
    let states: Vec<(&str, Option<&str>)> =
        view.invitees.iter().map(|invitee| (invitee.state.as_ref(), invitee.reason.as_deref())).collect();
    let expected = [
        ("accepted", None),
        ("rejected", Some("busy")),
        ("cancelled", Some("moved")),
        ("timed_out", None),
        ("failed", Some("blocked")),
    ];
    assert_eq!(states, expected);
    assert_eq!(view.invitees[0].data.as_deref(), Some("ok"));
    assert!(view.invitees[1..].iter().all(|invitee| invitee.data.is_none()));
    assert_eq!(view.invitees[0].device_id, Some(device("web-9")));
    assert_eq!(view.invitees[1].ringing_device_id, Some(device("pad")));
}

#[test]
fn signaling_info_reads_every_step_and_nothing_else() {
    for (name, event) in events() {
        let entry = entry(event);
        let view = EventView::of(&entry, EPOCH);
        let expected = SignalingInfo::of_event(&entry.event).map(SignalingInfoView::from);
        assert_eq!(view.signaling_info(), expected, "{name}");
        assert_eq!(signaling_info(&serde_json::to_value(&view).unwrap()), expected, "{name}");
        assert_eq!(expected.is_none(), name == "ringing" || name == "signal", "{name}");
    }
}

#[test]
fn signaling_info_reads_history_and_pushes() {
    let message = HistoryMessage::of(&invitation_in_a_group(), &operation());
    let info = message.signaling_info();
    assert_eq!((info.action.as_ref(), info.invitation_id, info.at), ("accept", ID, NOW.0 + 1_000));
    assert_eq!(signaling_info(&serde_json::to_value(&message).unwrap()), Some(info.clone()));
    for member in ["invitation", "data"] {
        let push = json!({"type": "ring", "webhook": 7, member: serde_json::to_value(&info).unwrap()});
        assert_eq!(signaling_info(&push), Some(info.clone()), "{member}");
    }
}

#[test]
fn signaling_info_is_none_for_anything_else() {
    let mut info = serde_json::to_value(HistoryMessage::of(&invitation_of_two(), &operation())).unwrap();
    info["action"] = json!("dance");
    let others = [
        json!(null),
        json!(7),
        json!([]),
        json!({}),
        json!({"action": "invite"}),
        json!({"type": "session.closing", "reason": "kicked"}),
        json!({"data": "text", "invitation": {"action": 7}}),
        info,
    ];
    for other in others {
        assert_eq!(signaling_info(&other), None, "{other}");
    }
}

#[test]
fn close_reasons_have_names_and_codes() {
    for (reason, name, code, reconnects) in [
        (CloseReason::Draining, "draining", 1012, true),
        (CloseReason::Replaced, "replaced", 4100, false),
        (CloseReason::Kicked, "kicked", 4101, false),
        (CloseReason::TokenExpired, "token_expired", 4102, true),
        (CloseReason::SlowConsumer, "slow_consumer", 4103, true),
        (CloseReason::TooManyDevices, "too_many_devices", 4104, false),
        (CloseReason::HelloTimeout, "hello_timeout", 4105, true),
    ] {
        assert_eq!((reason.name(), reason.close_code(), reason.reconnects()), (name, code, reconnects));
        assert_eq!(CloseReason::from_name(name), Some(reason));
        assert_eq!(CloseReason::from_close_code(code), Some(reason));
    }
    assert_eq!((CloseReason::from_name("bored"), CloseReason::from_close_code(1000)), (None, None));
    assert_eq!(CloseReason::from(session::CloseReason::Replaced), CloseReason::Replaced);
    assert_eq!(CloseReason::from(session::CloseReason::TooManyDevices), CloseReason::TooManyDevices);
}
