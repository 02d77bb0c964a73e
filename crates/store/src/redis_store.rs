//! The store of several nodes: a Redis that all of them reach.
//!
//! Rules stay in Rust: one script moves opaque bytes under the checks that a commit carries, and rings
//! the doorbells of the nodes concerned. Commands go over one link, doorbells come over another, and
//! both are built again for as long as it takes. Presence counts while the node process that wrote
//! it holds a lease.

mod blocks;
mod commit;
mod connections;
mod devices;
mod dice;
mod draft;
mod envelope;
mod fields;
mod groups;
mod guards;
mod keys;
mod link;
mod membership;
#[cfg(feature = "next-version")]
pub mod next;
#[cfg(not(feature = "next-version"))]
mod next;
mod post;
mod presence;
mod pulse;
mod pushes;
mod read;
mod reply;
mod resume;
mod scripts;
mod setup;
mod state;
mod store;
mod subscription;
mod supervisor;
#[cfg(test)]
mod tests;
mod traffic;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::Doorbell;
use crate::clock::Clock;
use crate::error::OpenError;
use keys::Keys;
use link::Link;
use membership::Membership;
use scripts::Scripts;
use setup::Refusal;
use state::{State, Tally};

/// How long opening waits for a server that cannot be reached.
const OPEN_PATIENCE: Duration = Duration::from_secs(5);
/// Between two attempts to reach it.
const OPEN_RETRY: Duration = Duration::from_millis(200);
/// How long a store that closes tries to give its lease back.
const CLOSE_PATIENCE: Duration = Duration::from_millis(300);

/// What an operator may choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS.
    pub url: String,
    /// What TLS trusts and shows.
    pub tls: Tls,
    /// What stands before every key and channel. Nodes with one prefix are one cluster.
    pub prefix: String,
    /// The longest that a record is retained after its last change.
    pub retention_ms: u64,
}

/// What TLS trusts and shows, in PEM files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The authority that signed the server's certificate; none for those that the system trusts.
    pub ca_file: Option<PathBuf>,
    /// A certificate for servers that ask for one, and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl Settings {
    /// The defaults for a server.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            tls: Tls::default(),
            prefix: "rw:".to_owned(),
            retention_ms: 7 * 24 * 60 * 60 * 1000,
        }
    }
}

/// Why a prefix of keys cannot be used: braces would move the keys of a partition apart.
#[must_use]
pub fn prefix_problem(prefix: &str) -> Option<&'static str> {
    let is_bad = prefix.contains(['{', '}']) || prefix.chars().any(char::is_control);
    is_bad.then_some("must not contain braces or control characters")
}

/// The store of several nodes.
///
/// Dropping it gives its lease back, which takes at most a fraction of a second.
pub struct RedisStore {
    state: Arc<State>,
    /// Carries the links; none while the store is being dropped.
    runtime: Option<Runtime>,
}

impl RedisStore {
    /// Connects, and joins the nodes that share the server and the prefix. Blocks until that is done.
    ///
    /// # Errors
    /// When the server cannot be reached within some seconds, is too old, or holds data of another
    /// schema or partition count. Nothing was changed then.
    pub fn open(settings: &Settings, clock: Arc<Clock>, bell: Arc<dyn Doorbell>) -> Result<Self, OpenError> {
        let address = || "Redis".to_owned();
        if let Some(problem) = prefix_problem(&settings.prefix) {
            return Err(OpenError::Server { address: address(), reason: format!("the prefix of keys {problem}") });
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("ringwire-redis")
            .enable_all()
            .build()
            .map_err(|error| OpenError::Server { address: address(), reason: error.to_string() })?;
        let keys = Keys::new(&settings.prefix);
        let state = Arc::new(State {
            client: setup::client(settings)?,
            scripts: Scripts::new(settings, &keys.channel()),
            keys,
            link: Link::new(clock),
            membership: Membership::new(),
            bell,
            counters: Tally::default(),
            handle: runtime.handle().clone(),
        });
        // The caller may itself be within a runtime, which must not be entered twice.
        let (reply, answer) = mpsc::channel();
        let joining = Arc::clone(&state);
        runtime.spawn(async move {
            // Nobody waits any more if opening was given up.
            let _ = reply.send(join(joining).await);
        });
        let store = Self { state, runtime: Some(runtime) };
        match answer.recv() {
            Ok(outcome) => outcome.map(|()| store),
            Err(_) => Err(OpenError::Server { address: address(), reason: "joining failed".to_owned() }),
        }
    }
}

async fn join(state: Arc<State>) -> Result<(), OpenError> {
    let address = setup::address(state.client.get_connection_info());
    let give_up = Instant::now() + OPEN_PATIENCE;
    let mut connection = loop {
        match supervisor::connect(&state).await {
            Ok(connection) => break connection,
            Err(Refusal::Lasting(error)) => return Err(error),
            Err(Refusal::Passing(reason)) if Instant::now() >= give_up => {
                return Err(OpenError::Server { address, reason });
            }
            Err(Refusal::Passing(_)) => tokio::time::sleep(OPEN_RETRY).await,
        }
    };
    setup::warn_of_settings(&mut connection).await;
    tokio::spawn(supervisor::keep(Arc::clone(&state), connection));
    tokio::spawn(subscription::keep(Arc::clone(&state)));
    tokio::spawn(pulse::keep(Arc::clone(&state)));
    match tokio::time::timeout(OPEN_PATIENCE, state.membership.joined()).await {
        Ok(()) => Ok(()),
        Err(_) => Err(OpenError::Server { address, reason: "doorbells cannot be subscribed to".to_owned() }),
    }
}

impl Drop for RedisStore {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        let (done, ended) = mpsc::channel();
        let state = Arc::clone(&self.state);
        runtime.spawn(async move {
            pulse::end(&state).await;
            // Whoever drops the store may have stopped waiting.
            let _ = done.send(());
        });
        // The lease ends by itself if this takes too long.
        let _ = ended.recv_timeout(CLOSE_PATIENCE);
        runtime.shutdown_background();
    }
}
