//! Whatever is written reads back the same.

use proptest::option::of;
use proptest::prelude::*;
use ringwire_signaling::{Epoch, UnixMillis};
use ringwire_wire::frame::{self, Incoming};
use ringwire_wire::params::{InviteParams, PushParams};
use ringwire_wire::view::{EventView, InvitationView, Ringing};
use ringwire_wire::{Call, Id, record, rpc};

use crate::generated as any_of;

fn id() -> impl Strategy<Value = Id> {
    prop_oneof![any::<i64>().prop_map(Id::Number), ".{0,64}".prop_map(Id::Text)]
}

fn invite() -> impl Strategy<Value = InviteParams> {
    let who = (any_of::users(), of(any_of::group()), any_of::audience(), of(any_of::text()));
    let how = (any::<u32>(), any::<bool>(), any::<bool>(), of(any::<i64>()));
    let what = (any_of::text(), of(any_of::push()), of(any_of::request_id()));
    (who, how, what).prop_map(
        |(
            (invitees, group_id, audience, inviter_name),
            (timeout_s, online_user_only, receipts, kind),
            (data, push, request_id),
        )| InviteParams {
            invitees,
            data,
            timeout_s,
            online_user_only,
            group_id,
            audience,
            push: push.as_ref().map(PushParams::from),
            kind,
            inviter_name,
            receipts,
            request_id,
        },
    )
}

proptest! {
    #[test]
    fn an_invitation_s_record(invitation in any_of::invitation()) {
        prop_assert_eq!(record::decode_invitation(&record::encode_invitation(&invitation)), Ok(invitation));
    }

    #[test]
    fn an_event_s_record(event in any_of::event()) {
        prop_assert_eq!(record::decode_event(&record::encode_event(&event)), Ok(event));
    }

    #[test]
    fn an_operation_s_record(operation in any_of::operation()) {
        prop_assert_eq!(record::decode_operation(&record::encode_operation(&operation)), Ok(operation));
    }

    #[test]
    fn an_event_frame(entry in any_of::entry(), epoch in any::<u64>()) {
        let epoch = Epoch(epoch);
        let Incoming::Event(view) = Incoming::parse(&frame::event(&entry, epoch)).unwrap() else { panic!() };
        prop_assert_eq!(*view, EventView::of(&entry, epoch).into_owned());
    }

    #[test]
    fn an_invitation_s_view(
        invitation in any_of::invitation(),
        operations in proptest::collection::vec(any_of::operation(), 0..3),
        device in any_of::device(),
        now in any::<u64>(),
    ) {
        let ringing: Vec<Ringing> = invitation
            .invitees
            .iter()
            .take(1)
            .map(|invitee| Ringing { user: invitee.user.clone(), device: device.clone() })
            .collect();
        let view = InvitationView::of(&invitation, &operations, &ringing, UnixMillis(now));
        let read: InvitationView = serde_json::from_str(&serde_json::to_string(&view).unwrap()).unwrap();
        prop_assert_eq!(read, view);
    }

    #[test]
    fn an_invite_request(id in id(), params in invite()) {
        let text = frame::request(Some(&id), "invite", &params).unwrap();
        let request = rpc::parse(&text).unwrap();
        prop_assert_eq!(request.id, Some(id));
        prop_assert_eq!(request.call, Call::Invite(Box::new(params)));
    }
}
