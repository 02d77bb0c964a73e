//! Whose tokens are accepted: JSON Web Tokens (RFC 7519) under configured keys.
//!
//! Every key has one algorithm, and a token's `alg` must be that of the key that verifies it, so a
//! token cannot choose how it is checked (RFC 8725, section 3.1).

mod key_file;

use std::collections::HashSet;
use std::path::Path;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ringwire_signaling::{UnixMillis, UserId};
use serde::{Deserialize, Serialize};

use crate::config::{self, KeyAlgorithm};

pub use key_file::{KeyFileError, Missing, make_data_directory, signing_secret};

/// Bytes of the longest token that is looked at.
const TOKEN_BYTES: usize = 8 * 1024;

/// Verifies tokens.
pub struct Authenticator {
    keys: Vec<Key>,
    issuer: Option<String>,
    audience: Option<String>,
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
        Ok(Self { keys, issuer: set(&auth.issuer), audience: set(&auth.audience) })
    }

    /// Verifies a token at the time `now`.
    ///
    /// # Errors
    /// A reason that may be told to whoever sent the token.
    pub fn verify(&self, token: &str, now: UnixMillis) -> Result<Identity, &'static str> {
        if token.len() > TOKEN_BYTES {
            return Err("the token is too long");
        }
        let header = jsonwebtoken::decode_header(token)
            .map_err(|_| "the token is no JSON Web Token with an accepted algorithm")?;
        let mut candidates = self.keys.iter().filter(|key| key.fits(&header));
        let claims = candidates
            .find_map(|key| {
                let data = jsonwebtoken::decode::<Claims>(token, &key.decoding, &self.validation(key)).ok()?;
                (key.issuer.is_none() || key.issuer == data.claims.iss).then_some(data.claims)
            })
            .ok_or("the token is not valid under any key")?;
        let expires_at = milliseconds(claims.exp);
        if expires_at <= now {
            return Err("the token has expired");
        }
        if claims.nbf.is_some_and(|from| milliseconds(from) > now) {
            return Err("the token is not valid yet");
        }
        if self.issuer.is_some() && self.issuer != claims.iss {
            return Err("the token is of another issuer");
        }
        let user = UserId::parse(&claims.sub).map_err(|_| "the token's sub is no user id")?;
        Ok(Identity { user, is_server: claims.role.as_deref() == Some("server"), expires_at })
    }

    /// Signature and audience are the library's; time is checked against the node's clock.
    fn validation(&self, key: &Key) -> Validation {
        let mut validation = Validation::new(key.algorithm);
        validation.validate_exp = false;
        validation.required_spec_claims = HashSet::from(["exp".to_owned(), "sub".to_owned()]);
        match &self.audience {
            Some(audience) => {
                validation.set_audience(&[audience]);
                validation.required_spec_claims.insert("aud".to_owned());
            }
            None => validation.validate_aud = false,
        }
        validation
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
    let (algorithm, decoding) = match key.algorithm {
        KeyAlgorithm::HS256 => {
            let secret = key.secret.as_ref().ok_or("needs a secret")?;
            (Algorithm::HS256, DecodingKey::from_secret(secret.as_bytes()))
        }
        KeyAlgorithm::RS256 => (Algorithm::RS256, DecodingKey::from_rsa_pem(&pem()?).map_err(unusable)?),
        KeyAlgorithm::ES256 => (Algorithm::ES256, DecodingKey::from_ec_pem(&pem()?).map_err(unusable)?),
        KeyAlgorithm::EdDSA => (Algorithm::EdDSA, DecodingKey::from_ed_pem(&pem()?).map_err(unusable)?),
    };
    Ok(Key { id: key.id.clone(), algorithm, issuer: key.issuer.clone(), decoding })
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
