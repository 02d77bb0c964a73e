//! The id that ties a response to its request.

use std::fmt;

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Characters in a textual id: room for a UUID and a prefix.
const ID_CHARS: usize = 64;

/// A client's name for one request on one connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(untagged)]
pub enum Id {
    /// A whole number.
    Number(i64),
    /// At most 64 characters.
    Text(String),
}

impl Id {
    pub(super) fn parse(raw: &RawValue) -> Result<Self, &'static str> {
        match raw.get().as_bytes() {
            [b'"', ..] => {
                let text: String = serde_json::from_str(raw.get()).map_err(|_| "id is not valid text")?;
                if text.chars().nth(ID_CHARS).is_some() {
                    Err("id is longer than 64 characters")
                } else {
                    Ok(Self::Text(text))
                }
            }
            [b'-' | b'0'..=b'9', ..] => {
                serde_json::from_str(raw.get()).map(Self::Number).map_err(|_| "id must be a whole number of 64 bits")
            }
            b"null" => Err("id must not be null"),
            _ => Err("id must be a whole number or a string"),
        }
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(&raw).map_err(D::Error::custom)
    }
}

impl From<i64> for Id {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(formatter),
            Self::Text(text) => text.fmt(formatter),
        }
    }
}
