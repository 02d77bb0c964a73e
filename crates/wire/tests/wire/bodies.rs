//! HTTP bodies and queries, which carry the same parameters.

use ringwire_wire::ErrorCode;
use ringwire_wire::body::{parse_body, parse_http_body, parse_http_query};
use ringwire_wire::params::{AcceptParams, GroupParams, HistoryParams, InviteParams, ListActiveParams};

use crate::samples::{ID, device, user};

fn field<T: std::fmt::Debug>(result: Result<T, ringwire_wire::ErrorBody>) -> (ErrorCode, String) {
    let error = result.unwrap_err();
    (error.error_code().unwrap(), error.data.field.map(String::from).unwrap_or_default())
}

#[test]
fn an_invite_body_may_say_who_acts() {
    let text = br#"{"invitees":["bob"],"push":{"desc":"x","vendor":{"b": 1,"a":2}},"as":"alice","device_id":"d"}"#;
    let body = parse_http_body::<InviteParams>(text, None).unwrap();
    assert_eq!((body.acting_for, body.device), (Some(user("alice")), Some(device("d"))));
    assert_eq!(body.params.invitees, [user("bob")]);
    assert_eq!(&*body.params.push.unwrap().vendor, r#"{"b": 1,"a":2}"#);
}

#[test]
fn an_answer_takes_its_invitation_from_the_path() {
    let body = parse_http_body::<AcceptParams>(br#"{"data":"a\"b\n"}"#, Some(ID)).unwrap();
    assert_eq!((body.params.invitation_id, &*body.params.data), (ID, "a\"b\n"));
    assert_eq!((body.acting_for, body.device), (None, None));
    let body = parse_http_body::<AcceptParams>(b"", Some(ID)).unwrap();
    assert_eq!(body.params, AcceptParams::new(ID));
    let body = parse_http_body::<AcceptParams>(br#"{"as":null,"device_id":null}"#, Some(ID)).unwrap();
    assert_eq!((body.acting_for, body.device), (None, None));
}

#[test]
fn wrong_bodies_are_refused_and_the_field_named() {
    let invalid = |field: &str| (ErrorCode::InvalidParams, field.to_owned());
    let named = format!(r#"{{"invitation_id":"{ID}"}}"#);
    assert_eq!(field(parse_http_body::<AcceptParams>(named.as_bytes(), Some(ID))), invalid("invitation_id"));
    for (body, name) in [
        (r#"{"invitees":["bob"],"to":["x"]}"#, "to"),
        (r#"{"invitees":["bob",""," \u0000"]}"#, "invitees[2]"),
        (r#"{"invitees":["bob"],"as":7}"#, "as"),
        (r#"{"invitees":["bob"],"as":""}"#, "as"),
        (r#"{"invitees":["bob"],"device_id":"a\tb"}"#, "device_id"),
        (r#"{"as":"alice"}"#, "invitees"),
        (r#"{"as":"alice","as":"bob"}"#, "body"),
        ("[]", "body"),
        ("null", "body"),
    ] {
        assert_eq!(field(parse_http_body::<InviteParams>(body.as_bytes(), None)), invalid(name), "{body}");
    }
    for body in [&b"{"[..], b"\xff", b"{} {}"] {
        assert_eq!(field(parse_http_body::<InviteParams>(body, None)).0, ErrorCode::ParseError);
    }
}

#[test]
fn a_plain_body_has_only_its_parameters() {
    assert_eq!(parse_body::<GroupParams>(br#"{"members":["a","b"]}"#).unwrap().members, [user("a"), user("b")]);
    let refused = field(parse_body::<GroupParams>(br#"{"members":["a"],"as":"b"}"#));
    assert_eq!(refused, (ErrorCode::InvalidParams, "as".into()));
    assert_eq!(field(parse_body::<GroupParams>(b"{} x")).0, ErrorCode::InvalidParams);
    assert_eq!(field(parse_body::<GroupParams>(br#"{"members":[]} x"#)).0, ErrorCode::ParseError);
    let crowd = format!(r#"{{"members":[{}"z"]}}"#, r#""x","#.repeat(500));
    assert_eq!(field(parse_body::<GroupParams>(crowd.as_bytes())), (ErrorCode::InvalidParams, "members".into()));
}

#[test]
fn a_query_reads_like_a_body() {
    let query = [("peer", "bob \"b\""), ("limit", "5"), ("as", "alice"), ("cursor", "7")];
    let body = parse_http_query::<HistoryParams>(query).unwrap();
    assert_eq!(body.acting_for, Some(user("alice")));
    assert_eq!(body.params.peer, Some(user("bob \"b\"")));
    assert_eq!((body.params.limit, body.params.cursor.as_deref()), (5, Some("7")));
    assert_eq!(parse_http_query::<ListActiveParams>([]).unwrap().params, ListActiveParams::default());
    for (query, name) in [
        (&[("limit", "05")][..], "limit"),
        (&[("limit", "")], "limit"),
        (&[("limit", "0")], "limit"),
        (&[("limits", "1")], "limits"),
        (&[("cursor", "a"), ("cursor", "b")], "body"),
    ] {
        let refused = field(parse_http_query::<ListActiveParams>(query.iter().copied()));
        assert_eq!(refused, (ErrorCode::InvalidParams, name.to_owned()), "{query:?}");
    }
}
