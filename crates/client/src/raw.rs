//! A bare WebSocket for tests: sends anything, well formed or not, and shows what comes back.
//!
//! It does nothing by itself, except that a ping is answered when the next frame is read.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use ringwire_wire::params::Token;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::OpCode;

pub use tokio_tungstenite::tungstenite::protocol::frame::coding::Data;

use crate::error::{ClientError, DisconnectReason};
use crate::socket::{self, Stream, Trust};

/// How long a test waits for a frame.
const WAIT: Duration = Duration::from_secs(10);

/// See the module.
pub struct Raw {
    stream: Stream,
    last_id: i64,
    /// Frames that came while a response was awaited.
    held: std::collections::VecDeque<Value>,
}

/// What a server sent.
#[derive(Clone, Debug, PartialEq)]
pub enum RawFrame {
    /// A text frame, which is JSON.
    Json(Value),
    /// A text frame that is no JSON.
    Text(String),
    /// A binary frame.
    Binary(Vec<u8>),
    /// A ping.
    Ping,
    /// A pong.
    Pong,
    /// A close frame; 1005 stands for no code.
    Closed {
        /// The close code.
        code: u16,
        /// The text that came with it.
        reason: String,
    },
    /// The connection ended without a close frame.
    Ended(String),
    /// Nothing came in time.
    Silence,
}

impl RawFrame {
    /// The close code, if this is a close frame.
    #[must_use]
    pub fn close_code(&self) -> Option<u16> {
        match self {
            Self::Closed { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether the connection is over.
    #[must_use]
    pub fn is_end(&self) -> bool {
        matches!(self, Self::Closed { .. } | Self::Ended(_))
    }
}

impl Raw {
    /// Opens a WebSocket, with the token in its header if there is one. Says no hello.
    ///
    /// # Errors
    /// The URL is none, or the handshake failed.
    pub async fn connect(url: &str, token: Option<&str>) -> Result<Self, ClientError> {
        let token = token.map(|token| Token(token.to_owned()));
        let handshake = socket::handshake(url, token.as_ref())?;
        Self::open(handshake, &Trust::default()).await
    }

    /// The same with certificates that are trusted beside those of the system, in PEM.
    ///
    /// # Errors
    /// As [`connect`](Self::connect), and when they are none.
    #[cfg(feature = "tls")]
    pub async fn connect_trusting(pem: &[u8], url: &str, token: Option<&str>) -> Result<Self, ClientError> {
        let token = token.map(|token| Token(token.to_owned()));
        let trust = Trust::new(pem).map_err(ClientError::Invalid)?;
        Self::open(socket::handshake(url, token.as_ref())?, &trust).await
    }

    /// Opens a WebSocket without asking for a subprotocol.
    ///
    /// # Errors
    /// The URL is none, or the handshake failed.
    pub async fn connect_without_subprotocol(url: &str) -> Result<Self, ClientError> {
        let mut handshake = socket::handshake(url, None)?;
        handshake.headers_mut().remove(SEC_WEBSOCKET_PROTOCOL);
        Self::open(handshake, &Trust::default()).await
    }

    async fn open(
        handshake: tokio_tungstenite::tungstenite::handshake::client::Request,
        trust: &Trust,
    ) -> Result<Self, ClientError> {
        let stream = socket::open(handshake, trust).await.map_err(|reason| match reason {
            DisconnectReason::Refused(body) | DisconnectReason::NotReady(body) => ClientError::Server(body),
            reason => ClientError::Closed(reason),
        })?;
        Ok(Self { stream, last_id: 0, held: std::collections::VecDeque::new() })
    }

    /// Sends a text frame as it is.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn send_text(&mut self, text: impl Into<String>) -> Result<(), ClientError> {
        self.send(Message::text(text.into())).await
    }

    /// Sends a JSON value in a text frame.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn send_json(&mut self, value: &Value) -> Result<(), ClientError> {
        self.send_text(value.to_string()).await
    }

    /// Sends a binary frame.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn send_binary(&mut self, bytes: impl Into<Vec<u8>>) -> Result<(), ClientError> {
        self.send(Message::binary(bytes.into())).await
    }

    /// Sends a ping.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn send_ping(&mut self) -> Result<(), ClientError> {
        self.send(Message::Ping(Vec::new().into())).await
    }

    /// Sends one text message in several frames. The parts need not be UTF-8.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn send_fragments(&mut self, parts: &[&[u8]]) -> Result<(), ClientError> {
        for (at, part) in parts.iter().enumerate() {
            let kind = if at == 0 { Data::Text } else { Data::Continue };
            self.send_fragment(kind, part, at + 1 == parts.len()).await?;
        }
        Ok(())
    }

    /// Sends one frame of a message that may have more; `kind` and `is_final` need not make sense.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn send_fragment(&mut self, kind: Data, part: &[u8], is_final: bool) -> Result<(), ClientError> {
        self.send(Message::Frame(Frame::message(part.to_vec(), OpCode::Data(kind), is_final))).await
    }

    async fn send(&mut self, message: Message) -> Result<(), ClientError> {
        self.stream.send(message).await.map_err(|error| ClientError::Closed(socket::lost(&error)))
    }

    /// Sends a request and returns its id.
    ///
    /// # Errors
    /// The connection is lost.
    #[allow(clippy::needless_pass_by_value)] // Tests pass `json!` values.
    pub async fn send_request(&mut self, method: &str, params: Value) -> Result<i64, ClientError> {
        self.last_id += 1;
        let id = self.last_id;
        self.send_json(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await?;
        Ok(id)
    }

    /// Sends a request and waits for its response, the whole frame. Notifications that come before it
    /// are kept for [`next`](Self::next).
    ///
    /// # Errors
    /// The connection is lost, or nothing comes for 10 s.
    pub async fn request(&mut self, method: &str, params: Value) -> Result<Value, ClientError> {
        let id = self.send_request(method, params).await?;
        loop {
            match self.read(WAIT).await {
                RawFrame::Json(frame) if frame.get("id") == Some(&json!(id)) => return Ok(frame),
                RawFrame::Json(frame) => self.held.push_back(frame),
                RawFrame::Closed { code, reason } => {
                    return Err(ClientError::Closed(DisconnectReason::Closed { code, reason }));
                }
                RawFrame::Ended(problem) => return Err(ClientError::Closed(DisconnectReason::Lost(problem))),
                RawFrame::Silence => return Err(ClientError::Timeout),
                RawFrame::Text(_) | RawFrame::Binary(_) | RawFrame::Ping | RawFrame::Pong => {}
            }
        }
    }

    /// Says hello as `device`, and waits for the response, the whole frame.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub async fn hello(&mut self, device: &str) -> Result<Value, ClientError> {
        self.request("hello", json!({"device_id": device})).await
    }

    /// The next frame of any kind; `Silence` after 10 s.
    pub async fn next(&mut self) -> RawFrame {
        self.next_within(WAIT).await
    }

    /// The next frame of any kind; `Silence` after `wait`.
    pub async fn next_within(&mut self, wait: Duration) -> RawFrame {
        match self.held.pop_front() {
            Some(frame) => RawFrame::Json(frame),
            None => self.read(wait).await,
        }
    }

    /// The next text frame that is JSON; none when the connection ends or nothing comes for 10 s.
    pub async fn next_json(&mut self) -> Option<Value> {
        loop {
            match self.next().await {
                RawFrame::Json(frame) => return Some(frame),
                RawFrame::Closed { .. } | RawFrame::Ended(_) | RawFrame::Silence => return None,
                RawFrame::Text(_) | RawFrame::Binary(_) | RawFrame::Ping | RawFrame::Pong => {}
            }
        }
    }

    /// Reads until the connection ends, however many frames come before; `Silence` if `wait` passes
    /// without any.
    pub async fn end_within(&mut self, wait: Duration) -> RawFrame {
        loop {
            let frame = self.next_within(wait).await;
            if frame.is_end() || frame == RawFrame::Silence {
                return frame;
            }
        }
    }

    /// Closes with this code.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn close(&mut self, code: u16) -> Result<(), ClientError> {
        let frame = tokio_tungstenite::tungstenite::protocol::CloseFrame { code: code.into(), reason: "".into() };
        self.send(Message::Close(Some(frame))).await
    }

    async fn read(&mut self, wait: Duration) -> RawFrame {
        match timeout(wait, self.stream.next()).await {
            Err(_) => RawFrame::Silence,
            Ok(None) => RawFrame::Ended("end of stream".to_owned()),
            Ok(Some(Err(error))) => RawFrame::Ended(error.to_string()),
            Ok(Some(Ok(message))) => match message {
                Message::Text(text) => match serde_json::from_str(&text) {
                    Ok(value) => RawFrame::Json(value),
                    Err(_) => RawFrame::Text(text.to_string()),
                },
                Message::Binary(bytes) => RawFrame::Binary(bytes.to_vec()),
                Message::Ping(_) => RawFrame::Ping,
                Message::Pong(_) | Message::Frame(_) => RawFrame::Pong,
                Message::Close(Some(frame)) => {
                    RawFrame::Closed { code: frame.code.into(), reason: frame.reason.to_string() }
                }
                Message::Close(None) => RawFrame::Closed { code: 1005, reason: String::new() },
            },
        }
    }
}
