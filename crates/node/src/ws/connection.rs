//! One live connection: reads requests, writes answers and events, keeps time for both.
//!
//! Requests run side by side, at most [`IN_FLIGHT`]; those for one invitation reach its actor in the
//! order they were sent. While more would run, the connection stops reading.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Bytes;
use actix_ws::{CloseCode, CloseReason as WebSocketClose, MessageStream, Session};
use bytestring::ByteString;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use ringwire_signaling::{ConnectionId, DeviceId, UnixMillis, UserId};
use ringwire_wire::error::ErrorBody;
use ringwire_wire::frame;
use ringwire_wire::rpc::{self, Id};
use ringwire_wire::view::{CloseReason, ClosingView};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::frames::{Assembly, Received};
use super::outbound::{self, Outbound, Outgoing, Overflow, Queue};
use super::socket::Socket;
use crate::auth::Identity;
use crate::ids;
use crate::rate::Bucket;
use crate::session::Gone;
use crate::shared::Shared;

/// Requests that run at once on one connection.
const IN_FLIGHT: usize = 64;
/// How long one frame may take to reach the kernel before the connection is cut. Together with the
/// socket's own timeout a client that does not read is gone within ten seconds.
const WRITE_TIMEOUT: Duration = Duration::from_secs(8);
/// How long a close may take.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
/// Longest pause in reading from a client that is over its rate.
const LONGEST_PAUSE_MS: u64 = 1_000;

/// See the module.
pub(super) struct Connection {
    pub(super) shared: Arc<Shared>,
    pub(super) id: ConnectionId,
    session: Session,
    socket: Option<Socket>,
    pub(super) outbound: Outbound,
    queue: Option<Queue>,
    overflow: Overflow,
    bucket: Bucket,
    /// The token of the handshake, until hello has taken it.
    pub(super) handshake_token: Option<String>,
    /// Who said hello.
    pub(super) user: Option<Party>,
    hello_deadline: Option<Instant>,
    next_ping: Instant,
    pong_deadline: Option<Instant>,
    paused_until: Option<Instant>,
    /// This connection's turn to leave a node that shuts down.
    drain_at: Option<Instant>,
}

/// The user and device behind a connection.
#[derive(Clone)]
pub(super) struct Party {
    pub(super) user: UserId,
    pub(super) device: DeviceId,
    pub(super) token_expires_at: UnixMillis,
    pub(super) warned: bool,
}

/// A request under way.
pub(super) type Pending = Pin<Box<dyn Future<Output = Done>>>;

/// How a request ends.
pub(super) enum Done {
    /// With the frame that answers it.
    Answer(ByteString),
    /// With what a new token says, which the connection takes over before it answers.
    Verified(Id, Result<Identity, ErrorBody>),
}

/// Why a connection ends.
enum End {
    /// The client closed, or the network did.
    Gone,
    /// The server closes for this reason.
    Reason(CloseReason),
    /// The client broke the WebSocket protocol.
    Broken(CloseCode, &'static str),
}

impl Connection {
    pub(super) fn new(
        shared: Arc<Shared>,
        session: Session,
        socket: Option<Socket>,
        handshake_token: Option<String>,
    ) -> Self {
        let settings = &shared.config.connection;
        let (outbound, queue) = outbound::queue(settings.outbound_kib * 1024);
        let now = Instant::now();
        // The first ping comes at a random time, so that a crowd that reconnects does not stay in step.
        let first_ping = Duration::from_millis(ids::random_u64() % (settings.heartbeat_s * 1000));
        Self {
            id: shared.next_connection(),
            session,
            socket,
            outbound,
            overflow: queue.overflow(),
            queue: Some(queue),
            bucket: Bucket::new(settings.requests_per_second, settings.request_burst, now),
            handshake_token,
            user: None,
            hello_deadline: Some(now + Duration::from_secs(settings.hello_timeout_s)),
            next_ping: now + first_ping,
            pong_deadline: None,
            paused_until: None,
            drain_at: None,
            shared,
        }
    }

    /// Serves the connection until it ends.
    pub(super) async fn run(mut self, stream: MessageStream) {
        let end = self.serve(stream).await;
        if let Some(party) = self.user.take()
            && let Some(session) = self.shared.sessions.address(&party.user)
        {
            // The one edge that waits for room: a session that never hears of it would leak.
            let _ = session.send(Gone { connection: self.id, device: party.device }).await;
        }
        self.close(end).await;
    }

    async fn serve(&mut self, mut stream: MessageStream) -> End {
        let Some(mut queue) = self.queue.take() else { return End::Gone };
        let overflow = self.overflow.clone();
        let mut draining = self.shared.draining.subscribe();
        let mut assembly = Assembly::default();
        let mut pending: FuturesUnordered<Pending> = FuturesUnordered::new();
        loop {
            let now = Instant::now();
            let reads = pending.len() < IN_FLIGHT && self.paused_until.is_none_or(|until| until <= now);
            let wake = self.next_deadline();
            let step = tokio::select! {
                biased;
                () = overflow.happened() => Err(End::Reason(CloseReason::SlowConsumer)),
                outgoing = queue.next() => match outgoing {
                    Some(Outgoing::Frame(text)) => self.write(text).await,
                    Some(Outgoing::Close(reason)) => Err(End::Reason(reason)),
                    None => Err(End::Gone),
                },
                Some(done) = pending.next(), if !pending.is_empty() => {
                    let text = match done {
                        Done::Answer(text) => text,
                        Done::Verified(request, identity) => self.refreshed(&request, identity).into(),
                    };
                    self.write(text).await
                }
                _ = draining.wait_for(|draining| *draining), if self.drain_at.is_none() => {
                    self.drain_later();
                    Ok(())
                }
                message = stream.recv(), if reads => match message {
                    Some(message) => self.receive(assembly.take(message), &mut pending).await,
                    None => Err(End::Gone),
                },
                () = sleep_until(wake) => self.tick().await,
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn receive(&mut self, received: Received, pending: &mut FuturesUnordered<Pending>) -> Result<(), End> {
        match received {
            Received::Text(text) => {
                let answer = match rpc::parse(&text) {
                    Ok(request) => self.dispatch(request).await?,
                    Err(bad) => {
                        // Nonsense counts against the rate like any request.
                        let _ = self.admit();
                        Some(ready(frame::error(bad.id.as_ref(), &bad.error)))
                    }
                };
                pending.extend(answer);
                Ok(())
            }
            Received::Ping(payload) => self.pong(&payload).await,
            Received::Pong => {
                self.pong_deadline = None;
                Ok(())
            }
            Received::Nothing => Ok(()),
            Received::Closed => Err(End::Gone),
            Received::Broken(code, reason) => Err(End::Broken(code, reason)),
        }
    }

    /// Counts a request against the connection's rate; over it, the connection also pauses reading.
    pub(super) fn admit(&mut self) -> Result<(), u64> {
        let now = Instant::now();
        self.bucket.take(now).inspect_err(|retry_after_ms| {
            self.paused_until = Some(now + Duration::from_millis((*retry_after_ms).min(LONGEST_PAUSE_MS)));
        })
    }

    /// Notes that hello succeeded.
    pub(super) fn greeted(&mut self, party: Party) {
        self.hello_deadline = None;
        self.user = Some(party);
    }

    fn next_deadline(&self) -> Instant {
        let token = self.user.as_ref().map(|party| {
            let at = if party.warned { self.token_end(party) } else { self.token_warning(party) };
            Instant::now() + Duration::from_millis(at.since(self.shared.clock.now()))
        });
        [self.hello_deadline, self.pong_deadline, self.paused_until, self.drain_at, token]
            .into_iter()
            .flatten()
            .fold(self.next_ping, Instant::min)
    }

    fn token_warning(&self, party: &Party) -> UnixMillis {
        party.token_expires_at.minus(self.shared.config.connection.token_warning_s * 1000)
    }

    fn token_end(&self, party: &Party) -> UnixMillis {
        party.token_expires_at.plus(self.shared.config.connection.token_grace_s * 1000)
    }

    /// Does what has come due.
    async fn tick(&mut self) -> Result<(), End> {
        let now = Instant::now();
        let due = |deadline: Option<Instant>| deadline.is_some_and(|at| at <= now);
        if due(self.hello_deadline) {
            return Err(End::Reason(CloseReason::HelloTimeout));
        }
        if due(self.drain_at) {
            return Err(End::Reason(CloseReason::Draining));
        }
        if due(self.pong_deadline) {
            return Err(End::Gone);
        }
        if due(self.paused_until) {
            self.paused_until = None;
        }
        self.check_token().await?;
        if self.next_ping <= now {
            let settings = &self.shared.config.connection;
            self.next_ping = now + Duration::from_secs(settings.heartbeat_s);
            let pong_timeout = Duration::from_secs(settings.pong_timeout_s);
            self.pong_deadline.get_or_insert(now + pong_timeout);
            let mut session = self.session.clone();
            return self.in_time(async move { session.ping(b"").await }).await;
        }
        Ok(())
    }

    async fn check_token(&mut self) -> Result<(), End> {
        let Some(party) = &self.user else { return Ok(()) };
        let (now, end) = (self.shared.clock.now(), self.token_end(party));
        if now >= end {
            return Err(End::Reason(CloseReason::TokenExpired));
        }
        if !party.warned && now >= self.token_warning(party) {
            self.user.iter_mut().for_each(|party| party.warned = true);
            let warning = ClosingView::new(CloseReason::TokenExpired, Some(end));
            return self.write(frame::closing(&warning).into()).await;
        }
        Ok(())
    }

    /// Picks this connection's turn, so that a crowd does not reconnect elsewhere at once.
    fn drain_later(&mut self) {
        let window_ms = self.shared.config.shutdown.drain_ms.max(1);
        self.drain_at = Some(Instant::now() + Duration::from_millis(ids::random_u64() % window_ms));
    }

    async fn write(&mut self, text: ByteString) -> Result<(), End> {
        let mut session = self.session.clone();
        self.in_time(async move { session.text(text).await }).await
    }

    async fn pong(&mut self, payload: &Bytes) -> Result<(), End> {
        let (mut session, payload) = (self.session.clone(), payload.clone());
        self.in_time(async move { session.pong(&payload).await }).await
    }

    /// Hands a frame to the WebSocket layer, which takes it as soon as the client has read enough.
    async fn in_time(&self, write: impl Future<Output = Result<(), actix_ws::Closed>>) -> Result<(), End> {
        tokio::select! {
            biased;
            written = write => written.map_err(|_| End::Gone),
            () = self.overflow.happened() => Err(End::Reason(CloseReason::SlowConsumer)),
            () = sleep(WRITE_TIMEOUT) => Err(End::Reason(CloseReason::SlowConsumer)),
        }
    }

    /// Says why and closes; in any case the socket is gone soon.
    async fn close(mut self, end: End) {
        let (code, text) = match end {
            End::Gone => (CloseCode::Normal, ""),
            End::Reason(reason) => {
                if reason == CloseReason::SlowConsumer {
                    self.shared.metrics.slow_consumers.inc();
                }
                let closing = frame::closing(&ClosingView::new(reason, None));
                let _ = timeout(CLOSE_TIMEOUT, self.session.text(closing)).await;
                (CloseCode::Other(reason.close_code()), reason.name())
            }
            End::Broken(code, text) => (code, text),
        };
        let reason = WebSocketClose { code, description: Some(text.to_owned()) };
        let closed = timeout(CLOSE_TIMEOUT, self.session.close(Some(reason))).await;
        if let Some(socket) = self.socket {
            if closed.is_ok() {
                // The close frame is in the layer below; give the client the time to answer it.
                sleep(CLOSE_TIMEOUT).await;
            }
            socket.cut();
        }
    }
}

/// An answer that needs no work.
pub(super) fn ready(text: String) -> Pending {
    let text = ByteString::from(text);
    Box::pin(async move { Done::Answer(text) })
}
