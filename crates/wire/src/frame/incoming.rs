//! Frames as a client reads them: leniently, because the server may be newer.

use std::borrow::Cow;

use ringwire_signaling::{Check, Epoch, Position};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{CLOSING, SNAPSHOT};
use crate::error::ErrorBody;
use crate::rpc::Id;
use crate::text;
use crate::view::{ClosingView, EventView, SnapshotView};

/// A frame that a server sent.
#[derive(Clone, Debug)]
pub enum Incoming {
    /// A request succeeded.
    Result {
        /// Which one.
        id: Id,
        /// The result's JSON text; its type follows from the request.
        result: Box<RawValue>,
    },
    /// A request failed.
    Error {
        /// Which one; none if the server could not read its id.
        id: Option<Id>,
        /// Why.
        error: ErrorBody,
    },
    /// Something happened.
    Event(Box<EventView<'static>>),
    /// The full state.
    Snapshot(Box<SnapshotView>),
    /// The connection will be closed.
    Closing(ClosingView),
    /// A notification that this version of the crate does not know, to be ignored.
    Unknown {
        /// The event's type, or the method if it is no event.
        name: String,
        /// The inbox position it carries, which counts as applied.
        position: Option<Position>,
    },
}

#[derive(Deserialize)]
struct Outer<'a> {
    #[serde(default)]
    id: Option<Id>,
    #[serde(default, borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    params: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "even_null")]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<ErrorBody>,
}

/// A result of null is a result.
fn even_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(rename = "type", borrow)]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Place {
    #[serde(with = "text")]
    epoch: Epoch,
    offset: u64,
    #[serde(with = "text")]
    check: Check,
}

impl Incoming {
    /// Reads one text frame of a server.
    ///
    /// # Errors
    /// It is no JSON, or no frame of this protocol.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let outer: Outer<'_> = serde_json::from_str(text)?;
        match (outer.method, outer.result, outer.error, outer.id) {
            (Some(method), ..) => notification(&method, outer.params.map_or("{}", RawValue::get)),
            (None, _, Some(error), id) => Ok(Self::Error { id, error }),
            (None, Some(result), None, Some(id)) => Ok(Self::Result { id, result }),
            (None, _, None, _) => Err(serde::de::Error::custom("neither a response nor a notification")),
        }
    }
}

fn notification(method: &str, params: &str) -> Result<Incoming, serde_json::Error> {
    if method != "event" {
        return Ok(Incoming::Unknown { name: method.to_owned(), position: None });
    }
    let Kind { name } = serde_json::from_str(params)?;
    match name.as_ref() {
        SNAPSHOT => serde_json::from_str(params).map(Box::new).map(Incoming::Snapshot),
        CLOSING => serde_json::from_str(params).map(Incoming::Closing),
        known if EventView::NAMES.contains(&known) => serde_json::from_str(params).map(Box::new).map(Incoming::Event),
        unknown => {
            let place: Option<Place> = serde_json::from_str(params).ok();
            let position = place.map(|Place { epoch, offset, check }| Position { epoch, offset, check });
            Ok(Incoming::Unknown { name: unknown.to_owned(), position })
        }
    }
}
