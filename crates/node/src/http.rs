//! The public HTTP interface under `/v1`: the same operations for servers and scripts.

mod blocks;
pub(crate) mod body;
pub(crate) mod client;
mod connect;
mod devices;
pub(crate) mod groups;
pub(crate) mod invitations;
pub(crate) mod openapi;
mod operations;
pub(crate) mod origin;
pub(crate) mod problem;
pub(crate) mod resource;
mod who;

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::{HttpResponse, web};

use crate::shared::Shared;
use problem::HttpError;
use resource::Resource;

pub(crate) type Response = Result<HttpResponse, HttpError>;

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
    Resource { path: "/v1/blocks", methods: &[(Method::GET, || web::to(blocks::list))] },
    Resource {
        path: "/v1/blocks/{user}",
        methods: &[(Method::PUT, || web::to(blocks::add)), (Method::DELETE, || web::to(blocks::remove))],
    },
    Resource { path: "/v1/devices", methods: &[(Method::GET, || web::to(devices::list))] },
    Resource {
        path: "/v1/devices/{device_id}",
        methods: &[(Method::PUT, || web::to(devices::put)), (Method::DELETE, || web::to(devices::remove))],
    },
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
    resource::register(config, RESOURCES);
}
