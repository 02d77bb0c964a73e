//! Who is asked before an invitation is created.

use serde::{Deserialize, Serialize};

use super::{HttpUrl, List, http_url};
use crate::webhook;

/// See `[authorization]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Authorization {
    /// The hook; none is asked without it.
    #[serde(with = "http_url::optional")]
    pub url: Option<HttpUrl>,
    /// Sign the questions: each with all of these.
    pub secrets: List<String>,
    /// Milliseconds that the hook may take to answer.
    pub timeout_ms: u64,
    /// What happens to an invite that the hook did not decide.
    pub on_failure: OnFailure,
    /// Questions at once.
    pub max_in_flight: u32,
}

/// What happens to an invite that the hook did not decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// It fails, and can be repeated.
    Deny,
    /// It goes on.
    Allow,
}

impl Authorization {
    /// The first setting that makes no sense, and why.
    pub(super) fn problem(&self, allow_private: bool) -> Option<(&'static str, &'static str)> {
        if !(100..=10_000).contains(&self.timeout_ms) {
            return Some(("authorization.timeout_ms", "must be between 100 and 10000"));
        }
        if !(1..=4_096).contains(&self.max_in_flight) {
            return Some(("authorization.max_in_flight", "must be between 1 and 4096"));
        }
        let url = self.url.as_ref()?;
        // Answers are not signed: whoever could change them could allow anything.
        if !url.is_encrypted() && !allow_private {
            return Some(("authorization.url", "must begin with https://, unless outbound.allow_private is set"));
        }
        webhook::secrets_problem(&self.secrets.0).map(|problem| ("authorization.secrets", problem))
    }
}
