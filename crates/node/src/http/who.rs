//! Who makes an HTTP request, and for whom.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use ringwire_signaling::{RequestId, UserId};
use ringwire_wire::error::ErrorBody;

use super::problem::{HttpError, bearer};
use crate::auth::Identity;
use crate::shared::Shared;

/// The holder of a valid token.
pub(super) struct Caller(Identity);

impl Caller {
    /// The user who acts: the token's, or for a server's token whom it names with `as`.
    pub(super) fn acting(&self, acting_for: Option<UserId>) -> Result<UserId, HttpError> {
        match acting_for {
            Some(user) if self.0.is_server || user == self.0.user => Ok(user),
            Some(_) => Err(ErrorBody::forbidden("only a server's token may act for another user").into()),
            None => Ok(self.0.user.clone()),
        }
    }

    /// Lets only servers pass.
    pub(super) fn must_be_server(&self) -> Result<(), HttpError> {
        if self.0.is_server { Ok(()) } else { Err(ErrorBody::forbidden("only a server's token may do this").into()) }
    }
}

impl FromRequest for Caller {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, HttpError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { identify(&request).await.map(Self).map_err(HttpError) })
    }
}

async fn identify(request: &HttpRequest) -> Result<Identity, ErrorBody> {
    let shared =
        request.app_data::<web::Data<Shared>>().ok_or_else(|| ErrorBody::internal_error("the node is not bound"))?;
    let token = bearer(request).ok_or_else(|| ErrorBody::unauthenticated("a bearer token is required"))?;
    Ok(shared.authenticator.verify(token, shared.clock.now()).await?)
}

/// The request's id, from the header `Idempotency-Key` or from the body.
pub(super) fn request_id(request: &HttpRequest, in_body: Option<RequestId>) -> Result<Option<RequestId>, HttpError> {
    match (idempotency_key(request)?, in_body) {
        (Some(header), Some(body)) if header != body => {
            Err(ErrorBody::invalid_params("request_id", "differs from Idempotency-Key").into())
        }
        (header, body) => Ok(header.or(body)),
    }
}

fn idempotency_key(request: &HttpRequest) -> Result<Option<RequestId>, HttpError> {
    let invalid = |problem: &str| HttpError(ErrorBody::invalid_params("Idempotency-Key", problem));
    let Some(value) = request.headers().get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().map_err(|_| invalid("must be ASCII"))?;
    RequestId::parse(text).map(Some).map_err(|problem| invalid(&problem.to_string()))
}
