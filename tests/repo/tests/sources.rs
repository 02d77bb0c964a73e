//! What every source file keeps to: its size, its first line, and who may read a clock or name the binary format.

use ringwire_repo_tests::{assert_none, files, files_with_extension, read, rust};

/// A file of about 400 lines asks to be two; past this many it is refused.
const LINES_LIMIT: usize = 500;

/// Files that name bincode: the codec, so that the format can be replaced in one place.
const CODEC: &str = "crates/wire/src/codec.rs";

/// The file that reads the clock which deadlines and events are dated by.
const CLOCK: &str = "crates/store/src/clock.rs";

/// Files of the server that take the monotonic time to wait for something of their own process. Nothing that they
/// compute is stored or sent, so it need not agree with another node's idea of the time.
const LOCAL_WAITS: [&str; 12] = [
    // When to try the database again after an I/O error.
    "crates/store/src/embedded/writer.rs",
    // How long opening may try, how long a reply took, how old a lease is.
    "crates/store/src/redis_store.rs",
    "crates/store/src/redis_store/link.rs",
    "crates/store/src/redis_store/membership.rs",
    // How long a stage took.
    "crates/node/src/metrics.rs",
    // How long the store has been failing.
    "crates/node/src/readiness.rs",
    // How long a push target is left alone, and how long it took.
    "crates/node/src/push.rs",
    "crates/node/src/push/attempt.rs",
    // When keys are fetched again.
    "crates/node/src/auth/jwks.rs",
    // Heartbeats, the token's end and draining of one socket.
    "crates/node/src/ws/connection.rs",
    // How long hooks are left alone, and how long one took.
    "crates/node/src/authorization.rs",
    // The allowances of addresses and users at this node.
    "crates/node/src/rate/by_key.rs",
];

/// Crates whose `src` is the server.
const SERVER: [&str; 4] = ["crates/signaling/src/", "crates/wire/src/", "crates/store/src/", "crates/node/src/"];

#[test]
fn no_source_file_is_longer_than_five_hundred_lines() {
    let is_script = |file: &String| file.starts_with("scripts/") || file.starts_with(".ci/");
    let mut sources = files_with_extension(&["rs", "ts", "tsx", "js", "mjs", "py", "sh", "lua"]);
    sources.extend(files().into_iter().filter(is_script));
    let lengths = sources.iter().map(|file| (file, read(file).lines().count()));
    let problems: Vec<_> = lengths
        .filter(|(_, lines)| *lines > LINES_LIMIT)
        .map(|(file, lines)| format!("{file} has {lines} lines"))
        .collect();
    assert_none(&problems, "split these");
}

#[test]
fn every_rust_file_begins_by_saying_what_it_is() {
    let silent = |file: &String| !read(file).starts_with("//! ");
    let problems: Vec<_> = files_with_extension(&["rs"]).into_iter().filter(silent).collect();
    assert_none(&problems, "these do not begin with //!");
}

#[test]
fn bincode_is_named_in_one_file() {
    let mut naming = Vec::new();
    for file in files_with_extension(&["rs"]) {
        // This crate talks about the code, it does not encode.
        let ours = file.starts_with("tests/repo/");
        if !ours && rust::code(&file).iter().any(|(_, line)| line.contains("bincode")) {
            naming.push(file);
        }
    }
    assert_eq!(naming, [CODEC], "the binary format is known to one file");
}

#[test]
fn one_file_reads_the_wall_clock() {
    let readers = clock_readers("SystemTime::now", &[CLOCK]);
    assert_none(&readers, "ask the store's clock instead");
}

#[test]
fn only_local_waits_read_the_monotonic_clock() {
    let allowed: Vec<_> = LOCAL_WAITS.into_iter().chain([CLOCK]).collect();
    let readers = clock_readers("Instant::now", &allowed);
    assert_none(&readers, "ask the store's clock, or list a wait that concerns this process only");
}

/// Lines of the server's own code outside `allowed` that contain `call`.
fn clock_readers(call: &str, allowed: &[&str]) -> Vec<String> {
    let files = files_with_extension(&["rs"]);
    for file in allowed {
        let calls = files.iter().any(|name| name == file)
            && rust::shipped_code(file).iter().any(|(_, line)| line.contains(call));
        assert!(calls, "{file} is allowed {call} and does not use it");
    }
    let server = files.iter().filter(|file| SERVER.iter().any(|source| file.starts_with(source)));
    let mut readers = Vec::new();
    for file in server.filter(|file| !allowed.contains(&file.as_str())) {
        let lines = rust::shipped_code(file);
        let calls = lines.iter().filter(|(_, line)| line.contains(call));
        readers.extend(calls.map(|(number, line)| format!("{file}:{number}: {}", line.trim())));
    }
    readers
}
