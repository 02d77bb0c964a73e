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

/// The configured secret, or the one in the data directory, which the first start makes.
///
/// # Errors
/// The file cannot be read or made, or holds too little.
pub fn signing_secret(config: &Config) -> Result<Vec<u8>, KeyFileError> {
    if !config.auth.hs256_secret.is_empty() {
        return Ok(config.auth.hs256_secret.clone().into_bytes());
    }
    let path = config.store.path.join(FILE);
    let fail = |problem: String| KeyFileError { path: path.clone(), problem };
    match std::fs::read(&path) {
        Ok(secret) if secret.len() >= MIN_SECRET_BYTES => Ok(secret),
        Ok(secret) => Err(fail(format!("holds {} bytes, needs at least {MIN_SECRET_BYTES}", secret.len()))),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make(&config.store.path, &path).map_err(|error| fail(error.to_string()))
        }
        Err(error) => Err(fail(error.to_string())),
    }
}

/// Makes the file so that it is never seen half-written, also by a second process that starts now:
/// whoever links it first wins, and both read the winner's.
fn make(directory: &Path, path: &Path) -> std::io::Result<Vec<u8>> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
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
