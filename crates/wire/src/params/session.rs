//! What concerns a connection rather than an invitation.

use std::fmt;

use ringwire_signaling::limits::PLATFORM_CHARS;
use ringwire_signaling::{Check, DeviceId, Epoch, Position};
use serde::{Deserialize, Serialize};

use crate::body::Params;
use crate::text;

/// Parameters of `hello`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HelloParams {
    /// The token, unless the connection's request carried it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    /// The device, as the app names it.
    #[serde(with = "text")]
    pub device_id: DeviceId,
    /// `ios`, `android`, `web` or anything else, at most 32 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// The last event that the device applied.
    #[serde(default, deserialize_with = "text::object::optional", skip_serializing_if = "Option::is_none")]
    pub resume: Option<Resume>,
}

/// The last event that a device applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// The inbox's life.
    #[serde(with = "text")]
    pub epoch: Epoch,
    /// The event's place in it.
    pub offset: u64,
    /// The event's check.
    #[serde(with = "text")]
    pub check: Check,
}

/// Parameters of `ack`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AckParams {
    /// The device holds every event up to here.
    pub offset: u64,
}

/// Parameters of `refresh_token`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshTokenParams {
    /// The new token.
    pub token: Token,
}

/// Parameters of `ping`: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PingParams {}

/// A bearer token. Not shown by `Debug`, so that it gets into no log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(pub String);

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(…)")
    }
}

impl From<Resume> for Position {
    fn from(resume: Resume) -> Self {
        Self { epoch: resume.epoch, offset: resume.offset, check: resume.check }
    }
}

impl From<Position> for Resume {
    fn from(position: Position) -> Self {
        Self { epoch: position.epoch, offset: position.offset, check: position.check }
    }
}

impl Params for HelloParams {
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        match &self.platform {
            Some(platform) if platform.chars().nth(PLATFORM_CHARS).is_some() => {
                Err(("platform", "is longer than 32 characters"))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl Params for AckParams {}

impl Params for RefreshTokenParams {}

impl Params for PingParams {}
