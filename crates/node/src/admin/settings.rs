//! The configuration in force, and the filter of the log.

use actix_web::{HttpResponse, web};
use ringwire_wire::body::parse_body;
use ringwire_wire::error::ErrorBody;

use super::openapi::{LogProblems, PlainProblems};
use super::view::LogFilter;
use crate::http::Response;
use crate::http::body::Body;
use crate::http::problem::HttpError;
use crate::logging::{self, LogError};
use crate::shared::Shared;

/// Read the configuration
///
/// All settings as this node uses them: defaults, file and environment together. Secrets are masked.
#[utoipa::path(
    get,
    path = "/v1/config",
    operation_id = "config",
    tag = "settings",
    responses((status = 200, description = "The settings by section.", body = Object), PlainProblems),
)]
pub(super) async fn config(shared: web::Data<Shared>) -> Response {
    Ok(HttpResponse::Ok().json(shared.config.masked()))
}

/// Read the log's filter
#[utoipa::path(
    get,
    path = "/v1/log",
    operation_id = "log",
    tag = "settings",
    responses(
        (
            status = 200, description = "The filter in force.", body = LogFilter,
            example = json!({"filter": "info,actix_server=warn,actix_http=off"}),
        ),
        PlainProblems,
    ),
)]
pub(super) async fn log() -> Response {
    Ok(HttpResponse::Ok().json(LogFilter { filter: logging::filter()? }))
}

/// Replace the log's filter
///
/// Of this node, until it stops. The record of operators' requests is logged under every filter.
#[utoipa::path(
    put,
    path = "/v1/log",
    operation_id = "put_log",
    tag = "settings",
    request_body(content = LogFilter, example = json!({"filter": "info,ringwire_node=debug"})),
    responses(
        (
            status = 200, description = "The filter in force.", body = LogFilter,
            example = json!({"filter": "info,ringwire_node=debug"}),
        ),
        LogProblems,
    ),
)]
pub(super) async fn put_log(Body(body): Body) -> Response {
    let wanted: LogFilter = parse_body(&body)?;
    logging::set_filter(&wanted.filter)?;
    log().await
}

impl From<LogError> for HttpError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Filter(problem) => ErrorBody::invalid_params("filter", &problem).into(),
            LogError::NotStarted => ErrorBody::internal_error(error.to_string()).into(),
        }
    }
}
