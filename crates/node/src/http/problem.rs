//! Errors as HTTP responses, and what every handler reads from a request.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use ringwire_wire::Problem;
use ringwire_wire::error::ErrorBody;
use ringwire_wire::problem::MEDIA_TYPE;

use crate::error::OperationError;

/// An error on its way to the client.
#[derive(Debug)]
pub(crate) struct HttpError(pub(crate) ErrorBody);

impl std::fmt::Display for HttpError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl ResponseError for HttpError {
    fn error_response(&self) -> HttpResponse {
        response(self.0.clone())
    }
}

impl From<ErrorBody> for HttpError {
    fn from(error: ErrorBody) -> Self {
        Self(error)
    }
}

impl From<OperationError> for HttpError {
    fn from(error: OperationError) -> Self {
        Self(error.into())
    }
}

/// The error as problem JSON with the status of its code.
pub(crate) fn response(error: ErrorBody) -> HttpResponse {
    with_status(error.http_status(), error)
}

/// The error as problem JSON with another status.
pub(crate) fn with_status(status: u16, error: ErrorBody) -> HttpResponse {
    let mut problem = Problem::from(error);
    problem.status = status;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    if let Some(retry_after_ms) = problem.data.retry_after_ms {
        response.insert_header((RETRY_AFTER, retry_after_ms.div_ceil(1000).to_string()));
    }
    if status == StatusCode::UNAUTHORIZED {
        response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
    }
    response.insert_header((header::CONTENT_TYPE, MEDIA_TYPE)).json(problem)
}

/// The bearer token of a request (RFC 6750, section 2.1).
pub(crate) fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
