//! A WebSocket handshake, byte by byte: from a chosen address, with any headers, and with whatever answer.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::within;

/// What a node answered. The connection stays open until this is dropped.
pub struct Knock {
    /// 101 if the connection is a WebSocket.
    pub status: u16,
    /// By lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The problem, if one was told.
    pub body: Value,
    _stream: TcpStream,
}

impl Knock {
    /// Knocks at a node from 127.0.0.1.
    pub async fn at(node: SocketAddr, headers: &[(&str, &str)]) -> Self {
        Self::from(Ipv4Addr::LOCALHOST, node, headers).await
    }

    /// Knocks at a node from this address of the machine, such as 127.0.0.2.
    ///
    /// # Panics
    /// When the node does not answer as HTTP says.
    pub async fn from(source: Ipv4Addr, node: SocketAddr, headers: &[(&str, &str)]) -> Self {
        within("the answer to a handshake", async {
            let socket = TcpSocket::new_v4().expect("a socket");
            socket.bind((IpAddr::from(source), 0).into()).expect("the address is the machine's");
            let mut stream = socket.connect(node).await.expect("the node listens");
            let mut request = format!(
                "GET /v1/connect HTTP/1.1\r\nHost: {node}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                 Sec-WebSocket-Protocol: ringwire.v1\r\n"
            );
            for (name, value) in headers {
                request.extend([name, ": ", value, "\r\n"]);
            }
            request.push_str("\r\n");
            stream.write_all(request.as_bytes()).await.expect("the node reads");
            Self::read(stream).await
        })
        .await
    }

    async fn read(mut stream: TcpStream) -> Self {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("the head of an answer"));
        }
        let head = String::from_utf8(head).expect("the head is text");
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
        let headers: BTreeMap<_, _> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.expect("the body of an answer");
        Self {
            status: status.expect("a status"),
            headers,
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
            _stream: stream,
        }
    }
}
