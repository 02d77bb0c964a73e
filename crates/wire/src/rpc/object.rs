//! The members of a JSON object, not yet read.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::text::shortened;

/// Members of one object: no object of this protocol has so many, and each is compared with all others.
const MEMBERS: usize = 32;

/// A JSON object whose values are still text.
pub(crate) struct Object<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

/// Why a text is no object.
pub(crate) enum ObjectProblem {
    /// It is no JSON.
    Syntax(String),
    /// It is JSON, and something else or not acceptable.
    Shape(String),
}

impl<'a> Object<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, ObjectProblem> {
        serde_json::from_str(text).map_err(|error| match error.classify() {
            Category::Data => ObjectProblem::Shape(without_location(&error)),
            Category::Syntax | Category::Eof | Category::Io => ObjectProblem::Syntax(error.to_string()),
        })
    }

    /// The value of the member `name`.
    pub(crate) fn member(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    /// Takes the member `name` out.
    pub(crate) fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let at = self.0.iter().position(|(key, _)| key == name)?;
        Some(self.0.swap_remove(at).1)
    }

    /// The value of the member `name`, if it is a string.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        #[derive(Deserialize)]
        struct Borrowed<'b>(#[serde(borrow)] Cow<'b, str>);
        let Borrowed(text) = serde_json::from_str(self.member(name)?.get()).ok()?;
        Some(text)
    }

    /// The first member that is not among `known`.
    pub(crate) fn unknown(&self, known: &[&str]) -> Option<Cow<'_, str>> {
        self.0.iter().find(|(key, _)| !known.contains(&key.as_ref())).map(|(key, _)| shortened(key))
    }
}

/// The message of `error` without the line and column: frames have one line, and bodies are rewritten.
pub(crate) fn without_location(error: &serde_json::Error) -> String {
    let mut message = error.to_string();
    if let Some(at) = message.rfind(" at line ") {
        message.truncate(at);
    }
    message
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                #[derive(Deserialize)]
                struct Key<'b>(#[serde(borrow)] Cow<'b, str>);
                let mut members: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::with_capacity(4);
                while let Some((Key(key), value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                    if members.iter().any(|(known, _)| *known == key) {
                        return Err(A::Error::custom(format_args!("duplicate member {}", shortened(&key))));
                    }
                    if members.len() == MEMBERS {
                        return Err(A::Error::custom("too many members"));
                    }
                    members.push((key, value));
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}
