//! Bytes: a version, then a bincode body. The only file that names bincode.
//!
//! bincode is not self-describing, so every body is told apart by the byte before it, and the struct
//! behind a version never changes once it was released.

use std::fmt;

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use serde::{Deserialize, Serialize};

/// Bytes of the largest body: several times what the rules' limits allow for an invitation of 100
/// invitees with push settings, or for a doorbell that tells all of them.
pub const BODY_BYTES: usize = 1024 * 1024;

const CONFIG: Configuration<LittleEndian, Varint, Limit<BODY_BYTES>> =
    bincode::config::standard().with_limit::<BODY_BYTES>();

/// Why bytes could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// There are none.
    Empty,
    /// A newer release wrote them. The reader goes on without the body and asks the store.
    UnknownVersion(u8),
    /// They are not what their version says.
    Malformed(String),
    /// More follows after the body.
    TrailingBytes,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("there are no bytes"),
            Self::UnknownVersion(version) => write!(formatter, "version {version} is not known"),
            Self::Malformed(problem) => write!(formatter, "malformed: {problem}"),
            Self::TrailingBytes => formatter.write_str("bytes follow after the body"),
        }
    }
}

impl std::error::Error for DecodeError {}

impl DecodeError {
    pub(crate) fn malformed(problem: impl fmt::Display) -> Self {
        Self::Malformed(problem.to_string())
    }
}

/// Writes `body` behind its version.
#[must_use]
pub fn encode(version: u8, body: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    bytes.push(version);
    // The bound is the reader's: what was committed must be storable.
    bincode::serde::encode_into_std_write(body, &mut bytes, CONFIG.with_no_limit())
        .expect("a derived struct of known lengths can be encoded into memory");
    bytes
}

/// Splits bytes into their version and the body.
///
/// # Errors
/// There are no bytes.
pub fn split(bytes: &[u8]) -> Result<(u8, &[u8]), DecodeError> {
    bytes.split_first().map(|(version, body)| (*version, body)).ok_or(DecodeError::Empty)
}

/// Reads a body, which must be all of `body`. Texts may borrow from it.
///
/// # Errors
/// It is no `T`, is over [`BODY_BYTES`], or goes on after it.
pub fn decode<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, DecodeError> {
    let (value, read) = bincode::serde::borrow_decode_from_slice(body, CONFIG).map_err(DecodeError::malformed)?;
    if read == body.len() { Ok(value) } else { Err(DecodeError::TrailingBytes) }
}

/// `Vec<T>` for `#[serde(with = "…")]`, without trust in the length that the bytes claim.
pub(crate) mod list {
    use std::fmt;
    use std::marker::PhantomData;

    use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
    use serde::ser::{Serialize, Serializer};

    /// Elements for which room is made before any of them was read.
    const EXPECTED: usize = 128;

    pub(crate) fn serialize<T: Serialize, S: Serializer>(values: &[T], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values)
    }

    pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error> {
        struct Elements<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Elements<T> {
            type Value = Vec<T>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<T>, A::Error> {
                let mut values = Vec::with_capacity(elements.size_hint().unwrap_or(0).min(EXPECTED));
                while let Some(value) = elements.next_element()? {
                    values.push(value);
                }
                Ok(values)
            }
        }
        deserializer.deserialize_seq(Elements(PhantomData))
    }
}
