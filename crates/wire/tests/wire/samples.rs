//! Fixed values with every field filled, for golden files and examples.

use std::sync::Arc;

use ringwire_signaling::command::{Push, PushWhen};
use ringwire_signaling::event::{Event, EventBody, Ring};
use ringwire_signaling::inbox::Snapshot;
use ringwire_signaling::invitation::{
    Audience, FailReason, Invitation, Invitee, InviteeState, Mark, Outcome, Settlement, Terms,
};
use ringwire_signaling::operation::{Action, Operation};
use ringwire_signaling::{
    Check, DeviceId, Entry, Epoch, GroupId, InvitationId, Partition, Position, RegisteredDevice, UnixMillis, UserId,
};

pub(crate) const NOW: UnixMillis = UnixMillis(1_766_000_000_000);
pub(crate) const EPOCH: Epoch = Epoch(0xfeed_0000_0000_0001);
pub(crate) const ID: InvitationId =
    InvitationId { partition: Partition(0x0a), bits: 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef };
pub(crate) const OTHER_ID: InvitationId = InvitationId { partition: Partition(0xff), bits: 7 };

pub(crate) fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

pub(crate) fn device(name: &str) -> DeviceId {
    DeviceId::parse(name).unwrap()
}

pub(crate) fn registered_device() -> RegisteredDevice {
    let tokens = [("apns", "0a1b2c"), ("apns_voip", "3d4e5f")];
    RegisteredDevice {
        device: device("phone-1"),
        platform: "ios".into(),
        tokens: tokens.map(|(provider, token)| (provider.into(), token.into())).into(),
        set_at: NOW,
    }
}

fn mark(version: u64) -> Mark {
    Mark { request: 0x1111_2222_3333_4444, fingerprint: 0x5555_6666_7777_8888, version, at: NOW.plus(5) }
}

/// An invitation of one user, as it is right after it was created.
pub(crate) fn invitation_of_two() -> Invitation {
    Invitation {
        id: ID,
        version: 1,
        terms: Arc::new(Terms {
            inviter: user("alice"),
            inviter_name: None,
            group: None,
            audience: Audience::Members,
            kind: None,
            timeout_s: 30,
            online_user_only: false,
            receipts: true,
            push: None,
            created_at: NOW,
            crosses: None,
            fingerprint: 0x0102_0304_0506_0708,
        }),
        data: "{\"room\":7}".into(),
        modifications: 0,
        invitees: vec![Invitee { user: user("bob"), state: InviteeState::Pending, mark: None, hidden: false }],
        settled_at: None,
        inviter_mark: None,
    }
}

/// A settled invitation in a group, with an invitee in every state but pending.
pub(crate) fn invitation_in_a_group() -> Invitation {
    let settled = |name: &str, outcome, device, reason: Option<&str>, mark| Invitee {
        hidden: name == "erin",
        user: user(name),
        state: InviteeState::Settled(Settlement {
            outcome,
            at: NOW.plus(1_000),
            version: 4,
            device,
            reason: reason.map(Arc::from),
        }),
        mark,
    };
    Invitation {
        id: ID,
        version: 9,
        terms: Arc::new(Terms {
            inviter: user("alice"),
            inviter_name: Some("Alice Ä.".into()),
            group: Some(GroupId::parse("team").unwrap()),
            audience: Audience::Invitees,
            kind: Some(-1),
            timeout_s: 60,
            online_user_only: true,
            receipts: false,
            push: Some(push()),
            created_at: NOW,
            crosses: Some(OTHER_ID),
            fingerprint: u64::MAX,
        }),
        data: "opaque \u{0} \" \\ 🎈".into(),
        modifications: 2,
        invitees: vec![
            settled("bob", Outcome::Accepted, Some(device("web-9")), None, Some(mark(4))),
            settled("carol", Outcome::Rejected, None, Some("busy"), None),
            settled("dave", Outcome::Cancelled, None, Some("moved"), None),
            settled("erin", Outcome::TimedOut, None, None, None),
            Invitee {
                user: user("frank"),
                state: InviteeState::Failed(FailReason::Blocked),
                mark: None,
                hidden: false,
            },
        ],
        settled_at: Some(NOW.plus(1_000)),
        inviter_mark: Some(mark(9)),
    }
}

pub(crate) fn push() -> Push {
    Push {
        disable: false,
        when: PushWhen::EachDevice,
        title: "Alice".into(),
        desc: "invites you".into(),
        ext: "{\"a\":1}".into(),
        resource_id: "ring".into(),
        voip: true,
        vendor: "{\"apns\": {\"sound\":\"ring.caf\"}}".into(),
    }
}

pub(crate) fn operation() -> Operation {
    Operation {
        version: 4,
        at: NOW.plus(1_000),
        action: Action::Accept,
        by: Some(user("bob")),
        device: Some(device("web-9")),
        invitees: vec![user("bob")],
        data: "ok".into(),
        reason: None,
    }
}

pub(crate) fn timeout() -> Operation {
    Operation {
        version: 2,
        at: NOW.plus(30_000),
        action: Action::Timeout,
        by: None,
        device: None,
        invitees: vec![user("bob"), user("carol")],
        data: "".into(),
        reason: None,
    }
}

fn ring(invited: bool) -> Ring {
    Ring {
        invitees: vec![user("bob"), user("carol")],
        inviter_name: Some("Alice".into()),
        audience: Audience::Members,
        data: "{\"room\":7}".into(),
        expires_at: Some(NOW.plus(30_000)),
        invited,
        crosses: Some(OTHER_ID),
    }
}

/// Every kind of event, with the name of its golden file.
pub(crate) fn events() -> Vec<(&'static str, Event)> {
    let (bob, web) = (user("bob"), Some(device("web-9")));
    let both = vec![user("bob"), user("carol")];
    let failed = vec![(user("frank"), FailReason::Offline), (user("grace"), FailReason::RateLimited)];
    let bodies = vec![
        ("received", EventBody::Received(ring(true))),
        ("sent", EventBody::Sent { ring: ring(false), device: Some(device("phone-1")), failed }),
        ("ringing", EventBody::Ringing { invitee: bob.clone(), device: device("web-9") }),
        ("accepted", EventBody::Accepted { invitee: bob.clone(), device: web.clone(), data: "ok".into() }),
        (
            "rejected",
            EventBody::Rejected { invitee: bob.clone(), device: None, data: "".into(), reason: "busy".into() },
        ),
        (
            "answered_elsewhere",
            EventBody::AnsweredElsewhere {
                invitee: bob.clone(),
                outcome: Outcome::Rejected,
                device: web.clone(),
                data: "no".into(),
                reason: Some("declined".into()),
            },
        ),
        (
            "cancelled",
            EventBody::Cancelled {
                invitees: both.clone(),
                device: None,
                data: "".into(),
                reason: Some("admin".into()),
            },
        ),
        ("timed_out", EventBody::TimedOut { invitees: both.clone(), data: "{\"room\":7}".into() }),
        ("modified", EventBody::Modified { invitees: both, device: web.clone(), data: "{\"room\":8}".into() }),
        ("signal", EventBody::Signal { from: bob, device: web, data: "v=0\r\n\"sdp\"".into() }),
    ];
    bodies.into_iter().map(|(name, body)| (name, event(body))).collect()
}

fn event(body: EventBody) -> Event {
    Event {
        invitation: ID,
        version: 2,
        at: NOW.plus(250),
        inviter: user("alice"),
        group: Some(GroupId::parse("team").unwrap()),
        kind: Some(1),
        timeout_s: 30,
        settled: true,
        ephemeral: true,
        body,
    }
}

pub(crate) fn entry(event: Event) -> Entry {
    Entry { offset: 45, check: Check(0x00c0_ffee), previous: Check(0xdead_beef), event: Arc::new(event) }
}

pub(crate) fn snapshot() -> Snapshot {
    Snapshot {
        position: Position { epoch: EPOCH, offset: 44, check: Check(0x00c0_ffee) },
        active: vec![invitation_of_two()],
        missed: vec![invitation_in_a_group()],
        more: false,
    }
}
