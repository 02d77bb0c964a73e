//! The document against the routes, and itself.

use std::collections::BTreeSet;

use actix_web::App;
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service};
use ringwire_wire::body::{Params, parse_body};
use ringwire_wire::params::GroupParams;
use ringwire_wire::view::{DoneResult, GroupView, InvitationPage};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::RESOURCES;
use super::super::body::{DrainParams, ForceCancelParams};
use super::super::view::{AdminInvitationView, LogFilter, NodesView, TimersView};
use super::*;
use crate::http::openapi::tests::{operations, walk};
use crate::http::resource;

fn document() -> Value {
    serde_json::to_value(Document::openapi()).unwrap()
}

#[test]
fn the_document_lists_exactly_the_routes() {
    let document = document();
    let described: BTreeSet<_> = operations(&document).into_keys().collect();
    let served = RESOURCES
        .iter()
        .flat_map(|resource| resource.methods.iter().map(|(method, _)| (method.to_string(), resource.path.to_owned())));
    assert_eq!(described, served.collect());
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn no_reference_dangles_and_no_schema_is_left_over() {
    let document = document();
    let mut used = BTreeSet::new();
    walk("", &document, &mut |at, value| {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{at} refers to {reference}"));
            assert!(document.pointer(pointer).is_some(), "{at} refers to {reference}, which is not there");
            used.insert(pointer.rsplit('/').next().unwrap().to_owned());
        }
    });
    let defined = document["components"]["schemas"].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(used, defined);
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
    fn result<T: DeserializeOwned + Serialize>(example: &Value) {
        let read: T = serde_json::from_value(example.clone()).unwrap();
        assert_eq!(&serde_json::to_value(read).unwrap(), example);
    }
    let check = |schema: &str| match schema {
        "DrainParams" => body::<DrainParams>,
        "ForceCancelParams" => body::<ForceCancelParams>,
        "GroupParams" => body::<GroupParams>,
        "AdminInvitationView" => result::<AdminInvitationView>,
        "DoneResult" => result::<DoneResult>,
        "GroupView" => result::<GroupView>,
        "InvitationPage" => result::<InvitationPage>,
        "LogFilter" => result::<LogFilter>,
        "NodesView" => result::<NodesView>,
        "TimersView" => result::<TimersView>,
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
