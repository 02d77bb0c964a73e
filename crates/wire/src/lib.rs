//! What Ringwire says on the wire and writes to a store.
//!
//! Two forms: JSON for clients (JSON-RPC 2.0 frames, HTTP bodies), and bincode for records in a store,
//! which also travel in the doorbells between nodes. This crate gives the rules' types a form and takes them back out of
//! one, refusing what is malformed. It holds no rules and does no I/O.

pub mod body;
pub mod codec;
pub mod error;
pub mod frame;
#[cfg(feature = "openapi")]
pub mod openapi;
pub mod params;
pub mod problem;
pub mod record;
pub mod rpc;
pub mod view;

mod text;

pub use codec::DecodeError;
pub use error::{ErrorBody, ErrorCode, ErrorData};
pub use frame::Incoming;
pub use problem::Problem;
pub use rpc::{BadRequest, Call, Id, Request};
