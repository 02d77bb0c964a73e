//! The WebSocket handshake, with failures told as problem JSON.

use actix_web::{Handler, HttpRequest, HttpResponse, web};
use ringwire_wire::error::{ErrorBody, ErrorCode};

use super::openapi::problems::ConnectProblems;
use super::problem;
use crate::shared::Shared;
use crate::ws;

/// Open a WebSocket
///
/// A handshake as in RFC 6455, with the subprotocol `ringwire.v1`; then JSON-RPC 2.0 in text frames, of which
/// the first is `hello`. Events reach devices over this connection only. A client that cannot set
/// `Authorization` gives its token in `hello`; a token is never part of the URL.
#[utoipa::path(
    get,
    path = "/v1/connect",
    operation_id = "connect",
    tag = "connection",
    security((), ("token" = [])),
    responses((status = 101, description = "The connection is a WebSocket."), ConnectProblems),
)]
pub(super) async fn connect(request: HttpRequest, payload: web::Payload, shared: web::Data<Shared>) -> HttpResponse {
    Handler::call(&ws::connect, (request, payload, shared))
        .await
        .unwrap_or_else(|error| problem::response(ErrorBody::new(ErrorCode::InvalidRequest, error.to_string())))
}
