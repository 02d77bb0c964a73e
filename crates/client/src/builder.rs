//! What an app says before it connects.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use ringwire_signaling::{DeviceId, Position};
use tokio::sync::{mpsc, oneshot};

use crate::backoff::Reconnect;
use crate::client::Client;
use crate::driver::{Driver, First, Options, Shared};
use crate::error::ClientError;
use crate::event::Events;
use crate::socket::{self, Trust};
use crate::token::TokenSource;

/// Requests that wait to be taken by the client's task.
const COMMANDS: usize = 256;

/// Builds a client; see [`Client::builder`].
#[derive(Clone)]
#[must_use]
pub struct Builder {
    urls: Vec<String>,
    /// Beside what the system trusts; PEM.
    #[cfg(feature = "tls")]
    roots: Vec<u8>,
    tokens: Option<TokenSource>,
    device: Option<String>,
    platform: Option<String>,
    automatic_acks: bool,
    reconnect: Reconnect,
    connect_timeout: Duration,
    request_timeout: Duration,
    event_capacity: usize,
    resume: Option<Position>,
}

impl Builder {
    pub(crate) fn new(url: String) -> Self {
        Self {
            urls: vec![url],
            #[cfg(feature = "tls")]
            roots: Vec::new(),
            tokens: None,
            device: None,
            platform: None,
            automatic_acks: true,
            reconnect: Reconnect::default(),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(10),
            event_capacity: 1024,
            resume: None,
        }
    }

    /// Another node of the same cluster, for when those named before cannot be reached. A client stays
    /// with the node that it reached for as long as it can.
    pub fn fallback_url(mut self, url: impl Into<String>) -> Self {
        self.urls.push(url.into());
        self
    }

    /// Authorities that `wss` URLs trust beside those of the system, as certificates in PEM: for servers whose
    /// certificate is of a private authority that is not installed on the device.
    #[cfg(feature = "tls")]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots = pem.into();
        self
    }

    /// The token. [`Client::refresh_token`] can replace it; when it has expired and was not replaced,
    /// the client ends.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.tokens = Some(TokenSource::fixed(token.into()));
        self
    }

    /// Where to get a token, asked for each attempt to connect and before the token of a live
    /// connection expires. When it fails, the client tries again later.
    pub fn token_source<F, E>(mut self, source: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<String, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.tokens = Some(TokenSource::dynamic(source));
        self
    }

    /// This installation of the app: 1–128 bytes, the same at every start. Required.
    pub fn device_id(mut self, device: impl Into<String>) -> Self {
        self.device = Some(device.into());
        self
    }

    /// `ios`, `android`, `linux` or anything else, at most 32 characters.
    pub fn platform(mut self, platform: impl Into<String>) -> Self {
        self.platform = Some(platform.into());
        self
    }

    /// Whether events are acknowledged as soon as they are among the [`Events`], which makes the
    /// receipts that the inviter sees as ringing. Otherwise the app calls [`Client::ack`]. Default: yes.
    pub fn auto_receipts(mut self, automatic: bool) -> Self {
        self.automatic_acks = automatic;
        self
    }

    /// When to connect again. Default: after 250 ms, up to 10 s, for ever.
    pub fn reconnect(mut self, policy: Reconnect) -> Self {
        self.reconnect = policy;
        self
    }

    /// How long one attempt to connect may take. Default: 10 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long an operation may take, repetitions over lost connections included. Default: 10 s.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// Events that wait for the app; while there are as many, the client stops reading from the
    /// server. At least 1. Default: 1024.
    pub fn event_capacity(mut self, events: usize) -> Self {
        self.event_capacity = events.max(1);
        self
    }

    /// Goes on from a position that the app kept, such as [`EventView::position`] of the last event
    /// that it has dealt with.
    ///
    /// [`EventView::position`]: ringwire_wire::view::EventView::position
    pub fn resume_from(mut self, position: Position) -> Self {
        self.resume = Some(position);
        self
    }

    /// Connects, and returns once the server has greeted. Makes one attempt at each node; afterwards the client
    /// keeps itself connected. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// `Invalid` for a bad URL, id or root certificate, `Server` when the server refuses, `Closed` when it cannot be
    /// reached.
    pub async fn connect(self) -> Result<(Client, Events), ClientError> {
        let (sender, receiver) = oneshot::channel();
        let (client, events) = self.spawn(Some(sender))?;
        match receiver.await {
            Ok(outcome) => outcome.map(|()| (client, events)),
            Err(_) => Err(client.ended()),
        }
    }

    /// Starts to connect, and keeps trying by the reconnect policy. Returns at once; operations wait
    /// for the connection. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// `Invalid` for a bad URL, id or root certificate.
    pub fn start(self) -> Result<(Client, Events), ClientError> {
        self.spawn(None)
    }

    fn spawn(self, first: Option<First>) -> Result<(Client, Events), ClientError> {
        let missing = |what: &str| ClientError::Invalid(format!("{what} is required"));
        for url in &self.urls {
            socket::handshake(url, None)?;
        }
        let device = self.device.ok_or_else(|| missing("device_id"))?;
        let device =
            DeviceId::parse(&device).map_err(|problem| ClientError::Invalid(format!("device_id {problem}")))?;
        #[cfg(feature = "tls")]
        let trust = Trust::new(&self.roots)
            .map_err(|problem| ClientError::Invalid(format!("the root certificates: {problem}")))?;
        #[cfg(not(feature = "tls"))]
        let trust = Trust;
        let options = Options {
            urls: self.urls,
            trust,
            device: device.clone(),
            platform: self.platform,
            tokens: self.tokens.ok_or_else(|| missing("a token or a token source"))?,
            automatic_acks: self.automatic_acks,
            reconnect: self.reconnect,
            connect_timeout: self.connect_timeout,
            resume: self.resume,
        };
        let shared = Arc::new(Shared::default());
        let tokens = options.tokens.clone();
        let (commands, command_receiver) = mpsc::channel(COMMANDS);
        let (event_sender, receiver) = mpsc::channel(self.event_capacity);
        let driver = Driver::new(options, Arc::clone(&shared), command_receiver, event_sender, first);
        tokio::spawn(driver.run());
        let client = Client { commands, shared, tokens, device, request_timeout: self.request_timeout };
        Ok((client, Events { receiver }))
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Builder")
            .field("urls", &self.urls)
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}
