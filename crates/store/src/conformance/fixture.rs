//! A store under test, with its time in the test's hands and a doorbell that remembers.

use std::any::Any;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ringwire_signaling::UserId;
use ringwire_signaling::inbox::{Delivery, Entry};

use crate::clock::Clock;
use crate::{Doorbell, Store};

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
    /// How time passes.
    pub time: Box<dyn Time>,
    /// What must live as long as the store, such as a directory.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// How time passes for a store.
pub trait Time: Send + Sync {
    /// Lets that much time pass, and then whatever has expired go.
    fn pass(&self, milliseconds: u64) -> Wait<'_, ()>;

    /// The names of what the store still holds, as far as it can be known. A store that is empty
    /// has none.
    fn leftovers(&self) -> Wait<'_, Vec<String>>;
}

/// A doorbell that remembers what rang.
#[derive(Debug, Default)]
pub struct Recorder {
    rings: Mutex<Vec<Vec<Delivery>>>,
    interruptions: AtomicUsize,
}

impl Recorder {
    /// Everything that rang so far, one list per ring.
    pub fn rings(&self) -> Vec<Vec<Delivery>> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What rang for a user, in order.
    pub fn heard_by(&self, user: &UserId) -> Vec<Entry> {
        let rings = self.rings();
        rings.into_iter().flatten().filter(|delivery| delivery.user == *user).map(|delivery| delivery.entry).collect()
    }

    /// What rang, by user, in order.
    pub fn heard(&self) -> BTreeMap<UserId, Vec<Entry>> {
        let mut heard: BTreeMap<UserId, Vec<Entry>> = BTreeMap::new();
        for delivery in self.rings().into_iter().flatten() {
            heard.entry(delivery.user).or_default().push(delivery.entry);
        }
        heard
    }

    /// How often the store said that rings may have been lost.
    pub fn interruptions(&self) -> usize {
        self.interruptions.load(Ordering::SeqCst)
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
}
