//! Schemas name exactly the members that are written and read.

use std::collections::BTreeSet;

use ringwire_wire::Problem;
use ringwire_wire::body::HttpBody;
use ringwire_wire::params::{AcceptParams, DeviceParams, GroupParams, InviteParams};
use ringwire_wire::view::{
    BlockPage, DeviceList, DoneResult, GroupView, HistoryMessage, HistoryPage, InvitationPage, InvitationView,
    InviteResult, PostedResult, SignalingInfoView,
};
use serde_json::Value;
use utoipa::{PartialSchema, ToSchema};

use crate::samples;

fn schema<T: PartialSchema>() -> Value {
    serde_json::to_value(T::schema()).unwrap()
}

fn members(schema: &Value) -> BTreeSet<String> {
    let own = schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone());
    let parts = schema["allOf"].as_array().into_iter().flatten().flat_map(members);
    own.chain(parts).collect()
}

fn required(schema: &Value) -> Vec<&str> {
    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[test]
fn an_invite_body_requires_only_the_invitees() {
    let schema = schema::<HttpBody<InviteParams>>();
    assert_eq!(required(&schema), ["invitees"]);
    assert_eq!(schema["additionalProperties"], false);
    let expected = [
        "invitees",
        "data",
        "timeout_s",
        "online_user_only",
        "group_id",
        "audience",
        "push",
        "kind",
        "inviter_name",
        "receipts",
        "request_id",
        "as",
        "device_id",
    ];
    assert_eq!(members(&schema), expected.map(String::from).into());
    assert_eq!(HttpBody::<InviteParams>::name(), "InviteBody");
}

#[test]
fn an_answer_s_body_does_not_name_the_invitation() {
    let schema = schema::<HttpBody<AcceptParams>>();
    assert!(required(&schema).is_empty());
    assert_eq!(members(&schema), ["data", "request_id", "as", "device_id"].map(String::from).into());
}

#[test]
fn an_invitation_s_schema_has_what_is_shown() {
    let group = samples::invitation_in_a_group();
    let view = InvitationView::of(&group, &[samples::operation()], &[], samples::NOW);
    let shown = serde_json::to_value(view).unwrap();
    let schema = schema::<InvitationView>();
    let known = members(&schema);
    for name in shown.as_object().unwrap().keys() {
        assert!(known.contains(name), "{name}");
    }
    for name in required(&schema) {
        assert!(shown.get(name).is_some(), "{name}");
    }
}

#[test]
fn every_result_and_body_has_a_schema() {
    for (schema, name) in [
        (schema::<InviteResult>(), "failed"),
        (schema::<DoneResult>(), "version"),
        (schema::<PostedResult>(), "at"),
        (schema::<InvitationPage>(), "invitations"),
        (schema::<HistoryPage>(), "messages"),
        (schema::<BlockPage>(), "users"),
        (schema::<DeviceList>(), "devices"),
        (schema::<DeviceParams>(), "tokens"),
        (schema::<GroupView>(), "members"),
        (schema::<GroupParams>(), "members"),
        (schema::<SignalingInfoView>(), "action"),
        (schema::<HistoryMessage>(), "version"),
        (schema::<Problem>(), "title"),
    ] {
        assert!(members(&schema).contains(name), "{name}: {schema}");
    }
}
