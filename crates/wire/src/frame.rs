//! Frames: whole texts of a WebSocket, written here and, on the client's side, read.
//!
//! Writing goes straight into the text, without a tree of values in between: an event is written once
//! for each device that gets it.

mod incoming;

use ringwire_signaling::{Entry, Epoch, EventBody};
use serde::Serialize;

use crate::error::ErrorBody;
use crate::rpc::Id;
use crate::view::{ClosingView, EventView, SnapshotView};

pub use incoming::Incoming;

/// The WebSocket subprotocol of these frames.
pub const SUBPROTOCOL: &str = "ringwire.v1";

/// The response to a request that succeeded.
#[must_use]
pub fn result(id: &Id, result: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Response<'a, T> {
        jsonrpc: &'static str,
        id: &'a Id,
        result: &'a T,
    }
    written(256, &Response { jsonrpc: "2.0", id, result })
        .unwrap_or_else(|problem| error(Some(id), &ErrorBody::internal_error(problem)))
}

/// The response to a request that failed; the id is null when the request had none that could be read.
#[must_use]
pub fn error(id: Option<&Id>, error: &ErrorBody) -> String {
    #[derive(Serialize)]
    struct Response<'a> {
        jsonrpc: &'static str,
        id: Option<&'a Id>,
        error: &'a ErrorBody,
    }
    infallible(256, &Response { jsonrpc: "2.0", id, error })
}

/// A client's request; `ack` needs no id.
///
/// # Errors
/// The parameters cannot be written as JSON, such as vendor fields of a push that are none.
pub fn request(id: Option<&Id>, method: &str, params: &impl Serialize) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Request<'a, T> {
        jsonrpc: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a Id>,
        method: &'a str,
        params: &'a T,
    }
    serde_json::to_string(&Request { jsonrpc: "2.0", id, method, params })
}

/// An event of the user's inbox.
#[must_use]
pub fn event(entry: &Entry, epoch: Epoch) -> String {
    infallible(event_capacity(entry), &Notification::new(&EventView::of(entry, epoch)))
}

/// The full state, for a device that could not be resumed.
#[must_use]
pub fn snapshot(snapshot: &SnapshotView) -> String {
    let rows = snapshot.active.len() + snapshot.missed.len();
    infallible(512 + 1024 * rows, &Notification::new(&Typed { kind: SNAPSHOT, params: snapshot }))
}

/// The server closes the connection.
#[must_use]
pub fn closing(closing: &ClosingView) -> String {
    infallible(128, &Notification::new(&Typed { kind: CLOSING, params: closing }))
}

const SNAPSHOT: &str = "session.snapshot";
const CLOSING: &str = "session.closing";

#[derive(Serialize)]
struct Notification<'a, T> {
    jsonrpc: &'static str,
    method: &'static str,
    params: &'a T,
}

impl<'a, T> Notification<'a, T> {
    fn new(params: &'a T) -> Self {
        Self { jsonrpc: "2.0", method: "event", params }
    }
}

#[derive(Serialize)]
struct Typed<'a, T> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    params: &'a T,
}

/// What an event is likely to need, so that writing it allocates once.
fn event_capacity(entry: &Entry) -> usize {
    // Everything that every event has, with ids of the usual length.
    const COMMON: usize = 448;
    const USER: usize = 40;
    let (users, data) = match &entry.event.body {
        EventBody::Received(ring) | EventBody::Sent { ring, .. } => (ring.invitees.len(), ring.data.len()),
        EventBody::Ringing { .. } => (1, 0),
        EventBody::Accepted { data, .. }
        | EventBody::Rejected { data, .. }
        | EventBody::AnsweredElsewhere { data, .. }
        | EventBody::Signal { data, .. } => (1, data.len()),
        EventBody::Cancelled { invitees, data, .. }
        | EventBody::TimedOut { invitees, data }
        | EventBody::Modified { invitees, data, .. } => (invitees.len(), data.len()),
    };
    // Quotes and line ends in the data are escaped.
    COMMON + USER * users + data + data / 4
}

fn written(capacity: usize, frame: &impl Serialize) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(capacity);
    serde_json::to_writer(&mut bytes, frame).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

/// Writes a frame made of texts, numbers and lists, which always has a form in JSON.
fn infallible(capacity: usize, frame: &impl Serialize) -> String {
    written(capacity, frame).expect("a frame of texts and numbers can be written as JSON")
}
