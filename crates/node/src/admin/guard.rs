//! Who gets past the door of the operators' listener, and the record of what they changed.
//!
//! It stands before every path, so that none can be forgotten.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::web;
use ringwire_wire::error::ErrorBody;
use sha2::{Digest, Sha256};

use super::audit;
use crate::http::problem::{HttpError, bearer};
use crate::shared::Shared;

/// For probes and collectors, which have no token.
const FOR_EVERYBODY: &[&str] = &["/healthz", "/readyz", "/metrics"];
/// What says nothing of this node: a browser cannot send a token with the first request. Closed with the rest
/// of the admin API if there is no token.
const DESCRIPTION: &[&str] = &["/", "/openapi.json"];

/// Lets those pass who may, and writes down what they changed or tried to.
pub(crate) async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let is_change = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let response = match admit(&request) {
        Ok(()) => next.call(request).await?.map_into_boxed_body(),
        Err(refusal) => request.error_response(HttpError(refusal)),
    };
    if is_change {
        audit::write(&response);
    }
    Ok(response)
}

fn admit(request: &ServiceRequest) -> Result<(), ErrorBody> {
    let path = request.path();
    if FOR_EVERYBODY.contains(&path) {
        return Ok(());
    }
    let shared =
        request.app_data::<web::Data<Shared>>().ok_or_else(|| ErrorBody::internal_error("the node is not bound"))?;
    let token = shared.config.admin.token.as_str();
    if token.is_empty() {
        return Err(ErrorBody::forbidden("the admin API is closed: admin.token is not set"));
    }
    if DESCRIPTION.contains(&path) {
        return Ok(());
    }
    let given = bearer(request.request()).ok_or_else(|| ErrorBody::unauthenticated("the admin token is required"))?;
    if is_same(given, token) { Ok(()) } else { Err(ErrorBody::unauthenticated("this is not the admin token")) }
}

/// Compares digests, of which nobody can choose how they begin, and all of their bytes: how long it takes
/// says nothing of the token.
fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (Sha256::digest(one), Sha256::digest(other));
    one.iter().zip(&other).fold(0, |differing, (one, other)| differing | (one ^ other)) == 0
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn only_the_whole_token_is_the_token() {
        assert!(is_same("abc", "abc"));
        for other in ["", "ab", "abcd", "abC"] {
            assert!(!is_same(other, "abc"), "{other}");
        }
    }
}
