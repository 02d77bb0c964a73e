//! What an issuer publishes: a JSON Web Key Set (RFC 7517), and the key in it that a token names.
//!
//! A key has exactly one algorithm, which follows from its kind and must be one of those that the operator
//! pinned. What a set says beyond that cannot widen what is accepted: keys that do not fit are left out.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, Header};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Keys of one set: an issuer has a few. More are no set of keys but somebody's mistake.
const KEYS: usize = 100;
/// Bits of the smallest RSA key (RFC 7518, section 3.3), and of the largest that can be used.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// The keys of an issuer that can be used.
#[derive(Default)]
pub(super) struct KeySet {
    keys: Vec<Arc<PublishedKey>>,
}

/// A key and all that it verifies.
pub(in crate::auth) struct PublishedKey {
    id: Option<String>,
    /// The only algorithm of its tokens.
    pub(in crate::auth) algorithm: Algorithm,
    /// What verifies their signatures.
    pub(in crate::auth) decoding: DecodingKey,
}

/// Which key a token names.
pub(super) enum Named {
    /// This one.
    Key(Arc<PublishedKey>),
    /// None that is in the set; it may have come in since.
    Unknown,
    /// One of another algorithm, or one of several.
    Unfit(&'static str),
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct PublicKey {
    kty: String,
    crv: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads a set, leaving out what is not for one of the `pinned` algorithms.
    ///
    /// # Errors
    /// It is no set of keys at all, for people.
    pub(super) fn parse(document: &[u8], pinned: &[Algorithm]) -> Result<Self, String> {
        // Of the error only the place: its text may repeat what was sent, whatever that is.
        let document: Document<'_> = serde_json::from_slice(document)
            .map_err(|error| format!("is no JSON Web Key Set (line {}, column {})", error.line(), error.column()))?;
        if document.keys.len() > KEYS {
            return Err(format!("has {} keys, more than {KEYS}", document.keys.len()));
        }
        let mut keys = Vec::new();
        for raw in document.keys {
            match read(raw, pinned) {
                Ok(key) => keys.push(Arc::new(key)),
                Err(reason) => tracing::debug!(reason, "a published key is left out"),
            }
        }
        Ok(Self { keys })
    }

    /// How many keys can be used.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The key that a token's header names, by id, or without one the only key of its algorithm. Nothing else in
    /// the header is looked at, so that it cannot bring a key of its own.
    pub(super) fn named_by(&self, header: &Header) -> Named {
        let fits = |key: &&Arc<PublishedKey>| key.algorithm == header.alg;
        if let Some(id) = &header.kid {
            let mut of_id = self.keys.iter().filter(|key| key.id.as_ref() == Some(id)).peekable();
            return match (of_id.peek().is_some(), of_id.find(fits)) {
                (_, Some(key)) => Named::Key(Arc::clone(key)),
                (true, None) => Named::Unfit("the token's algorithm is not that of its key"),
                (false, None) => Named::Unknown,
            };
        }
        let mut fitting = self.keys.iter().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Named::Key(Arc::clone(key)),
            (None, _) => Named::Unknown,
            (Some(_), Some(_)) => Named::Unfit("the token names none of its issuer's keys"),
        }
    }
}

fn read(raw: &RawValue, pinned: &[Algorithm]) -> Result<PublishedKey, &'static str> {
    let key: PublicKey = serde_json::from_str(raw.get()).map_err(|_| "it is no JSON Web Key")?;
    if key.purpose.as_ref().is_some_and(|purpose| purpose != "sig") {
        return Err("it is not for signatures");
    }
    if key.key_ops.as_ref().is_some_and(|operations| !operations.iter().any(|operation| operation == "verify")) {
        return Err("it does not verify");
    }
    let (algorithm, name, decoding) = match (key.kty.as_str(), key.crv.as_deref(), &key.n, &key.e, &key.x, &key.y) {
        ("RSA", None, Some(n), Some(e), _, _) => (Algorithm::RS256, "RS256", DecodingKey::from_rsa_components(n, e)),
        ("EC", Some("P-256"), _, _, Some(x), Some(y)) => {
            (Algorithm::ES256, "ES256", DecodingKey::from_ec_components(x, y))
        }
        ("OKP", Some("Ed25519"), _, _, Some(x), _) => (Algorithm::EdDSA, "EdDSA", DecodingKey::from_ed_components(x)),
        _ => return Err("no accepted algorithm uses its kind"),
    };
    if key.alg.is_some_and(|alg| alg != name) || !pinned.contains(&algorithm) {
        return Err("it is for an algorithm that is not accepted");
    }
    let decoding = decoding.map_err(|_| "it cannot be read")?;
    if let DecodingKeyKind::RsaModulusExponent { n, .. } = decoding.kind()
        && !RSA_BITS.contains(&bits(n))
    {
        return Err("RSA keys must have 2048 to 4096 bits");
    }
    Ok(PublishedKey { id: key.kid, algorithm, decoding })
}

/// Bits of a number that is written in bytes, the greatest first.
fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    match number.get(zeros) {
        Some(first) => (number.len() - zeros) * 8 - first.leading_zeros() as usize,
        None => 0,
    }
}
