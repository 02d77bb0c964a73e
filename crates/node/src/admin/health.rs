//! Health, readiness and metrics, for probes and collectors.

use std::sync::atomic::Ordering;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use crate::shared::Shared;

/// Ask whether the process runs
///
/// Says nothing of the store, so that an outage of it restarts nobody.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "healthz",
    tag = "health",
    security(()),
    responses((status = 200, description = "It runs.", body = String, content_type = "text/plain")),
)]
pub(super) async fn healthz() -> HttpResponse {
    text(StatusCode::OK, "ok")
}

/// Ask whether the node takes traffic
///
/// It does once it has started, unless it drains or the store has not worked lately.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "readyz",
    tag = "health",
    security(()),
    responses(
        (status = 200, description = "It does.", body = String, content_type = "text/plain"),
        (status = 503, description = "It does not, for this reason.", body = String, content_type = "text/plain"),
    ),
)]
pub(super) async fn readyz(shared: web::Data<Shared>) -> HttpResponse {
    match why_unready(&shared).await {
        Some(why) => text(StatusCode::SERVICE_UNAVAILABLE, why),
        None => text(StatusCode::OK, "ok"),
    }
}

fn text(status: StatusCode, line: &str) -> HttpResponse {
    HttpResponse::build(status).content_type("text/plain; charset=utf-8").body(format!("{line}\n"))
}

/// What keeps the node from taking traffic.
pub(super) async fn why_unready(shared: &Shared) -> Option<&'static str> {
    if !shared.serving.load(Ordering::Relaxed) {
        return Some("draining");
    }
    let works = shared.ask(shared.store.ready()).await.is_ok();
    (!shared.readiness.look(works)).then_some("the store is unavailable")
}

/// Read the metrics
///
/// `OpenMetrics` text, for Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "health",
    security(()),
    responses((status = 200, description = "The metrics.", body = String, content_type = "application/openmetrics-text")),
)]
pub(super) async fn metrics(shared: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(shared.metrics.text(&shared.store.counters()))
}
