//! Whose tokens are accepted: JSON Web Tokens (RFC 7519) under configured keys and under those that configured
//! issuers publish.
//!
//! Every key has one algorithm, and a token's `alg` must be that of the key that verifies it, so a
//! token cannot choose how it is checked (RFC 8725, section 3.1). A token of an issuer that publishes keys is
//! verified by these and by nothing else, and they verify no other tokens.

mod jwks;
mod key_file;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ringwire_signaling::{UnixMillis, UserId};
use ringwire_wire::error::ErrorBody;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use crate::config::{self, KeyAlgorithm};
use crate::metrics::Metrics;
use crate::outbound::Outbound;
use jwks::{Jwks, Search};

pub use key_file::{KeyFileError, Missing, make_data_directory, signing_secret};

/// Bytes of the longest token that is looked at.
const TOKEN_BYTES: usize = 8 * 1024;

/// Verifies tokens.
pub struct Authenticator {
    keys: Vec<Key>,
    issuer: Option<String>,
    audience: Option<String>,
    published: Vec<Arc<Jwks>>,
}

struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    issuer: Option<String>,
    decoding: DecodingKey,
}

/// What a valid token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user it names.
    pub user: UserId,
    /// It belongs to a server of the operator's, which may act for any user.
    pub is_server: bool,
    /// When it expires.
    pub expires_at: UnixMillis,
}

/// What a token claims. Other claims are not looked at.
#[derive(Debug, Deserialize, Serialize)]
struct Claims {
    sub: String,
    exp: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// It is not valid, for a reason that may be told to whoever sent it.
    Refused(&'static str),
    /// It may be valid, but its issuer's keys cannot be fetched.
    Unavailable {
        /// When to try again.
        retry_after_ms: u64,
    },
}

impl From<TokenError> for ErrorBody {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Refused(reason) => Self::unauthenticated(reason),
            TokenError::Unavailable { retry_after_ms } => {
                let message = "the keys of the token's issuer cannot be fetched".to_owned();
                Self { message, ..Self::unavailable(retry_after_ms) }
            }
        }
    }
}

/// Why a token is not accepted with the keys that are here.
enum Doubt {
    /// See [`TokenError::Refused`].
    Refused(&'static str),
    /// It names a key that this issuer may have published since.
    UnknownKey(Arc<Jwks>),
}

impl From<&'static str> for Doubt {
    fn from(reason: &'static str) -> Self {
        Self::Refused(reason)
    }
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(String);

impl Authenticator {
    /// Takes the configured keys, and the secret that signs this installation's own tokens, if it has one.
    ///
    /// # Errors
    /// A key that does not fit its algorithm, or whose file cannot be read.
    pub fn new(auth: &config::Auth, secret: Option<&[u8]>) -> Result<Self, KeyError> {
        let own = secret.map(DecodingKey::from_secret);
        let mut keys: Vec<Key> = own
            .map(|decoding| Key { id: None, algorithm: Algorithm::HS256, issuer: None, decoding })
            .into_iter()
            .collect();
        for (number, key) in auth.keys.iter().enumerate() {
            keys.push(read_key(key).map_err(|problem| KeyError(format!("auth.keys[{number}]: {problem}")))?);
        }
        let set = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let published = auth.issuers.iter().map(|issuer| Arc::new(Jwks::new(issuer, auth))).collect();
        Ok(Self { keys, issuer: set(&auth.issuer), audience: set(&auth.audience), published })
    }

    /// Starts to fetch what issuers publish.
    pub(crate) fn fetch_keys(&self, outbound: &Outbound, metrics: &Arc<Metrics>) -> Vec<JoinHandle<()>> {
        let keep = |jwks: &Arc<Jwks>| actix::spawn(Arc::clone(jwks).keep(outbound.clone(), Arc::clone(metrics)));
        self.published.iter().map(keep).collect()
    }

    /// Verifies a token at the time `now`. Waits only if it names a key that its issuer may have published since the
    /// last look, and then for a short time.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub async fn verify(&self, token: &str, now: UnixMillis) -> Result<Identity, TokenError> {
        let jwks = match self.check(token, now) {
            Ok(identity) => return Ok(identity),
            Err(Doubt::Refused(reason)) => return Err(TokenError::Refused(reason)),
            Err(Doubt::UnknownKey(jwks)) => jwks,
        };
        // On the heap, so that connections do not hold the room for what hardly ever happens.
        Box::pin(jwks.look_again()).await?;
        self.check(token, now).map_err(|doubt| match doubt {
            Doubt::Refused(reason) => TokenError::Refused(reason),
            Doubt::UnknownKey(_) => TokenError::Refused("the token's issuer has no such key"),
        })
    }

    /// Verifies a token with the keys that are here.
    fn check(&self, token: &str, now: UnixMillis) -> Result<Identity, Doubt> {
        if token.len() > TOKEN_BYTES {
            return Err("the token is too long".into());
        }
        let header = jsonwebtoken::decode_header(token)
            .map_err(|_| "the token is no JSON Web Token with an accepted algorithm")?;
        match self.publisher(token) {
            Some((jwks, claimed)) => self.under_published_key(jwks, token, &header, &claimed, now),
            None => Ok(self.under_configured_key(token, &header, now)?),
        }
    }

    /// The issuer that the token claims to be of, if it publishes keys, with all that the token claims.
    fn publisher(&self, token: &str) -> Option<(&Arc<Jwks>, Claims)> {
        if self.published.is_empty() {
            return None;
        }
        let claimed: Claims = jsonwebtoken::dangerous::insecure_decode_claims(token).ok()?;
        let jwks = self.published.iter().find(|jwks| claimed.iss.as_deref() == Some(jwks.issuer()))?;
        Some((jwks, claimed))
    }

    fn under_published_key(
        &self,
        jwks: &Arc<Jwks>,
        token: &str,
        header: &Header,
        claimed: &Claims,
        now: UnixMillis,
    ) -> Result<Identity, Doubt> {
        // First, so that an old token under a key that is long gone makes nobody ask for it.
        claimed.in_time(now)?;
        let key = match jwks.search(header) {
            Search::Found(key) => key,
            Search::Missing => return Err(Doubt::UnknownKey(Arc::clone(jwks))),
            Search::Refused(reason) => return Err(Doubt::Refused(reason)),
        };
        let validation = validation(key.algorithm, jwks.audience().or(self.audience.as_ref()));
        let claims = jsonwebtoken::decode::<Claims>(token, &key.decoding, &validation)
            .map_err(|_| "the token is not valid under its issuer's key")?
            .claims;
        if claims.iss.as_deref() != Some(jwks.issuer()) {
            return Err("the token is of another issuer".into());
        }
        Ok(claims.identity(now)?)
    }

    fn under_configured_key(&self, token: &str, header: &Header, now: UnixMillis) -> Result<Identity, &'static str> {
        let mut candidates = self.keys.iter().filter(|key| key.fits(header));
        let claims = candidates
            .find_map(|key| {
                let validation = validation(key.algorithm, self.audience.as_ref());
                let data = jsonwebtoken::decode::<Claims>(token, &key.decoding, &validation).ok()?;
                (key.issuer.is_none() || key.issuer == data.claims.iss).then_some(data.claims)
            })
            .ok_or("the token is not valid under any key")?;
        if self.issuer.is_some() && self.issuer != claims.iss {
            return Err("the token is of another issuer");
        }
        claims.identity(now)
    }
}

/// Signature and audience are the library's; time is checked against the node's clock.
fn validation(algorithm: Algorithm, audience: Option<&String>) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.required_spec_claims = HashSet::from(["exp".to_owned(), "sub".to_owned()]);
    match audience {
        Some(audience) => {
            validation.set_audience(&[audience]);
            validation.required_spec_claims.insert("aud".to_owned());
        }
        None => validation.validate_aud = false,
    }
    validation
}

impl Claims {
    fn in_time(&self, now: UnixMillis) -> Result<(), &'static str> {
        if milliseconds(self.exp) <= now {
            return Err("the token has expired");
        }
        if self.nbf.is_some_and(|from| milliseconds(from) > now) {
            return Err("the token is not valid yet");
        }
        Ok(())
    }

    /// Whom verified claims name.
    fn identity(&self, now: UnixMillis) -> Result<Identity, &'static str> {
        self.in_time(now)?;
        let user = UserId::parse(&self.sub).map_err(|_| "the token's sub is no user id")?;
        Ok(Identity { user, is_server: self.role.as_deref() == Some("server"), expires_at: milliseconds(self.exp) })
    }
}

impl Key {
    fn fits(&self, header: &Header) -> bool {
        self.algorithm == header.alg && (self.id.is_none() || self.id == header.kid)
    }
}

/// Makes a token that this node accepts.
///
/// # Errors
/// When the claims cannot be signed.
pub fn issue(
    auth: &config::Auth,
    secret: &[u8],
    user: &UserId,
    role: Option<&str>,
    expires_at: UnixMillis,
) -> Result<String, KeyError> {
    #[derive(Serialize)]
    struct Issued<'a> {
        sub: &'a str,
        exp: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        role: Option<&'a str>,
        #[serde(skip_serializing_if = "str::is_empty")]
        iss: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        aud: &'a str,
    }
    let claims = Issued { sub: user.as_str(), exp: expires_at.0 / 1000, role, iss: &auth.issuer, aud: &auth.audience };
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(secret))
        .map_err(|error| KeyError(error.to_string()))
}

/// `NumericDate` of RFC 7519: seconds, possibly with a fraction.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, as a date should")]
fn milliseconds(seconds: f64) -> UnixMillis {
    UnixMillis((seconds * 1000.0) as u64)
}

fn read_key(key: &config::Key) -> Result<Key, String> {
    let pem = || match (&key.public_key, &key.public_key_file) {
        (Some(text), None) => Ok(text.clone().into_bytes()),
        (None, Some(path)) => read_file(path),
        (Some(_), Some(_)) | (None, None) => Err("needs one of public_key and public_key_file".to_owned()),
    };
    let unusable = |error: jsonwebtoken::errors::Error| format!("is no {:?} public key: {error}", key.algorithm);
    let decoding = match key.algorithm {
        KeyAlgorithm::HS256 => DecodingKey::from_secret(key.secret.as_ref().ok_or("needs a secret")?.as_bytes()),
        KeyAlgorithm::RS256 => DecodingKey::from_rsa_pem(&pem()?).map_err(unusable)?,
        KeyAlgorithm::ES256 => DecodingKey::from_ec_pem(&pem()?).map_err(unusable)?,
        KeyAlgorithm::EdDSA => DecodingKey::from_ed_pem(&pem()?).map_err(unusable)?,
    };
    Ok(Key { id: key.id.clone(), algorithm: algorithm_of(key.algorithm), issuer: key.issuer.clone(), decoding })
}

fn algorithm_of(configured: KeyAlgorithm) -> Algorithm {
    match configured {
        KeyAlgorithm::HS256 => Algorithm::HS256,
        KeyAlgorithm::RS256 => Algorithm::RS256,
        KeyAlgorithm::ES256 => Algorithm::ES256,
        KeyAlgorithm::EdDSA => Algorithm::EdDSA,
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
