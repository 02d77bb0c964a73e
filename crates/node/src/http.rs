//! The public HTTP interface under `/v1`: the same operations for servers and scripts.

mod body;
mod groups;
mod invitations;
pub(crate) mod problem;
mod who;

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use ringwire_signaling::limits::FRAME_BYTES;
use ringwire_wire::error::{ErrorBody, ErrorCode};

use crate::shared::Shared;
use crate::ws;

/// Registers the routes of the public listener.
pub(crate) fn routes(shared: &Arc<Shared>) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let data = web::Data::from(Arc::clone(shared));
    move |config| {
        config
            .app_data(data)
            .app_data(web::PayloadConfig::new(FRAME_BYTES))
            .route("/v1/connect", web::get().to(ws::connect))
            .service(
                web::resource("/v1/invitations")
                    .route(web::post().to(invitations::invite))
                    .route(web::get().to(invitations::active))
                    .default_service(web::to(method_not_allowed)),
            )
            .service(
                web::resource("/v1/invitations/{id}")
                    .route(web::get().to(invitations::get))
                    .default_service(web::to(method_not_allowed)),
            )
            .service(
                web::resource("/v1/invitations/{id}/{operation}")
                    .route(web::post().to(invitations::act))
                    .default_service(web::to(method_not_allowed)),
            )
            .service(
                web::resource("/v1/history")
                    .route(web::get().to(invitations::history))
                    .default_service(web::to(method_not_allowed)),
            )
            .service(
                web::resource("/v1/groups/{id}")
                    .route(web::put().to(groups::put))
                    .route(web::get().to(groups::get))
                    .route(web::delete().to(groups::delete))
                    .default_service(web::to(method_not_allowed)),
            )
            .service(
                web::resource("/v1/groups/{id}/members/{user}")
                    .route(web::put().to(groups::add))
                    .route(web::delete().to(groups::remove))
                    .default_service(web::to(method_not_allowed)),
            )
            .default_service(web::to(no_such_path));
    }
}

async fn no_such_path() -> HttpResponse {
    problem::response(ErrorBody::new(ErrorCode::NotFound, "there is no such path"))
}

async fn method_not_allowed() -> HttpResponse {
    problem::with_status(405, ErrorBody::new(ErrorCode::MethodNotFound, "the path does not take this method"))
}
