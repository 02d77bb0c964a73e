//! What is opened, what is refused, and that a refusal changes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{Database, TableDefinition};
use ringwire_signaling::{Facts, InvitationId};
use tempfile::TempDir;

use super::fixtures::{START, at, path_in};
use crate::clock::Clock;
use crate::commit::CommitOutcome;
use crate::conformance::Recorder;
use crate::conformance::driver::{Driver, invite, user};
use crate::embedded::{Embedded, Settings};
use crate::error::OpenError;

fn open(path: &Path) -> Result<Embedded, OpenError> {
    Embedded::open(path, Arc::new(Clock::manual(START)), Arc::new(Recorder::default()), Settings::default())
}

/// Opens what must be refused, and looks that nothing of the directory changed.
fn refusal(path: &Path) -> OpenError {
    let before = contents(path.parent().unwrap());
    let Err(error) = open(path) else { panic!("{} was opened", path.display()) };
    assert!(contents(path.parent().unwrap()) == before, "a refusal changed something: {error}");
    error
}

fn contents(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut contents: Vec<_> = entries.map(|path| (path.clone(), std::fs::read(&path).unwrap_or_default())).collect();
    contents.sort();
    contents
}

/// A store that was closed well, with an invitation in it.
async fn store(directory: &TempDir) -> (PathBuf, InvitationId) {
    let path = path_in(directory);
    let fixture = at(&path);
    let created = Driver::new(&fixture).invite(&invite("ann", &["bob"])).await;
    (path, created.id)
}

async fn assert_holds(path: &Path, id: InvitationId) {
    let fixture = at(path);
    let driver = Driver::new(&fixture);
    assert!(driver.load(id).await.is_some());
    let commit = driver.creation(driver.id(&user("cid")), &invite("cid", &["dan"]), &Facts::default());
    assert_eq!(driver.send(commit).await, CommitOutcome::Committed);
}

const OTHER: TableDefinition<'static, &'static str, u64> = TableDefinition::new("other");

fn other_program(path: &Path) -> Database {
    let database = Database::create(path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(OTHER).unwrap().insert("something", 7).unwrap();
    transaction.commit().unwrap();
    database
}

#[tokio::test]
async fn a_new_file_and_an_empty_one_become_stores() {
    let directory = tempfile::tempdir().unwrap();
    let (path, id) = store(&directory).await;
    assert_holds(&path, id).await;
    let empty = directory.path().join("empty.redb");
    std::fs::write(&empty, b"").unwrap();
    drop(open(&empty).unwrap());
    drop(open(&empty).unwrap());
    let names: Vec<_> = contents(directory.path()).into_iter().map(|(path, _)| path).collect();
    assert_eq!(names, [empty, path], "a draft was left");
}

#[tokio::test]
async fn what_a_crash_during_creation_leaves_is_no_obstacle() {
    for draft in [Vec::new(), b"redb".to_vec(), vec![0; 70_000], vec![0xff; 5_000]] {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("store.redb.new"), draft).unwrap();
        let (path, id) = store(&directory).await;
        assert_holds(&path, id).await;
        assert_eq!(contents(directory.path()).len(), 1);
    }
}

#[test]
fn of_programs_that_create_at_once_one_gets_the_store() {
    for _ in 0..5 {
        let directory = tempfile::tempdir().unwrap();
        let path = path_in(&directory);
        let opening: Vec<_> = (0..4)
            .map(|_| {
                let path = path.clone();
                std::thread::spawn(move || open(&path))
            })
            .collect();
        let opened: Vec<_> = opening.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(opened.iter().filter(|result| result.is_ok()).count(), 1);
        for refused in opened.into_iter().filter_map(Result::err) {
            assert!(matches!(refused, OpenError::InUse(_)), "{refused}");
        }
    }
}

#[tokio::test]
async fn a_store_in_use_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (path, id) = store(&directory).await;
    let held = open(&path).unwrap();
    let error = refusal(&path);
    assert!(matches!(error, OpenError::InUse(_)), "{error}");
    drop(held);
    assert_holds(&path, id).await;
}

#[test]
fn what_is_no_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = path_in(&directory);
    let texts = [&b"x"[..], b"redb", b"SQLite format 3\0 and more"].map(<[u8]>::to_vec);
    let samples = texts.into_iter().chain([vec![0; 8_192], vec![0xff; 100_000]]);
    for sample in samples {
        std::fs::write(&path, sample).unwrap();
        let error = refusal(&path);
        assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    }
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let error = refusal(&path);
    assert!(matches!(error, OpenError::Io { .. } | OpenError::Foreign { .. }), "{error}");
    let Err(error) = open(&directory.path().join("missing").join("store.redb")) else { panic!("a missing directory") };
    assert!(matches!(error, OpenError::Io { .. }), "{error}");
    assert!(!directory.path().join("missing").exists());
}

#[test]
fn a_database_of_another_program_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = path_in(&directory);
    let database = other_program(&path);
    let crashed = directory.path().join("crashed.redb");
    std::fs::copy(&path, &crashed).unwrap();
    let error = refusal(&path);
    assert!(matches!(error, OpenError::InUse(_)), "{error}");
    drop(database);
    for path in [path, crashed] {
        let error = refusal(&path);
        assert!(matches!(&error, OpenError::Foreign { reason, .. } if reason.contains("another program")), "{error}");
    }
    let blank = directory.path().join("blank.redb");
    drop(Database::create(&blank).unwrap());
    assert!(matches!(refusal(&blank), OpenError::Foreign { .. }));
}

#[tokio::test]
async fn another_version_or_partition_count_is_refused() {
    for (row, what) in [("schema", "schema version"), ("partitions", "partition count")] {
        let directory = tempfile::tempdir().unwrap();
        let (path, _) = store(&directory).await;
        let database = Database::create(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(crate::embedded::tables::META).unwrap().insert(row, 99).unwrap();
        transaction.commit().unwrap();
        drop(database);
        let error = refusal(&path);
        let OpenError::Incompatible { what: named, found, .. } = error else { panic!("{error}") };
        assert_eq!((named, found.as_str()), (what, "99"));
    }
}

#[tokio::test]
async fn a_store_that_lacks_a_table_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = store(&directory).await;
    let database = Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.delete_table(crate::embedded::tables::DUE).unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert!(matches!(refusal(&path), OpenError::Foreign { .. }));
}

#[tokio::test]
async fn a_store_that_was_not_closed_is_repaired() {
    let directory = tempfile::tempdir().unwrap();
    let path = path_in(&directory);
    let copy = directory.path().join("copy.redb");
    let fixture = at(&path);
    let created = Driver::new(&fixture).invite(&invite("ann", &["bob"])).await;
    std::fs::copy(&path, &copy).unwrap();
    drop(fixture);
    assert_holds(&copy, created.id).await;
    assert_holds(&path, created.id).await;
}

#[tokio::test]
async fn a_truncated_store_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = store(&directory).await;
    let whole = std::fs::read(&path).unwrap();
    for length in [5, 9, 100, 319, 320, 4_096, 8_192, whole.len() / 2, whole.len() - 4_096, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        let error = refusal(&path);
        assert!(matches!(error, OpenError::Foreign { .. }), "{length} bytes: {error}");
    }
}

/// Damage in a page that opening does not read shows later, as an error and not as a crash.
#[tokio::test]
async fn a_damaged_store_is_opened_or_refused_without_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let (path, id) = store(&directory).await;
    let whole = std::fs::read(&path).unwrap();
    let mut refused = 0;
    for round in 0..120_usize {
        let mut damaged = whole.clone();
        // The header densely, the rest here and there.
        let places = if round < 60 { [round * 5, round * 5 + 2] } else { [round * 1_237, round * 4_099] };
        for place in places {
            damaged[place % whole.len()] ^= 0x5a;
        }
        std::fs::write(&path, &damaged).unwrap();
        let before = contents(directory.path());
        match open(&path) {
            Ok(store) => {
                let _ = crate::Store::load(&store, id).await;
                drop(store);
            }
            Err(_) => {
                refused += 1;
                assert!(contents(directory.path()) == before, "a refusal changed something in round {round}");
            }
        }
    }
    assert!(refused > 5, "only {refused} refusals");
}
