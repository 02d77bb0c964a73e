//! The TCP socket under a connection, for what the layers above cannot do: give up on a peer.

use std::any::Any;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use socket2::{SockRef, TcpKeepalive};

/// How long sent data may stay unacknowledged before the kernel drops the connection. Without it a
/// peer that vanished, or never reads, keeps its socket for ever.
const USER_TIMEOUT: Duration = Duration::from_secs(8);
/// Bytes that the kernel buffers for a peer that reads slowly; the rest waits in a bounded queue.
const SEND_BUFFER: usize = 64 * 1024;
/// When the kernel probes a silent peer that owes nothing.
const KEEPALIVE: Duration = Duration::from_mins(1);

/// A second handle on a connection's socket.
#[derive(Clone)]
pub(crate) struct Socket(Arc<socket2::Socket>);

impl Socket {
    /// Ends both directions at once, whatever is buffered.
    pub(crate) fn cut(&self) {
        // It fails when the peer was faster.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// The socket itself, under TLS or not.
fn tcp(connection: &dyn Any) -> Option<&TcpStream> {
    let secured = || Some(connection.downcast_ref::<TlsStream<TcpStream>>()?.get_ref().0);
    connection.downcast_ref().or_else(secured)
}

/// Prepares each accepted socket and keeps a handle on it for its connection.
pub(crate) fn on_connect(connection: &dyn Any, data: &mut Extensions) {
    let Some(stream) = tcp(connection) else { return };
    let socket = SockRef::from(stream);
    let prepared = socket
        .set_tcp_user_timeout(Some(USER_TIMEOUT))
        .and_then(|()| socket.set_send_buffer_size(SEND_BUFFER))
        .and_then(|()| socket.set_tcp_nodelay(true))
        .and_then(|()| socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE)))
        .and_then(|()| socket.try_clone());
    match prepared {
        Ok(handle) => {
            data.insert(Socket(Arc::new(handle)));
        }
        Err(error) => tracing::warn!(%error, "could not prepare a socket"),
    }
}
