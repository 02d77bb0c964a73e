//! A process that is killed while it commits: whatever it said was committed is there.
//!
//! The test runs its own executable again as the process that commits, and kills that with SIGKILL.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use ringwire_signaling::InvitationId;

use super::fixtures::{leftovers, path_in};
use crate::clock::Clock;
use crate::conformance::driver::{Driver, accept, assert_chain, invite};
use crate::conformance::fixture::{ByItself, Fixture, Recorder};
use crate::embedded::{Embedded, Settings};

/// Names the store to the process that commits. Without it that test does nothing.
const STORE: &str = "RINGWIRE_KILL_STORE";
/// The name of the test that commits.
const CHILD: &str = "embedded::tests::kill::commit_until_killed";
const COMMITTERS: usize = 16;
const ROUNDS: u64 = 6;

fn at(path: &Path) -> (Arc<Embedded>, Fixture) {
    let (clock, bell) = (Arc::new(Clock::real()), Arc::new(Recorder::default()));
    let store = Embedded::open(path, Arc::clone(&clock), Arc::clone(&bell) as _, Settings::default()).unwrap();
    let store = Arc::new(store);
    let fixture =
        Fixture { store: Arc::clone(&store) as _, clock, bell, control: Box::new(ByItself), keep: Box::new(()) };
    (store, fixture)
}

/// Commits and says what was committed, one line each, until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commit_until_killed() {
    let Some(path) = std::env::var_os(STORE) else { return };
    let (_store, fixture) = at(&PathBuf::from(path));
    let fixture = Arc::new(fixture);
    let committers = (0..COMMITTERS).map(|number| {
        let fixture = Arc::clone(&fixture);
        tokio::spawn(async move {
            let driver = Driver::new(&fixture);
            let (from, to) = (format!("inviter-{number}"), format!("invitee-{number}"));
            loop {
                let created = driver.invite(&invite(&from, &[&to])).await;
                say(created.id, created.version);
                let answered = driver.act(created.id, &accept(&to)).await;
                say(answered.id, answered.version);
            }
        })
    });
    let committers: Vec<_> = committers.collect();
    std::future::pending::<()>().await;
    drop(committers);
}

/// One write, so that a line is there or not.
fn say(id: InvitationId, version: u64) {
    let line = format!("\ncommitted {id} {version}\n");
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes()).unwrap();
    out.flush().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_was_acknowledged_survives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let path = path_in(&directory);
    let mut acknowledged: Vec<(InvitationId, u64)> = Vec::new();
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", CHILD, "--nocapture", "--test-threads=1"])
            .env(STORE, &path)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.find_map(|line| parse(&line.unwrap())).expect("the process commits");
        acknowledged.push(first);
        let reader = std::thread::spawn(move || lines.map_while(Result::ok).filter_map(|line| parse(&line)).collect());
        let life = Duration::from_micros(getrandom::u64().unwrap() % 150_000);
        std::thread::sleep(life);
        child.kill().unwrap();
        child.wait().unwrap();
        let rest: Vec<(InvitationId, u64)> = reader.join().unwrap();
        acknowledged.extend(rest);

        let (store, fixture) = at(&path);
        let driver = Driver::new(&fixture);
        for (id, version) in &acknowledged {
            let stored = driver.load(*id).await.unwrap_or_else(|| panic!("{id} is lost in round {round}"));
            assert!(stored.invitation.version >= *version, "{id} lost version {version} in round {round}");
        }
        for number in 0..COMMITTERS {
            let inbox = driver.inbox(&format!("inviter-{number}")).await;
            assert_chain(&inbox.entries);
        }
        assert!(!leftovers(&store).is_empty());
    }
    assert!(acknowledged.len() > 50, "only {} commits in all rounds", acknowledged.len());
}

fn parse(line: &str) -> Option<(InvitationId, u64)> {
    let (id, version) = line.strip_prefix("committed ")?.split_once(' ')?;
    Some((id.parse().ok()?, version.parse().ok()?))
}
