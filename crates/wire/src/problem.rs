//! The same errors over HTTP: problem JSON (RFC 9457).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::error::{ErrorBody, ErrorCode, ErrorData};

/// The media type of a [`Problem`].
pub const MEDIA_TYPE: &str = "application/problem+json";

/// The body of an HTTP error response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A URN that names the kind of problem: `urn:ringwire:problem:<name>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A short text for humans, always the same for a kind.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub title: Cow<'static, str>,
    /// The response's status.
    pub status: u16,
    /// What went wrong this time.
    pub detail: String,
    /// The name and everything else that a program may read, beside the fields above.
    #[serde(flatten)]
    pub data: Box<ErrorData>,
}

impl From<ErrorBody> for Problem {
    fn from(body: ErrorBody) -> Self {
        let code = body.error_code().unwrap_or(ErrorCode::InternalError);
        Self {
            kind: format!("urn:ringwire:problem:{}", body.data.name),
            title: code.title().into(),
            status: code.http_status(),
            detail: body.message,
            data: body.data,
        }
    }
}
