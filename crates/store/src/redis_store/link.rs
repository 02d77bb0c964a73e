//! The data link: one multiplexed connection that carries every command and no subscription.
//!
//! An operation that finds no link waits for it shortly and then fails; whoever keeps the link alive
//! is in `supervisor`. Whatever makes a connection suspect is noted here and read there.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{Cmd, ErrorKind, Pipeline, RedisError, ServerErrorKind, Value};
use ringwire_signaling::UnixMillis;
use tokio::sync::{Notify, watch};

use super::reply;
use super::scripts::Script;
use super::traffic::{Meter, Purpose};
use crate::clock::Clock;
use crate::error::StoreError;

/// How long an operation waits for a link that is being rebuilt: a blink of it fails nobody.
const LINK_WAIT: Duration = Duration::from_millis(300);
/// How long a command may take. With the wait before it, operations fail within a second.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_millis(650);
/// Timeouts in a row after which a connection is given up: one may be a slow moment of the server.
const TIMEOUTS: u32 = 2;
/// Round trips above which a reply says little about the time.
const PROMPT: Duration = Duration::from_millis(50);

/// See the module.
pub(super) struct Link {
    connected: watch::Sender<Option<Connected>>,
    clock: Arc<Clock>,
    pub(super) meter: Meter,
}

/// One connection, until it is given up.
#[derive(Clone)]
pub(super) struct Connected {
    connection: MultiplexedConnection,
    fate: Arc<Fate>,
}

#[derive(Default)]
struct Fate {
    timeouts: AtomicU32,
    broken: Notify,
}

impl Connected {
    pub(super) fn new(connection: MultiplexedConnection) -> Self {
        Self { connection, fate: Arc::default() }
    }

    /// Waits until the connection is of no more use.
    pub(super) async fn broken(&self) {
        self.fate.broken.notified().await;
    }

    /// Judges the connection by the outcome of a command.
    fn judge<T>(&self, outcome: &Result<T, RedisError>) {
        let Err(error) = outcome else {
            self.fate.timeouts.store(0, Ordering::Relaxed);
            return;
        };
        let broken = if error.is_timeout() {
            self.fate.timeouts.fetch_add(1, Ordering::Relaxed) + 1 >= TIMEOUTS
        } else {
            match error.kind() {
                ErrorKind::Server(kind) => matches!(
                    kind,
                    ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown | ServerErrorKind::BusyLoading
                ),
                ErrorKind::Io => true,
                _ => error.is_unrecoverable_error(),
            }
        };
        if broken {
            self.fate.broken.notify_one();
        }
    }
}

impl Link {
    pub(super) fn new(clock: Arc<Clock>) -> Self {
        Self { connected: watch::Sender::new(None), clock, meter: Meter::default() }
    }

    /// Puts a connection into use, or takes it out.
    pub(super) fn set(&self, connected: Option<Connected>) {
        self.connected.send_replace(connected);
    }

    pub(super) fn now(&self) -> UnixMillis {
        self.clock.now()
    }

    async fn connected(&self) -> Result<Connected, StoreError> {
        if let Some(connected) = &*self.connected.borrow() {
            return Ok(connected.clone());
        }
        let mut watching = self.connected.subscribe();
        let found = tokio::time::timeout(LINK_WAIT, watching.wait_for(Option::is_some)).await;
        let found = found.ok().and_then(|found| found.ok().and_then(|found| found.clone()));
        found.ok_or_else(|| StoreError::Unavailable("there is no connection to Redis".to_owned()))
    }

    /// Sends a command.
    pub(super) async fn ask(&self, purpose: Purpose, command: &Cmd) -> Result<Value, StoreError> {
        self.send(purpose, command).await?.map_err(|error| unavailable(&error))
    }

    async fn send(&self, purpose: Purpose, command: &Cmd) -> Result<Result<Value, RedisError>, StoreError> {
        let mut connected = self.connected().await?;
        self.meter.count(purpose, 1);
        let outcome = command.query_async::<Value>(&mut connected.connection).await;
        connected.judge(&outcome);
        Ok(outcome)
    }

    /// Sends commands in one round trip.
    pub(super) async fn ask_all(&self, purpose: Purpose, commands: &Pipeline) -> Result<Vec<Value>, StoreError> {
        let mut connected = self.connected().await?;
        self.meter.count(purpose, commands.len());
        let outcome = commands.query_async::<Vec<Value>>(&mut connected.connection).await;
        connected.judge(&outcome);
        outcome.map_err(|error| unavailable(&error))
    }

    /// Runs a script.
    pub(super) async fn run(&self, script: &Script, call: &Call) -> Result<Value, StoreError> {
        if let Some(digest) = script.digest.get() {
            match self.send(call.purpose, &call.command("EVALSHA", digest)).await? {
                Ok(value) => return Ok(value),
                // The server forgot it, and ran nothing.
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {}
                Err(error) => return Err(unavailable(&error)),
            }
        }
        self.ask(call.purpose, &call.command("EVAL", &script.source)).await
    }

    /// Runs a script whose reply begins with the server's time, and takes that in.
    pub(super) async fn run_timed(&self, script: &Script, call: &Call) -> Result<reply::Parts, StoreError> {
        let asked = Instant::now();
        let mut parts = reply::Parts::of(self.run(script, call).await?)?;
        let taken = asked.elapsed();
        let time = u64::try_from(reply::integer(&parts.next())?).map_err(|_| reply::unexpected())?;
        let estimate = UnixMillis(time);
        // A slow reply is worth taking in only if it corrects more than it can distort.
        let off = self.clock.now().0.abs_diff(estimate.0);
        if taken < PROMPT || u128::from(off) > taken.as_millis() {
            self.clock.observe(estimate);
        }
        Ok(parts)
    }
}

pub(super) fn unavailable(error: &RedisError) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// What a script is given.
pub(super) struct Call {
    purpose: Purpose,
    keys: Texts,
    arguments: Texts,
}

/// Some texts behind one another.
#[derive(Default)]
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Texts {
    fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }
}

impl Call {
    pub(super) fn new(purpose: Purpose) -> Self {
        Self { purpose, keys: Texts::default(), arguments: Texts::default() }
    }

    /// Adds a key and returns its number, from 1.
    pub(super) fn key(&mut self, key: &str) -> usize {
        self.keys.push(key.as_bytes());
        self.key_count()
    }

    pub(super) fn key_count(&self) -> usize {
        self.keys.ends.len()
    }

    pub(super) fn argument(&mut self, value: impl AsRef<[u8]>) {
        self.arguments.push(value.as_ref());
    }

    pub(super) fn number(&mut self, value: impl Display) {
        self.argument(value.to_string());
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let texts = 3 + self.keys.ends.len() + self.arguments.ends.len();
        let bytes = name.len() + script.len() + self.keys.bytes.len() + self.arguments.bytes.len();
        let mut command = Cmd::with_capacity(texts, bytes + 8);
        command.arg(name).arg(script).arg(self.key_count());
        for text in self.keys.iter().chain(self.arguments.iter()) {
            command.arg(text);
        }
        command
    }
}
