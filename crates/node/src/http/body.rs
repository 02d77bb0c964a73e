//! The body of a request, whose size is bounded.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, web};
use ringwire_signaling::limits::FRAME_BYTES;
use ringwire_wire::error::ErrorBody;

use super::problem::HttpError;

/// A request's body: as much as a WebSocket frame may hold.
pub(crate) struct Body(pub(crate) web::Bytes);

impl FromRequest for Body {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, HttpError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = web::Bytes::from_request(request, payload);
        Box::pin(async move { bytes.await.map(Self).map_err(|error| HttpError(refusal(&error))) })
    }
}

fn refusal(error: &actix_web::Error) -> ErrorBody {
    if error.as_response_error().status_code() == StatusCode::PAYLOAD_TOO_LARGE {
        ErrorBody::payload_too_large("body", FRAME_BYTES as u64)
    } else {
        ErrorBody::parse_error(error.to_string())
    }
}
