//! The secret that signs this installation's own tokens.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::config::{Config, MIN_SECRET_BYTES};

const FILE: &str = "hs256.key";

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct KeyFileError {
    path: PathBuf,
    problem: String,
}

/// What to do when the configuration names no key and the data directory has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Make one: the node's first start.
    Make,
    /// Refuse: whoever else asks is in the wrong directory, or too early.
    Refuse,
}

/// The configured secret; without any configured key, the one in the data directory. None when only
/// other keys are configured: then nobody can sign with a secret that nobody chose.
///
/// # Errors
/// The file is missing and must not be made, cannot be read or made, or holds too little.
pub fn signing_secret(config: &Config, missing: Missing) -> Result<Option<Vec<u8>>, KeyFileError> {
    if !config.auth.hs256_secret.is_empty() {
        return Ok(Some(config.auth.hs256_secret.clone().into_bytes()));
    }
    if config.auth.has_public_keys() {
        return Ok(None);
    }
    let path = config.store.path.join(FILE);
    let fail = |problem: String| KeyFileError { path: path.clone(), problem };
    match (std::fs::read(&path), missing) {
        (Ok(secret), _) if secret.len() >= MIN_SECRET_BYTES => Ok(Some(secret)),
        (Ok(secret), _) => Err(fail(format!("holds {} bytes, needs at least {MIN_SECRET_BYTES}", secret.len()))),
        (Err(error), Missing::Make) if error.kind() == ErrorKind::NotFound => {
            make(&config.store.path, &path).map(Some).map_err(|error| fail(error.to_string()))
        }
        (Err(error), Missing::Refuse) if error.kind() == ErrorKind::NotFound => {
            Err(fail("there is no key yet; start the node first, with the same configuration and directory".into()))
        }
        (Err(error), _) => Err(fail(error.to_string())),
    }
}

/// Makes the data directory, which is nobody else's to read.
///
/// # Errors
/// The operating system refuses.
pub fn make_data_directory(path: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes the file so that it is never seen half-written, also by a second process that starts now:
/// whoever links it first wins, and both read the winner's.
fn make(directory: &Path, path: &Path) -> std::io::Result<Vec<u8>> {
    make_data_directory(directory)?;
    let mut random = [0_u8; MIN_SECRET_BYTES];
    getrandom::fill(&mut random).map_err(|error| std::io::Error::other(error.to_string()))?;
    let secret = random.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let draft = directory.join(format!(".{FILE}.{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(secret.as_bytes())?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Ok(()) => {
            tracing::info!(path = %path.display(), "made a random signing key");
            Ok(secret.into_bytes())
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => std::fs::read(path),
        Err(error) => Err(error),
    }
}
