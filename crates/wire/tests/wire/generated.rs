//! Generated values: everything that the rules' types can hold.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use ringwire_signaling::command::{Push, PushWhen};
use ringwire_signaling::event::{Event, EventBody, Ring};
use ringwire_signaling::invitation::{
    Audience, FailReason, Invitation, Invitee, InviteeState, Mark, Outcome, Settlement, Terms,
};
use ringwire_signaling::operation::{Action, Operation};
use ringwire_signaling::{Check, DeviceId, Entry, GroupId, InvitationId, Partition, RequestId, UnixMillis, UserId};

/// Texts that an id may be: no control characters, at most 128 bytes.
const ID_TEXT: &str = "[^\\p{Cc}]{1,32}";

pub(crate) fn user() -> impl Strategy<Value = UserId> {
    ID_TEXT.prop_map(|text| UserId::parse(&text).unwrap())
}

pub(crate) fn device() -> impl Strategy<Value = DeviceId> {
    ID_TEXT.prop_map(|text| DeviceId::parse(&text).unwrap())
}

pub(crate) fn group() -> impl Strategy<Value = GroupId> {
    ID_TEXT.prop_map(|text| GroupId::parse(&text).unwrap())
}

pub(crate) fn request_id() -> impl Strategy<Value = RequestId> {
    "[^\\p{Cc}]{1,64}".prop_map(|text| RequestId::parse(&text).unwrap())
}

pub(crate) fn invitation_id() -> impl Strategy<Value = InvitationId> {
    (any::<u8>(), any::<u128>()).prop_map(|(partition, bits)| InvitationId { partition: Partition(partition), bits })
}

/// Any text at all, control characters too.
pub(crate) fn text() -> impl Strategy<Value = Arc<str>> {
    vec(any::<char>(), 0..40).prop_map(|characters| characters.into_iter().collect::<String>().into())
}

fn time() -> impl Strategy<Value = UnixMillis> {
    any::<u64>().prop_map(UnixMillis)
}

pub(crate) fn users() -> impl Strategy<Value = Vec<UserId>> {
    vec(user(), 0..5)
}

pub(crate) fn audience() -> impl Strategy<Value = Audience> {
    prop_oneof![Just(Audience::Members), Just(Audience::Invitees)]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![Just(Outcome::Accepted), Just(Outcome::Rejected), Just(Outcome::Cancelled), Just(Outcome::TimedOut)]
}

fn fail_reason() -> impl Strategy<Value = FailReason> {
    prop_oneof![Just(FailReason::Offline), Just(FailReason::Blocked), Just(FailReason::RateLimited)]
}

fn vendor() -> impl Strategy<Value = Arc<str>> {
    prop_oneof![Just(""), Just("{}"), Just("{\"z\": [1.50, {\"a\":null}],\t\"b\":\"\\u0000\"}")].prop_map(Arc::from)
}

pub(crate) fn push() -> impl Strategy<Value = Push> {
    let when = prop_oneof![Just(PushWhen::NoReceipt), Just(PushWhen::EachDevice), Just(PushWhen::Always)];
    (any::<bool>(), when, text(), text(), text(), text(), any::<bool>(), vendor()).prop_map(
        |(disable, when, title, desc, ext, resource_id, voip, vendor)| Push {
            disable,
            when,
            title,
            desc,
            ext,
            resource_id,
            voip,
            vendor,
        },
    )
}

fn mark() -> impl Strategy<Value = Mark> {
    (any::<u64>(), any::<u64>(), any::<u64>(), time()).prop_map(|(request, fingerprint, version, at)| Mark {
        request,
        fingerprint,
        version,
        at,
    })
}

fn terms() -> impl Strategy<Value = Terms> {
    let who = (user(), of(text()), of(group()), audience());
    let how = (of(any::<i64>()), any::<u32>(), any::<bool>(), any::<bool>(), of(push()));
    let rest = (time(), of(invitation_id()), any::<u64>());
    (who, how, rest).prop_map(
        |(
            (inviter, inviter_name, group, audience),
            (kind, timeout_s, online_user_only, receipts, push),
            (created_at, crosses, fingerprint),
        )| Terms {
            inviter,
            inviter_name,
            group,
            audience,
            kind,
            timeout_s,
            online_user_only,
            receipts,
            push,
            created_at,
            crosses,
            fingerprint,
        },
    )
}

fn invitee() -> impl Strategy<Value = Invitee> {
    let settled = (outcome(), time(), any::<u64>(), of(device()), of(text())).prop_map(
        |(outcome, at, version, device, reason)| {
            InviteeState::Settled(Settlement { outcome, at, version, device, reason })
        },
    );
    let state = prop_oneof![Just(InviteeState::Pending), settled, fail_reason().prop_map(InviteeState::Failed)];
    (user(), state, of(mark()), any::<bool>()).prop_map(|(user, state, mark, hidden)| Invitee {
        user,
        state,
        mark,
        hidden,
    })
}

pub(crate) fn invitation() -> impl Strategy<Value = Invitation> {
    let state = (any::<u64>(), any::<u8>(), vec(invitee(), 0..5), of(time()), of(mark()));
    (invitation_id(), terms(), text(), state).prop_map(
        |(id, terms, data, (version, modifications, invitees, settled_at, inviter_mark))| Invitation {
            id,
            version,
            terms: Arc::new(terms),
            data,
            modifications,
            invitees,
            settled_at,
            inviter_mark,
        },
    )
}

pub(crate) fn operation() -> impl Strategy<Value = Operation> {
    let action = prop_oneof![
        Just(Action::Invite),
        Just(Action::Accept),
        Just(Action::Reject),
        Just(Action::Cancel),
        Just(Action::Modify),
        Just(Action::Timeout),
    ];
    (any::<u64>(), time(), action, of(user()), of(device()), users(), text(), of(text())).prop_map(
        |(version, at, action, by, device, invitees, data, reason)| Operation {
            version,
            at,
            action,
            by,
            device,
            invitees,
            data,
            reason,
        },
    )
}

fn ring() -> impl Strategy<Value = Ring> {
    (users(), of(text()), audience(), text(), of(time()), any::<bool>(), of(invitation_id())).prop_map(
        |(invitees, inviter_name, audience, data, expires_at, invited, crosses)| Ring {
            invitees,
            inviter_name,
            audience,
            data,
            expires_at,
            invited,
            crosses,
        },
    )
}

fn body() -> impl Strategy<Value = EventBody> {
    prop_oneof![
        ring().prop_map(EventBody::Received),
        (ring(), of(device()), proptest::collection::btree_map(user(), fail_reason(), 0..4))
            .prop_map(|(ring, device, failed)| EventBody::Sent { ring, device, failed: failed.into_iter().collect() }),
        (user(), device()).prop_map(|(invitee, device)| EventBody::Ringing { invitee, device }),
        (user(), of(device()), text()).prop_map(|(invitee, device, data)| EventBody::Accepted {
            invitee,
            device,
            data
        }),
        (user(), of(device()), text(), text()).prop_map(|(invitee, device, data, reason)| EventBody::Rejected {
            invitee,
            device,
            data,
            reason
        }),
        (user(), outcome(), of(device()), text(), of(text())).prop_map(|(invitee, outcome, device, data, reason)| {
            EventBody::AnsweredElsewhere { invitee, outcome, device, data, reason }
        }),
        (users(), of(device()), text(), of(text())).prop_map(|(invitees, device, data, reason)| EventBody::Cancelled {
            invitees,
            device,
            data,
            reason
        }),
        (users(), text()).prop_map(|(invitees, data)| EventBody::TimedOut { invitees, data }),
        (users(), of(device()), text()).prop_map(|(invitees, device, data)| EventBody::Modified {
            invitees,
            device,
            data
        }),
        (user(), of(device()), text()).prop_map(|(from, device, data)| EventBody::Signal { from, device, data }),
    ]
}

pub(crate) fn event() -> impl Strategy<Value = Event> {
    let head = (invitation_id(), any::<u64>(), time(), user(), of(group()));
    let rest = (of(any::<i64>()), any::<u32>(), any::<bool>(), any::<bool>());
    (head, rest, body()).prop_map(
        |((invitation, version, at, inviter, group), (kind, timeout_s, settled, ephemeral), body)| Event {
            invitation,
            version,
            at,
            inviter,
            group,
            kind,
            timeout_s,
            settled,
            ephemeral,
            body,
        },
    )
}

pub(crate) fn entry() -> impl Strategy<Value = Entry> {
    (any::<u64>(), any::<u32>(), any::<u32>(), event()).prop_map(|(offset, check, previous, event)| Entry {
        offset,
        check: Check(check),
        previous: Check(previous),
        event: Arc::new(event),
    })
}
