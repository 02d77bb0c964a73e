//! One WebSocket: opens it, says hello, and moves frames. Knows nothing of what they mean.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use ringwire_wire::error::{ErrorBody, ErrorCode, ErrorData};
use ringwire_wire::frame::{self, Incoming, SUBPROTOCOL};
use ringwire_wire::params::{HelloParams, Token};
use ringwire_wire::rpc::Id;
use ringwire_wire::view::HelloResult;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::error::{ClientError, DisconnectReason};

/// The largest frame that a server may send: a snapshot of 114 invitations with all they may hold.
const FRAME_BYTES: usize = 16 * 1024 * 1024;
/// Memory that each connection reads into; the default would be 128 KiB.
const READ_BUFFER_BYTES: usize = 8 * 1024;
/// How long one frame may take to reach the kernel.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long saying goodbye may take.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
/// The id of `hello`, below those of all requests.
const HELLO_ID: Id = Id::Number(0);

#[cfg(feature = "tls")]
pub(crate) use crate::tls::Trust;

/// Whom `wss` URLs trust: without TLS there are none.
#[cfg(not(feature = "tls"))]
#[derive(Clone, Default)]
pub(crate) struct Trust;

pub(crate) type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// One WebSocket to a server.
pub(crate) struct Socket {
    stream: Stream,
}

/// What a WebSocket brought.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A frame of the protocol.
    Frame(Incoming),
    /// A sign of life.
    Nothing,
}

/// The path of the protocol, for URLs that name none.
const PATH: &str = "/v1/connect";

/// The handshake for a URL, and the token in its header.
pub(crate) fn handshake(url: &str, token: Option<&Token>) -> Result<Request, ClientError> {
    let url = match url.split_once("://") {
        Some((scheme, rest)) if !rest.trim_end_matches('/').contains('/') => {
            format!("{scheme}://{}{PATH}", rest.trim_end_matches('/'))
        }
        Some(_) | None => url.to_owned(),
    };
    let invalid = |problem: &dyn std::fmt::Display| ClientError::Invalid(format!("{url}: {problem}"));
    let mut request = url.as_str().into_client_request().map_err(|error| invalid(&error))?;
    match request.uri().scheme_str() {
        Some("ws") => {}
        Some("wss") if cfg!(feature = "tls") => {}
        Some("wss") => return Err(invalid(&"wss needs the feature `tls`")),
        Some(_) | None => return Err(invalid(&"the scheme must be ws or wss")),
    }
    let headers = request.headers_mut();
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    if let Some(Token(token)) = token {
        let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| ClientError::Invalid("the token cannot be in a header".to_owned()))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(request)
}

#[cfg_attr(not(feature = "tls"), allow(unused_variables, reason = "nothing is trusted without TLS"))]
pub(crate) async fn open(request: Request, trust: &Trust) -> Result<Stream, DisconnectReason> {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .max_message_size(Some(FRAME_BYTES))
        .max_frame_size(Some(FRAME_BYTES));
    let no_delay = true;
    #[cfg(feature = "tls")]
    let connected = {
        let connector = match request.uri().scheme_str() {
            Some("wss") => Some(trust.connector().map_err(|error| lost(&error))?),
            Some(_) | None => None,
        };
        // Boxed: a TLS handshake would make every future that connects some twenty kilobytes large.
        Box::pin(tokio_tungstenite::connect_async_tls_with_config(request, Some(config), no_delay, connector)).await
    };
    #[cfg(not(feature = "tls"))]
    let connected = tokio_tungstenite::connect_async_with_config(request, Some(config), no_delay).await;
    let (stream, _) = connected.map_err(refusal)?;
    Ok(stream)
}

impl Socket {
    /// Connects and says hello.
    pub(crate) async fn connect(
        request: Request,
        trust: &Trust,
        hello: &HelloParams,
    ) -> Result<(Self, HelloResult), DisconnectReason> {
        let mut socket = Self { stream: open(request, trust).await? };
        let text = frame::request(Some(&HELLO_ID), "hello", hello).map_err(|error| lost(&error))?;
        socket.send(text).await?;
        loop {
            match socket.hear().await? {
                Heard::Frame(Incoming::Result { id, result }) if id == HELLO_ID => {
                    let result = serde_json::from_str(result.get()).map_err(|error| lost(&error))?;
                    return Ok((socket, result));
                }
                Heard::Frame(Incoming::Error { error, .. }) => return Err(hello_refusal(error)),
                // Nothing concerns this device before it is greeted.
                Heard::Frame(_) | Heard::Nothing => {}
            }
        }
    }

    /// Sends one text frame.
    pub(crate) async fn send(&mut self, text: String) -> Result<(), DisconnectReason> {
        match timeout(WRITE_TIMEOUT, self.stream.send(Message::text(text))).await {
            Ok(sent) => sent.map_err(|error| lost(&error)),
            Err(_) => Err(DisconnectReason::Lost("the server does not read".to_owned())),
        }
    }

    /// What comes next. May be dropped while it waits.
    pub(crate) async fn hear(&mut self) -> Result<Heard, DisconnectReason> {
        let message = match self.stream.next().await {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(lost(&error)),
            None => return Err(lost(&"end of stream")),
        };
        match message {
            Message::Text(text) => match Incoming::parse(&text) {
                Ok(frame) => Ok(Heard::Frame(frame)),
                Err(error) => {
                    tracing::warn!(%error, "the server sent a frame that cannot be read");
                    Ok(Heard::Nothing)
                }
            },
            Message::Close(frame) => Err(closed(frame)),
            Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(Heard::Nothing),
        }
    }

    /// Says goodbye.
    pub(crate) async fn close(mut self) {
        drop(timeout(CLOSE_TIMEOUT, self.stream.close(None)).await);
    }
}

pub(crate) fn lost(problem: &dyn std::fmt::Display) -> DisconnectReason {
    DisconnectReason::Lost(problem.to_string())
}

/// 1005: closed without a code.
const NO_CODE: u16 = 1005;

fn closed(frame: Option<CloseFrame>) -> DisconnectReason {
    match frame {
        Some(frame) => DisconnectReason::Closed { code: frame.code.into(), reason: frame.reason.to_string() },
        None => DisconnectReason::Closed { code: NO_CODE, reason: String::new() },
    }
}

fn hello_refusal(error: ErrorBody) -> DisconnectReason {
    match error.error_code() {
        Some(ErrorCode::Unavailable | ErrorCode::RateLimited | ErrorCode::InternalError) => {
            DisconnectReason::NotReady(error)
        }
        Some(_) | None => DisconnectReason::Refused(error),
    }
}

/// Why a handshake failed.
fn refusal(error: tungstenite::Error) -> DisconnectReason {
    let tungstenite::Error::Http(response) = error else { return lost(&error) };
    let status = response.status();
    let body = problem_in(response.body().as_deref().unwrap_or_default()).unwrap_or_else(|| {
        let code = match status.as_u16() {
            401 => ErrorCode::Unauthenticated,
            403 => ErrorCode::Forbidden,
            429 => ErrorCode::RateLimited,
            500.. => ErrorCode::Unavailable,
            _ => ErrorCode::InvalidRequest,
        };
        ErrorBody::new(code, format!("the handshake was answered with {status}"))
    });
    if status.is_server_error() || status.as_u16() == 429 {
        DisconnectReason::NotReady(body)
    } else {
        DisconnectReason::Refused(body)
    }
}

/// The error in the body of an HTTP response, if it is one of Ringwire's.
fn problem_in(body: &[u8]) -> Option<ErrorBody> {
    #[derive(Deserialize)]
    struct Problem {
        detail: String,
        #[serde(flatten)]
        data: ErrorData,
    }
    let problem: Problem = serde_json::from_slice(body).ok()?;
    let code = ErrorCode::ALL.iter().find(|code| code.name() == problem.data.name)?;
    Some(ErrorBody { code: code.code(), message: problem.detail, data: Box::new(problem.data) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_a_path_gets_that_of_the_protocol() {
        let uri = |url| handshake(url, None).unwrap().uri().to_string();
        assert_eq!(uri("ws://localhost:7700"), "ws://localhost:7700/v1/connect");
        assert_eq!(uri("ws://localhost:7700/"), "ws://localhost:7700/v1/connect");
        assert_eq!(uri("ws://localhost:7700/calls/v1/connect"), "ws://localhost:7700/calls/v1/connect");
    }

    #[test]
    fn a_url_must_be_one_of_a_websocket() {
        for url in ["", "localhost", "http://localhost", "ws://"] {
            assert!(matches!(handshake(url, None), Err(ClientError::Invalid(_))), "{url}");
        }
    }

    #[cfg(feature = "tls")]
    #[tokio::test]
    async fn a_server_without_tls_is_no_server_for_wss() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("wss://{}", listener.local_addr().unwrap());
        let serve = async {
            use tokio::io::AsyncWriteExt;
            let (mut socket, _) = listener.accept().await.unwrap();
            socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
            socket
        };
        let trust = Trust::default();
        let (opened, _) = tokio::join!(open(handshake(&url, None).unwrap(), &trust), serve);
        assert!(matches!(opened, Err(DisconnectReason::Lost(_))));
    }

    #[test]
    fn a_token_is_in_the_header_and_not_in_the_url() {
        let request = handshake("ws://localhost", Some(&Token("t.o.k".to_owned()))).unwrap();
        assert_eq!(request.headers()[AUTHORIZATION], "Bearer t.o.k");
        assert!(!request.uri().to_string().contains("t.o.k"));
    }

    #[test]
    fn the_body_of_a_refused_handshake_says_why() {
        let body = ErrorBody::new(ErrorCode::Unavailable, "the node is shutting down");
        let problem = ringwire_wire::Problem::from(body.clone());
        assert_eq!(problem_in(&serde_json::to_vec(&problem).unwrap()), Some(body));
        assert_eq!(problem_in(b"<html>"), None);
    }
}
