//! The store of a single node: one redb file, or memory.
//!
//! Nothing to install, durable across a kill. One thread writes, and takes all waiting operations
//! into one transaction; readers see consistent states beside it. Presence lives in memory, because
//! connections end with the process. It does not talk to other nodes.

mod blocks;
mod commit;
mod devices;
mod dice;
mod events;
mod expiry;
mod fault;
mod groups;
mod guards;
mod held;
mod history;
mod inbox;
mod keys;
mod open;
mod post;
mod presence;
mod pushes;
mod read;
mod relay;
mod resume;
mod rings;
mod rows;
mod shared;
mod store;
mod tables;
#[cfg(test)]
mod tests;
mod write;
mod writer;

use std::collections::VecDeque;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use redb::backends::InMemoryBackend;
use redb::{Builder, Database};

use crate::clock::Clock;
use crate::error::{OpenError, StoreError};
use crate::{Doorbell, StoreFuture};
use fault::Fault;
use read::Reading;
use shared::Shared;
use write::{Job, Write, Written, job};
use writer::{QUEUE, Reopen, Writer};

/// What an operator may choose about the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Bytes of memory that hold parts of the file.
    pub cache_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { cache_bytes: 64 * 1024 * 1024 }
    }
}

/// The store of a single node.
///
/// Dropping it finishes what is queued and closes the file, which takes as long as one fsync.
pub struct Embedded {
    shared: Arc<Shared>,
    lane: Lane,
}

/// How operations reach the writer, and where reads run.
enum Lane {
    /// A thread of its own, and tokio's threads for blocking work.
    Threads {
        /// None while the store is being dropped.
        jobs: Option<SyncSender<Box<dyn Job>>>,
        writer: Option<JoinHandle<()>>,
    },
    /// The caller's own thread: nothing in memory blocks, and a simulation stays deterministic.
    Inline(Box<Mutex<Writer>>),
}

impl Embedded {
    /// Opens the file at `path`, or creates it if there is none or an empty one. Its directory must
    /// exist. Operations then need a tokio runtime, whose blocking threads read.
    ///
    /// # Errors
    /// When it is in use, or no store of this version, or the operating system refuses. The file is
    /// then as it was.
    pub fn open(
        path: impl AsRef<Path>,
        clock: Arc<Clock>,
        bell: Arc<dyn Doorbell>,
        settings: Settings,
    ) -> Result<Self, OpenError> {
        let path: PathBuf = path.as_ref().to_owned();
        let Settings { cache_bytes } = settings;
        let database = open::open(&path, cache_bytes)?;
        // Never creates: a file that is gone is a disk that is gone.
        Self::start(database, Box::new(move || open::open_existing(&path, cache_bytes)), clock, bell)
    }

    /// A store that is gone when it is dropped. It needs no runtime, and every operation is done
    /// when its future is first polled.
    ///
    /// # Errors
    /// When memory cannot be had.
    pub fn in_memory(clock: Arc<Clock>, bell: Arc<dyn Doorbell>) -> Result<Self, OpenError> {
        let place = || PathBuf::from("memory");
        let refuse = |reason: String| OpenError::Io { path: place(), reason };
        let database = Builder::new()
            .set_cache_size(Settings::default().cache_bytes)
            .create_with_backend(InMemoryBackend::new())
            .map_err(|error| refuse(error.to_string()))?;
        open::initialize(&database).map_err(|fault| refuse(StoreError::from(fault).to_string()))?;
        let shared = Arc::new(Shared::new(database, clock, bell));
        let reopen: Reopen =
            Box::new(move || Err(OpenError::Io { path: place(), reason: "what was in memory is lost".to_owned() }));
        let writer = Writer::new(Arc::clone(&shared), reopen);
        Ok(Self { shared, lane: Lane::Inline(Box::new(Mutex::new(writer))) })
    }

    fn start(
        database: Database,
        reopen: Reopen,
        clock: Arc<Clock>,
        bell: Arc<dyn Doorbell>,
    ) -> Result<Self, OpenError> {
        let shared = Arc::new(Shared::new(database, clock, bell));
        let (sender, receiver) = sync_channel(QUEUE);
        let writer = Writer::new(Arc::clone(&shared), reopen);
        let writer = std::thread::Builder::new()
            .name("ringwire-store".to_owned())
            .spawn(move || writer.run(&receiver))
            .map_err(|error| OpenError::Io { path: PathBuf::from("thread"), reason: error.to_string() })?;
        Ok(Self { shared, lane: Lane::Threads { jobs: Some(sender), writer: Some(writer) } })
    }

    /// Removes everything that has expired. The store does so by itself within seconds; this is for
    /// whoever cannot wait.
    pub fn sweep(&self) -> StoreFuture<'_, ()> {
        let shared = Arc::clone(&self.shared);
        self.write(move |write| {
            expiry::sweep(write, |user| shared.presence().contains(user), usize::MAX)?;
            Ok(((), Vec::new()))
        })
    }

    fn write<T, W>(&self, work: W) -> StoreFuture<'_, T>
    where
        T: Send + 'static,
        W: FnOnce(&mut Write<'_>) -> Written<T> + Send + 'static,
    {
        Box::pin(async move {
            let (job, answer) = job(work);
            self.queue(job)?;
            answer.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the writer ended".to_owned())))
        })
    }

    fn queue(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        match &self.lane {
            Lane::Threads { jobs, .. } => {
                let jobs = jobs.as_ref().expect("only dropping takes the sender");
                jobs.try_send(job).map_err(|error| {
                    StoreError::Unavailable(match error {
                        TrySendError::Full(_) => "too many operations wait for the disk".to_owned(),
                        TrySendError::Disconnected(_) => "the writer ended".to_owned(),
                    })
                })
            }
            Lane::Inline(writer) => {
                let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
                writer.perform(VecDeque::from([job]));
                writer.tend();
                Ok(())
            }
        }
    }

    fn read<T, R>(&self, work: R) -> StoreFuture<'_, T>
    where
        T: Send + 'static,
        R: FnOnce(&Reading) -> Result<T, Fault> + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        let work = move || {
            let result = Reading::begin(&shared).and_then(|reading| work(&reading));
            if let Err(Fault::Storage(_)) = result {
                shared.suspect();
            }
            result.map_err(StoreError::from)
        };
        match &self.lane {
            Lane::Threads { .. } => Box::pin(async move {
                tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
                    // A damaged file can make redb panic. Otherwise the runtime is shutting down.
                    Err(if error.is_panic() {
                        StoreError::Damaged("the database file".to_owned())
                    } else {
                        StoreError::Unavailable(error.to_string())
                    })
                })
            }),
            Lane::Inline(_) => Box::pin(async move { work() }),
        }
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Embedded").finish_non_exhaustive()
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if let Lane::Threads { jobs, writer } = &mut self.lane {
            drop(jobs.take());
            if let Some(writer) = writer.take() {
                // A panic there was reported when it happened.
                let _ = writer.join();
            }
        }
        self.shared.close();
    }
}
