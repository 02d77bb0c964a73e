//! `invite`: everything that is said when an invitation is created.

use std::sync::Arc;

use ringwire_signaling::command::{By, Invite, Push, PushWhen};
use ringwire_signaling::invitation::Audience;
use ringwire_signaling::limits::DEFAULT_TIMEOUT_S;
use ringwire_signaling::{GroupId, RequestId, UserId};
use serde::{Deserialize, Serialize};

use crate::body::Params;
use crate::text;

/// Parameters of `invite`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct InviteParams {
    /// Whom to invite, the inviter not among them; empty ids are dropped.
    #[serde(with = "text::list_without_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<crate::openapi::UserId>, min_items = 1, max_items = 100))]
    pub invitees: Vec<UserId>,
    /// Opaque, handed on byte for byte.
    #[serde(default = "text::none", skip_serializing_if = "text::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::Data))]
    pub data: Arc<str>,
    /// How long it rings; 0 is no timer.
    #[serde(default = "default_timeout_s")]
    #[cfg_attr(feature = "openapi", schema(maximum = 86_400, default = 30))]
    pub timeout_s: u32,
    /// Ring only who is connected.
    #[serde(default, skip_serializing_if = "is_default")]
    pub online_user_only: bool,
    /// The group whose members the inviter and all invitees must be.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::openapi::GroupId>))]
    pub group_id: Option<GroupId>,
    /// Who in the group hears of it.
    #[serde(default, with = "AudienceName", skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = AudienceName))]
    pub audience: Audience,
    /// Offline push settings.
    #[serde(default, deserialize_with = "text::object::optional", skip_serializing_if = "Option::is_none")]
    pub push: Option<PushParams>,
    /// The application's kind, handed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<i64>,
    /// A display name, handed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, max_length = 128))]
    pub inviter_name: Option<Arc<str>>,
    /// Whether the inviter hears that devices ring.
    #[serde(default = "yes")]
    #[cfg_attr(feature = "openapi", schema(default = true))]
    pub receipts: bool,
    /// Makes a repeat harmless.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::openapi::RequestId>))]
    pub request_id: Option<RequestId>,
}

/// What an offline push hook shows and hands to push services.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PushParams {
    /// No push for this invitation.
    #[serde(default, skip_serializing_if = "is_default")]
    pub disable: bool,
    /// Which devices get a push.
    #[serde(default, with = "PushWhenName", skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = PushWhenName))]
    pub when: PushWhen,
    /// Title of the notification.
    #[serde(default = "text::none", skip_serializing_if = "text::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, max_length = 1024))]
    pub title: Arc<str>,
    /// Text of the notification; required unless disabled.
    #[serde(default = "text::none", skip_serializing_if = "text::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, max_length = 1024))]
    pub desc: Arc<str>,
    /// Opaque.
    #[serde(default = "text::none", skip_serializing_if = "text::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, max_length = 4096))]
    pub ext: Arc<str>,
    /// The resource that push services know the texts and sounds by.
    #[serde(default = "text::none", skip_serializing_if = "text::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, max_length = 1024))]
    pub resource_id: Arc<str>,
    /// Ask for a `VoIP` push where the platform has one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub voip: bool,
    /// A JSON object of vendor fields, at most 4 KiB, kept as the text that was written; empty if there is none.
    #[serde(
        default = "text::none",
        deserialize_with = "text::object::raw",
        serialize_with = "text::object::serialize_raw",
        skip_serializing_if = "text::is_empty"
    )]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub vendor: Arc<str>,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Audience))]
#[serde(remote = "Audience", rename_all = "snake_case")]
pub(crate) enum AudienceName {
    Members,
    Invitees,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PushWhen))]
#[serde(remote = "PushWhen", rename_all = "snake_case")]
enum PushWhenName {
    NoReceipt,
    EachDevice,
    Always,
}

impl InviteParams {
    /// Parameters with all defaults.
    #[must_use]
    pub fn new(invitees: Vec<UserId>) -> Self {
        Self {
            invitees,
            data: text::none(),
            timeout_s: DEFAULT_TIMEOUT_S,
            online_user_only: false,
            group_id: None,
            audience: Audience::default(),
            push: None,
            kind: None,
            inviter_name: None,
            receipts: true,
            request_id: None,
        }
    }

    /// The command, as `by` gives it.
    #[must_use]
    pub fn into_command(self, by: By) -> Invite {
        Invite {
            by,
            invitees: self.invitees,
            data: self.data,
            timeout_s: self.timeout_s,
            online_user_only: self.online_user_only,
            group: self.group_id,
            audience: self.audience,
            push: self.push.map(Push::from),
            kind: self.kind,
            inviter_name: self.inviter_name,
            receipts: self.receipts,
            request_id: self.request_id,
        }
    }
}

impl From<PushParams> for Push {
    fn from(params: PushParams) -> Self {
        let PushParams { disable, when, title, desc, ext, resource_id, voip, vendor } = params;
        Self { disable, when, title, desc, ext, resource_id, voip, vendor }
    }
}

impl From<&Push> for PushParams {
    fn from(push: &Push) -> Self {
        let Push { disable, when, title, desc, ext, resource_id, voip, vendor } = push.clone();
        Self { disable, when, title, desc, ext, resource_id, voip, vendor }
    }
}

impl Params for InviteParams {}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn default_timeout_s() -> u32 {
    DEFAULT_TIMEOUT_S
}

fn yes() -> bool {
    true
}
