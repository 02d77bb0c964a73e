//! Paths with their methods, and what is said of others: the same on every listener.

use std::future::ready;

use actix_web::http::{Method, header};
use actix_web::{HttpResponse, Route, web};
use ringwire_signaling::limits::FRAME_BYTES;
use ringwire_wire::error::{ErrorBody, ErrorCode};

use super::problem;

/// A method that a path takes, and what serves it.
pub(crate) type Endpoint = (Method, fn() -> Route);

/// One path of a listener.
pub(crate) struct Resource {
    pub(crate) path: &'static str,
    pub(crate) methods: &'static [Endpoint],
}

/// Registers paths; everything else is told as a problem.
pub(crate) fn register(config: &mut web::ServiceConfig, resources: &'static [Resource]) {
    config.app_data(web::PayloadConfig::new(FRAME_BYTES));
    for Resource { path, methods } in resources {
        let mut resource = web::resource(*path);
        for (method, route) in *methods {
            resource = resource.route(route().method(method.clone()));
        }
        config.service(resource.default_service(web::to(|| ready(method_not_allowed(methods)))));
    }
    config.default_service(web::to(no_such_path));
}

async fn no_such_path() -> HttpResponse {
    problem::response(ErrorBody::new(ErrorCode::NotFound, "there is no such path"))
}

fn method_not_allowed(methods: &[Endpoint]) -> HttpResponse {
    let error = ErrorBody::new(ErrorCode::MethodNotFound, "the path does not take this method");
    let mut response = problem::with_status(405, error);
    let allowed: Vec<&str> = methods.iter().map(|(method, _)| method.as_str()).collect();
    if let Ok(allowed) = header::HeaderValue::from_str(&allowed.join(", ")) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}
