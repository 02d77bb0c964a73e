//! WebSocket at `/v1/connect`: JSON-RPC in text frames.

mod calls;
mod connection;
pub(crate) mod door;
mod frames;
pub(crate) mod outbound;
pub(crate) mod socket;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use actix_web::{HttpRequest, HttpResponse, web};
use ringwire_signaling::limits::FRAME_BYTES;
use ringwire_wire::error::ErrorBody;
use ringwire_wire::frame::SUBPROTOCOL;

use crate::http::problem;
use crate::metrics::Limit;
use crate::shared::Shared;
use connection::Connection;
use door::Seat;
use socket::Socket;

/// When a client that found no room should try again; clients add their own growing pause.
const RETRY_AFTER_MS: u64 = 1_000;

/// Takes a handshake and runs the connection beside the request.
pub(crate) async fn connect(
    request: HttpRequest,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, actix_web::Error> {
    let shared = shared.into_inner();
    if !shared.serving.load(Ordering::Relaxed) {
        return Ok(turned_away("the node is shutting down"));
    }
    let seat = match Seat::take(&shared, &request) {
        Ok(seat) => seat,
        Err(retry_after_ms) => return Ok(problem::response(ErrorBody::rate_limited(retry_after_ms))),
    };
    let token = problem::bearer(&request).map(str::to_owned);
    let socket = request.conn_data::<Socket>().cloned();
    let Some(place) = Place::take(&shared) else {
        shared.metrics.limited(Limit::Node);
        return Ok(turned_away("the node has no room for more connections"));
    };
    let (response, session, stream) = actix_ws::handle_with_protocols(&request, payload, &[SUBPROTOCOL])?;
    let stream = stream.max_frame_size(FRAME_BYTES);
    let connection = Connection::new(shared, session, socket, token);
    actix::spawn(async move {
        connection.run(stream).await;
        drop((place, seat));
    });
    Ok(response)
}

fn turned_away(reason: &str) -> HttpResponse {
    problem::response(ErrorBody { message: reason.to_owned(), ..ErrorBody::unavailable(RETRY_AFTER_MS) })
}

/// One of the node's connections; given back when dropped.
struct Place(Arc<Shared>);

impl Place {
    fn take(shared: &Arc<Shared>) -> Option<Self> {
        let taken = shared.connections.fetch_add(1, Ordering::Relaxed);
        let place = Self(Arc::clone(shared));
        shared.metrics.connections.inc();
        (taken < shared.config.http.max_connections).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
        self.0.metrics.connections.dec();
    }
}
