//! The one address of a cluster: hands each connection to the next node that takes it, as a load balancer does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::Node;

/// Listens until it is dropped; then its connections end.
pub struct Front {
    address: SocketAddr,
    listening: JoinHandle<()>,
}

impl Front {
    /// Listens for these nodes, which keep their addresses when they restart.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn of(nodes: &[Node]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let nodes: Arc<[SocketAddr]> = nodes.iter().map(Node::public).collect();
        let listening = tokio::spawn(async move {
            let turn = Arc::new(AtomicUsize::new(0));
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(carry(stream, Arc::clone(&nodes), Arc::clone(&turn)));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, listening }
    }

    /// The URL of the WebSocket.
    #[must_use]
    pub fn url(&self) -> String {
        format!("ws://{}/v1/connect", self.address)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn carry(mut client: TcpStream, nodes: Arc<[SocketAddr]>, turn: Arc<AtomicUsize>) {
    for _ in 0..nodes.len() {
        let node = nodes[turn.fetch_add(1, Ordering::Relaxed) % nodes.len()];
        if let Ok(mut server) = TcpStream::connect(node).await {
            // Either end may break off, which the other then sees.
            let _ = copy_bidirectional(&mut client, &mut server).await;
            return;
        }
    }
}
