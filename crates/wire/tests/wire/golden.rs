//! Every form as it is written, byte for byte, in `tests/golden`.
//!
//! A difference means that clients, stored data or nodes of another release would read something
//! else. `UPDATE_GOLDEN=1` rewrites the files; a file of a released version is never rewritten.

use std::fmt::Write;
use std::path::PathBuf;

use ringwire_wire::frame::{self, Incoming};
use ringwire_wire::params::{
    AcceptParams, AckParams, BlocksParams, CancelParams, Conversation, DevicesParams, HelloParams, HistoryParams,
    InvitationParams, InviteParams, ListActiveParams, ModifyParams, PingParams, PushParams, RefreshTokenParams,
    RejectParams, Resume, SignalParams, Token,
};
use ringwire_wire::view::{
    BlockPage, CloseReason, ClosingView, DeviceList, HelloResult, HistoryMessage, HistoryPage, InvitationPage,
    InvitationView, PingResult, RefreshTokenResult, ReplyView, Ringing, SnapshotView,
};
use ringwire_wire::{Call, ErrorBody, Id, Problem, record, rpc};

use ringwire_signaling::invitation::{Audience, FailReason};
use ringwire_signaling::{Check, GroupId, Refusal, Reply, RequestId};

use crate::samples::{
    self, EPOCH, ID, NOW, OTHER_ID, device, entry, events, invitation_in_a_group, invitation_of_two, user,
};

fn check(name: &str, written: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("{written}\n")).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(written, golden.trim_end_matches('\n'), "{name} has changed");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn check_request(id: Option<i64>, call: &Call) {
    let id = id.map(Id::Number);
    let method = call.method();
    let text = match call {
        Call::Hello(params) => frame::request(id.as_ref(), method, params),
        Call::Invite(params) => frame::request(id.as_ref(), method, params),
        Call::Cancel(params) => frame::request(id.as_ref(), method, params),
        Call::Accept(params) => frame::request(id.as_ref(), method, params),
        Call::Reject(params) => frame::request(id.as_ref(), method, params),
        Call::Modify(params) => frame::request(id.as_ref(), method, params),
        Call::Signal(params) => frame::request(id.as_ref(), method, params),
        Call::Get(params) | Call::AddInvited(params) => frame::request(id.as_ref(), method, params),
        Call::ListActive(params) => frame::request(id.as_ref(), method, params),
        Call::Blocks(params) => frame::request(id.as_ref(), method, params),
        Call::Devices(params) => frame::request(id.as_ref(), method, params),
        Call::History(params) => frame::request(id.as_ref(), method, params),
        Call::Ack(params) => frame::request(id.as_ref(), method, params),
        Call::RefreshToken(params) => frame::request(id.as_ref(), method, params),
        Call::Ping(params) => frame::request(id.as_ref(), method, params),
    }
    .unwrap();
    check(&format!("request/{method}.json"), &text);
    let request = rpc::parse(&text).unwrap();
    assert_eq!((request.id, &request.call), (id, call), "{method} reads back");
}

#[test]
fn requests() {
    let request_id = Some(RequestId::parse("r-1").unwrap());
    let resume = Resume { epoch: EPOCH, offset: 41, check: Check(0xbeef) };
    check_request(
        Some(1),
        &Call::Hello(HelloParams {
            token: Some(Token("a.b.c".into())),
            device_id: device("phone-1"),
            platform: Some("ios".into()),
            resume: Some(resume),
        }),
    );
    let invite = InviteParams {
        data: "{\"room\":7}".into(),
        timeout_s: 0,
        online_user_only: true,
        group_id: Some(GroupId::parse("team").unwrap()),
        audience: Audience::Invitees,
        push: Some(PushParams::from(&samples::push())),
        kind: Some(1),
        inviter_name: Some("Alice".into()),
        receipts: false,
        request_id: request_id.clone(),
        ..InviteParams::new(vec![user("bob"), user("carol")])
    };
    check_request(Some(2), &Call::Invite(Box::new(invite)));
    let cancel =
        CancelParams { data: "x".into(), invitees: Some(vec![user("bob")]), request_id, ..CancelParams::new(ID) };
    check_request(Some(3), &Call::Cancel(cancel));
    check_request(Some(4), &Call::Accept(AcceptParams::new(ID)));
    check_request(Some(5), &Call::Reject(RejectParams { reason: Some("busy".into()), ..RejectParams::new(ID) }));
    let modify = ModifyParams { data: "new".into(), version: Some(3), ..ModifyParams::new(ID) };
    check_request(Some(6), &Call::Modify(modify));
    let signal = SignalParams { data: "v=0\r\n".into(), to: Some(vec![user("bob")]), ..SignalParams::new(ID) };
    check_request(Some(7), &Call::Signal(signal));
    check_request(Some(8), &Call::Get(InvitationParams::new(ID)));
    check_request(Some(9), &Call::ListActive(ListActiveParams::default()));
    check_request(Some(10), &Call::History(HistoryParams::new(Conversation::Peer(user("bob")))));
    check_request(Some(11), &Call::AddInvited(InvitationParams::new(ID)));
    let tokens = samples::registered_device().tokens;
    check_request(Some(14), &Call::Devices(DevicesParams::set(Some(device("phone-1")), "ios", tokens)));
    check_request(Some(15), &Call::Blocks(BlocksParams::list(Some(5), Some("mallory".into()))));
    check_request(None, &Call::Ack(AckParams { offset: 45 }));
    check_request(Some(12), &Call::RefreshToken(RefreshTokenParams { token: Token("d.e.f".into()) }));
    check_request(Some(13), &Call::Ping(PingParams {}));
}

#[test]
fn event_frames() {
    for (name, event) in events() {
        let text = frame::event(&entry(event), EPOCH);
        check(&format!("event/{name}.json"), &text);
        assert!(matches!(Incoming::parse(&text).unwrap(), Incoming::Event(_)), "{name}");
    }
    check("event/snapshot.json", &frame::snapshot(&SnapshotView::of(&samples::snapshot(), NOW.plus(10_000))));
    let closing = ClosingView::new(CloseReason::Draining, Some(NOW.plus(5_000)));
    check("event/closing.json", &frame::closing(&closing));
    let closing = ClosingView::new(CloseReason::SlowConsumer, None);
    check("event/closing_at_once.json", &frame::closing(&closing));
}

#[test]
fn responses() {
    let id = Id::Number(7);
    let reply = |name: &str, reply: &Reply| {
        check(&format!("response/{name}.json"), &frame::result(&id, &ReplyView::from(reply)));
    };
    let failed = vec![(user("frank"), FailReason::Blocked), (user("carol"), FailReason::Offline)];
    let invited =
        |expires_at, failed, crosses| Reply::Invited { invitation: ID, created_at: NOW, expires_at, failed, crosses };
    reply("invite", &invited(Some(NOW.plus(30_000)), failed, Some(OTHER_ID)));
    reply("invite_without_timer", &invited(None, Vec::new(), None));
    reply("done", &Reply::Done { invitation: ID, version: 2, at: NOW, invitees: vec![user("bob")] });
    reply("posted", &Reply::Posted { invitation: ID, at: NOW });
    let hello = HelloResult {
        user: user("alice"),
        node: "node-1".into(),
        epoch: EPOCH,
        offset: 44,
        check: Check(1),
        resumed: true,
        heartbeat_s: 25,
        server_time: NOW.0,
    };
    check("response/hello.json", &frame::result(&Id::Text("first \"1\"".into()), &hello));
    check("response/ping.json", &frame::result(&id, &PingResult { server_time: NOW.0 }));
    check("response/refresh_token.json", &frame::result(&id, &RefreshTokenResult { expires_at: NOW.0 }));
    let settled = Refusal::AlreadySettled { state: "cancelled", device: Some(device("web-9")) };
    check("response/error.json", &frame::error(Some(&id), &ErrorBody::from(&settled)));
    check("response/error_without_id.json", &frame::error(None, &ErrorBody::parse_error("not JSON")));
    check("response/problem.json", &serde_json::to_string(&Problem::from(ErrorBody::from(&settled))).unwrap());
}

#[test]
fn views() {
    let id = Id::Number(7);
    let group = invitation_in_a_group();
    let ringing = [Ringing { user: user("carol"), device: device("pad") }];
    let view = InvitationView::of(&group, &[samples::operation()], &ringing, NOW.plus(2_000));
    check("response/get.json", &frame::result(&id, &view));
    let page = InvitationPage {
        invitations: vec![InvitationView::of(&invitation_of_two(), &[], &[], NOW.plus(10_000))],
        cursor: Some("next".into()),
    };
    check("response/list_active.json", &frame::result(&id, &page));
    let devices = DeviceList { devices: vec![(&samples::registered_device()).into()] };
    check("response/devices.json", &frame::result(&id, &devices));
    let blocked = BlockPage { users: vec![user("mallory")], cursor: Some("mallory".into()) };
    check("response/blocks.json", &frame::result(&id, &blocked));
    let page = HistoryPage {
        messages: vec![
            HistoryMessage::of(&group, &samples::timeout()),
            HistoryMessage::of(&invitation_of_two(), &samples::operation()),
        ],
        cursor: None,
    };
    check("response/history.json", &frame::result(&id, &page));
}

#[test]
fn records() {
    for (name, invitation) in [("of_two", invitation_of_two()), ("in_a_group", invitation_in_a_group())] {
        let bytes = record::encode_invitation(&invitation);
        check(&format!("record/invitation_{name}.hex"), &hex(&bytes));
        assert_eq!(record::decode_invitation(&bytes).as_ref(), Ok(&invitation));
    }
    for (name, operation) in [("accept", samples::operation()), ("timeout", samples::timeout())] {
        let bytes = record::encode_operation(&operation);
        check(&format!("record/operation_{name}.hex"), &hex(&bytes));
        assert_eq!(record::decode_operation(&bytes).as_ref(), Ok(&operation));
    }
    let registered = samples::registered_device();
    let bytes = record::encode_device(&registered);
    check("record/device.hex", &hex(&bytes));
    assert_eq!(record::decode_device(&bytes).as_ref(), Ok(&registered));
    for (name, event) in events() {
        let bytes = record::encode_event(&event);
        check(&format!("record/event_{name}.hex"), &hex(&bytes));
        assert_eq!(record::decode_event(&bytes).as_ref(), Ok(&event));
    }
}

#[test]
fn the_record_of_a_call_between_two_is_small() {
    let size = record::encode_invitation(&invitation_of_two()).len();
    assert!(size <= 80, "{size} bytes");
}
