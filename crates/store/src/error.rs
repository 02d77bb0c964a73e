//! The infrastructure failed. What the domain refuses is a `Refusal` of the rules instead.

use std::path::PathBuf;

use crate::bytes::Damaged;

/// Why an operation gave no outcome.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot work for now. Whether the operation happened is not known.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// Stored bytes do not read back. The operation did not happen.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
}

impl From<Damaged> for StoreError {
    fn from(Damaged(what): Damaged) -> Self {
        Self::Damaged(what.to_owned())
    }
}

/// Why a store could not be opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("{0} is in use by another process")]
    InUse(PathBuf),
    /// The file is something else, or damaged beyond what a crash leaves.
    #[error("{path} is no readable Ringwire store: {reason}; it was left as it is")]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// It was written by another version or with other fixed parameters.
    #[error("{path} has {what} {found}, this program needs {expected}; it was left as it is")]
    Incompatible {
        /// Which file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// What the file says.
        found: String,
        /// What this program needs.
        expected: String,
    },
    /// A server cannot be used.
    #[error("{address}: {reason}")]
    Server {
        /// Which server.
        address: String,
        /// Why.
        reason: String,
    },
    /// The operating system refused.
    #[error("{path}: {reason}")]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}
