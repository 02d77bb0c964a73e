//! Starts a node and stops it: the one place where the parts are put together.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer};
use ringwire_store::{Clock, Doorbell, Embedded, RedisStore, Store};
use rustls::ServerConfig;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::auth::{Authenticator, Missing, make_data_directory, signing_secret};
use crate::authorization::Authorization;
use crate::config::{Config, ConfigError, StoreKind};
use crate::metrics::Metrics;
use crate::outbound::Outbound;
use crate::push::{self, Pushes};
use crate::rate::Buckets;
use crate::readiness::Readiness;
use crate::registry::{Invitations, Sessions};
use crate::shared::Shared;
use crate::tls::{HANDSHAKE_TIMEOUT, HANDSHAKES_PER_WORKER, Tls, TlsError};
use crate::ws::door::Door;
use crate::ws::socket::on_connect;
use crate::{admin, descriptors, http, ids, sweeper};

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The signing secret.
    #[error(transparent)]
    Secret(#[from] crate::auth::KeyFileError),
    /// A configured key.
    #[error(transparent)]
    Key(#[from] crate::auth::KeyError),
    /// A setting that is only understood when it is used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A listener's certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The store.
    #[error(transparent)]
    Store(#[from] ringwire_store::OpenError),
    /// A listener.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The file of the store could not be prepared.
    #[error("{path}: {source}")]
    Directory {
        /// The data directory.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The operating system.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// A running node.
pub struct Node {
    shared: Arc<Shared>,
    public: Listener,
    admin: Listener,
    tasks: Vec<JoinHandle<()>>,
}

struct Listener {
    address: SocketAddr,
    has_tls: bool,
    handle: ServerHandle,
    running: JoinHandle<std::io::Result<()>>,
}

impl Node {
    /// Opens the store, re-arms what was pending, and listens. Must be called within an actix system.
    ///
    /// # Errors
    /// What is in the way; nothing is left running.
    pub fn start(mut config: Config) -> Result<Self, StartError> {
        config.http.max_connections = descriptors::room_for(config.http.max_connections);
        // Bound first: a second node on the same machine fails before it touches the store.
        let (public, admin) = (listen(config.http.bind)?, listen(config.admin.bind)?);
        let tls = Tls::open(&config)?;
        let secret = signing_secret(&config, Missing::Make)?;
        let authenticator = Authenticator::new(&config.auth, secret.as_deref())?;
        let outbound = Outbound::new(&config.outbound)?;
        let metrics = Arc::new(Metrics::new());
        let clock = Arc::new(Clock::real());
        let sessions = Arc::new(Sessions::new());
        let store = open_store(&config, &clock, Arc::clone(&sessions) as Arc<dyn Doorbell>)?;
        let shared = Arc::new(Shared {
            policy: config.rules(),
            address: public.local_addr()?,
            started_at: clock.now(),
            incarnation: ids::random_u64(),
            clock,
            store,
            authenticator,
            outbound: outbound.clone(),
            sessions: Arc::clone(&sessions),
            invitations: Invitations::new(),
            metrics: Arc::clone(&metrics),
            connections: AtomicUsize::new(0),
            door: Door::new(&config),
            invites: Buckets::new(config.limits.invites_per_second, config.limits.invite_burst),
            pushes: Pushes::new(&config.push, &config.events),
            authorization: Authorization::new(&config.authorization),
            draining: watch::Sender::new(false),
            stop_asked: Notify::new(),
            readiness: Readiness::new(),
            serving: AtomicBool::new(true),
            last_connection: AtomicU64::new(0),
            config,
        });
        sessions.bind(&shared);
        let mut tasks = vec![actix::spawn(sweeper::run(Arc::clone(&shared))), actix::spawn(sessions.tell_suspects())];
        tasks.push(actix::spawn(admin::keep_described(Arc::clone(&shared))));
        tasks.extend(push::start(&shared));
        tasks.extend(shared.authenticator.fetch_keys(&outbound, &metrics));
        tasks.extend(tls.watch(&shared.config, &metrics)?);
        let public = serve_public(&shared, public, tls.public())?;
        let admin = serve_admin(&shared, admin, tls.admin())?;
        Ok(Self { shared, public, admin, tasks })
    }

    /// Where the public listener is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.public.address
    }

    /// Whether the public listener speaks TLS.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        self.public.has_tls
    }

    /// Where the operators' listener is.
    #[must_use]
    pub fn admin_address(&self) -> SocketAddr {
        self.admin.address
    }

    /// Waits until an operator asks for the node to be stopped.
    pub async fn asked_to_stop(&self) {
        self.shared.stop_asked.notified().await;
    }

    /// Closes connections one after the other, lets what is under way finish, and returns at the
    /// latest after the configured deadline.
    pub async fn stop(self) {
        let shutdown = self.shared.config.shutdown.clone();
        self.shared.serving.store(false, Ordering::Relaxed);
        self.shared.draining.send_replace(true);
        let drained = tokio::time::timeout(Duration::from_millis(shutdown.deadline_ms), async {
            while self.shared.connections.load(Ordering::Relaxed) > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            self.public.handle.stop(true).await;
        });
        if drained.await.is_err() {
            let left = self.shared.connections.load(Ordering::Relaxed);
            tracing::warn!(left, "connections remain at the shutdown deadline");
            self.public.handle.stop(false).await;
        }
        self.admin.handle.stop(false).await;
        self.tasks.iter().for_each(JoinHandle::abort);
        for listener in [self.public, self.admin] {
            if let Ok(Err(error)) = listener.running.await {
                tracing::warn!(%error, "a listener ended badly");
            }
        }
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    let fail = |source| StartError::Listen { address, source };
    let socket =
        socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None).map_err(fail)?;
    // A node that restarts listens again although old connections linger.
    socket.set_reuse_address(true).map_err(fail)?;
    socket.set_cloexec(true).map_err(fail)?;
    socket.bind(&address.into()).map_err(fail)?;
    // Deep enough for a crowd that reconnects at once.
    socket.listen(4096).map_err(fail)?;
    Ok(socket.into())
}

fn open_store(config: &Config, clock: &Arc<Clock>, bell: Arc<dyn Doorbell>) -> Result<Arc<dyn Store>, StartError> {
    let clock = Arc::clone(clock);
    match config.store.kind {
        StoreKind::Memory => Ok(Arc::new(Embedded::in_memory(clock, bell)?)),
        StoreKind::Redis => Ok(Arc::new(RedisStore::open(&config.redis_settings(), clock, bell)?)),
        StoreKind::Embedded => {
            let directory = &config.store.path;
            make_data_directory(directory)
                .map_err(|source| StartError::Directory { path: directory.display().to_string(), source })?;
            let settings = ringwire_store::embedded::Settings { cache_bytes: config.store.cache_mib << 20 };
            Ok(Arc::new(Embedded::open(directory.join("store.redb"), clock, bell, settings)?))
        }
    }
}

fn serve_public(
    shared: &Arc<Shared>,
    listener: TcpListener,
    tls: Option<ServerConfig>,
) -> Result<Listener, StartError> {
    let (address, has_tls) = (listener.local_addr()?, tls.is_some());
    let config = &shared.config;
    let workers = match config.http.workers {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        workers => workers,
    };
    let routes = Arc::clone(shared);
    let server =
        HttpServer::new(move || App::new().wrap(from_fn(http::origin::check)).configure(http::routes(&routes)))
            .workers(workers)
            .max_connections(config.http.max_connections.div_ceil(workers).saturating_add(64))
            .client_request_timeout(Duration::from_secs(10))
            .shutdown_timeout(config.shutdown.deadline_ms.div_ceil(1000))
            .tls_handshake_timeout(HANDSHAKE_TIMEOUT)
            .max_connection_rate(HANDSHAKES_PER_WORKER)
            .on_connect(on_connect)
            .disable_signals();
    let server = match tls {
        Some(tls) => server.listen_rustls_0_23(listener, tls)?,
        None => server.listen(listener)?,
    }
    .run();
    Ok(Listener { address, has_tls, handle: server.handle(), running: actix::spawn(server) })
}

fn serve_admin(shared: &Arc<Shared>, listener: TcpListener, tls: Option<ServerConfig>) -> Result<Listener, StartError> {
    let (address, has_tls) = (listener.local_addr()?, tls.is_some());
    let routes = Arc::clone(shared);
    let server =
        HttpServer::new(move || App::new().wrap(from_fn(admin::guard::guard)).configure(admin::routes(&routes)))
            .workers(1)
            .shutdown_timeout(1)
            .tls_handshake_timeout(HANDSHAKE_TIMEOUT)
            .max_connection_rate(HANDSHAKES_PER_WORKER)
            .disable_signals();
    let server = match tls {
        Some(tls) => server.listen_rustls_0_23(listener, tls)?,
        None => server.listen(listener)?,
    }
    .run();
    Ok(Listener { address, has_tls, handle: server.handle(), running: actix::spawn(server) })
}
