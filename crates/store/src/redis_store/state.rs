//! What the parts of the Redis store share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redis::Client;

use super::keys::Keys;
use super::link::Link;
use super::membership::Membership;
use super::scripts::Scripts;
use crate::Doorbell;

/// See the module.
pub(super) struct State {
    pub(super) client: Client,
    pub(super) keys: Keys,
    pub(super) scripts: Scripts,
    pub(super) link: Link,
    pub(super) membership: Membership,
    pub(super) bell: Arc<dyn Doorbell>,
    pub(super) counters: Tally,
    /// The threads that carry the links, for work that nobody waits for.
    pub(super) handle: tokio::runtime::Handle,
}

/// Events that operators want counted.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) link_rebuilds: AtomicU64,
    pub(super) subscription_rebuilds: AtomicU64,
    pub(super) holes: AtomicU64,
    pub(super) interruptions: AtomicU64,
    pub(super) incarnations: AtomicU64,
}

impl State {
    /// Has every local session look at its inbox.
    pub(super) fn interrupted(&self) {
        self.counters.interruptions.fetch_add(1, Ordering::Relaxed);
        self.bell.interrupted();
    }
}
