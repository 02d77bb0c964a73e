//! The public HTTP interface under `/v1`: the same operations for servers and scripts.

mod body;
mod connect;
mod groups;
mod invitations;
mod openapi;
mod operations;
pub(crate) mod problem;
mod who;

use std::future::ready;
use std::sync::Arc;

use actix_web::http::{Method, header};
use actix_web::{HttpResponse, Route, web};
use ringwire_signaling::limits::FRAME_BYTES;
use ringwire_wire::error::{ErrorBody, ErrorCode};

use crate::shared::Shared;
use problem::HttpError;

type Response = Result<HttpResponse, HttpError>;

/// A method that a path takes, and what serves it.
type Endpoint = (Method, fn() -> Route);

/// One path of the public listener.
struct Resource {
    path: &'static str,
    methods: &'static [Endpoint],
}

/// Every path of the public listener. The description lists the same ones, which a test compares.
const RESOURCES: &[Resource] = &[
    Resource { path: "/v1/connect", methods: &[(Method::GET, || web::to(connect::connect))] },
    Resource { path: "/v1/openapi.json", methods: &[(Method::GET, || web::to(openapi::serve))] },
    Resource {
        path: "/v1/invitations",
        methods: &[(Method::POST, || web::to(invitations::invite)), (Method::GET, || web::to(invitations::active))],
    },
    Resource { path: "/v1/invitations/{id}", methods: &[(Method::GET, || web::to(invitations::get))] },
    Resource { path: "/v1/invitations/{id}/accept", methods: &[(Method::POST, || web::to(operations::accept))] },
    Resource { path: "/v1/invitations/{id}/reject", methods: &[(Method::POST, || web::to(operations::reject))] },
    Resource { path: "/v1/invitations/{id}/cancel", methods: &[(Method::POST, || web::to(operations::cancel))] },
    Resource { path: "/v1/invitations/{id}/modify", methods: &[(Method::POST, || web::to(operations::modify))] },
    Resource { path: "/v1/invitations/{id}/signal", methods: &[(Method::POST, || web::to(operations::signal))] },
    Resource { path: "/v1/history", methods: &[(Method::GET, || web::to(invitations::history))] },
    Resource {
        path: "/v1/groups/{id}",
        methods: &[
            (Method::PUT, || web::to(groups::put)),
            (Method::GET, || web::to(groups::get)),
            (Method::DELETE, || web::to(groups::delete)),
        ],
    },
    Resource {
        path: "/v1/groups/{id}/members/{user}",
        methods: &[(Method::PUT, || web::to(groups::add)), (Method::DELETE, || web::to(groups::remove))],
    },
];

/// Registers the routes of the public listener.
pub(crate) fn routes(shared: &Arc<Shared>) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let data = web::Data::from(Arc::clone(shared));
    move |config| {
        config.app_data(data);
        resources(config);
    }
}

fn resources(config: &mut web::ServiceConfig) {
    config.app_data(web::PayloadConfig::new(FRAME_BYTES));
    for Resource { path, methods } in RESOURCES {
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
