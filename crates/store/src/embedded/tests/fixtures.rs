//! Stores to test.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{ReadableTableMetadata, TableHandle};
use ringwire_signaling::UnixMillis;
use tempfile::TempDir;

use crate::clock::Clock;
use crate::conformance::fixture::{Control, Fixture, Recorder, Wait};
use crate::embedded::{Embedded, Settings, open, tables};
use crate::error::OpenError;

/// A time at which tests begin.
pub(super) const START: UnixMillis = UnixMillis(1_800_000_000_000);
/// A cache that a test's data exceeds, so that reads reach the disk.
pub(super) const NO_CACHE: usize = 0;

/// The place of a store in a directory.
pub(super) fn path_in(directory: &TempDir) -> PathBuf {
    directory.path().join("store.redb")
}

struct Moved(Arc<Embedded>);

impl Control for Moved {
    fn pass(&self, milliseconds: u64) -> Wait<'_, ()> {
        self.0.shared.clock.advance(milliseconds);
        Box::pin(async { self.0.sweep().await.unwrap() })
    }

    fn leftovers(&self) -> Wait<'_, Vec<String>> {
        let names = leftovers(&self.0);
        Box::pin(async { names })
    }
}

/// The tables that hold anything. What readiness writes is one row for ever.
pub(super) fn leftovers(store: &Embedded) -> Vec<String> {
    let transaction = store.shared.begin_read().unwrap();
    let filled = |name: &tables::Name| !tables::read(&transaction, *name).unwrap().is_empty().unwrap();
    tables::ALL
        .into_iter()
        .filter(|name| name.name() != tables::PROBE.name())
        .filter(filled)
        .map(|name| name.name().to_owned())
        .collect()
}

/// Makes a fixture of a store whose clock stands at [`START`].
pub(super) fn fixture(
    keep: Option<TempDir>,
    open: impl FnOnce(Arc<Clock>, Arc<Recorder>) -> Result<Embedded, OpenError>,
) -> Fixture {
    let (clock, bell) = (Arc::new(Clock::manual(START)), Arc::new(Recorder::default()));
    let store = Arc::new(open(Arc::clone(&clock), Arc::clone(&bell)).unwrap());
    Fixture { control: Box::new(Moved(Arc::clone(&store))), store, clock, bell, keep: Box::new(keep) }
}

/// A store in the file at `path`.
pub(super) fn at(path: &Path) -> Fixture {
    fixture(None, |clock, bell| Embedded::open(path, clock, bell, Settings::default()))
}

/// A new store in a file.
pub(super) async fn file() -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let path = path_in(&directory);
    let store = fixture(Some(directory), |clock, bell| Embedded::open(path, clock, bell, Settings::default()));
    std::future::ready(store).await
}

/// A new store in memory.
pub(super) async fn memory() -> Fixture {
    std::future::ready(fixture(None, |clock, bell| Embedded::in_memory(clock, bell))).await
}

/// A store on a disk of the test's own making.
pub(super) fn on(disk: &super::disk::Disk, cache_bytes: usize) -> Fixture {
    let disk = disk.clone();
    fixture(None, |clock, bell| {
        let place = Path::new("disk");
        if disk.is_blank() {
            let database = redb::Builder::new().create_with_backend(disk.open()).unwrap();
            open::initialize(&database).unwrap();
        }
        let open = move || open::open_backend(place, disk.open(), cache_bytes);
        Embedded::start(open()?, Box::new(open), clock, bell)
    })
}
