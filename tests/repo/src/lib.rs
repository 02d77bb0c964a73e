//! Reads this repository: its files, its manifests and the code in its Rust files.
//!
//! On `std` and `git` only. It reads manifests as this repository writes them and panics at what it does not
//! understand; it is no TOML parser. What the files must satisfy is said in `tests/`.

pub mod manifest;
pub mod rust;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The directory that holds the workspace's `Cargo.toml`.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("this crate lies two levels deep")
}

/// Every file that is, or on `git add --all` would be, part of the repository: relative, with `/`, sorted.
#[must_use]
pub fn files() -> Vec<String> {
    let listing = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git is installed");
    assert!(listing.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listing.stderr));
    let listing = String::from_utf8(listing.stdout).expect("file names are UTF-8");
    let mut files: Vec<_> = listing
        .split_terminator('\0')
        // What is deleted and not yet committed is still listed.
        .filter(|file| root().join(file).is_file())
        .map(str::to_owned)
        .collect();
    files.sort();
    files.dedup();
    assert!(files.len() > 50, "git lists only {} files", files.len());
    files
}

/// The files whose names end in one of `extensions` (without their dots).
#[must_use]
pub fn files_with_extension(extensions: &[&str]) -> Vec<String> {
    let wanted = |file: &String| {
        let extension = Path::new(file).extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| extensions.contains(&extension))
    };
    files().into_iter().filter(wanted).collect()
}

/// The text of a file of the repository.
#[must_use]
pub fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Fails with one line per problem.
///
/// # Panics
/// If there are any.
pub fn assert_none(problems: &[String], rule: &str) {
    assert!(problems.is_empty(), "{rule}:\n  {}", problems.join("\n  "));
}
