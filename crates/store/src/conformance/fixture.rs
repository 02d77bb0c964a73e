//! A store under test, with its time in the test's hands and a doorbell that remembers.

use std::any::Any;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ringwire_signaling::inbox::{Delivery, Entry};
use ringwire_signaling::session::CloseReason;
use ringwire_signaling::{ConnectionId, UserId};

use crate::clock::Clock;
use crate::{Doorbell, Due, Store};

/// What a step of a fixture returns.
pub type Wait<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A store under test.
pub struct Fixture {
    /// The store. It rings `bell` and counts time by `clock`.
    pub store: Arc<dyn Store>,
    /// The store's time.
    pub clock: Arc<Clock>,
    /// What the store rang.
    pub bell: Arc<Recorder>,
    /// What else a test can do to it.
    pub control: Box<dyn Control>,
    /// What must live as long as the store, such as a directory.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl Fixture {
    /// Everything that rang so far, one list per ring.
    pub async fn rings(&self) -> Vec<Vec<Delivery>> {
        self.control.quiet().await;
        self.bell.rings()
    }

    /// What rang for a user, in order.
    pub async fn heard_by(&self, user: &UserId) -> Vec<Entry> {
        let rings = self.rings().await;
        rings.into_iter().flatten().filter(|delivery| delivery.user == *user).map(|delivery| delivery.entry).collect()
    }

    /// What rang, by user, in order.
    pub async fn heard(&self) -> BTreeMap<UserId, Vec<Entry>> {
        let mut heard: BTreeMap<UserId, Vec<Entry>> = BTreeMap::new();
        for delivery in self.rings().await.into_iter().flatten() {
            heard.entry(delivery.user).or_default().push(delivery.entry);
        }
        heard
    }

    /// Forgets what rang.
    pub async fn forget_rings(&self) {
        self.control.quiet().await;
        self.bell.clear();
    }
}

/// What a test can do to a store from outside.
pub trait Control: Send + Sync {
    /// Lets that much time pass, and then whatever has expired go.
    fn pass(&self, milliseconds: u64) -> Wait<'_, ()>;

    /// Waits until everything that was committed has rung. Nothing to wait for where that happens
    /// before the commit is answered.
    fn quiet(&self) -> Wait<'_, ()> {
        Box::pin(async {})
    }

    /// The names of what the store still holds, as far as it can be known. A store that is empty
    /// has none.
    fn leftovers(&self) -> Wait<'_, Vec<String>>;
}

/// Time that passes by itself, and nothing known of what the store holds.
#[derive(Debug)]
pub struct ByItself;

impl Control for ByItself {
    fn pass(&self, _milliseconds: u64) -> Wait<'_, ()> {
        Box::pin(async {})
    }

    fn leftovers(&self) -> Wait<'_, Vec<String>> {
        Box::pin(async { Vec::new() })
    }
}

/// A doorbell that nobody hears.
#[derive(Debug)]
pub struct Silence;

impl Doorbell for Silence {
    fn ring(&self, deliveries: Vec<Delivery>) {
        drop(deliveries);
    }

    fn interrupted(&self) {}
}

/// A doorbell that remembers what rang.
#[derive(Debug, Default)]
pub struct Recorder {
    rings: Mutex<Vec<Vec<Delivery>>>,
    interruptions: AtomicUsize,
    closed: Mutex<Vec<Closed>>,
    due: Mutex<Vec<Due>>,
}

/// A connection that the store said has to go, and why.
pub type Closed = (UserId, ConnectionId, CloseReason);

impl Recorder {
    /// Everything that rang so far, one list per ring.
    pub fn rings(&self) -> Vec<Vec<Delivery>> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often the store said that rings may have been lost.
    pub fn interruptions(&self) -> usize {
        self.interruptions.load(Ordering::SeqCst)
    }

    /// Every connection that the store said has to go.
    pub fn closed_connections(&self) -> Vec<Closed> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Everything that the store said is due.
    pub fn all_due(&self) -> Vec<Due> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets what rang.
    pub fn clear(&self) {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Doorbell for Recorder {
    fn ring(&self, deliveries: Vec<Delivery>) {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner).push(deliveries);
    }

    fn interrupted(&self) {
        self.interruptions.fetch_add(1, Ordering::SeqCst);
    }

    fn closed(&self, user: &UserId, connection: ConnectionId, reason: CloseReason) {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner).push((user.clone(), connection, reason));
    }

    fn due(&self, due: Vec<Due>) {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).extend(due);
    }
}
