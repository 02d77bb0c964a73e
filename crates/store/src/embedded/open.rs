//! Opening the file: a new one, ours, or somebody else's, which is left as it is.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{Builder, Database, DatabaseError, ReadableDatabase, StorageBackend, StorageError, TableHandle};
use ringwire_signaling::partition::PARTITIONS;

use super::fault::Fault;
use super::held::Held;
use super::tables::{ALL, META};
use crate::error::OpenError;

/// The version of the tables' forms. Raise it when an older program must not read what this writes.
const SCHEMA: u32 = 2;
const SCHEMA_ROW: &str = "schema";
const PARTITIONS_ROW: &str = "partitions";
/// What a redb file begins with.
const MAGIC: &[u8] = b"redb\x1a\x0a\xa9\x0d\x0a";

/// Opens the store at `path`, or creates it if there is no file or an empty one.
pub(super) fn open(path: &Path, cache_bytes: usize) -> Result<Database, OpenError> {
    if is_new(path)?
        && let Some(database) = create(path, cache_bytes)?
    {
        return Ok(database);
    }
    open_existing(path, cache_bytes)
}

fn io_error(path: &Path, error: &io::Error) -> OpenError {
    OpenError::Io { path: path.to_owned(), reason: error.to_string() }
}

fn foreign(path: &Path, reason: impl Into<String>) -> OpenError {
    OpenError::Foreign { path: path.to_owned(), reason: reason.into() }
}

fn is_new(path: &Path) -> Result<bool, OpenError> {
    match path.metadata() {
        Ok(metadata) => Ok(metadata.is_file() && metadata.len() == 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(io_error(path, &error)),
    }
}

/// Builds a new store beside `path` and moves it there when it is complete, so that a crash leaves
/// either nothing at `path` or a whole store. None if another process was faster.
fn create(path: &Path, cache_bytes: usize) -> Result<Option<Database>, OpenError> {
    let draft = draft_path(path);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        // What users send is nobody else's business.
        .mode(0o600)
        .truncate(false)
        .open(&draft)
        .map_err(|error| io_error(&draft, &error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => return Err(io_error(&draft, &error)),
    }
    // Whoever held the lock before may have moved its store into place.
    if !is_new(path)? {
        return Ok(None);
    }
    file.set_len(0).map_err(|error| io_error(&draft, &error))?;
    let backend = FileBackend::new(file).map_err(|error| refusal(path, error))?;
    let database = Builder::new()
        .set_cache_size(cache_bytes)
        .create_with_backend(backend)
        .map_err(|error| refusal(path, error))?;
    initialize(&database).map_err(|fault| match fault {
        Fault::Damaged(reason) => foreign(path, reason),
        Fault::Storage(reason) => OpenError::Io { path: path.to_owned(), reason },
    })?;
    std::fs::rename(&draft, path).map_err(|error| io_error(path, &error))?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(|error| io_error(directory, &error))?;
    Ok(Some(database))
}

fn draft_path(path: &Path) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// Writes what identifies a store, and creates its tables.
pub(super) fn initialize(database: &Database) -> Result<(), Fault> {
    let transaction = database.begin_write()?;
    {
        let mut meta = transaction.open_table(META)?;
        meta.insert(SCHEMA_ROW, SCHEMA)?;
        meta.insert(PARTITIONS_ROW, partitions())?;
        for name in ALL {
            transaction.open_table(name)?;
        }
    }
    transaction.commit()?;
    Ok(())
}

fn partitions() -> u32 {
    u32::try_from(PARTITIONS).unwrap_or(u32::MAX)
}

/// Opens a store that must be there. The file is changed only if it is one.
pub(super) fn open_existing(path: &Path, cache_bytes: usize) -> Result<Database, OpenError> {
    let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(|error| io_error(path, &error))?;
    let mut magic = [0; MAGIC.len()];
    match file.read_exact(&mut magic) {
        Ok(()) if magic == MAGIC => {}
        Ok(()) => return Err(foreign(path, "it is no redb file")),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(foreign(path, "it is no redb file"));
        }
        Err(error) => return Err(io_error(path, &error)),
    }
    let backend = FileBackend::new(file).map_err(|error| refusal(path, error))?;
    open_backend(path, backend, cache_bytes)
}

/// Opens a store on `backend` and holds all writes back until it is known to be one.
pub(super) fn open_backend(
    path: &Path,
    backend: impl StorageBackend,
    cache_bytes: usize,
) -> Result<Database, OpenError> {
    let held = Held::new(backend);
    let database = no_panic(path, || {
        let mut builder = Builder::new();
        builder.set_cache_size(cache_bytes);
        let database = builder.create_with_backend(held.clone()).map_err(|error| refusal(path, error))?;
        check(path, &database)?;
        Ok(database)
    })?;
    held.release().map_err(|error| io_error(path, &error))?;
    Ok(database)
}

/// A damaged file can make redb panic.
fn no_panic<T>(path: &Path, open: impl FnOnce() -> Result<T, OpenError>) -> Result<T, OpenError> {
    catch_unwind(AssertUnwindSafe(open)).unwrap_or_else(|_| Err(foreign(path, "it is damaged")))
}

fn check(path: &Path, database: &Database) -> Result<(), OpenError> {
    let damaged = |error: &dyn std::error::Error| foreign(path, error.to_string());
    let transaction = database.begin_read().map_err(|error| damaged(&error))?;
    let names: Vec<String> =
        transaction.list_tables().map_err(|error| damaged(&error))?.map(|table| table.name().to_owned()).collect();
    if !names.iter().any(|name| name == META.name()) {
        return Err(foreign(path, "it is a redb file of another program"));
    }
    let meta = transaction.open_table(META).map_err(|error| damaged(&error))?;
    for (row, what, expected) in
        [(SCHEMA_ROW, "schema version", SCHEMA), (PARTITIONS_ROW, "partition count", partitions())]
    {
        let found = redb::ReadableTable::get(&meta, row).map_err(|error| damaged(&error))?.map(|value| value.value());
        if found != Some(expected) {
            let found = found.map_or_else(|| "none".to_owned(), |found| found.to_string());
            let expected = expected.to_string();
            return Err(OpenError::Incompatible { path: path.to_owned(), what, found, expected });
        }
    }
    match ALL.iter().find(|table| !names.iter().any(|name| name == table.name())) {
        Some(table) => Err(foreign(path, format!("its table {} is missing", table.name()))),
        None => Ok(()),
    }
}

fn refusal(path: &Path, error: DatabaseError) -> OpenError {
    match error {
        DatabaseError::DatabaseAlreadyOpen => OpenError::InUse(path.to_owned()),
        DatabaseError::UpgradeRequired(found) => OpenError::Incompatible {
            path: path.to_owned(),
            what: "redb format",
            found: found.to_string(),
            expected: "3".to_owned(),
        },
        DatabaseError::Storage(StorageError::Io(error)) if !is_damage(&error) => io_error(path, &error),
        error => foreign(path, error.to_string()),
    }
}

/// Whether an I/O error speaks of the file's content rather than of the disk.
fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput)
}
