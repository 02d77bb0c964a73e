//! From WebSocket messages to whole texts, with bounds on what a client may send in pieces.

use std::io::ErrorKind;

use actix_web::web::Bytes;
use actix_ws::{CloseCode, Item, Message, ProtocolError};
use bytestring::ByteString;
use ringwire_signaling::limits::FRAME_BYTES;

/// Fragments of one message: a client that cuts a message into more only wastes the server's time.
const FRAGMENTS: usize = 64;

/// What a message means for the connection.
#[derive(Debug, PartialEq)]
pub(super) enum Received {
    /// A whole text.
    Text(ByteString),
    /// Answer with a pong.
    Ping(Bytes),
    /// The answer to a ping.
    Pong,
    /// Part of a text; more follows.
    Nothing,
    /// The client closes.
    Closed,
    /// The client broke the protocol: close with this code and reason (RFC 6455, section 7.4.1).
    Broken(CloseCode, &'static str),
}

/// Puts fragments together.
#[derive(Default)]
pub(super) struct Assembly {
    bytes: Vec<u8>,
    fragments: usize,
}

impl Assembly {
    /// Takes the next message.
    pub(super) fn take(&mut self, message: Result<Message, ProtocolError>) -> Received {
        match message {
            Ok(Message::Text(text)) => Received::Text(text),
            Ok(Message::Ping(payload)) => Received::Ping(payload),
            Ok(Message::Pong(_)) => Received::Pong,
            Ok(Message::Nop) => Received::Nothing,
            Ok(Message::Binary(_)) => binary(),
            Ok(Message::Continuation(item)) => self.continued(item),
            Err(ProtocolError::Overflow) => too_big(),
            // A text frame that is no UTF-8 comes as this kind of error.
            Err(ProtocolError::Io(error)) if error.kind() == ErrorKind::InvalidData => not_utf8(),
            Ok(Message::Close(_)) | Err(ProtocolError::Io(_)) => Received::Closed,
            Err(_) => Received::Broken(CloseCode::Protocol, "broken frame"),
        }
    }

    fn continued(&mut self, item: Item) -> Received {
        let (bytes, last) = match item {
            Item::FirstBinary(_) => return binary(),
            Item::FirstText(bytes) => {
                self.bytes.clear();
                self.fragments = 0;
                (bytes, false)
            }
            Item::Continue(bytes) => (bytes, false),
            Item::Last(bytes) => (bytes, true),
        };
        self.fragments += 1;
        if self.fragments > FRAGMENTS {
            return Received::Broken(CloseCode::Policy, "too many fragments");
        }
        if self.bytes.len() + bytes.len() > FRAME_BYTES {
            return too_big();
        }
        self.bytes.extend_from_slice(&bytes);
        if !last {
            return Received::Nothing;
        }
        match String::from_utf8(std::mem::take(&mut self.bytes)) {
            Ok(text) => Received::Text(text.into()),
            Err(_) => not_utf8(),
        }
    }
}

fn binary() -> Received {
    Received::Broken(CloseCode::Unsupported, "binary frames are not supported")
}

fn not_utf8() -> Received {
    Received::Broken(CloseCode::Invalid, "text is not UTF-8")
}

fn too_big() -> Received {
    Received::Broken(CloseCode::Size, "a frame may have at most 131072 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &'static [u8]) -> Bytes {
        Bytes::from_static(bytes)
    }

    fn take(assembly: &mut Assembly, item: Item) -> Received {
        assembly.take(Ok(Message::Continuation(item)))
    }

    #[test]
    fn fragments_become_one_text() {
        let mut assembly = Assembly::default();
        assert_eq!(take(&mut assembly, Item::FirstText(text(b"a\xc3"))), Received::Nothing);
        assert_eq!(take(&mut assembly, Item::Continue(text(b"\xa9"))), Received::Nothing);
        assert_eq!(take(&mut assembly, Item::Last(text(b"z"))), Received::Text("aéz".into()));
    }

    #[test]
    fn thousands_of_tiny_fragments_end_the_connection() {
        let mut assembly = Assembly::default();
        take(&mut assembly, Item::FirstText(text(b"")));
        let answers: Vec<Received> = (0..1_000).map(|_| take(&mut assembly, Item::Continue(text(b"")))).collect();
        assert!(answers.contains(&Received::Broken(CloseCode::Policy, "too many fragments")));
    }

    #[test]
    fn binary_and_invalid_utf8_are_refused_with_their_codes() {
        let mut assembly = Assembly::default();
        assert!(matches!(assembly.take(Ok(Message::Binary(text(b"x")))), Received::Broken(CloseCode::Unsupported, _)));
        take(&mut assembly, Item::FirstText(text(b"\xff")));
        assert!(matches!(take(&mut assembly, Item::Last(text(b""))), Received::Broken(CloseCode::Invalid, _)));
    }

    #[test]
    fn fragments_over_the_limit_are_too_big() {
        let mut assembly = Assembly::default();
        let half = Bytes::from(vec![b'x'; FRAME_BYTES / 2 + 1]);
        assert_eq!(take(&mut assembly, Item::FirstText(half.clone())), Received::Nothing);
        assert!(matches!(take(&mut assembly, Item::Last(half)), Received::Broken(CloseCode::Size, _)));
    }
}
