//! A server that does what a test says: greets, closes, or goes away. It keeps no state.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use ringwire_client::{Builder, Client, Reconnect};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

const WAIT: Duration = Duration::from_secs(10);
const EPOCH: &str = "00000000000000e1";

pub(crate) struct Fake {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
}

/// One connection of a client.
pub(crate) struct Peer {
    stream: WebSocketStream<TcpStream>,
    pub(crate) token: String,
    /// Parameters of the client's hello.
    pub(crate) hello: Value,
    hello_id: Value,
}

/// Waits for something that must come soon.
pub(crate) async fn soon<T>(work: impl Future<Output = T>) -> T {
    timeout(WAIT, work).await.expect("it comes soon")
}

impl Fake {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, address }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// A client for this server that does not wait long.
    pub(crate) fn client(&self) -> Builder {
        let reconnect = Reconnect { initial: Duration::from_millis(2), ..Reconnect::default() };
        Client::builder(self.url()).token("t1").device_id("phone").reconnect(reconnect)
    }

    /// The next connection, up to its hello.
    pub(crate) async fn accept(&self) -> Peer {
        let (socket, _) = soon(self.listener.accept()).await.unwrap();
        let mut token = String::new();
        #[expect(clippy::result_large_err, reason = "the callback's type is given")]
        let shake = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
            let header = request.headers()["authorization"].to_str().unwrap();
            header.strip_prefix("Bearer ").unwrap().clone_into(&mut token);
            response.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("ringwire.v1"));
            Ok(response)
        };
        let stream = accept_hdr_async(socket, shake).await.unwrap();
        let mut peer = Peer { stream, token, hello: Value::Null, hello_id: Value::Null };
        let hello = peer.next().await;
        assert_eq!(hello["method"], "hello");
        peer.hello_id = hello["id"].clone();
        peer.hello = hello["params"].clone();
        peer
    }

    /// The next connection, greeted at this offset; not resumed ones get an empty snapshot.
    pub(crate) async fn greet(&self, offset: u64) -> Peer {
        let mut peer = self.accept().await;
        let resumed = peer.hello.get("resume").is_some();
        let id = peer.hello_id.clone();
        let position = json!({"epoch": EPOCH, "offset": offset, "check": "00000001"});
        let more = json!({"user": "bob", "node": "n", "resumed": resumed, "heartbeat_s": 25, "server_time": 1});
        peer.answer(&id, &merged(position.clone(), more)).await;
        if !resumed {
            let more = json!({"type": "session.snapshot", "reset": true, "server_time": 1, "active": [],
                "missed": [], "more": false});
            peer.notify(&merged(position, more)).await;
        }
        peer
    }

    /// Whether nobody connects for a while.
    pub(crate) async fn is_left_alone(&self) -> bool {
        timeout(Duration::from_millis(200), self.listener.accept()).await.is_err()
    }
}

impl Peer {
    /// The next frame of the client.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            match soon(self.stream.next()).await.unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    /// The next request of the client, which must be this; acknowledgements are passed over.
    pub(crate) async fn request(&mut self, method: &str) -> (Value, Value) {
        loop {
            let frame = self.next().await;
            if frame["method"] != "ack" {
                assert_eq!(frame["method"], method);
                return (frame["id"].clone(), frame["params"].clone());
            }
        }
    }

    /// Waits until the client has acknowledged `offset`; it may acknowledge less before, and not more.
    pub(crate) async fn acknowledged(&mut self, offset: u64) {
        loop {
            let frame = self.next().await;
            assert_eq!(frame["method"], "ack");
            let acknowledged = frame["params"]["offset"].as_u64().unwrap();
            assert!(acknowledged <= offset);
            if acknowledged == offset {
                return;
            }
        }
    }

    pub(crate) async fn answer(&mut self, id: &Value, result: &Value) {
        self.send(json!({"jsonrpc": "2.0", "id": id, "result": result})).await;
    }

    pub(crate) async fn refuse(&mut self, id: &Value, code: i32, name: &str) {
        let data = json!({"name": name, "retry_after_ms": 5});
        self.send(json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": "no", "data": data}})).await;
    }

    pub(crate) async fn refuse_hello(&mut self, code: i32, name: &str) {
        let id = self.hello_id.clone();
        self.refuse(&id, code, name).await;
    }

    pub(crate) async fn notify(&mut self, params: &Value) {
        self.send(json!({"jsonrpc": "2.0", "method": "event", "params": params})).await;
    }

    /// Alice's invitation of this name rings at this offset.
    pub(crate) async fn ring(&mut self, offset: u64, name: u8) {
        let more = json!({"type": "invitation.received", "version": 1, "invited": true, "invitees": ["bob"],
            "settled": false});
        self.notify(&merged(event(offset, name), more)).await;
    }

    /// Alice cancels that invitation.
    pub(crate) async fn cancel(&mut self, offset: u64, name: u8) {
        let more = json!({"type": "invitation.cancelled", "version": 2, "invitees": ["bob"], "settled": true});
        self.notify(&merged(event(offset, name), more)).await;
    }

    async fn send(&mut self, frame: Value) {
        soon(self.stream.send(Message::text(frame.to_string()))).await.unwrap();
    }

    pub(crate) async fn close(mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "because".into() };
        soon(self.stream.close(Some(frame))).await.unwrap();
        // Until the client has answered.
        while let Some(Ok(_)) = soon(self.stream.next()).await {}
    }
}

fn event(offset: u64, name: u8) -> Value {
    json!({"offset": offset, "epoch": EPOCH, "check": "00000001", "invitation_id": format!("00-{name:032x}"),
        "at": 1, "inviter": "alice", "timeout_s": 30, "data": ""})
}

fn merged(mut one: Value, other: Value) -> Value {
    let Value::Object(other) = other else { panic!("an object is merged") };
    one.as_object_mut().unwrap().extend(other);
    one
}
