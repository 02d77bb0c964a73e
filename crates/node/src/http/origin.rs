//! Which web pages may use the public listener, and telling their browsers (CORS).
//!
//! It stands before every path. Tokens travel in a header that a page has to set, so no cookie makes a foreign page
//! dangerous; this keeps pages that hold somebody's token elsewhere from using it here.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpResponse, web};
use ringwire_wire::error::ErrorBody;

use super::problem;
use crate::metrics::Limit;
use crate::shared::Shared;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, DELETE");
const HEADERS: HeaderValue = HeaderValue::from_static("authorization, content-type, idempotency-key");
const PREFLIGHT_VARIES: HeaderValue =
    HeaderValue::from_static("origin, access-control-request-method, access-control-request-headers");
/// What a page may read beside the headers that every page may.
const EXPOSED: HeaderValue = HeaderValue::from_static("retry-after");
/// Seconds for which a browser need not ask again.
const MAX_AGE_S: HeaderValue = HeaderValue::from_static("600");

/// Turns away requests of pages that are not allowed; answers a browser that asks before it sends.
pub(crate) async fn check(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let shared = request.app_data::<web::Data<Shared>>().cloned();
    let Some(shared) = shared.filter(|shared| !shared.config.http.allowed_origins.0.is_empty()) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = match &origin {
        Some(origin) if !is_allowed(&shared, origin) => {
            shared.metrics.limited(Limit::Origin);
            let refused = ErrorBody::forbidden("pages of this origin may not use this server");
            request.into_response(problem::response(refused))
        }
        Some(_) if is_preflight(&request) => request.into_response(preflight()),
        Some(_) | None => next.call(request).await?.map_into_boxed_body(),
    };
    let headers = response.headers_mut();
    // The answer to a preflight depends on more, and says so.
    if !headers.contains_key(header::VARY) {
        headers.insert(header::VARY, HeaderValue::from_static("origin"));
    }
    if let Some(origin) = origin.filter(|origin| is_allowed(&shared, origin)) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    Ok(response)
}

fn is_allowed(shared: &Shared, origin: &HeaderValue) -> bool {
    shared.config.http.allowed_origins.0.iter().any(|allowed| allowed.is(origin.as_bytes()))
}

fn is_preflight(request: &ServiceRequest) -> bool {
    *request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight() -> HttpResponse {
    let mut response = HttpResponse::NoContent().finish();
    let headers = response.headers_mut();
    headers.insert(header::VARY, PREFLIGHT_VARIES);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_S);
    response
}
