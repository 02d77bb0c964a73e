//! What an app reads from each event. That history reads alike is checked with the rules' scripts.

use super::*;
use crate::event::Ring;
use crate::id::DeviceId;
use crate::invitation::Audience;
use crate::partition::Partition;

fn user(name: &str) -> UserId {
    UserId::parse(name).expect("a user id")
}

fn phone() -> DeviceId {
    DeviceId::parse("phone").expect("a device id")
}

fn ring() -> Ring {
    Ring {
        invitees: vec![user("bob"), user("carol")],
        inviter_name: None,
        audience: Audience::Members,
        data: "room 7".into(),
        expires_at: None,
        invited: true,
        crosses: None,
    }
}

fn event(body: EventBody) -> Event {
    Event {
        invitation: InvitationId { partition: Partition(1), bits: 42 },
        version: 3,
        at: UnixMillis(1_500),
        inviter: user("alice"),
        group: Some(GroupId::parse("team").expect("a group id")),
        kind: Some(1),
        timeout_s: 30,
        settled: false,
        ephemeral: false,
        body,
    }
}

fn info(action: Action, invitees: &[&str], data: &str) -> SignalingInfo {
    SignalingInfo {
        invitation: InvitationId { partition: Partition(1), bits: 42 },
        group: Some(GroupId::parse("team").expect("a group id")),
        inviter: user("alice"),
        invitees: invitees.iter().map(|name| user(name)).collect(),
        data: data.into(),
        timeout_s: 30,
        action,
        at: UnixMillis(1_500),
    }
}

#[test]
fn every_step_of_an_invitation_can_be_read_from_its_event() {
    let (bob, bobs) = (user("bob"), vec![user("bob")]);
    let elsewhere = |outcome, reason: Option<&str>| EventBody::AnsweredElsewhere {
        invitee: bob.clone(),
        outcome,
        device: Some(phone()),
        data: "ok".into(),
        reason: reason.map(Into::into),
    };
    let (both, one) = (["bob", "carol"], ["bob"]);
    let readings = [
        (EventBody::Received(ring()), info(Action::Invite, &both, "room 7")),
        (
            EventBody::Sent { ring: ring(), device: Some(phone()), failed: Vec::new() },
            info(Action::Invite, &both, "room 7"),
        ),
        (
            EventBody::Accepted { invitee: bob.clone(), device: Some(phone()), data: "ok".into() },
            info(Action::Accept, &one, "ok"),
        ),
        (
            EventBody::Rejected {
                invitee: bob.clone(),
                device: Some(phone()),
                data: "no".into(),
                reason: "busy".into(),
            },
            info(Action::Reject, &one, "no"),
        ),
        (elsewhere(Outcome::Accepted, None), info(Action::Accept, &one, "ok")),
        (elsewhere(Outcome::Rejected, Some("declined")), info(Action::Reject, &one, "ok")),
        (
            EventBody::Cancelled { invitees: bobs.clone(), device: Some(phone()), data: "bye".into(), reason: None },
            info(Action::Cancel, &one, "bye"),
        ),
        (EventBody::TimedOut { invitees: bobs.clone(), data: "room 7".into() }, info(Action::Timeout, &one, "room 7")),
        (
            EventBody::Modified { invitees: bobs.clone(), device: Some(phone()), data: "room 8".into() },
            info(Action::Modify, &one, "room 8"),
        ),
    ];
    for (body, expected) in readings {
        assert_eq!(SignalingInfo::of_event(&event(body)), Some(expected));
    }
}

#[test]
fn receipts_and_signals_are_no_steps() {
    let ringing = EventBody::Ringing { invitee: user("bob"), device: phone() };
    let signal = EventBody::Signal { from: user("bob"), device: Some(phone()), data: "hang up".into() };
    assert_eq!(SignalingInfo::of_event(&event(ringing)), None);
    assert_eq!(SignalingInfo::of_event(&event(signal)), None);
}
