//! Codes, names, statuses and the data of errors.

use ringwire_signaling::Refusal;
use ringwire_wire::{ErrorBody, ErrorCode, Problem};
use serde_json::json;

use crate::samples::{device, user};

#[test]
fn the_codes_are_those_of_the_protocol() {
    let codes: Vec<(i32, &str)> = ErrorCode::ALL.iter().map(|code| (code.code(), code.name())).collect();
    let expected = [
        (-32700, "parse_error"),
        (-32600, "invalid_request"),
        (-32601, "method_not_found"),
        (-32602, "invalid_params"),
        (-32603, "internal_error"),
        (4001, "not_found"),
        (4002, "not_invitee"),
        (4003, "already_settled"),
        (4004, "not_group_member"),
        (4005, "expired"),
        (4006, "already_exists"),
        (4007, "conflict"),
        (4008, "payload_too_large"),
        (4009, "rate_limited"),
        (4010, "unauthenticated"),
        (4011, "forbidden"),
        (4012, "not_inviter"),
        (4014, "group_not_found"),
        (5003, "unavailable"),
    ];
    assert_eq!(codes, expected);
    for code in ErrorCode::ALL {
        assert_eq!(ErrorCode::from_code(code.code()), Some(*code));
        assert!((400..=599).contains(&code.http_status()));
    }
    assert_eq!(ErrorCode::from_code(4013), None);
}

#[test]
fn every_refusal_has_its_code_and_data() {
    let cases = [
        (Refusal::Invalid { field: "to", problem: "is odd".into() }, json!({"name": "invalid_params", "field": "to"})),
        (Refusal::NotFound, json!({"name": "not_found"})),
        (Refusal::NotInvitee, json!({"name": "not_invitee"})),
        (Refusal::NotInviter, json!({"name": "not_inviter"})),
        (
            Refusal::AlreadySettled { state: "accepted", device: Some(device("web-9")) },
            json!({"name": "already_settled", "state": "accepted", "device_id": "web-9"}),
        ),
        (
            Refusal::NotGroupMember { users: vec![user("a"), user("b")] },
            json!({"name": "not_group_member", "users": ["a", "b"]}),
        ),
        (Refusal::GroupNotFound, json!({"name": "group_not_found"})),
        (Refusal::Expired, json!({"name": "expired"})),
        (Refusal::AlreadyExists, json!({"name": "already_exists"})),
        (Refusal::Conflict { problem: "other", version: Some(3) }, json!({"name": "conflict", "version": 3})),
        (
            Refusal::PayloadTooLarge { field: "data", limit: 12_288 },
            json!({"name": "payload_too_large", "field": "data", "limit": 12_288}),
        ),
        (Refusal::RateLimited { retry_after_ms: 30 }, json!({"name": "rate_limited", "retry_after_ms": 30})),
    ];
    for (refusal, data) in cases {
        let body = ErrorBody::from(&refusal);
        let value = serde_json::to_value(&body).unwrap();
        assert_eq!(value["data"], data);
        assert_eq!(value["message"], refusal.to_string());
        assert_eq!(body.error_code().unwrap().name(), data["name"]);
        assert_eq!(serde_json::from_value::<ErrorBody>(value).unwrap(), body);
    }
}

#[test]
fn the_other_errors_have_their_data() {
    let value = |body: ErrorBody| serde_json::to_value(body).unwrap();
    assert_eq!(value(ErrorBody::unavailable(500))["data"], json!({"name": "unavailable", "retry_after_ms": 500}));
    assert_eq!(value(ErrorBody::unauthenticated("no token"))["code"], 4010);
    assert_eq!(value(ErrorBody::forbidden("not a server"))["code"], 4011);
    assert_eq!(value(ErrorBody::rate_limited(10))["data"]["retry_after_ms"], 10);
    assert_eq!(value(ErrorBody::payload_too_large("frame", 131_072))["data"]["limit"], 131_072);
    assert_eq!(value(ErrorBody::internal_error("a rule broke"))["code"], -32603);
}

#[test]
fn a_problem_tells_the_same() {
    let body = ErrorBody::from(&Refusal::AlreadySettled { state: "cancelled", device: None });
    let problem = Problem::from(body);
    let expected = json!({
        "type": "urn:ringwire:problem:already_settled",
        "title": "Already settled",
        "status": 409,
        "detail": "the invitation is already settled: cancelled",
        "name": "already_settled",
        "state": "cancelled",
    });
    assert_eq!(serde_json::to_value(&problem).unwrap(), expected);
    assert_eq!(serde_json::from_value::<Problem>(expected).unwrap(), problem);
}

#[test]
fn a_client_can_show_the_error_of_a_newer_server() {
    let body: ErrorBody =
        serde_json::from_str(r#"{"code":4099,"message":"new","data":{"name":"newer","state":"odd","moon":"full"}}"#)
            .unwrap();
    assert_eq!(body.error_code(), None);
    assert_eq!((body.data.name.as_ref(), body.http_status()), ("newer", 500));
    let bare: ErrorBody = serde_json::from_str(r#"{"code":-32000,"message":"x"}"#).unwrap();
    assert_eq!(bare.data.name, "");
}
