//! What operators send with their requests.

use actix_web::HttpRequest;
use ringwire_signaling::limits::REASON_CHARS;
use ringwire_wire::body::{HttpBody, Params, parse_body, parse_http_query};
use ringwire_wire::error::ErrorBody;
use ringwire_wire::openapi::DeviceId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::audit;
use super::view::LogFilter;
use crate::http::problem::HttpError;

/// Bytes of the longest filter of the log: far more than there are modules to name.
const FILTER_BYTES: usize = 1024;

/// Why an operator does something.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DrainParams {
    /// For the record.
    #[serde(default)]
    #[schema(max_length = 64, nullable = false)]
    pub(super) reason: Option<String>,
}

/// Which of a user's connections an operator ends, and why.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KickParams {
    /// Only this device; without it all of them.
    #[serde(default)]
    #[schema(value_type = Option<DeviceId>, nullable = false)]
    pub(super) device_id: Option<String>,
    /// For the record.
    #[serde(default)]
    #[schema(max_length = 64, nullable = false)]
    pub(super) reason: Option<String>,
}

/// Why an operator ends an invitation.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ForceCancelParams {
    /// Told to everybody concerned.
    #[schema(min_length = 1, max_length = 64)]
    pub(super) reason: String,
}

impl Params for DrainParams {
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        check_reason(self.reason.as_deref())
    }
}

impl Params for KickParams {
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        check_reason(self.reason.as_deref())
    }
}

// The rules check its reason.
impl Params for ForceCancelParams {}

impl Params for LogFilter {
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if self.filter.len() > FILTER_BYTES { Err(("filter", "is longer than 1024 bytes")) } else { Ok(()) }
    }
}

/// Reads a body of which nothing is required, which may be left out.
pub(super) fn parse_optional<T: Params + Default>(bytes: &[u8]) -> Result<T, ErrorBody> {
    if bytes.is_empty() { Ok(T::default()) } else { parse_body(bytes) }
}

/// Reads a query in which nobody acts for anybody.
pub(super) fn parse_query<'a, T: Params>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<T, HttpError> {
    let HttpBody { acting_for, device, params } = parse_http_query(pairs)?;
    for (name, is_given) in [("as", acting_for.is_some()), ("device_id", device.is_some())] {
        if is_given {
            return Err(ErrorBody::invalid_params(name, "is not a known parameter").into());
        }
    }
    Ok(params)
}

/// Notes the reason for the record, if one was given.
pub(super) fn note(request: &HttpRequest, reason: Option<&String>) {
    if let Some(reason) = reason {
        audit::because(request, reason);
    }
}

/// Refuses a reason that is too long.
pub(super) fn check_reason(reason: Option<&str>) -> Result<(), (&'static str, &'static str)> {
    let is_long = reason.is_some_and(|reason| reason.chars().count() > REASON_CHARS);
    if is_long { Err(("reason", "is longer than 64 characters")) } else { Ok(()) }
}
