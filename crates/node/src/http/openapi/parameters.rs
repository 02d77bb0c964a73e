//! What paths, queries and headers hold, described once for all operations.
//!
//! Handlers read these as text and parse them into the rules' types; nothing here is constructed.

#![allow(dead_code, reason = "describes what handlers read as text")]

use ringwire_wire::openapi::{DeviceId, GroupId, InvitationId, UserId};
use utoipa::IntoParams;

/// The invitation that a path names.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct InvitationPath {
    /// The invitation's id. One that is malformed names no invitation.
    id: InvitationId,
}

/// The group that a path names.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct GroupPath {
    /// The group's id, percent-encoded.
    id: GroupId,
}

/// The member of a group that a path names.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::http) struct MemberPath {
    /// The group's id, percent-encoded.
    id: GroupId,
    /// The user's id, percent-encoded.
    user: UserId,
}

/// The user whom a path names.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::http) struct BlockPath {
    /// Whom to block or not to block, percent-encoded.
    user: UserId,
}

/// The device that a path names.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::http) struct DevicePath {
    /// The device's id, percent-encoded.
    device_id: DeviceId,
}

/// For whom a server asks.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct ActingFor {
    /// The user for whom a server acts; only with a token of the role `server`.
    #[param(rename = "as")]
    acting_for: Option<UserId>,
}

/// What makes a repeat harmless.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(in crate::http) struct IdempotencyKey {
    /// The request's id: repeating the request with the same key and the same parameters gives the first
    /// answer again, from any node. The same as `request_id` in the body; if both are given, they must agree.
    #[param(
        rename = "Idempotency-Key",
        min_length = 1,
        max_length = 64,
        pattern = "^[!-~]([ -~]*[!-~])?$",
        example = "r-1",
        nullable = false
    )]
    idempotency_key: Option<String>,
}
