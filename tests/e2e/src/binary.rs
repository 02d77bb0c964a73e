//! Where the `ringwire` program is, built if need be.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

/// The program under test: `RINGWIRE_BIN` if that is set, else a debug build of this workspace.
///
/// # Panics
/// When it cannot be built.
pub fn path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| match std::env::var_os("RINGWIRE_BIN") {
        Some(path) => PathBuf::from(path),
        None => once_per_run(),
    })
}

/// The same program as the next release could be, beside it.
///
/// # Panics
/// When it cannot be built.
pub fn of_next_release() -> PathBuf {
    path().with_file_name("ringwire-next")
}

/// Builds it, unless another test process of the same run did: cargo-nextest starts one process for
/// each test, and gives all of them the same run id.
fn once_per_run() -> PathBuf {
    let Ok(run) = std::env::var("NEXTEST_RUN_ID") else { return build().unwrap_or_else(|error| panic!("{error}")) };
    let mut note = open_note();
    note.lock().expect("the note about the build can be locked");
    let mut text = String::new();
    note.read_to_string(&mut text).expect("the note about the build can be read");
    if let Some(path) = text.strip_prefix(&format!("{run}\n")) {
        assert!(!path.is_empty(), "ringwire did not build earlier in this run");
        return PathBuf::from(path);
    }
    let built = build();
    let path = built.as_deref().unwrap_or(Path::new(""));
    note.set_len(0).and_then(|()| note.rewind()).expect("the note about the build can be emptied");
    write!(note, "{run}\n{}", path.display()).expect("the note about the build can be written");
    built.unwrap_or_else(|error| panic!("{error}"))
}

fn open_note() -> File {
    // Beside the test program, in the target directory.
    let path = std::env::current_exe().expect("the test program has a path").with_file_name("ringwire-e2e-build");
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn build() -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--package", "ringwire-node", "--package", "ringwire-next", "--bins"])
        .args(["--message-format", "json"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .map_err(|error| format!("cargo cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(format!("ringwire does not build:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "ringwire")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .ok_or_else(|| "cargo names no executable".to_owned())
}
