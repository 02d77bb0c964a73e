//! What requests of the node to configured URLs may reach, and whom they trust.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// See `[outbound]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Outbound {
    /// Whether addresses that are not public may be asked.
    pub allow_private: bool,
    /// An authority that is trusted beside those that the system trusts; empty for none.
    pub ca_file: PathBuf,
}
