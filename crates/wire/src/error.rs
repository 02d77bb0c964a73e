//! Errors as clients see them: a closed list of codes, and the body that carries one.

use std::borrow::Cow;

use ringwire_signaling::{DeviceId, Refusal, UserId};
use serde::{Deserialize, Serialize};

use crate::text;

macro_rules! error_codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal, $status:literal, $title:literal;)*) => {
        /// Every error that a client can get.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $variant,)*
        }

        impl ErrorCode {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The number in a JSON-RPC error.
            #[must_use]
            pub fn code(self) -> i32 {
                match self { $(Self::$variant => $code,)* }
            }

            /// The name, the same over WebSocket and HTTP.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The status of an HTTP response.
            #[must_use]
            pub fn http_status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// A short text for humans, always the same for a code.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

error_codes! {
    /// The frame is no JSON.
    ParseError = -32700, "parse_error", 400, "Not JSON";
    /// The frame is no request of this protocol.
    InvalidRequest = -32600, "invalid_request", 400, "Not a request";
    /// There is no such method.
    MethodNotFound = -32601, "method_not_found", 404, "No such method";
    /// A parameter is missing, unknown, or breaks a rule; `field` names it.
    InvalidParams = -32602, "invalid_params", 400, "Invalid parameters";
    /// The server broke a rule of its own.
    InternalError = -32603, "internal_error", 500, "Internal error";
    /// There is no such invitation for this user.
    NotFound = 4001, "not_found", 404, "Not found";
    /// Only an invitee may do this.
    NotInvitee = 4002, "not_invitee", 403, "Not an invitee";
    /// The invitation, or this user's part of it, has ended.
    AlreadySettled = 4003, "already_settled", 409, "Already settled";
    /// Somebody is no member of the group.
    NotGroupMember = 4004, "not_group_member", 403, "Not a group member";
    /// The time for this has passed, or the record is gone.
    Expired = 4005, "expired", 410, "Expired";
    /// The connection already has the ring.
    AlreadyExists = 4006, "already_exists", 409, "Already exists";
    /// The request contradicts an earlier one, or the state it named.
    Conflict = 4007, "conflict", 409, "Conflict";
    /// A parameter is over its size.
    PayloadTooLarge = 4008, "payload_too_large", 413, "Payload too large";
    /// Too many at once, or too fast.
    RateLimited = 4009, "rate_limited", 429, "Rate limited";
    /// There is no valid token.
    Unauthenticated = 4010, "unauthenticated", 401, "Unauthenticated";
    /// The token, or the operator, does not allow this.
    Forbidden = 4011, "forbidden", 403, "Forbidden";
    /// Only the inviter may do this.
    NotInviter = 4012, "not_inviter", 403, "Not the inviter";
    /// There is no such group.
    GroupNotFound = 4014, "group_not_found", 404, "No such group";
    /// The outcome is not known to this node.
    Unavailable = 5003, "unavailable", 503, "Unavailable";
}

impl ErrorCode {
    /// The code with this number.
    #[must_use]
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.code() == code)
    }
}

/// The `error` of a JSON-RPC response.
///
/// The number is kept as it came, so that a client can show the error of a newer server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The number; see [`ErrorBody::error_code`].
    pub code: i32,
    /// What went wrong, for humans.
    pub message: String,
    /// What went wrong, for programs. Boxed, so that a result that may carry an error stays small.
    #[serde(default)]
    pub data: Box<ErrorData>,
}

/// The parts of an error that programs read. Those that do not apply are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorData {
    /// The code's name.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = String, required))]
    pub name: Cow<'static, str>,
    /// For `already_settled`: the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub state: Option<Cow<'static, str>>,
    /// For `already_settled`: the device that answered.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::DeviceId))]
    pub device_id: Option<DeviceId>,
    /// When to try again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub retry_after_ms: Option<u64>,
    /// The parameter in question, as a path such as `invitees[3]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub field: Option<Cow<'static, str>>,
    /// For `not_group_member`: who is none.
    #[serde(default, with = "text::list", skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<crate::openapi::UserId>))]
    pub users: Vec<UserId>,
    /// For `payload_too_large`: the limit in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub limit: Option<u64>,
    /// For `conflict`: the invitation's version, where that is what contradicts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub version: Option<u64>,
}

impl ErrorBody {
    /// An error of this code without further data.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let data = Box::new(ErrorData { name: code.name().into(), ..ErrorData::default() });
        Self { code: code.code(), message: message.into(), data }
    }

    /// The code, if this version of the crate knows it.
    #[must_use]
    pub fn error_code(&self) -> Option<ErrorCode> {
        ErrorCode::from_code(self.code)
    }

    /// The status of an HTTP response with this error.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        self.error_code().unwrap_or(ErrorCode::InternalError).http_status()
    }

    /// The frame is no JSON.
    #[must_use]
    pub fn parse_error(problem: impl Into<String>) -> Self {
        Self::new(ErrorCode::ParseError, problem)
    }

    /// The frame is no request of this protocol.
    #[must_use]
    pub fn invalid_request(problem: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidRequest, problem)
    }

    /// There is no method of this name.
    #[must_use]
    pub fn method_not_found(method: &str) -> Self {
        Self::new(ErrorCode::MethodNotFound, format!("there is no method {}", text::shortened(method)))
    }

    /// A parameter breaks a rule.
    #[must_use]
    pub fn invalid_params(field: impl Into<Cow<'static, str>>, problem: &str) -> Self {
        let field = field.into();
        let mut body = Self::new(ErrorCode::InvalidParams, format!("{field}: {problem}"));
        body.data.field = Some(field);
        body
    }

    /// The server broke a rule of its own.
    #[must_use]
    pub fn internal_error(problem: impl Into<String>) -> Self {
        Self::new(ErrorCode::InternalError, problem)
    }

    /// There is no valid token.
    #[must_use]
    pub fn unauthenticated(problem: impl Into<String>) -> Self {
        Self::new(ErrorCode::Unauthenticated, problem)
    }

    /// The token, or the operator, does not allow this.
    #[must_use]
    pub fn forbidden(problem: impl Into<String>) -> Self {
        Self::new(ErrorCode::Forbidden, problem)
    }

    /// The outcome is not known to this node; repeating with the same request id tells it.
    #[must_use]
    pub fn unavailable(retry_after_ms: u64) -> Self {
        let mut body = Self::new(ErrorCode::Unavailable, "the outcome is not known; repeat with the same request id");
        body.data.retry_after_ms = Some(retry_after_ms);
        body
    }

    /// Too many requests of this connection or user.
    #[must_use]
    pub fn rate_limited(retry_after_ms: u64) -> Self {
        Self::from(&Refusal::RateLimited { retry_after_ms })
    }

    /// A request is over `limit` bytes.
    #[must_use]
    pub fn payload_too_large(field: impl Into<Cow<'static, str>>, limit: u64) -> Self {
        let field = field.into();
        let mut body = Self::new(ErrorCode::PayloadTooLarge, format!("{field} is over {limit} bytes"));
        body.data.field = Some(field);
        body.data.limit = Some(limit);
        body
    }
}

impl From<&Refusal> for ErrorBody {
    fn from(refusal: &Refusal) -> Self {
        let with = |code: ErrorCode, data: ErrorData| Self {
            code: code.code(),
            message: refusal.to_string(),
            data: Box::new(ErrorData { name: code.name().into(), ..data }),
        };
        let plain = |code| with(code, ErrorData::default());
        match refusal {
            Refusal::Invalid { field, .. } => {
                with(ErrorCode::InvalidParams, ErrorData { field: Some((*field).into()), ..ErrorData::default() })
            }
            Refusal::NotFound => plain(ErrorCode::NotFound),
            Refusal::NotInvitee => plain(ErrorCode::NotInvitee),
            Refusal::NotInviter => plain(ErrorCode::NotInviter),
            Refusal::AlreadySettled { state, device } => {
                let (state, device_id) = (Some((*state).into()), device.clone());
                with(ErrorCode::AlreadySettled, ErrorData { state, device_id, ..ErrorData::default() })
            }
            Refusal::NotGroupMember { users } => {
                with(ErrorCode::NotGroupMember, ErrorData { users: users.clone(), ..ErrorData::default() })
            }
            Refusal::GroupNotFound => plain(ErrorCode::GroupNotFound),
            Refusal::Expired => plain(ErrorCode::Expired),
            Refusal::AlreadyExists => plain(ErrorCode::AlreadyExists),
            Refusal::Conflict { version, .. } => {
                with(ErrorCode::Conflict, ErrorData { version: *version, ..ErrorData::default() })
            }
            Refusal::PayloadTooLarge { field, limit } => {
                let (field, limit) = (Some((*field).into()), u64::try_from(*limit).ok());
                with(ErrorCode::PayloadTooLarge, ErrorData { field, limit, ..ErrorData::default() })
            }
            Refusal::RateLimited { retry_after_ms } => {
                let retry_after_ms = Some(*retry_after_ms);
                with(ErrorCode::RateLimited, ErrorData { retry_after_ms, ..ErrorData::default() })
            }
        }
    }
}

impl From<Refusal> for ErrorBody {
    fn from(refusal: Refusal) -> Self {
        Self::from(&refusal)
    }
}

impl std::fmt::Display for ErrorBody {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} ({}): {}", self.data.name, self.code, self.message)
    }
}

impl std::error::Error for ErrorBody {}
