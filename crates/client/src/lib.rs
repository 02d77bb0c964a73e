//! The Rust SDK of Ringwire.
//!
//! A [`Client`] is one device of one user. It keeps itself connected, repeats what was asked over a
//! lost connection without doing it twice, and tells the app through [`Events`] what happens, once
//! each and in order, also what happened while it was not connected.
//!
//! ```no_run
//! use ringwire_client::{Client, Event, params::AcceptParams};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let (client, mut events) =
//!     Client::builder("ws://127.0.0.1:7700").token("…").device_id("phone-1").connect().await?;
//! while let Some(event) = events.next().await {
//!     if let Event::Received(ring) = event {
//!         client.accept(AcceptParams::new(ring.invitation_id)).await?;
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod ack;
mod backoff;
mod builder;
mod client;
mod driver;
mod error;
mod event;
mod glare;
pub mod raw;
mod reader;
mod request;
mod socket;
#[cfg(feature = "tls")]
mod tls;
mod token;

pub use backoff::Reconnect;
pub use builder::Builder;
pub use client::Client;
pub use error::{ClientError, DisconnectReason};
pub use event::{Event, Events};

pub use ringwire_signaling::{Check, DeviceId, Epoch, GroupId, InvitationId, Position, RequestId, UserId};
pub use ringwire_wire::view::{SignalingInfoView, signaling_info};
pub use ringwire_wire::{ErrorBody, ErrorCode, ErrorData};

/// Parameters of the operations.
pub mod params {
    pub use ringwire_signaling::command::PushWhen;
    pub use ringwire_signaling::invitation::Audience;
    pub use ringwire_wire::params::{
        AcceptParams, CancelParams, Conversation, HistoryParams, InviteParams, ListActiveParams, ModifyParams,
        PushParams, RejectParams, SignalParams,
    };
}

/// What the server answers and tells.
pub mod view {
    pub use ringwire_wire::view::{
        CloseReason, ClosingView, DoneResult, EventView, HelloResult, HistoryMessage, HistoryPage, InvitationPage,
        InvitationView, InviteResult, InviteeView, PingResult, PostedResult, RefreshTokenResult, SignalingInfoView,
        SnapshotView,
    };
}
