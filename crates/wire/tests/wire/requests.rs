//! What a client may send, and what each wrong frame is answered.

use ringwire_signaling::command::{By, PushWhen};
use ringwire_signaling::invitation::Audience;
use ringwire_signaling::{Check, Epoch, RequestId};
use ringwire_wire::params::Conversation;
use ringwire_wire::{BadRequest, Call, ErrorCode, Id, rpc};
use serde_json::json;

use crate::samples::{ID, device, user};

fn call(method: &str, params: &serde_json::Value) -> Result<Call, BadRequest> {
    let frame = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    match rpc::parse(&frame.to_string()) {
        Ok(request) => Ok(request.call),
        Err(bad) => Err(*bad),
    }
}

/// The code, the field and the id of the answer to a frame that is refused.
fn refused(frame: &str) -> (ErrorCode, Option<String>, Option<Id>) {
    let bad = rpc::parse(frame).unwrap_err();
    (bad.error.error_code().unwrap(), bad.error.data.field.map(String::from), bad.id)
}

fn refused_params(method: &str, params: &serde_json::Value) -> (String, String) {
    let bad = call(method, params).unwrap_err();
    assert_eq!(bad.error.error_code(), Some(ErrorCode::InvalidParams), "{bad:?}");
    assert_eq!(bad.error.data.name, "invalid_params");
    assert_eq!(bad.id, Some(Id::Number(1)));
    (bad.error.data.field.unwrap().into_owned(), bad.error.message)
}

fn by() -> By {
    By { user: user("alice"), device: Some(device("phone-1")) }
}

#[test]
fn a_minimal_invite_has_the_documented_defaults() {
    let Call::Invite(params) = call("invite", &json!({"invitees": ["bob"]})).unwrap() else { panic!() };
    let invite = params.into_command(by());
    assert_eq!(invite.by, by());
    assert_eq!(invite.invitees, [user("bob")]);
    assert_eq!((&*invite.data, invite.timeout_s, invite.receipts), ("", 30, true));
    assert_eq!((invite.online_user_only, invite.audience), (false, Audience::Members));
    assert!(invite.group.is_none() && invite.push.is_none() && invite.kind.is_none());
    assert!(invite.inviter_name.is_none() && invite.request_id.is_none());
}

#[test]
fn empty_invitees_are_dropped() {
    let Call::Invite(params) = call("invite", &json!({"invitees": ["", "bob", ""]})).unwrap() else { panic!() };
    assert_eq!(params.invitees, [user("bob")]);
}

#[test]
fn a_full_invite_keeps_every_parameter() {
    let text = r#"{"jsonrpc":"2.0","id":"x","method":"invite","params":{"invitees":["bob"],"data":"d","timeout_s":0,
        "online_user_only":true,"group_id":"g","audience":"invitees","kind":1,"inviter_name":"Alice","receipts":false,
        "request_id":"r-1","push":{"when":"always","title":"t","desc":"d","ext":"e","resource_id":"r","voip":true,
        "disable":true,"vendor":{"b":1.50, "a":[]}}}}"#;
    let request = rpc::parse(text).unwrap();
    assert_eq!(request.id, Some(Id::Text("x".into())));
    let Call::Invite(params) = request.call else { panic!() };
    let invite = params.into_command(by());
    assert_eq!((&*invite.data, invite.timeout_s, invite.kind), ("d", 0, Some(1)));
    assert_eq!((invite.online_user_only, invite.receipts), (true, false));
    assert_eq!(invite.audience, Audience::Invitees);
    assert_eq!(invite.inviter_name.as_deref(), Some("Alice"));
    assert_eq!(invite.request_id, Some(RequestId::parse("r-1").unwrap()));
    let push = invite.push.unwrap();
    assert_eq!(push.when, PushWhen::Always);
    assert_eq!((&*push.title, &*push.desc, &*push.ext, &*push.resource_id), ("t", "d", "e", "r"));
    assert!(push.voip && push.disable);
    assert_eq!(&*push.vendor, r#"{"b":1.50, "a":[]}"#, "vendor fields are handed on untouched");
}

#[test]
fn every_method_reads_its_parameters() {
    let id = ID.to_string();
    let examples = [
        ("hello", json!({"device_id": "d"})),
        ("invite", json!({"invitees": ["bob"]})),
        ("cancel", json!({"invitation_id": id, "invitees": ["bob"]})),
        ("accept", json!({"invitation_id": id, "data": "ok", "request_id": "r"})),
        ("reject", json!({"invitation_id": id, "reason": "busy"})),
        ("modify", json!({"invitation_id": id, "data": "x", "version": 3})),
        ("signal", json!({"invitation_id": id, "data": "x", "to": ["bob"]})),
        ("get", json!({"invitation_id": id})),
        ("list_active", json!({"limit": 100, "cursor": "c"})),
        ("history", json!({"peer": "bob"})),
        ("add_invited", json!({"invitation_id": id})),
        ("devices", json!({"action": "set", "platform": "ios", "tokens": {"apns": "t"}})),
        ("blocks", json!({"action": "add", "user": "mallory"})),
        ("ack", json!({"offset": 45})),
        ("refresh_token", json!({"token": "t"})),
        ("ping", json!({})),
    ];
    let names: Vec<&str> = examples.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, Call::METHODS);
    for (method, params) in examples {
        assert_eq!(call(method, &params).unwrap().method(), method);
    }
}

#[test]
fn params_may_be_left_out_where_none_are_required() {
    for method in ["ping", "list_active"] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}"}}"#);
        assert_eq!(rpc::parse(&text).unwrap().call.method(), method);
    }
    let missing = refused(r#"{"jsonrpc":"2.0","id":1,"method":"get"}"#);
    assert_eq!(missing, (ErrorCode::InvalidParams, Some("invitation_id".into()), Some(Id::Number(1))));
}

#[test]
fn hello_carries_what_the_device_last_applied() {
    let resume = json!({"epoch": "00000000000000ff", "offset": 41, "check": "0000beef"});
    let params = json!({"token": "secret", "device_id": "d", "platform": "ios", "resume": resume});
    let Call::Hello(hello) = call("hello", &params).unwrap() else { panic!() };
    let resume = hello.resume.unwrap();
    assert_eq!((resume.epoch, resume.offset, resume.check), (Epoch(255), 41, Check(0xbeef)));
    assert_eq!(hello.token.as_ref().unwrap().0, "secret");
    assert!(!format!("{hello:?}").contains("secret"), "a token gets into no log");
}

#[test]
fn only_ack_may_come_without_an_id() {
    let ack = rpc::parse(r#"{"jsonrpc":"2.0","method":"ack","params":{"offset":45}}"#).unwrap();
    assert_eq!(ack.id, None);
    assert!(rpc::parse(r#"{"jsonrpc":"2.0","id":7,"method":"ack","params":{"offset":45}}"#).unwrap().id.is_some());
    assert_eq!(refused(r#"{"jsonrpc":"2.0","method":"ping"}"#), (ErrorCode::InvalidRequest, None, None));
}

#[test]
fn frames_that_are_no_request_are_refused() {
    let one = Some(Id::Number(1));
    for (frame, code, id) in [
        ("", ErrorCode::ParseError, None),
        ("{", ErrorCode::ParseError, None),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping"} x"#, ErrorCode::ParseError, None),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, ErrorCode::InvalidRequest, None),
        ("[]", ErrorCode::InvalidRequest, None),
        ("7", ErrorCode::InvalidRequest, None),
        ("null", ErrorCode::InvalidRequest, None),
        ("{}", ErrorCode::InvalidRequest, None),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, ErrorCode::InvalidRequest, None),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ack","params":{"offset":1}}"#, ErrorCode::InvalidRequest, None),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, ErrorCode::InvalidRequest, None),
        (r#"{"jsonrpc":"2.0","id":1e3,"method":"ping"}"#, ErrorCode::InvalidRequest, None),
        (r#"{"jsonrpc":"2.0","id":99999999999999999999,"method":"ping"}"#, ErrorCode::InvalidRequest, None),
        (r#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#, ErrorCode::InvalidRequest, None),
        (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, ErrorCode::InvalidRequest, None),
        (r#"{"jsonrpc":"2.0","id":1,"id":1,"method":"ping"}"#, ErrorCode::InvalidRequest, None),
        (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, ErrorCode::InvalidRequest, one.clone()),
        (r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#, ErrorCode::InvalidRequest, one.clone()),
        (r#"{"id":1,"method":"ping"}"#, ErrorCode::InvalidRequest, one.clone()),
        (r#"{"jsonrpc":"2.0","id":1}"#, ErrorCode::InvalidRequest, one.clone()),
        (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, ErrorCode::InvalidRequest, one.clone()),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","token":"x"}"#, ErrorCode::InvalidRequest, one.clone()),
        (r#"{"jsonrpc":"2.0","id":1,"method":"Ping"}"#, ErrorCode::MethodNotFound, one),
    ] {
        assert_eq!(refused(frame), (code, None, id), "{frame}");
    }
}

#[test]
fn refusals_name_the_unknown() {
    let bad = rpc::parse(r#"{"jsonrpc":"2.0","id":1,"method":"ping","tokn":"x"}"#).unwrap_err();
    assert_eq!(bad.error.message, "unknown member tokn");
    let bad = rpc::parse(r#"{"jsonrpc":"2.0","id":1,"method":"call"}"#).unwrap_err();
    assert_eq!(bad.error.message, "there is no method call");
    let bad = rpc::parse("[]").unwrap_err();
    assert_eq!(bad.error.message, "batches are not supported");
}

#[test]
fn an_id_has_at_most_64_characters() {
    let frame = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"ping"}}"#);
    assert!(rpc::parse(&frame(&"é".repeat(64))).is_ok());
    assert_eq!(refused(&frame(&"é".repeat(65))), (ErrorCode::InvalidRequest, None, None));
}

#[test]
fn wrong_parameters_are_named_by_their_path() {
    let invite = |extra: serde_json::Value| {
        let mut params = json!({"invitees": ["bob"]});
        params.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        params
    };
    let id = ID.to_string();
    let long = "x".repeat(129);
    for (method, params, field) in [
        ("invite", json!({}), "invitees"),
        ("invite", json!({"invitees": "bob"}), "invitees"),
        ("invite", json!({"invitees": ["a", "b", "c", 7]}), "invitees[3]"),
        ("invite", json!({"invitees": ["a", "b\n"]}), "invitees[1]"),
        ("invite", json!({"invitees": [long]}), "invitees[0]"),
        ("invite", invite(json!({"data": 7})), "data"),
        ("invite", invite(json!({"data": null})), "data"),
        ("invite", invite(json!({"timeout_s": -1})), "timeout_s"),
        ("invite", invite(json!({"timeout_s": 1.5})), "timeout_s"),
        ("invite", invite(json!({"timeout_s": "30"})), "timeout_s"),
        ("invite", invite(json!({"audience": "all"})), "audience"),
        ("invite", invite(json!({"group_id": ""})), "group_id"),
        ("invite", invite(json!({"kind": "video"})), "kind"),
        ("invite", invite(json!({"request_id": "x".repeat(65)})), "request_id"),
        ("invite", invite(json!({"timeout": 30})), "timeout"),
        ("invite", invite(json!({"push": {"title": 5}})), "push.title"),
        ("invite", invite(json!({"push": {"titel": "x"}})), "push.titel"),
        ("invite", invite(json!({"push": {"when": "never"}})), "push.when"),
        ("invite", invite(json!({"push": {"vendor": [1]}})), "push.vendor"),
        ("invite", invite(json!({"push": {"vendor": "x"}})), "push.vendor"),
        ("invite", invite(json!({"push": ["x"]})), "push"),
        ("invite", json!(["bob"]), "params"),
        ("invite", json!(null), "params"),
        ("invite", json!("bob"), "params"),
        ("accept", json!({"invitation_id": "7"}), "invitation_id"),
        ("accept", json!({"invitation_id": id, "reason": "x"}), "reason"),
        ("cancel", json!({"invitation_id": id, "invitees": [""]}), "invitees[0]"),
        ("modify", json!({"invitation_id": id, "version": -1}), "version"),
        ("signal", json!({"invitation_id": id, "to": "bob"}), "to"),
        ("hello", json!({"token": "t"}), "device_id"),
        ("hello", json!({"device_id": "d", "platform": "x".repeat(33)}), "platform"),
        ("hello", json!({"device_id": "d", "resume": {"epoch": "1", "offset": 2}}), "resume.check"),
        ("hello", json!({"device_id": "d", "resume": {"epoch": "x", "offset": 2, "check": "1"}}), "resume.epoch"),
        ("hello", json!({"device_id": "d", "resume": ["1", 2, "1"]}), "resume"),
        ("list_active", json!({"limit": 0}), "limit"),
        ("list_active", json!({"limit": 101}), "limit"),
        ("list_active", json!({"cursor": "x".repeat(257)}), "cursor"),
        ("history", json!({}), "peer"),
        ("history", json!({"peer": "bob", "group_id": "g"}), "peer"),
        ("history", json!({"group_id": "g", "limit": 1000}), "limit"),
        ("devices", json!({}), "action"),
        ("devices", json!({"action": "get"}), "action"),
        ("devices", json!({"action": "set", "tokens": {}}), "platform"),
        ("devices", json!({"action": "set", "platform": "ios"}), "tokens"),
        ("devices", json!({"action": "set", "platform": "ios", "tokens": {"apns": 1}}), "tokens.apns"),
        ("devices", json!({"action": "list", "device_id": "d"}), "device_id"),
        ("devices", json!({"action": "list", "platform": "ios"}), "platform"),
        ("devices", json!({"action": "remove", "tokens": {}}), "tokens"),
        ("blocks", json!({"action": "add"}), "user"),
        ("blocks", json!({"action": "add", "user": ""}), "user"),
        ("blocks", json!({"action": "remove", "user": "u", "limit": 1}), "limit"),
        ("blocks", json!({"action": "remove", "user": "u", "cursor": "c"}), "cursor"),
        ("blocks", json!({"action": "list", "user": "u"}), "user"),
        ("blocks", json!({"action": "list", "limit": 101}), "limit"),
        ("ack", json!({"offset": "1"}), "offset"),
        ("ping", json!({"x": 1}), "x"),
    ] {
        let (found, message) = refused_params(method, &params);
        assert_eq!(found, field, "{method} {params}: {message}");
        assert!(message.starts_with(field), "{message}");
        assert!(!message.contains(" line "), "{message}");
    }
}

#[test]
fn a_repeated_parameter_is_refused() {
    let frame = r#"{"jsonrpc":"2.0","id":1,"method":"ack","params":{"offset":1,"offset":2}}"#;
    assert_eq!(refused(frame), (ErrorCode::InvalidParams, Some("offset".into()), Some(Id::Number(1))));
}

#[test]
fn history_names_exactly_one_conversation() {
    let Call::History(history) = call("history", &json!({"group_id": "g"})).unwrap() else { panic!() };
    assert!(matches!(history.conversation(), Some(Conversation::Group(group)) if group.as_str() == "g"));
    assert_eq!(history.limit, 20);
    let Call::History(history) = call("history", &json!({"peer": "bob", "limit": 1})).unwrap() else { panic!() };
    assert_eq!(history.conversation(), Some(Conversation::Peer(user("bob"))));
}

#[test]
fn messages_do_not_repeat_a_client_s_long_texts() {
    let long = "x".repeat(50_000);
    for frame in [
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{long}"}}"#),
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","{long}":1}}"#),
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"{long}":1}}}}"#),
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":"{long}"}}"#),
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"invite","params":{{"invitees":["b"],"kind":"{long}"}}}}"#),
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"invite","params":{{"invitees":["b"],"push":{{"{long}":1}}}}}}"#),
        format!(r#"{{"jsonrpc":"2.0","{long}":1,"{long}":2}}"#),
    ] {
        let error = rpc::parse(&frame).unwrap_err().error;
        let size = serde_json::to_string(&error).unwrap().len();
        assert!(size < 1_000, "{size}: {}", &frame[..100]);
    }
}

#[test]
fn deep_json_is_refused_without_overflowing_the_stack() {
    let deep = format!("{}{}", "[".repeat(60_000), "]".repeat(60_000));
    assert_eq!(refused(&deep).0, ErrorCode::InvalidRequest);
    let open = "{\"a\":".repeat(20_000);
    assert_eq!(refused(&open).0, ErrorCode::ParseError);
    for params in [format!(r#"{{"invitees":{deep}}}"#), format!(r#"{{"invitees":["b"],"push":{deep}}}"#), deep] {
        let frame = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"invite","params":{params}}}"#);
        assert!(rpc::parse(&frame).is_err());
    }
}

#[test]
fn an_object_with_very_many_members_is_refused_quickly() {
    let members: Vec<String> = (0..20_000).map(|number| format!("\"{number}\":0")).collect();
    let frame = format!("{{{}}}", members.join(","));
    assert_eq!(refused(&frame).0, ErrorCode::InvalidRequest);
}
