//! Whose tokens are accepted.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::HttpUrl;

/// See `[auth]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Shared secret; empty for the generated one.
    pub hs256_secret: String,
    /// Required `iss`, if not empty.
    pub issuer: String,
    /// Required `aud`, if not empty.
    pub audience: String,
    /// Further keys.
    pub keys: Vec<Key>,
    /// Issuers that publish their keys.
    pub issuers: Vec<Issuer>,
    /// Seconds between two looks at published keys.
    pub jwks_refresh_s: u64,
    /// Seconds between two looks that tokens under unknown keys cause.
    pub jwks_throttle_s: u64,
}

/// One of `[[auth.issuers]]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// The `iss` of its tokens, which no other key verifies.
    pub issuer: String,
    /// Where it publishes its keys, as a JSON Web Key Set (RFC 7517).
    pub jwks_url: HttpUrl,
    /// What it may sign with.
    pub algorithms: Vec<KeyAlgorithm>,
    /// Required `aud`, if not that of all tokens.
    pub audience: Option<String>,
}

/// One of `[[auth.keys]]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Only for tokens with this `kid`.
    pub id: Option<String>,
    /// The only algorithm this key verifies.
    pub algorithm: KeyAlgorithm,
    /// Shared secret, for HS256.
    pub secret: Option<String>,
    /// PEM text, for the others.
    pub public_key: Option<String>,
    /// Or a file with it.
    pub public_key_file: Option<PathBuf>,
    /// Only for tokens with this `iss`.
    pub issuer: Option<String>,
}

/// Signature algorithms that tokens may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum KeyAlgorithm {
    /// HMAC with SHA-256.
    HS256,
    /// RSA with SHA-256.
    RS256,
    /// ECDSA over P-256 with SHA-256.
    ES256,
    /// Ed25519.
    EdDSA,
}

impl Auth {
    /// Whether there are keys beside the shared secret: then none is made.
    #[must_use]
    pub fn has_public_keys(&self) -> bool {
        !self.keys.is_empty() || !self.issuers.is_empty()
    }

    /// The first setting that makes no sense, and why.
    pub(super) fn problem(&self, allow_private: bool) -> Option<(&'static str, String)> {
        if self.jwks_refresh_s == 0 || self.jwks_throttle_s == 0 {
            return Some(("auth.jwks_refresh_s", "and jwks_throttle_s must be at least 1".into()));
        }
        for (number, issuer) in self.issuers.iter().enumerate() {
            let name = &issuer.issuer;
            if let Some((key, problem)) = issuer.problem(allow_private) {
                return Some((key, format!("{name:?} {problem}")));
            }
            if self.issuers[..number].iter().any(|other| other.issuer == *name) {
                return Some(("auth.issuers.issuer", format!("{name:?} is there twice")));
            }
            // Its tokens are verified by what it publishes and by nothing else, so that this would have no effect.
            if self.issuer == *name {
                return Some(("auth.issuer", format!("{name:?} is in auth.issuers too: leave it out here")));
            }
            if self.keys.iter().any(|key| key.issuer.as_ref() == Some(name)) {
                return Some((
                    "auth.keys.issuer",
                    format!("{name:?} is in auth.issuers, and its tokens know no other key"),
                ));
            }
        }
        None
    }
}

impl Issuer {
    fn problem(&self, allow_private: bool) -> Option<(&'static str, &'static str)> {
        let repeats = |(at, algorithm)| self.algorithms[..at].contains(algorithm);
        if self.issuer.is_empty() {
            return Some(("auth.issuers.issuer", "must not be empty"));
        }
        if self.algorithms.is_empty() || self.algorithms.iter().enumerate().any(repeats) {
            return Some(("auth.issuers.algorithms", "needs at least one algorithm, and each of them once"));
        }
        if self.algorithms.contains(&KeyAlgorithm::HS256) {
            return Some(("auth.issuers.algorithms", "must not name HS256: what is published is no secret"));
        }
        if !self.jwks_url.is_encrypted() && !allow_private {
            return Some(("auth.issuers.jwks_url", "must begin with https://, unless outbound.allow_private is set"));
        }
        None
    }
}
