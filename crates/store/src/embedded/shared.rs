//! What readers and the writer share: the database, which the writer may take away and bring back,
//! and what is kept in memory only.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use redb::{Database, ReadTransaction, ReadableDatabase, WriteTransaction};
use ringwire_signaling::inbox::{Epoch, Position};
use ringwire_signaling::{UnixMillis, UserId};

use super::fault::Fault;
use super::presence::Presence;
use crate::Doorbell;
use crate::clock::Clock;

/// Acknowledgements that wait to be written. More are dropped, which only shows invitations as
/// missed that were seen.
const ACKNOWLEDGEMENTS: usize = 65_536;

pub(super) struct Shared {
    /// None while the database is being opened again.
    database: RwLock<Option<Database>>,
    pub(super) clock: Arc<Clock>,
    pub(super) bell: Arc<dyn Doorbell>,
    presence: Mutex<Presence>,
    /// How far users acknowledged lives of their inboxes.
    acknowledgements: Mutex<BTreeMap<(UserId, Epoch), u64>>,
    /// A reader met a failure of the database.
    suspect: AtomicBool,
}

impl Shared {
    pub(super) fn new(database: Database, clock: Arc<Clock>, bell: Arc<dyn Doorbell>) -> Self {
        Self {
            database: RwLock::new(Some(database)),
            clock,
            bell,
            presence: Mutex::default(),
            acknowledgements: Mutex::default(),
            suspect: AtomicBool::new(false),
        }
    }

    fn with_database<T>(&self, work: impl FnOnce(&Database) -> Result<T, Fault>) -> Result<T, Fault> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        work(database.as_ref().ok_or_else(|| Fault::Storage("the database is being opened again".to_owned()))?)
    }

    pub(super) fn begin_read(&self) -> Result<ReadTransaction, Fault> {
        self.with_database(|database| Ok(database.begin_read()?))
    }

    /// For the writer only: a second transaction would wait for the first.
    pub(super) fn begin_write(&self) -> Result<WriteTransaction, Fault> {
        self.with_database(|database| Ok(database.begin_write()?))
    }

    /// Brings the database back.
    pub(super) fn open(&self, database: Database) {
        *self.database.write().unwrap_or_else(PoisonError::into_inner) = Some(database);
    }

    /// Takes the database away and closes it. That writes, maybe to a disk that just failed or over
    /// damaged pages; whatever comes of that is of no interest, because everything that was
    /// acknowledged is durable.
    pub(super) fn close(&self) {
        let database = self.database.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(catch_unwind(AssertUnwindSafe(|| drop(database))));
    }

    /// The store's time.
    pub(super) fn now(&self) -> UnixMillis {
        let now = self.clock.machine_time();
        self.clock.observe(now);
        now
    }

    pub(super) fn presence(&self) -> MutexGuard<'_, Presence> {
        self.presence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn acknowledgements(&self) -> MutexGuard<'_, BTreeMap<(UserId, Epoch), u64>> {
        self.acknowledgements.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an acknowledgement, to be written soon.
    pub(super) fn acknowledge(&self, user: UserId, position: Position) {
        let mut waiting = self.acknowledgements();
        let room = waiting.len() < ACKNOWLEDGEMENTS;
        match waiting.entry((user, position.epoch)) {
            Entry::Occupied(mut known) => *known.get_mut() = position.offset.max(*known.get()),
            Entry::Vacant(place) if room => {
                place.insert(position.offset);
            }
            Entry::Vacant(_) => {}
        }
    }

    /// How far the user acknowledged that life of the inbox, as far as it is not written.
    pub(super) fn acknowledged(&self, user: &UserId, epoch: Epoch) -> u64 {
        self.acknowledgements().get(&(user.clone(), epoch)).copied().unwrap_or(0)
    }

    /// The acknowledgements to write. They stay until [`Shared::forget_acknowledgements`].
    pub(super) fn waiting_acknowledgements(&self) -> BTreeMap<(UserId, Epoch), u64> {
        self.acknowledgements().clone()
    }

    /// Drops those that were written, unless they rose meanwhile.
    pub(super) fn forget_acknowledgements(&self, written: &BTreeMap<(UserId, Epoch), u64>) {
        self.acknowledgements().retain(|place, offset| written.get(place) != Some(offset));
    }

    /// Notes that a read failed, so that the writer looks whether the database still works.
    pub(super) fn suspect(&self) {
        self.suspect.store(true, Ordering::Relaxed);
    }

    /// Whether a read failed since the last call.
    pub(super) fn take_suspicion(&self) -> bool {
        self.suspect.swap(false, Ordering::Relaxed)
    }
}
