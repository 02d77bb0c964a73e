//! How ids and other values that the rules crate parses from text appear in serialized structs.
//!
//! Modules for `#[serde(with = "…")]`, because the rules crate knows nothing of serialization. An
//! element that does not parse is an error at its own place, so that a path can name it.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// Characters of a client's text that an error message repeats.
const ECHOED_CHARS: usize = 64;

/// The beginning of a client's text, for an error message.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(ECHOED_CHARS) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    }
}

/// A value that is text on the wire.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Text<T>(pub(crate) T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parser<T>(PhantomData<T>);
        impl<T: FromStr<Err: Display>> Visitor<'_> for Parser<T> {
            type Value = T;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Parser(PhantomData)).map(Self)
    }
}

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

pub(crate) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Text::deserialize(deserializer).map(|Text(value)| value)
}

/// `Option<T>`.
pub(crate) mod optional {
    use super::{Deserialize, Deserializer, Display, FromStr, Serialize, Serializer, Text};

    // Serde hands a reference to the field, whatever its type.
    #[allow(clippy::ref_option)]
    pub(crate) fn serialize<T: Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(Text).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        Ok(Option::<Text<T>>::deserialize(deserializer)?.map(|Text(value)| value))
    }
}

/// `Vec<T>`.
pub(crate) mod list {
    use super::{Deserialize, Deserializer, Display, FromStr, Serializer, Text};

    pub(crate) fn serialize<T: Display, S: Serializer>(values: &[T], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(Text))
    }

    pub(crate) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error> {
        Ok(Vec::<Text<T>>::deserialize(deserializer)?.into_iter().map(|Text(value)| value).collect())
    }
}

/// `Vec<T>`, where empty texts are dropped when read.
pub(crate) mod list_without_empty {
    pub(crate) use super::list::serialize;
    use super::{Deserialize, Deserializer, Display, FromStr, Text};

    struct MaybeEmpty<T>(Option<T>);

    impl<T: FromStr> FromStr for MaybeEmpty<T> {
        type Err = T::Err;
        fn from_str(text: &str) -> Result<Self, T::Err> {
            if text.is_empty() { Ok(Self(None)) } else { text.parse().map(Some).map(Self) }
        }
    }

    pub(crate) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error> {
        let values = Vec::<Text<MaybeEmpty<T>>>::deserialize(deserializer)?;
        Ok(values.into_iter().filter_map(|Text(MaybeEmpty(value))| value).collect())
    }
}

/// `Option<Vec<T>>`.
pub(crate) mod optional_list {
    use super::{Deserialize, Deserializer, Display, FromStr, Serializer, Text};

    // Serde hands a reference to the field, whatever its type.
    #[allow(clippy::ref_option)]
    pub(crate) fn serialize<T: Display, S: Serializer>(
        values: &Option<Vec<T>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match values {
            Some(values) => super::list::serialize(values, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<T>>, D::Error> {
        let values = Option::<Vec<Text<T>>>::deserialize(deserializer)?;
        Ok(values.map(|values| values.into_iter().map(|Text(value)| value).collect()))
    }
}

/// `Option<Cow<[T]>>`: borrowed when written, owned when read.
pub(crate) mod optional_cow_list {
    use super::{Cow, Deserializer, Display, FromStr, Serializer};

    // Serde hands a reference to the field, whatever its type.
    #[allow(clippy::ref_option)]
    pub(crate) fn serialize<T: Display + Clone, S: Serializer>(
        values: &Option<Cow<'_, [T]>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match values {
            Some(values) => super::list::serialize(values, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, 'a, T: FromStr<Err: Display> + Clone, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Cow<'a, [T]>>, D::Error> {
        Ok(super::optional_list::deserialize(deserializer)?.map(Cow::Owned))
    }
}

/// A struct that is written as a JSON object and only as that: serde would also take an array.
pub(crate) mod object {
    use super::{Deserialize, Deserializer, Error, MapAccess, MapAccessDeserializer, PhantomData, Visitor, fmt};

    pub(crate) struct Only<T>(pub(crate) T);

    impl<'de, T: Deserialize<'de>> Deserialize<'de> for Only<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Fields<T>(PhantomData<T>);
            impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
                type Value = T;
                fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                    formatter.write_str("an object")
                }
                fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                    T::deserialize(MapAccessDeserializer::new(map))
                }
            }
            deserializer.deserialize_map(Fields(PhantomData)).map(Self)
        }
    }

    pub(crate) fn optional<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        Ok(Option::<Only<T>>::deserialize(deserializer)?.map(|Only(value)| value))
    }

    /// The text of any JSON object, kept as it was written.
    pub(crate) fn raw<'de, D: Deserializer<'de>>(deserializer: D) -> Result<std::sync::Arc<str>, D::Error> {
        let raw = Option::<Box<serde_json::value::RawValue>>::deserialize(deserializer)?;
        match raw {
            None => Ok("".into()),
            Some(raw) if raw.get().starts_with('{') => Ok(raw.get().into()),
            Some(_) => Err(D::Error::custom("invalid type, expected an object")),
        }
    }

    /// Writes what [`raw`] read.
    pub(crate) fn serialize_raw<S: serde::Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::{Error, Serialize};
        let raw: &serde_json::value::RawValue = serde_json::from_str(text).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// `BTreeMap<T, V>` whose keys are text.
pub(crate) mod map {
    use std::collections::BTreeMap;

    use super::{Deserialize, Deserializer, Display, FromStr, Serialize, Serializer, Text};

    pub(crate) fn serialize<T: Display, V: Serialize, S: Serializer>(
        values: &BTreeMap<T, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(values.iter().map(|(key, value)| (Text(key), value)))
    }

    pub(crate) fn deserialize<'de, T, V, D>(deserializer: D) -> Result<BTreeMap<T, V>, D::Error>
    where
        T: FromStr<Err: Display> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        let values = BTreeMap::<Text<T>, V>::deserialize(deserializer)?;
        Ok(values.into_iter().map(|(Text(key), value)| (key, value)).collect())
    }
}

/// `Option<BTreeMap<T, V>>` whose keys are text.
pub(crate) mod optional_map {
    use std::collections::BTreeMap;

    use super::{Deserialize, Deserializer, Display, FromStr, Serialize, Serializer, Text};

    // Serde hands a reference to the field, whatever its type.
    #[allow(clippy::ref_option)]
    pub(crate) fn serialize<T: Display, V: Serialize, S: Serializer>(
        values: &Option<BTreeMap<T, V>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match values {
            Some(values) => super::map::serialize(values, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, T, V, D>(deserializer: D) -> Result<Option<BTreeMap<T, V>>, D::Error>
    where
        T: FromStr<Err: Display> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        let values = Option::<BTreeMap<Text<T>, V>>::deserialize(deserializer)?;
        Ok(values.map(|values| values.into_iter().map(|(Text(key), value)| (key, value)).collect()))
    }
}

/// Text that was left out.
pub(crate) fn none() -> std::sync::Arc<str> {
    "".into()
}

// Serde hands a reference to the field, whatever its type.
#[allow(clippy::trivially_copy_pass_by_ref)]
pub(crate) fn is_empty(text: &str) -> bool {
    text.is_empty()
}
