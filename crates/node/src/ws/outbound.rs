//! The way out to one connection: a queue bounded in bytes that its writers never wait for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytestring::ByteString;
use ringwire_wire::view::CloseReason;
use tokio::sync::{Notify, mpsc};

/// Frames that may wait, whatever their size: more than the backlog of a full inbox.
const QUEUED_FRAMES: usize = 1024;

/// What a connection is to do.
pub(crate) enum Outgoing {
    /// Send this text.
    Frame(ByteString),
    /// Say why, and close.
    Close(CloseReason),
}

/// The writers' end.
#[derive(Clone)]
pub(crate) struct Outbound {
    sender: mpsc::Sender<Outgoing>,
    state: Arc<State>,
}

/// The connection's end.
pub(crate) struct Queue {
    receiver: mpsc::Receiver<Outgoing>,
    state: Arc<State>,
}

struct State {
    queued_bytes: AtomicUsize,
    limit_bytes: usize,
    overflowed: AtomicBool,
    cut: Notify,
}

/// Tells when a connection did not keep up.
#[derive(Clone)]
pub(crate) struct Overflow(Arc<State>);

/// A queue that holds at most `limit_bytes` of frames.
pub(crate) fn queue(limit_bytes: usize) -> (Outbound, Queue) {
    let (sender, receiver) = mpsc::channel(QUEUED_FRAMES);
    let state = Arc::new(State {
        queued_bytes: AtomicUsize::new(0),
        limit_bytes,
        overflowed: AtomicBool::new(false),
        cut: Notify::new(),
    });
    (Outbound { sender, state: Arc::clone(&state) }, Queue { receiver, state })
}

impl Outbound {
    /// Queues a frame. If there is no room the connection is cut, and this and later frames are lost
    /// to it; the device gets them when it resumes.
    pub(crate) fn send(&self, text: ByteString) {
        let queued = self.state.queued_bytes.fetch_add(text.len(), Ordering::Relaxed) + text.len();
        if queued > self.state.limit_bytes || self.sender.try_send(Outgoing::Frame(text)).is_err() {
            self.cut();
        }
    }

    /// Queues the end.
    pub(crate) fn close(&self, reason: CloseReason) {
        if self.sender.try_send(Outgoing::Close(reason)).is_err() {
            self.cut();
        }
    }

    fn cut(&self) {
        self.state.overflowed.store(true, Ordering::Relaxed);
        self.state.cut.notify_one();
    }
}

impl Queue {
    /// The next thing to do; waits for it.
    pub(crate) async fn next(&mut self) -> Option<Outgoing> {
        let outgoing = self.receiver.recv().await;
        if let Some(Outgoing::Frame(text)) = &outgoing {
            self.state.queued_bytes.fetch_sub(text.len(), Ordering::Relaxed);
        }
        outgoing
    }

    /// The way to know that this queue was full.
    pub(crate) fn overflow(&self) -> Overflow {
        Overflow(Arc::clone(&self.state))
    }
}

impl Overflow {
    /// Returns once there was no room in the queue.
    pub(crate) async fn happened(&self) {
        while !self.0.overflowed.load(Ordering::Relaxed) {
            self.0.cut.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn a_full_queue_cuts_the_connection() {
        let (outbound, mut queue) = queue(10);
        outbound.send("12345".into());
        outbound.send("67890".into());
        assert!(tokio::time::timeout(std::time::Duration::from_millis(20), queue.overflow().happened()).await.is_err());
        outbound.send("x".into());
        queue.overflow().happened().await;
        assert!(matches!(queue.next().await, Some(Outgoing::Frame(text)) if text == "12345"));
    }
}
