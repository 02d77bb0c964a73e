//! What every actor and handler of one node shares.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use ringwire_signaling::{ConnectionId, Policy, UnixMillis, UserId};
use ringwire_store::{Clock, Store, StoreError};
use tokio::sync::{Notify, watch};

use crate::auth::Authenticator;
use crate::authorization::Authorization;
use crate::config::Config;
use crate::error::OperationError;
use crate::metrics::Metrics;
use crate::outbound::Outbound;
use crate::push::Pushes;
use crate::rate::Buckets;
use crate::readiness::Readiness;
use crate::registry::{Invitations, Sessions};
use crate::ws::door::Door;

/// One running node.
pub(crate) struct Shared {
    /// Its settings.
    pub(crate) config: Config,
    /// The rules' settings.
    pub(crate) policy: Policy,
    /// Where the public listener is.
    pub(crate) address: SocketAddr,
    /// When the process started to serve.
    pub(crate) started_at: UnixMillis,
    /// A fresh random id of this process.
    pub(crate) incarnation: u64,
    /// The estimate of the store's clock.
    pub(crate) clock: Arc<Clock>,
    /// The judge of races.
    pub(crate) store: Arc<dyn Store>,
    /// Whose tokens are accepted.
    pub(crate) authenticator: Authenticator,
    /// Asks configured URLs.
    pub(crate) outbound: Outbound,
    /// The session actors by user.
    pub(crate) sessions: Arc<Sessions>,
    /// The invitation actors by id.
    pub(crate) invitations: Invitations,
    /// Counters for operators.
    pub(crate) metrics: Arc<Metrics>,
    /// Live WebSocket connections.
    pub(crate) connections: AtomicUsize,
    /// What addresses have used of their allowance.
    pub(crate) door: Door,
    /// What users have used of their allowance of invites.
    pub(crate) invites: Buckets<UserId>,
    /// Offline pushes.
    pub(crate) pushes: Pushes,
    /// Whom to ask before an invitation is created, if anybody.
    pub(crate) authorization: Option<Authorization>,
    /// Turns true when the node shuts down.
    pub(crate) draining: watch::Sender<bool>,
    /// An operator wants the process to end as on a signal.
    pub(crate) stop_asked: Notify,
    /// Whether the store works.
    pub(crate) readiness: Readiness,
    /// Started and not draining.
    pub(crate) serving: AtomicBool,
    /// The last connection's id.
    pub(crate) last_connection: AtomicU64,
}

impl Shared {
    /// Waits for a store operation, at most the configured time.
    pub(crate) async fn ask<T>(
        &self,
        operation: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, OperationError> {
        let limit = Duration::from_millis(self.config.store.timeout_ms);
        match tokio::time::timeout(limit, operation).await {
            Ok(outcome) => Ok(outcome?),
            Err(_) => Err(OperationError::Unavailable),
        }
    }

    /// What operators and devices call this node: the name under which the other nodes know it, if there can be
    /// others.
    pub(crate) fn node_id(&self) -> String {
        match self.store.nodes().own {
            0 => node_name(self.incarnation),
            own => node_name(own),
        }
    }

    /// A fresh connection id; they grow, so a smaller one was connected earlier.
    pub(crate) fn next_connection(&self) -> ConnectionId {
        ConnectionId(self.last_connection.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// A node as operators and devices read it.
pub(crate) fn node_name(incarnation: u64) -> String {
    format!("{incarnation:016x}")
}
