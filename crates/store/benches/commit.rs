//! Commits per second on a file: an invite and its accept, by so many users at once.
//!
//! With one committer it shows what one fsync costs; with many, what group commit makes of it.

use std::path::PathBuf;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use ringwire_store::Embedded;
use ringwire_store::clock::Clock;
use ringwire_store::conformance::driver::{accept, invite};
use ringwire_store::conformance::fixture::{ByItself, Recorder, Silence};
use ringwire_store::conformance::{Driver, Fixture};
use ringwire_store::embedded::Settings;

/// Invitations of one committer in one round.
const ROUND: usize = 8;
/// An invite and an accept.
const COMMITS: usize = 2;

fn main() {
    divan::main();
}

fn directory() -> PathBuf {
    let base = std::env::var_os("RINGWIRE_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let directory = base.join(format!("ringwire-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory for the store");
    directory
}

async fn committer(fixture: Arc<Fixture>, number: usize) {
    let driver = Driver::new(&fixture);
    let (from, to) = (format!("inviter-{number}"), format!("invitee-{number}"));
    for _ in 0..ROUND {
        let created = driver.invite(&invite(&from, &[&to])).await;
        driver.act(created.id, &accept(&to)).await;
    }
}

#[divan::bench(args = [1, 64, 256], sample_count = 20, sample_size = 1)]
fn invite_and_accept(bencher: Bencher, committers: usize) {
    let directory = directory();
    let clock = Arc::new(Clock::real());
    let path = directory.join("store.redb");
    let store = Embedded::open(&path, Arc::clone(&clock), Arc::new(Silence), Settings::default())
        .expect("a store for the benchmark");
    let fixture = Arc::new(Fixture {
        store: Arc::new(store),
        clock,
        bell: Arc::new(Recorder::default()),
        control: Box::new(ByItself),
        keep: Box::new(()),
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
    bencher.counter(ItemsCount::new(committers * ROUND * COMMITS)).bench_local(|| {
        runtime.block_on(async {
            let tasks: Vec<_> =
                (0..committers).map(|number| tokio::spawn(committer(Arc::clone(&fixture), number))).collect();
            for task in tasks {
                task.await.expect("a committer ends well");
            }
        });
    });
    drop(fixture);
    let _ = std::fs::remove_dir_all(directory);
}
