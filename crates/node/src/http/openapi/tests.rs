//! The document against the routes, the rules' limits, and itself.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::App;
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service, read_body_json};
use ringwire_signaling::limits;
use ringwire_wire::body::{Params, parse_body, parse_http_body};
use ringwire_wire::error::ErrorCode;
use ringwire_wire::params::{DeviceParams, GroupParams};
use ringwire_wire::view::{
    BlockPage, DeviceList, DoneResult, GroupView, HistoryPage, InvitationPage, InvitationView, InviteResult,
    PostedResult,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::resource::Resource;
use super::super::{RESOURCES, resources};
use super::*;

fn document() -> Value {
    serde_json::to_value(Document::openapi()).unwrap()
}

/// Every operation with its method and path.
pub(crate) fn operations(document: &Value) -> BTreeMap<(String, String), &Value> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, operation)| ((method.to_uppercase(), path.clone()), operation))
    });
    operations.collect()
}

/// Every value in the document with its JSON pointer.
fn walk<'a>(at: &str, value: &'a Value, visit: &mut impl FnMut(&str, &'a Value)) {
    visit(at, value);
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(n, item)| walk(&format!("{at}/{n}"), item, visit)),
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            walk(&format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), member, visit);
        }),
        _ => {}
    }
}

/// What is described is what is served.
pub(crate) fn assert_lists_exactly(document: &Value, resources: &[Resource]) {
    let described: BTreeSet<_> = operations(document).into_keys().collect();
    let served = resources
        .iter()
        .flat_map(|resource| resource.methods.iter().map(|(method, _)| (method.to_string(), resource.path.to_owned())));
    assert_eq!(described, served.collect());
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
}

/// No reference dangles, and no schema is left over.
pub(crate) fn assert_references_hold(document: &Value) {
    let mut used = BTreeSet::new();
    walk("", document, &mut |at, value| {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{at} refers to {reference}"));
            assert!(document.pointer(pointer).is_some(), "{at} refers to {reference}, which is not there");
            used.insert(pointer.rsplit('/').next().unwrap().to_owned());
        }
    });
    let defined = document["components"]["schemas"].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(used, defined);
}

/// An example is what the view of this type reads and writes.
pub(crate) fn result<T: DeserializeOwned + serde::Serialize>(example: &Value) {
    let read: T = serde_json::from_value(example.clone()).unwrap();
    assert_eq!(&serde_json::to_value(read).unwrap(), example);
}

#[test]
fn the_document_lists_exactly_the_routes() {
    assert_lists_exactly(&document(), RESOURCES);
}

#[test]
fn no_reference_dangles_and_no_schema_is_left_over() {
    assert_references_hold(&document());
}

#[test]
fn every_operation_says_what_it_is() {
    let document = document();
    let tags: BTreeSet<&str> =
        document["tags"].as_array().unwrap().iter().filter_map(|tag| tag["name"].as_str()).collect();
    let mut ids = BTreeSet::new();
    for ((method, path), operation) in operations(&document) {
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{method} {path} has another's id");
        assert!(operation["summary"].as_str().is_some_and(|text| !text.ends_with('.')), "{method} {path}");
        assert!(operation["tags"].as_array().unwrap().iter().all(|tag| tags.contains(tag.as_str().unwrap())));
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let in_path: BTreeSet<_> = parameters
            .inspect(|parameter| assert!(parameter["description"].is_string(), "{method} {path} {parameter}"))
            .filter(|parameter| parameter["in"] == "path")
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        let named: BTreeSet<_> = path.split(['{', '}']).skip(1).step_by(2).collect();
        assert_eq!(in_path, named, "{method} {path}");
    }
}

#[test]
fn every_failure_is_a_problem_with_examples_of_its_status() {
    let document = document();
    let mut seen = BTreeSet::new();
    for ((method, path), operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let status: u16 = status.parse().unwrap();
            if status < 400 {
                continue;
            }
            let problem = &response["content"]["application/problem+json"];
            assert_eq!(problem["schema"], json!({"$ref": "#/components/schemas/Problem"}), "{method} {path} {status}");
            for (name, example) in problem["examples"].as_object().unwrap() {
                let read: Problem = serde_json::from_value(example["value"].clone()).unwrap();
                assert_eq!((read.status, &*read.data.name), (status, name.as_str()), "{method} {path}");
                assert_eq!(response["headers"]["Retry-After"].is_object(), read.data.retry_after_ms.is_some());
                seen.insert(name.clone());
            }
        }
    }
    // A route that is described takes its method, and only a connection is sent a ring.
    let never = [ErrorCode::MethodNotFound, ErrorCode::AlreadyExists];
    let expected = ErrorCode::ALL.iter().filter(|code| !never.contains(code)).map(|code| code.name().to_owned());
    assert_eq!(seen, expected.collect());
}

#[test]
fn examples_are_what_handlers_read_and_write() {
    fn body<T: Params>(example: &Value) {
        parse_http_body::<T>(example.to_string().as_bytes(), None).unwrap();
    }
    /// Of an operation whose path names the invitation.
    fn about<T: Params>(example: &Value) {
        let invitation = "3f-0123456789abcdef0123456789abcdef".parse().ok();
        parse_http_body::<T>(example.to_string().as_bytes(), invitation).unwrap();
    }
    fn group(example: &Value) {
        parse_body::<GroupParams>(example.to_string().as_bytes()).unwrap();
    }
    fn device(example: &Value) {
        parse_body::<DeviceParams>(example.to_string().as_bytes()).unwrap();
    }
    type Check = fn(&Value);
    let checks: [(&str, Check); 17] = [
        ("InviteBody", body::<InviteParams>),
        ("AcceptBody", about::<AcceptParams>),
        ("RejectBody", about::<RejectParams>),
        ("CancelBody", about::<CancelParams>),
        ("ModifyBody", about::<ModifyParams>),
        ("SignalBody", about::<SignalParams>),
        ("GroupParams", group),
        ("DeviceParams", device),
        ("InviteResult", result::<InviteResult>),
        ("DoneResult", result::<DoneResult>),
        ("PostedResult", result::<PostedResult>),
        ("InvitationView", result::<InvitationView>),
        ("InvitationPage", result::<InvitationPage>),
        ("HistoryPage", result::<HistoryPage>),
        ("GroupView", result::<GroupView>),
        ("DeviceList", result::<DeviceList>),
        ("BlockPage", result::<BlockPage>),
    ];
    let checks = BTreeMap::from(checks);
    let (document, mut checked) = (document(), BTreeSet::new());
    for (route, operation) in operations(&document) {
        let responses = operation["responses"].as_object().unwrap().values();
        for holder in responses.chain(operation.get("requestBody")) {
            let content = &holder["content"]["application/json"];
            let Some(schema) = content["schema"]["$ref"].as_str().and_then(|path| path.rsplit('/').next()) else {
                continue;
            };
            assert!(content["example"].is_object(), "{route:?} has no example of {schema}");
            checks[schema](&content["example"]);
            checked.insert(schema);
        }
    }
    assert_eq!(checked, checks.into_keys().collect());
}

#[test]
fn bounds_are_those_of_the_rules() {
    let schemas = &document()["components"]["schemas"];
    let bounds = [
        ("/UserId/maxLength", limits::ID_BYTES),
        ("/DeviceId/maxLength", limits::ID_BYTES),
        ("/GroupId/maxLength", limits::ID_BYTES),
        ("/RequestId/maxLength", limits::REQUEST_ID_CHARS),
        ("/Data/maxLength", limits::DATA_BYTES),
        ("/InviteBody/properties/invitees/maxItems", limits::INVITEES),
        ("/InviteBody/properties/timeout_s/maximum", limits::TIMEOUT_S as usize),
        ("/InviteBody/properties/timeout_s/default", limits::DEFAULT_TIMEOUT_S as usize),
        ("/InviteBody/properties/inviter_name/maxLength", limits::INVITER_NAME_CHARS),
        ("/PushParams/properties/title/maxLength", limits::PUSH_TEXT_BYTES),
        ("/PushParams/properties/desc/maxLength", limits::PUSH_TEXT_BYTES),
        ("/PushParams/properties/resource_id/maxLength", limits::PUSH_TEXT_BYTES),
        ("/PushParams/properties/ext/maxLength", limits::PUSH_PART_BYTES),
        ("/RejectBody/properties/reason/maxLength", limits::REASON_CHARS),
        ("/GroupParams/properties/members/maxItems", limits::GROUP_MEMBERS),
        ("/DeviceParams/properties/platform/maxLength", limits::PLATFORM_CHARS),
    ];
    for (pointer, limit) in bounds {
        assert_eq!(schemas.pointer(pointer), Some(&json!(limit)), "{pointer}");
    }
    let document = document();
    for operation in [&document["paths"]["/v1/invitations"]["get"], &document["paths"]["/v1/history"]["get"]] {
        let parameters = operation["parameters"].as_array().unwrap();
        let limit = &parameters.iter().find(|parameter| parameter["name"] == "limit").unwrap()["schema"];
        assert_eq!(
            (&limit["maximum"], &limit["default"]),
            (&json!(limits::PAGE_ROWS), &json!(limits::DEFAULT_PAGE_ROWS))
        );
    }
}

#[test]
fn a_body_is_required_where_something_in_it_is() {
    let document = document();
    for (route, operation) in operations(&document) {
        let Some(body) = operation.get("requestBody") else { continue };
        let pointer = body["content"]["application/json"]["schema"]["$ref"].as_str().unwrap().trim_start_matches('#');
        let needs_something = document.pointer(pointer).unwrap().get("required").is_some();
        assert_eq!(body["required"].as_bool().unwrap_or(false), needs_something, "{route:?}");
    }
}

#[actix_web::test]
async fn the_document_is_served_without_a_token() {
    let app = init_service(App::new().configure(resources)).await;
    let response = call_service(&app, TestRequest::get().uri("/v1/openapi.json").to_request()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers().get("content-type").unwrap(), "application/json");
    let served: Value = read_body_json(response).await;
    assert_eq!(served, document());
}

#[actix_web::test]
async fn a_method_that_a_path_does_not_take_is_told_which_it_does() {
    let app = init_service(App::new().configure(resources)).await;
    for Resource { path, methods } in RESOURCES {
        let path = path.replace(['{', '}'], "");
        let response = call_service(&app, TestRequest::patch().uri(&path).to_request()).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
        let allowed: Vec<_> = methods.iter().map(|(method, _)| method.as_str()).collect();
        assert_eq!(response.headers().get("allow").unwrap(), &allowed.join(", "), "{path}");
        assert_eq!(response.headers().get("content-type").unwrap(), "application/problem+json", "{path}");
    }
}
