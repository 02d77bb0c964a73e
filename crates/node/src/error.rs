//! Why an operation did not succeed, before it is put into the words of a protocol.

use ringwire_signaling::Refusal;
use ringwire_store::StoreError;
use ringwire_wire::error::ErrorBody;

/// Milliseconds after which a client should repeat an operation whose outcome is not known.
const UNAVAILABLE_RETRY_MS: u64 = 500;

/// Why an operation did not succeed.
#[derive(Clone, Debug)]
pub(crate) enum OperationError {
    /// The domain says no.
    Refused(Refusal),
    /// The operator's hook denies it, in these words.
    Denied(String),
    /// The operator's hook could not be asked, and nothing is done without it.
    NotAuthorized {
        /// When to try again.
        retry_after_ms: u64,
    },
    /// The outcome is not known to this node.
    Unavailable,
}

impl From<Refusal> for OperationError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for OperationError {
    fn from(error: StoreError) -> Self {
        tracing::debug!(%error, "store operation failed");
        Self::Unavailable
    }
}

impl From<OperationError> for ErrorBody {
    fn from(error: OperationError) -> Self {
        match error {
            OperationError::Refused(refusal) => Self::from(&refusal),
            OperationError::Denied(reason) => Self::forbidden(reason),
            OperationError::NotAuthorized { retry_after_ms } => {
                let mut body = Self::unavailable(retry_after_ms.max(UNAVAILABLE_RETRY_MS));
                "the invitation was not created: whether it may be could not be found out; try again"
                    .clone_into(&mut body.message);
                body
            }
            OperationError::Unavailable => Self::unavailable(UNAVAILABLE_RETRY_MS),
        }
    }
}
