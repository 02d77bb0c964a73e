//! Lists that can also be set by an environment variable: an array, or text with commas.

use serde::{Deserialize, Deserializer, Serialize};

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Array(Vec<String>),
    Text(String),
}

/// A list whose items are checked as they are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct List<T>(pub Vec<T>);

impl<'de, T: TryFrom<String, Error: std::fmt::Display>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = match Written::deserialize(deserializer)? {
            Written::Array(items) => items,
            Written::Text(text) => {
                text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
            }
        };
        let items = items.into_iter().map(|item| T::try_from(item).map_err(serde::de::Error::custom));
        items.collect::<Result<_, _>>().map(Self)
    }
}
