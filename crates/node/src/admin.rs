//! The operators' listener: health, readiness, metrics.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use actix_web::{HttpResponse, web};

use crate::shared::Shared;

/// Registers the routes.
pub(crate) fn routes(shared: &Arc<Shared>) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let data = web::Data::from(Arc::clone(shared));
    move |config| {
        config
            .app_data(data)
            .route("/healthz", web::get().to(healthz))
            .route("/readyz", web::get().to(readyz))
            .route("/metrics", web::get().to(metrics));
    }
}

/// The process runs. Says nothing of the store, so that an outage of it restarts nobody.
async fn healthz() -> HttpResponse {
    HttpResponse::Ok().body("ok\n")
}

/// The node takes traffic: started, not draining, and the store has worked lately.
async fn readyz(shared: web::Data<Shared>) -> HttpResponse {
    if !shared.serving.load(Ordering::Relaxed) {
        return HttpResponse::ServiceUnavailable().body("draining\n");
    }
    let works = shared.ask(shared.store.ready()).await.is_ok();
    if !shared.readiness.look(works) {
        return HttpResponse::ServiceUnavailable().body("the store is unavailable\n");
    }
    HttpResponse::Ok().body("ok\n")
}

async fn metrics(shared: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(shared.metrics.text(&shared.store.counters()))
}
