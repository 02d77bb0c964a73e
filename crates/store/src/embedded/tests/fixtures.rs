//! Stores to test, and directories for them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::ReadableTableMetadata;
use redb::TableHandle;
use ringwire_signaling::UnixMillis;

use crate::clock::Clock;
use crate::conformance::fixture::{Fixture, Recorder, Time, Wait};
use crate::embedded::{Embedded, Settings, tables};

/// A directory that goes with its owner.
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn new() -> Self {
        let name = format!("ringwire-store-{:016x}", getrandom::u64().unwrap());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(super) fn file(&self) -> PathBuf {
        self.0.join("store.redb")
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A time at which tests begin.
pub(super) const START: UnixMillis = UnixMillis(1_800_000_000_000);

struct Moved(Arc<Embedded>);

impl Time for Moved {
    fn pass(&self, milliseconds: u64) -> Wait<'_, ()> {
        self.0.shared.clock.advance(milliseconds);
        Box::pin(async { self.0.sweep().await.unwrap() })
    }

    fn leftovers(&self) -> Wait<'_, Vec<String>> {
        let names = leftovers(&self.0);
        Box::pin(async { names })
    }
}

/// The tables that hold anything.
pub(super) fn leftovers(store: &Embedded) -> Vec<String> {
    let transaction = store.shared.begin_read().unwrap();
    let filled = |name: &tables::Name| !tables::read(&transaction, *name).unwrap().is_empty().unwrap();
    tables::ALL.into_iter().filter(filled).map(|name| name.name().to_owned()).collect()
}

fn fixture(store: Embedded, clock: Arc<Clock>, bell: Arc<Recorder>, directory: Option<Directory>) -> Fixture {
    let store = Arc::new(store);
    Fixture { time: Box::new(Moved(Arc::clone(&store))), store, clock, bell, keep: Box::new(directory) }
}

/// A new store in a file.
pub(super) async fn file() -> Fixture {
    let (clock, bell) = (Arc::new(Clock::manual(START)), Arc::new(Recorder::default()));
    let directory = Directory::new();
    let store =
        Embedded::open(directory.file(), Arc::clone(&clock), Arc::clone(&bell) as _, Settings::default()).unwrap();
    std::future::ready(fixture(store, clock, bell, Some(directory))).await
}

/// A new store in memory.
pub(super) async fn memory() -> Fixture {
    let (clock, bell) = (Arc::new(Clock::manual(START)), Arc::new(Recorder::default()));
    let store = Embedded::in_memory(Arc::clone(&clock), Arc::clone(&bell) as _).unwrap();
    std::future::ready(fixture(store, clock, bell, None)).await
}
