//! What is asked of an existing invitation.

use std::sync::Arc;

use ringwire_signaling::command::{Answer, AnswerKind, By, Cancel, Modify, Signal};
use ringwire_signaling::{InvitationId, RequestId, UserId};
use serde::{Deserialize, Serialize};

use crate::body::Params;
use crate::text;

/// Parameters of `get` and `add_invited`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct InvitationParams {
    /// Which invitation.
    #[serde(with = "text")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::InvitationId))]
    pub invitation_id: InvitationId,
}

/// Parameters of `accept`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AcceptParams {
    /// Which invitation.
    #[serde(with = "text")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::InvitationId))]
    pub invitation_id: InvitationId,
    /// Opaque, handed on.
    #[serde(default = "text::none", skip_serializing_if = "text::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::Data))]
    pub data: Arc<str>,
    /// Makes a repeat harmless.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::openapi::RequestId>))]
    pub request_id: Option<RequestId>,
}

/// Parameters of `reject`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RejectParams {
    /// Which invitation.
    #[serde(with = "text")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::InvitationId))]
    pub invitation_id: InvitationId,
    /// Opaque, handed on.
    #[serde(default = "text::none", skip_serializing_if = "text::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::Data))]
    pub data: Arc<str>,
    /// `declined` if left out, `busy`, or free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, min_length = 1, max_length = 64))]
    pub reason: Option<Arc<str>>,
    /// Makes a repeat harmless.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::openapi::RequestId>))]
    pub request_id: Option<RequestId>,
}

/// Parameters of `cancel`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CancelParams {
    /// Which invitation.
    #[serde(with = "text")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::InvitationId))]
    pub invitation_id: InvitationId,
    /// Opaque, handed on.
    #[serde(default = "text::none", skip_serializing_if = "text::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::Data))]
    pub data: Arc<str>,
    /// Whom; everybody still pending if left out.
    #[serde(default, with = "text::optional_list", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<crate::openapi::UserId>>, min_items = 1))]
    pub invitees: Option<Vec<UserId>>,
    /// Makes a repeat harmless.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::openapi::RequestId>))]
    pub request_id: Option<RequestId>,
}

/// Parameters of `modify`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ModifyParams {
    /// Which invitation.
    #[serde(with = "text")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::InvitationId))]
    pub invitation_id: InvitationId,
    /// The new data.
    #[serde(default = "text::none", skip_serializing_if = "text::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::Data))]
    pub data: Arc<str>,
    /// Only if the invitation is at this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Makes a repeat harmless.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::openapi::RequestId>))]
    pub request_id: Option<RequestId>,
}

/// Parameters of `signal`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignalParams {
    /// Which invitation.
    #[serde(with = "text")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::InvitationId))]
    pub invitation_id: InvitationId,
    /// Opaque, handed on.
    #[serde(default = "text::none", skip_serializing_if = "text::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::Data))]
    pub data: Arc<str>,
    /// Which participants; all others if left out.
    #[serde(default, with = "text::optional_list", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<crate::openapi::UserId>>, min_items = 1))]
    pub to: Option<Vec<UserId>>,
    /// Makes a repeat harmless.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::openapi::RequestId>))]
    pub request_id: Option<RequestId>,
}

impl AcceptParams {
    /// The command, as `by` gives it.
    #[must_use]
    pub fn into_command(self, by: By) -> Answer {
        Answer { by, kind: AnswerKind::Accept, data: self.data, request_id: self.request_id }
    }
}

impl RejectParams {
    /// The command, as `by` gives it.
    #[must_use]
    pub fn into_command(self, by: By) -> Answer {
        let kind = AnswerKind::Reject { reason: self.reason };
        Answer { by, kind, data: self.data, request_id: self.request_id }
    }
}

impl CancelParams {
    /// The command, as `by` gives it.
    #[must_use]
    pub fn into_command(self, by: By) -> Cancel {
        Cancel { by, data: self.data, invitees: self.invitees, request_id: self.request_id }
    }
}

impl ModifyParams {
    /// The command, as `by` gives it.
    #[must_use]
    pub fn into_command(self, by: By) -> Modify {
        Modify { by, data: self.data, version: self.version, request_id: self.request_id }
    }
}

impl SignalParams {
    /// The command, as `by` gives it.
    #[must_use]
    pub fn into_command(self, by: By) -> Signal {
        Signal { by, data: self.data, to: self.to, request_id: self.request_id }
    }
}

macro_rules! with_defaults {
    ($($name:ident { $($field:ident: $default:expr),* })*) => {
        $(
            impl $name {
                /// Parameters with all defaults.
                #[must_use]
                pub fn new(invitation_id: InvitationId) -> Self {
                    Self { invitation_id, $($field: $default),* }
                }
            }

            impl Params for $name {}
        )*
    };
}

with_defaults! {
    InvitationParams {}
    AcceptParams { data: text::none(), request_id: None }
    RejectParams { data: text::none(), reason: None, request_id: None }
    CancelParams { data: text::none(), invitees: None, request_id: None }
    ModifyParams { data: text::none(), version: None, request_id: None }
    SignalParams { data: text::none(), to: None, request_id: None }
}
