//! Why an operation inside the store ended without an outcome.

use crate::bytes::Damaged;
use crate::error::StoreError;

/// Told apart because the first ends one operation and the second everything under way.
#[derive(Debug)]
pub(super) enum Fault {
    /// One row does not read back.
    Damaged(&'static str),
    /// The database failed: nothing can be done until it is opened again.
    Storage(String),
}

impl From<Damaged> for Fault {
    fn from(Damaged(what): Damaged) -> Self {
        Self::Damaged(what)
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Damaged(what) => Self::Damaged(what.to_owned()),
            Fault::Storage(reason) => Self::Unavailable(reason),
        }
    }
}

macro_rules! storage_faults {
    ($($error:ty),*) => {
        $(impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                Self::Storage(error.to_string())
            }
        })*
    };
}

storage_faults!(redb::StorageError, redb::TableError, redb::TransactionError, redb::CommitError);
