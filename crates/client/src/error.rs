//! Why an operation failed, and why a connection ended.

use std::time::Duration;

use ringwire_wire::error::{ErrorBody, ErrorCode};
use ringwire_wire::view::CloseReason;

/// Why an operation failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The server said no; see [`ErrorBody::error_code`].
    #[error("{0}")]
    Server(ErrorBody),
    /// The connection was lost after the request was sent, and the request is not one that may be
    /// repeated. Whether it was performed is not known.
    #[error("the connection was lost before the answer came")]
    Disconnected,
    /// No answer came within the deadline. Whether the request was performed is not known; repeating
    /// it with the same request id tells.
    #[error("no answer came in time")]
    Timeout,
    /// The client has ended and will not connect again.
    #[error("the client has ended: {0}")]
    Closed(DisconnectReason),
    /// What the app passed cannot be used: a bad URL, a missing device id.
    #[error("{0}")]
    Invalid(String),
    /// The server's answer is not what this version of the crate understands.
    #[error("the answer cannot be read: {0}")]
    Unreadable(String),
}

impl ClientError {
    /// The server's error code, if the server said no and this version of the crate knows the code.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Server(body) | Self::Closed(DisconnectReason::Refused(body)) => body.error_code(),
            Self::Disconnected | Self::Timeout | Self::Closed(_) | Self::Invalid(_) | Self::Unreadable(_) => None,
        }
    }

    /// The close code, if the client ended because the server closed.
    #[must_use]
    pub fn close_code(&self) -> Option<u16> {
        match self {
            Self::Closed(reason) => reason.close_code(),
            Self::Server(_) | Self::Disconnected | Self::Timeout | Self::Invalid(_) | Self::Unreadable(_) => None,
        }
    }

    pub(crate) fn unreadable(error: &serde_json::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// Why a connection ended, or could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DisconnectReason {
    /// The server closed it.
    #[error("closed by the server with {code} {reason}")]
    Closed {
        /// The close code; see [`DisconnectReason::server_reason`].
        code: u16,
        /// The text that came with it.
        reason: String,
    },
    /// The network failed, or the server was not there.
    #[error("connection lost: {0}")]
    Lost(String),
    /// Nothing was heard for longer than the heartbeat allows.
    #[error("nothing was heard from the server")]
    Silent,
    /// The server does not take this client: no valid token, no such path, not this protocol.
    #[error("refused by the server: {0}")]
    Refused(ErrorBody),
    /// The server cannot take the client now.
    #[error("the server is not ready: {0}")]
    NotReady(ErrorBody),
    /// The token source gave no token.
    #[error("no token: {0}")]
    NoToken(String),
    /// The app closed the client.
    #[error("closed by the app")]
    ByApp,
}

impl DisconnectReason {
    /// The server's reason, if it closed the connection and this version of the crate knows the code.
    #[must_use]
    pub fn server_reason(&self) -> Option<CloseReason> {
        self.close_code().and_then(CloseReason::from_close_code)
    }

    /// The close code, if the server closed the connection.
    #[must_use]
    pub fn close_code(&self) -> Option<u16> {
        match self {
            Self::Closed { code, .. } => Some(*code),
            Self::Lost(_) | Self::Silent | Self::Refused(_) | Self::NotReady(_) | Self::NoToken(_) | Self::ByApp => {
                None
            }
        }
    }

    /// Whether connecting again makes sense. `fresh_token` says whether the next attempt can use
    /// another token than the last one did.
    #[must_use]
    pub fn reconnects(&self, fresh_token: bool) -> bool {
        match self {
            Self::Closed { code, .. } => match CloseReason::from_close_code(*code) {
                Some(CloseReason::TokenExpired) => fresh_token,
                Some(reason) => reason.reconnects(),
                None => is_network_close(*code),
            },
            Self::Lost(_) | Self::Silent | Self::NotReady(_) | Self::NoToken(_) => true,
            Self::Refused(_) | Self::ByApp => false,
        }
    }

    /// The shortest pause before the next attempt that the server asked for.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NotReady(body) => body.data.retry_after_ms.map(Duration::from_millis),
            Self::Closed { .. } | Self::Lost(_) | Self::Silent | Self::Refused(_) | Self::NoToken(_) | Self::ByApp => {
                None
            }
        }
    }
}

/// Codes with which a proxy, or a WebSocket library under pressure, ends a connection. Others, such
/// as 1002 or unknown ones of Ringwire, would only come again.
fn is_network_close(code: u16) -> bool {
    matches!(code, 1000 | 1001 | 1005 | 1006 | 1011..=1015)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(code: u16) -> DisconnectReason {
        DisconnectReason::Closed { code, reason: String::new() }
    }

    #[test]
    fn only_some_close_codes_lead_to_another_connection() {
        for code in [1000, 1001, 1006, 1011, 1012, 4103, 4105] {
            assert!(closed(code).reconnects(false), "{code}");
        }
        for code in [1002, 1003, 1007, 1008, 1009, 4100, 4101, 4104, 4999] {
            assert!(!closed(code).reconnects(true), "{code}");
        }
    }

    #[test]
    fn an_expired_token_needs_another_one() {
        assert!(closed(4102).reconnects(true));
        assert!(!closed(4102).reconnects(false));
    }
}
