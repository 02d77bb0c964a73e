//! The operators' listener: health, readiness and metrics for whoever reaches it, and the admin API for
//! whoever holds its token.

mod audit;
mod body;
mod groups;
pub(crate) mod guard;
mod health;
mod invitations;
mod nodes;
mod openapi;
mod push;
mod settings;
mod timers;
mod users;
mod view;

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::web;

use crate::http::resource::{self, Resource};
use crate::shared::Shared;

pub(crate) use audit::ALWAYS_LOGGED;
pub(crate) use nodes::keep_described;

/// Every path of the operators' listener. The description lists the same ones, which a test compares.
const RESOURCES: &[Resource] = &[
    Resource { path: "/healthz", methods: &[(Method::GET, || web::to(health::healthz))] },
    Resource { path: "/readyz", methods: &[(Method::GET, || web::to(health::readyz))] },
    Resource { path: "/metrics", methods: &[(Method::GET, || web::to(health::metrics))] },
    Resource { path: "/", methods: &[(Method::GET, || web::to(openapi::page))] },
    Resource { path: "/openapi.json", methods: &[(Method::GET, || web::to(openapi::serve))] },
    Resource { path: "/v1/nodes", methods: &[(Method::GET, || web::to(nodes::list))] },
    Resource { path: "/v1/nodes/{id}/drain", methods: &[(Method::POST, || web::to(nodes::drain))] },
    Resource { path: "/v1/users/{user}", methods: &[(Method::GET, || web::to(users::get))] },
    Resource { path: "/v1/users/{user}/kick", methods: &[(Method::POST, || web::to(users::kick))] },
    Resource { path: "/v1/invitations", methods: &[(Method::GET, || web::to(invitations::list))] },
    Resource { path: "/v1/invitations/{id}", methods: &[(Method::GET, || web::to(invitations::get))] },
    Resource { path: "/v1/invitations/{id}/cancel", methods: &[(Method::POST, || web::to(invitations::cancel))] },
    Resource { path: "/v1/timers", methods: &[(Method::GET, || web::to(timers::timers))] },
    Resource { path: "/v1/push/targets", methods: &[(Method::GET, || web::to(push::targets))] },
    Resource { path: "/v1/push/dead_letters", methods: &[(Method::GET, || web::to(push::letters))] },
    // Before the letters' own path, which would take it for an id.
    Resource { path: "/v1/push/dead_letters/replay", methods: &[(Method::POST, || web::to(push::replay_many))] },
    Resource {
        path: "/v1/push/dead_letters/{id}",
        methods: &[(Method::GET, || web::to(push::letter)), (Method::DELETE, || web::to(push::remove))],
    },
    Resource { path: "/v1/push/dead_letters/{id}/replay", methods: &[(Method::POST, || web::to(push::replay))] },
    Resource {
        path: "/v1/groups/{id}",
        methods: &[
            (Method::GET, || web::to(groups::get)),
            (Method::PUT, || web::to(groups::put)),
            (Method::DELETE, || web::to(groups::delete)),
        ],
    },
    Resource { path: "/v1/config", methods: &[(Method::GET, || web::to(settings::config))] },
    Resource {
        path: "/v1/log",
        methods: &[(Method::GET, || web::to(settings::log)), (Method::PUT, || web::to(settings::put_log))],
    },
];

/// Registers the routes, which [`guard::guard`] has to be wrapped around.
pub(crate) fn routes(shared: &Arc<Shared>) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let data = web::Data::from(Arc::clone(shared));
    move |config| {
        config.app_data(data);
        resource::register(config, RESOURCES);
    }
}
