//! The one thread that writes.
//!
//! Whatever queued while the last batch was being made durable is the next batch: one transaction,
//! one fsync. Doorbells ring and callers are answered after it, in commit order. When the database
//! fails, the writer drops it, says so to everybody who waits, and opens it again until that works.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use redb::{Database, Durability, ReadableTable};
use ringwire_signaling::UnixMillis;
use ringwire_signaling::inbox::Delivery;

use super::dice::Dice;
use super::expiry;
use super::fault::Fault;
use super::inbox;
use super::keys;
use super::rings::Rings;
use super::shared::Shared;
use super::tables::{self, Tables};
use super::write::{Job, Write};
use crate::error::{OpenError, StoreError};

/// Operations that wait for the writer. More are refused: the disk does not keep up.
pub(super) const QUEUE: usize = 4_096;
/// Operations in one transaction, so that the first one does not wait long for the others.
const BATCH: usize = 512;
/// Bytes in one transaction, roughly: an event with large data for a hundred users is one megabyte.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// How often the writer writes acknowledgements and looks for what has expired.
const TEND_INTERVAL_MS: u64 = 1_000;
/// Expired rows that go in one transaction, so that commits do not wait long for it.
pub(super) const SWEEP_ROWS: usize = 512;
/// The pause before the next part of a sweep that did not finish.
const SWEEP_PAUSE: Duration = Duration::from_millis(20);
/// How long the writer waits before it opens a failed database again, at first and at most.
const REOPEN_FIRST: Duration = Duration::from_millis(100);
const REOPEN_LAST: Duration = Duration::from_secs(2);

/// Opens the database again after it failed.
pub(super) type Reopen = Box<dyn Fn() -> Result<Database, OpenError> + Send>;

pub(super) struct Writer {
    shared: Arc<Shared>,
    dice: Dice,
    rings: Rings,
    reopen: Reopen,
    down: Option<Down>,
    tended_at: UnixMillis,
    /// The last sweep left something.
    unfinished: bool,
}

/// The database failed and is closed.
struct Down {
    reason: String,
    retry_at: Instant,
    pause: Duration,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, reopen: Reopen) -> Self {
        let tended_at = shared.now();
        Self { shared, dice: Dice::new(), rings: Rings::default(), reopen, down: None, tended_at, unfinished: false }
    }

    /// Serves the queue until nobody can put anything into it.
    pub(super) fn run(mut self, jobs: &Receiver<Box<dyn Job>>) {
        loop {
            match jobs.recv_timeout(self.patience()) {
                Ok(first) => {
                    let mut batch = VecDeque::from([first]);
                    batch.extend(jobs.try_iter().take(BATCH - 1));
                    self.perform(batch);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.tend();
        }
        self.attend("closing", Self::write_acknowledgements);
    }

    fn patience(&self) -> Duration {
        match &self.down {
            Some(down) => down.retry_at.saturating_duration_since(Instant::now()),
            None if self.unfinished => SWEEP_PAUSE,
            None => Duration::from_millis(TEND_INTERVAL_MS),
        }
    }

    /// Runs the batch as one transaction, or several if it writes much; rings, answers.
    pub(super) fn perform(&mut self, mut batch: VecDeque<Box<dyn Job>>) {
        self.open_again_if_due();
        while !batch.is_empty() {
            match self.guarded("a batch", |writer| writer.transact(&mut batch)) {
                Ok(deliveries) => {
                    for (ringing, job) in deliveries.into_iter().zip(std::iter::from_fn(|| batch.pop_front())) {
                        self.ring(ringing);
                        job.answer(Ok(()));
                    }
                }
                Err(reason) => {
                    batch.drain(..).for_each(|job| job.answer(Err(StoreError::Unavailable(reason.clone()))));
                }
            }
        }
    }

    /// Runs jobs from the front of the batch in one transaction; what they ring once it is durable.
    fn transact(&mut self, batch: &mut VecDeque<Box<dyn Job>>) -> Result<Vec<Vec<Delivery>>, Fault> {
        let shared = Arc::clone(&self.shared);
        self.transaction(|write| {
            let mut deliveries = Vec::with_capacity(batch.len());
            for job in batch {
                write.now = shared.now();
                deliveries.push(job.run(write)?);
                if write.tables.bytes() > BATCH_BYTES {
                    break;
                }
            }
            Ok(deliveries)
        })
    }

    fn ring(&self, deliveries: Vec<Delivery>) {
        if deliveries.is_empty() {
            return;
        }
        if catch_unwind(AssertUnwindSafe(|| self.shared.bell.ring(deliveries))).is_err() {
            tracing::error!("the doorbell panicked; the store goes on");
        }
    }

    /// Runs `work` in a transaction that is durable when this returns. If nothing changed there is
    /// no need for that, and outcomes that only read cost no fsync.
    fn transaction<T>(&mut self, work: impl FnOnce(&mut Write<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let mut transaction = self.shared.begin_write()?;
        transaction.set_durability(Durability::Immediate).map_err(|error| Fault::Storage(error.to_string()))?;
        let (result, changed) = {
            let tables = Tables::open(&transaction)?;
            let mut write = Write { tables, now: self.shared.now(), dice: &mut self.dice, rings: &mut self.rings };
            let result = work(&mut write)?;
            (result, write.tables.changed())
        };
        if changed {
            transaction.commit()?;
        } else {
            transaction.abort()?;
        }
        Ok(result)
    }

    /// What the writer does between batches: acknowledgements and what has expired.
    pub(super) fn tend(&mut self) {
        self.open_again_if_due();
        if self.down.is_some() {
            return;
        }
        if self.shared.take_suspicion() {
            self.attend("a check after a failed read", |writer| writer.transaction(|_| Ok(())));
        }
        let now = self.shared.now();
        // A clock that was set back must not stop the tending.
        let waited = now < self.tended_at || now.since(self.tended_at) >= TEND_INTERVAL_MS;
        if waited {
            self.attend("writing acknowledgements", Self::write_acknowledgements);
        }
        if waited || self.unfinished {
            self.tended_at = now;
            self.attend("a sweep", Self::sweep);
        }
    }

    fn write_acknowledgements(&mut self) -> Result<(), Fault> {
        let waiting = self.shared.waiting_acknowledgements();
        if waiting.is_empty() {
            return Ok(());
        }
        self.transaction(|write| {
            for ((user, epoch), offset) in &waiting {
                match inbox::acknowledge(write, user, *epoch, *offset) {
                    Ok(()) | Err(Fault::Damaged(_)) => {}
                    Err(fault @ Fault::Storage(_)) => return Err(fault),
                }
            }
            Ok(())
        })?;
        self.shared.forget_acknowledgements(&waiting);
        Ok(())
    }

    fn sweep(&mut self) -> Result<(), Fault> {
        self.unfinished = false;
        let shared = Arc::clone(&self.shared);
        if !is_anything_expired(&shared)? {
            return Ok(());
        }
        let finished =
            self.transaction(|write| expiry::sweep(write, |user| shared.presence().contains(user), SWEEP_ROWS))?;
        self.unfinished = !finished;
        Ok(())
    }

    /// Runs `work` so that a failure of the database, or a panic in it, closes the database.
    fn guarded<T>(&mut self, what: &str, work: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, String> {
        if let Some(down) = &self.down {
            return Err(down.reason.clone());
        }
        let reason = match catch_unwind(AssertUnwindSafe(|| work(self))) {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(Fault::Damaged(row))) => {
                tracing::warn!(what, row, "stored data is damaged");
                return Err(row.to_owned());
            }
            Ok(Err(Fault::Storage(reason))) => reason,
            Err(_) => "the database panicked".to_owned(),
        };
        tracing::warn!(what, reason, "the database failed and is closed until it works again");
        self.shared.close();
        let retry_at = Instant::now() + REOPEN_FIRST;
        self.down = Some(Down { reason: reason.clone(), retry_at, pause: REOPEN_FIRST });
        Err(reason)
    }

    /// Runs `work` for which nobody waits: a failure was reported and closed the database.
    fn attend(&mut self, what: &str, work: impl FnOnce(&mut Self) -> Result<(), Fault>) {
        let _ = self.guarded(what, work);
    }

    fn open_again_if_due(&mut self) {
        let Some(down) = &mut self.down else { return };
        if Instant::now() < down.retry_at {
            return;
        }
        match (self.reopen)() {
            Ok(database) => {
                self.shared.open(database);
                self.down = None;
                tracing::warn!("the database works again");
                // The failed batch may have become durable all the same, and then nobody rang.
                self.shared.bell.interrupted();
            }
            Err(error) => {
                down.pause = (down.pause * 2).min(REOPEN_LAST);
                down.retry_at = Instant::now() + down.pause;
                down.reason = error.to_string();
                tracing::warn!(%error, "the database does not open");
            }
        }
    }
}

fn is_anything_expired(shared: &Shared) -> Result<bool, Fault> {
    let transaction = shared.begin_read()?;
    let expiry = tables::read(&transaction, tables::EXPIRY)?;
    Ok(match expiry.first()? {
        // A row that does not read back is swept, too.
        Some((key, _)) => keys::read_expiry(key.value()).is_none_or(|(at, _)| at <= shared.now()),
        None => false,
    })
}
