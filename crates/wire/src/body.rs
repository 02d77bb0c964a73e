//! Typed parameters from JSON text, with errors that name the parameter.
//!
//! The same structs serve JSON-RPC `params` and HTTP bodies. An HTTP body may also say who acts
//! (`as`, for servers) and with which device, and takes the invitation's id from the path.

use std::borrow::Cow;

use ringwire_signaling::{DeviceId, InvitationId, UserId};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::error::ErrorBody;
use crate::rpc::{Object, ObjectProblem};
use crate::text::{object::Only, shortened};

/// Parameters of one operation.
pub trait Params: DeserializeOwned {
    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// The name of a field and what is wrong with it.
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        Ok(())
    }
}

impl<T: Params> Params for Box<T> {
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        T::check(self)
    }
}

/// An HTTP request's parameters, and who makes it.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpBody<T> {
    /// The user for whom a server acts: the member `as`.
    pub acting_for: Option<UserId>,
    /// The device that acts: the member `device_id`.
    pub device: Option<DeviceId>,
    /// The operation's own parameters.
    pub params: T,
}

/// Reads parameters from a JSON body.
///
/// # Errors
/// `parse_error`, or `invalid_params` with the field.
pub fn parse_body<T: Params>(bytes: &[u8]) -> Result<T, ErrorBody> {
    parse_text(utf8(bytes)?)
}

/// Reads the body of an HTTP request, whose path may name the invitation.
///
/// An empty body counts as an empty object.
///
/// # Errors
/// `parse_error`, or `invalid_params` with the field; also when the body names an invitation itself
/// although the path does.
pub fn parse_http_body<T: Params>(bytes: &[u8], invitation: Option<InvitationId>) -> Result<HttpBody<T>, ErrorBody> {
    let text = match utf8(bytes)? {
        "" => "{}",
        text => text,
    };
    let mut object = Object::parse(text).map_err(|problem| match problem {
        ObjectProblem::Syntax(problem) => ErrorBody::parse_error(problem),
        ObjectProblem::Shape(problem) => ErrorBody::invalid_params("body", &problem),
    })?;
    let acting_for = object.take("as").map(|raw| id("as", raw)).transpose()?.flatten();
    let device = object.take("device_id").map(|raw| id("device_id", raw)).transpose()?.flatten();
    let mut rest = String::with_capacity(text.len() + 64);
    rest.push('{');
    if let Some(invitation) = invitation {
        if object.member("invitation_id").is_some() {
            return Err(ErrorBody::invalid_params("invitation_id", "is named by the path"));
        }
        push_member(&mut rest, "invitation_id", &format!("\"{invitation}\""));
    }
    for (name, value) in &object.0 {
        push_member(&mut rest, name, value.get());
    }
    rest.push('}');
    Ok(HttpBody { acting_for, device, params: parse_text(&rest)? })
}

/// Reads an HTTP query, already split and decoded, as if its pairs were members of a body.
///
/// # Errors
/// As [`parse_http_body`].
pub fn parse_http_query<'a, T: Params>(
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<HttpBody<T>, ErrorBody> {
    let mut text = String::from("{");
    for (name, value) in pairs {
        let is_number = name == "limit" && value.parse::<u32>().is_ok_and(|number| number.to_string() == value);
        if is_number {
            push_member(&mut text, name, value);
        } else {
            push_member(&mut text, name, &quoted(value));
        }
    }
    text.push('}');
    parse_http_body(text.as_bytes(), None)
}

/// Reads parameters from the text of a JSON value.
pub(crate) fn parse_text<T: Params>(text: &str) -> Result<T, ErrorBody> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let Only(params) = serde_path_to_error::deserialize::<_, Only<T>>(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        explain(path, &error.into_inner())
    })?;
    deserializer.end().map_err(|error| ErrorBody::parse_error(error.to_string()))?;
    params.check().map_err(|(field, problem)| ErrorBody::invalid_params(field, problem))?;
    Ok(params)
}

fn explain(path: String, error: &serde_json::Error) -> ErrorBody {
    if !error.is_data() {
        return ErrorBody::parse_error(error.to_string());
    }
    let message = crate::rpc::without_location(error);
    let path = if path == "." { String::new() } else { path };
    // Serde says only in words which field is missing, unknown or doubled, and its path ends before it.
    if let Some(name) = quoted_after(&message, "missing field `") {
        ErrorBody::invalid_params(joined(&path, name), "is required")
    } else if let Some(name) = quoted_after(&message, "unknown field `") {
        ErrorBody::invalid_params(joined(&path, name), "is not a known parameter")
    } else if let Some(name) = quoted_after(&message, "duplicate field `") {
        ErrorBody::invalid_params(joined(&path, name), "is given twice")
    } else {
        let field = if path.is_empty() { Cow::Borrowed("params") } else { Cow::Owned(shortened(&path).into_owned()) };
        ErrorBody::invalid_params(field, &shortened_message(&message))
    }
}

fn quoted_after<'a>(message: &'a str, prefix: &str) -> Option<&'a str> {
    let rest = message.strip_prefix(prefix)?;
    Some(rest.split_once('`').map_or(rest, |(name, _)| name))
}

/// The path of the field `name` in the object at `path`, which may or may not end in that name.
fn joined(path: &str, name: &str) -> String {
    let name = shortened(name);
    if path.is_empty() || path == name {
        name.into_owned()
    } else if path.strip_suffix(name.as_ref()).is_some_and(|parent| parent.ends_with('.')) {
        path.to_owned()
    } else {
        format!("{}.{name}", shortened(path))
    }
}

/// Serde repeats a whole text in messages about its type.
fn shortened_message(message: &str) -> Cow<'_, str> {
    const MESSAGE_CHARS: usize = 256;
    match message.char_indices().nth(MESSAGE_CHARS) {
        None => Cow::Borrowed(message),
        Some((end, _)) => Cow::Owned(format!("{}…", &message[..end])),
    }
}

fn id<T: std::str::FromStr<Err: std::fmt::Display>>(
    field: &'static str,
    raw: &RawValue,
) -> Result<Option<T>, ErrorBody> {
    let text: Option<String> =
        serde_json::from_str(raw.get()).map_err(|_| ErrorBody::invalid_params(field, "must be a string"))?;
    text.map(|text| text.parse().map_err(|problem: T::Err| ErrorBody::invalid_params(field, &problem.to_string())))
        .transpose()
}

fn push_member(object: &mut String, name: &str, value: &str) {
    if object.len() > 1 {
        object.push(',');
    }
    object.push_str(&quoted(name));
    object.push(':');
    object.push_str(value);
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn utf8(bytes: &[u8]) -> Result<&str, ErrorBody> {
    std::str::from_utf8(bytes).map_err(|_| ErrorBody::parse_error("the body is not UTF-8"))
}
