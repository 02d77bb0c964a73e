//! The task behind a client: connects, serves the connection, and connects again.
//!
//! It owns everything that lasts longer than a connection: the reader of the inbox, the requests
//! under way, and both ends to the app. While the app does not take events, nothing is read from the
//! server.

mod live;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ringwire_signaling::{DeviceId, Position, UserId};
use ringwire_wire::error::ErrorBody;
use ringwire_wire::params::{HelloParams, Token};
use ringwire_wire::view::HelloResult;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

use crate::ack::Acks;
use crate::backoff::{Backoff, Reconnect};
use crate::error::{ClientError, DisconnectReason};
use crate::event::Event;
use crate::glare::Glare;
use crate::reader::Reader;
use crate::request::{Request, Requests};
use crate::socket::{self, Socket, Trust};
use crate::token::TokenSource;

/// What the app fixed when it built the client.
#[derive(Clone)]
pub(crate) struct Options {
    /// Of the nodes; at least one.
    pub(crate) urls: Vec<String>,
    pub(crate) trust: Trust,
    pub(crate) device: DeviceId,
    pub(crate) platform: Option<String>,
    pub(crate) tokens: TokenSource,
    pub(crate) automatic_acks: bool,
    pub(crate) reconnect: Reconnect,
    /// How long one attempt to connect may take, token and hello included.
    pub(crate) connect_timeout: Duration,
    pub(crate) resume: Option<Position>,
}

/// What the app asks of the task.
pub(crate) enum Command {
    Request(Request),
    Ack(u64),
    Close,
}

/// What the handles may know without asking.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) glare: Arc<Glare>,
    pub(crate) user: OnceLock<UserId>,
    pub(crate) ended: OnceLock<DisconnectReason>,
}

/// Who waits for the first connection.
pub(crate) type First = oneshot::Sender<Result<(), ClientError>>;

/// See the module.
pub(crate) struct Driver {
    options: Options,
    shared: Arc<Shared>,
    commands: mpsc::Receiver<Command>,
    /// Whether a handle may still ask for something.
    has_handles: bool,
    events: mpsc::Sender<Event>,
    first: Option<First>,
    reader: Reader,
    requests: Requests,
    acks: Acks,
    /// An acknowledgement that the app gave.
    given_ack: Option<u64>,
    backoff: Backoff,
    /// Which of the nodes to try.
    node: usize,
    /// The token of the last attempt.
    last_token: Option<Token>,
}

impl Driver {
    pub(crate) fn new(
        options: Options,
        shared: Arc<Shared>,
        commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<Event>,
        first: Option<First>,
    ) -> Self {
        Self {
            reader: Reader::new(options.device.clone(), options.resume, Arc::clone(&shared.glare)),
            acks: Acks::new(options.automatic_acks),
            backoff: Backoff::new(options.reconnect),
            options,
            shared,
            commands,
            has_handles: true,
            events,
            first,
            requests: Requests::default(),
            given_ack: None,
            node: 0,
            last_token: None,
        }
    }

    /// Runs until the app or the server ends it.
    pub(crate) async fn run(mut self) {
        // Of the attempts after a loss, only the loss is reported.
        let mut reported = false;
        let reason = loop {
            let reason = match self.connect().await {
                Ok((socket, hello)) => {
                    reported = false;
                    let began = Instant::now();
                    let reason = self.serve(socket, hello).await;
                    self.backoff.lasted(began.elapsed());
                    reason
                }
                Err(reason) => reason,
            };
            tracing::debug!(%reason, "not connected");
            // In this order: a backlog that is not complete must not be shown.
            self.reader.lost();
            self.requests.lost(&mut self.reader);
            if let Some(first) = self.first.take() {
                drop(first.send(Err(first_failure(&reason))));
                break reason;
            }
            let Some(pause) = self.next_pause(&reason) else { break reason };
            if !std::mem::replace(&mut reported, true) {
                self.reader.show(Event::Disconnected { reason, retry_in: Some(pause) });
            }
            if let Err(reason) = self.rest(pause).await {
                break reason;
            }
        };
        self.end(reason).await;
    }

    fn next_pause(&mut self, reason: &DisconnectReason) -> Option<Duration> {
        if !reason.reconnects(self.options.tokens.is_fresher_than(self.last_token.as_ref())) {
            return None;
        }
        // Without randomness the jitter is lost, not the connection.
        self.backoff.pause(getrandom::u64().unwrap_or_default(), reason.retry_after())
    }

    /// Waits before the next attempt, also for the app to take what it was told: a server that does
    /// not get through to the app need not be connected.
    async fn rest(&mut self, pause: Duration) -> Result<(), DisconnectReason> {
        self.meanwhile(sleep(pause)).await?;
        while self.reader.has_shown() {
            self.exchange().await?;
        }
        Ok(())
    }

    /// Makes one attempt to connect at each node, until one takes the client.
    async fn connect(&mut self) -> Result<(Socket, HelloResult), DisconnectReason> {
        let mut tried = 0;
        loop {
            let outcome = self.connect_to(self.node).await;
            tried += 1;
            // Another node would say the same of a token, and gets none from a source that has none.
            let elsewhere = matches!(
                outcome,
                Err(DisconnectReason::Lost(_) | DisconnectReason::NotReady(_) | DisconnectReason::Closed { .. })
            );
            if elsewhere {
                self.node = (self.node + 1) % self.options.urls.len();
            }
            if !elsewhere || tried == self.options.urls.len() {
                return outcome;
            }
        }
    }

    async fn connect_to(&mut self, node: usize) -> Result<(Socket, HelloResult), DisconnectReason> {
        let (options, resume) = (self.options.clone(), self.reader.position());
        let attempt = async move {
            let token = match options.tokens.token().await {
                Ok(token) => token,
                Err(reason) => return (None, Err(reason)),
            };
            let hello = HelloParams {
                token: None,
                device_id: options.device,
                platform: options.platform,
                resume: resume.map(Into::into),
            };
            let connected = match socket::handshake(&options.urls[node], Some(&token)) {
                Ok(handshake) => Socket::connect(handshake, &options.trust, &hello).await,
                Err(error) => Err(DisconnectReason::Refused(ErrorBody::unauthenticated(error.to_string()))),
            };
            (Some(token), connected)
        };
        // Boxed, because what a handshake needs, above all with TLS, is not needed afterwards.
        let attempt = Box::pin(timeout(self.options.connect_timeout, attempt));
        match self.meanwhile(attempt).await? {
            Ok((token, connected)) => {
                self.last_token = token.or_else(|| self.last_token.take());
                connected
            }
            Err(_) => Err(DisconnectReason::Lost("connecting took too long".to_owned())),
        }
    }

    /// Serves the app while `work` goes on.
    async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> Result<T, DisconnectReason> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                exchanged = self.exchange() => exchanged?,
            }
        }
    }

    /// Exchanges one thing with the app. May be dropped while it waits.
    async fn exchange(&mut self) -> Result<(), DisconnectReason> {
        let (has_shown, has_room) = (self.reader.has_shown(), self.requests.has_room());
        tokio::select! {
            room = self.events.reserve(), if has_shown => match room {
                Ok(room) => {
                    show(room, &mut self.reader, &mut self.acks);
                    while self.reader.has_shown() && let Ok(room) = self.events.try_reserve() {
                        show(room, &mut self.reader, &mut self.acks);
                    }
                }
                // The app wants no events. What it does not see is not acknowledged.
                Err(_) => while self.reader.next_shown().is_some() {},
            },
            command = self.commands.recv(), if self.has_handles && has_room => match command {
                Some(Command::Request(request)) => self.requests.add(request),
                Some(Command::Ack(offset)) => self.given_ack = Some(offset),
                Some(Command::Close) => return Err(DisconnectReason::ByApp),
                None => self.has_handles = false,
            },
            () = self.events.closed(), if !self.has_handles => return Err(DisconnectReason::ByApp),
            else => std::future::pending().await,
        }
        Ok(())
    }

    /// Tells everybody who waits, and the app last.
    async fn end(mut self, reason: DisconnectReason) {
        let error = ClientError::Closed(reason.clone());
        let _ = self.shared.ended.set(reason.clone());
        self.commands.close();
        while let Some(command) = self.commands.recv().await {
            if let Command::Request(request) = command {
                self.requests.add(request);
            }
        }
        self.requests.end(&error, &mut self.reader);
        self.reader.show(Event::Disconnected { reason, retry_in: None });
        while let Some(shown) = self.reader.next_shown() {
            if let Some(event) = shown.event
                && self.events.send(event).await.is_err()
            {
                return;
            }
        }
    }
}

fn show(room: mpsc::Permit<'_, Event>, reader: &mut Reader, acks: &mut Acks) {
    let Some(shown) = reader.next_shown() else { return };
    if let Some(event) = shown.event {
        room.send(event);
    }
    if let Some(position) = shown.covers {
        acks.shown(position, shown.rings, Instant::now());
    }
}

/// What `connect` returns when the first attempt fails.
fn first_failure(reason: &DisconnectReason) -> ClientError {
    match reason {
        DisconnectReason::Refused(body) | DisconnectReason::NotReady(body) => ClientError::Server(body.clone()),
        reason => ClientError::Closed(reason.clone()),
    }
}
