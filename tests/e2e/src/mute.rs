//! A client that says hello and then never reads again.

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config};

use crate::tls::client_config;
use crate::{Node, within};

/// Bytes that its socket takes before the server's fills up: as little as the kernel allows.
const RECEIVE_BUFFER: u32 = 4096;

/// See the module. Its connection stands until this is dropped or the server ends it.
pub struct Mute {
    _socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Mute {
    /// Connects, says hello, reads the answer, and that is all it reads.
    ///
    /// # Panics
    /// When the server does not take it.
    pub async fn connect(node: &Node, user: &str, device: &str) -> Self {
        let token = node.token(user, None).await;
        let socket = TcpSocket::new_v4().expect("a socket can be made");
        socket.set_recv_buffer_size(RECEIVE_BUFFER).expect("the buffer can be set");
        let stream = within("a connection", socket.connect(node.public())).await.expect("the node listens");
        let request = node.url().into_client_request().expect("the URL is one");
        // Used for wss only.
        let connector = Connector::Rustls(client_config());
        let handshake = client_async_tls_with_config(request, stream, None, Some(connector));
        let shaken = within("the handshake", Box::pin(handshake)).await;
        let (mut socket, _) = shaken.expect("the node takes WebSockets");
        let params = json!({ "token": token, "device_id": device });
        let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "hello", "params": params });
        within("hello", socket.send(Message::text(hello.to_string()))).await.expect("the connection stands");
        let answer = within("the answer", socket.next()).await.expect("the connection stands");
        let answer = answer.expect("the server sends frames").to_string();
        assert!(answer.contains("\"result\""), "{answer}");
        Self { _socket: socket }
    }
}
