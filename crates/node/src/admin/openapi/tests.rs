//! The document against the routes, and itself.

use std::collections::BTreeSet;

use actix_web::App;
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service};
use ringwire_wire::body::{Params, parse_body};
use ringwire_wire::params::GroupParams;
use ringwire_wire::view::{DoneResult, GroupView, InvitationPage};
use serde_json::{Value, json};

use super::super::RESOURCES;
use super::super::body::{DrainParams, ForceCancelParams, KickParams};
use super::super::push::view::{DeadLetterView, DeadLettersView, ReplayedManyView, ReplayedView, TargetsView};
use super::super::push::{ReplayManyParams, ReplayParams};
use super::super::view::{AdminInvitationView, KickedView, LogFilter, NodesView, TimersView, UserView};
use super::*;
use crate::http::openapi::tests::{assert_lists_exactly, assert_references_hold, operations, result};
use crate::http::resource;

fn document() -> Value {
    serde_json::to_value(Document::openapi()).unwrap()
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
fn every_operation_says_what_it_is_and_how_it_fails() {
    let document = document();
    let mut ids = BTreeSet::new();
    for ((method, path), operation) in operations(&document) {
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{method} {path} has another's id");
        assert!(operation["summary"].as_str().is_some_and(|text| !text.ends_with('.')), "{method} {path}");
        let in_path: BTreeSet<_> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .inspect(|parameter| assert!(parameter["description"].is_string(), "{method} {path} {parameter}"))
            .filter(|parameter| parameter["in"] == "path")
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        assert_eq!(in_path, path.split(['{', '}']).skip(1).step_by(2).collect(), "{method} {path}");
        let responses = operation["responses"].as_object().unwrap();
        let is_open = operation["security"] == json!([{}]);
        assert_eq!(is_open, !path.starts_with("/v1/"), "{method} {path}");
        for status in ["401", "403"] {
            assert_eq!(responses.contains_key(status), !is_open, "{method} {path} {status}");
        }
    }
}

#[test]
fn examples_are_what_handlers_read_and_write() {
    fn body<T: Params>(example: &Value) {
        parse_body::<T>(example.to_string().as_bytes()).unwrap();
    }
    let check = |schema: &str| match schema {
        "DrainParams" => body::<DrainParams>,
        "ForceCancelParams" => body::<ForceCancelParams>,
        "KickParams" => body::<KickParams>,
        "ReplayParams" => body::<ReplayParams>,
        "ReplayManyParams" => body::<ReplayManyParams>,
        "DeadLetterView" => result::<DeadLetterView>,
        "DeadLettersView" => result::<DeadLettersView>,
        "ReplayedView" => result::<ReplayedView>,
        "ReplayedManyView" => result::<ReplayedManyView>,
        "TargetsView" => result::<TargetsView>,
        "GroupParams" => body::<GroupParams>,
        "AdminInvitationView" => result::<AdminInvitationView>,
        "DoneResult" => result::<DoneResult>,
        "GroupView" => result::<GroupView>,
        "InvitationPage" => result::<InvitationPage>,
        "LogFilter" => result::<LogFilter>,
        "NodesView" => result::<NodesView>,
        "TimersView" => result::<TimersView>,
        "UserView" => result::<UserView>,
        "KickedView" => result::<KickedView>,
        other => panic!("{other} is checked by nothing"),
    };
    let document = document();
    for (route, operation) in operations(&document) {
        let responses = operation["responses"].as_object().unwrap().values();
        for holder in responses.chain(operation.get("requestBody")) {
            let content = &holder["content"]["application/json"];
            if let Some(schema) = content["schema"]["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
                assert!(content["example"].is_object(), "{route:?} has no example of {schema}");
                check(schema)(&content["example"]);
            }
        }
    }
}

#[actix_web::test]
async fn the_page_is_one_file_that_loads_nothing_from_elsewhere() {
    let app = init_service(App::new().configure(|config| resource::register(config, RESOURCES))).await;
    let response = call_service(&app, TestRequest::get().uri("/").to_request()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(
        response.headers().get("content-security-policy").unwrap().to_str().unwrap().starts_with("default-src 'none'")
    );
    let page = include_str!("../page.html");
    for foreign in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.contains("fetch('openapi.json')"));
}
