//! Results of operations, in JSON-RPC responses and HTTP bodies alike.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ringwire_signaling::{Check, Epoch, GroupId, InvitationId, Position, Reply, UserId};
use serde::{Deserialize, Serialize};

use super::event::reasons;
use super::{HistoryMessage, InvitationView};
use crate::text;

/// Result of `hello`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelloResult {
    /// Whom the token names.
    #[serde(with = "text")]
    pub user: UserId,
    /// The node that holds the connection.
    pub node: String,
    /// The life of the user's inbox.
    #[serde(with = "text")]
    pub epoch: Epoch,
    /// The inbox's end: the backlog that follows reaches up to here.
    pub offset: u64,
    /// The check of the entry there.
    #[serde(with = "text")]
    pub check: Check,
    /// Whether missed events follow; a snapshot does otherwise.
    pub resumed: bool,
    /// How often the server sends WebSocket pings.
    pub heartbeat_s: u64,
    /// The server's clock.
    pub server_time: u64,
}

/// Result of `invite`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InviteResult {
    /// The new invitation.
    #[serde(with = "text")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::InvitationId))]
    pub invitation_id: InvitationId,
    /// When it was committed.
    pub created_at: u64,
    /// When it times out; null without a timer.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub expires_at: Option<u64>,
    /// Whom it did not reach, and why.
    #[serde(default, with = "text::map")]
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<crate::openapi::UserId, String>, required))]
    pub failed: BTreeMap<UserId, Cow<'static, str>>,
    /// An older active invitation in the other direction.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::InvitationId))]
    pub crosses: Option<InvitationId>,
}

/// Result of `cancel`, `accept`, `reject` and `modify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DoneResult {
    /// Which invitation.
    #[serde(with = "text")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::InvitationId))]
    pub invitation_id: InvitationId,
    /// Its version after the operation.
    pub version: u64,
    /// When it was committed.
    pub at: u64,
    /// The invitees whom the operation settled.
    #[serde(default, with = "text::list")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<crate::openapi::UserId>, required))]
    pub invitees: Vec<UserId>,
}

/// Result of `signal`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PostedResult {
    /// Which invitation.
    #[serde(with = "text")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::InvitationId))]
    pub invitation_id: InvitationId,
    /// When.
    pub at: u64,
}

/// The result of any operation that the rules answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ReplyView {
    /// Of an invite.
    Invited(InviteResult),
    /// Of a transition of an existing invitation.
    Done(DoneResult),
    /// Of a signal.
    Posted(PostedResult),
}

/// Result of `list_active`: one page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitationPage {
    /// The page's rows.
    pub invitations: Vec<InvitationView>,
    /// Where the next page starts; left out on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub cursor: Option<String>,
}

/// Result of `history`: one page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HistoryPage {
    /// The page's rows: newest invitation first, inside it newest operation first.
    pub messages: Vec<HistoryMessage>,
    /// Where the next page starts; left out on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub cursor: Option<String>,
}

/// Result of `refresh_token`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshTokenResult {
    /// When the new token expires, and the connection with it.
    pub expires_at: u64,
}

/// Result of `ping`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PingResult {
    /// The server's clock.
    pub server_time: u64,
}

/// Result of `blocks` with the action `list`: one page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BlockPage {
    /// Those whom the user blocks, by their names.
    #[serde(with = "text::list")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<crate::openapi::UserId>))]
    pub users: Vec<UserId>,
    /// Where the next page starts; left out on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub cursor: Option<String>,
}

/// A group and its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupView {
    /// Which group.
    #[serde(with = "text")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::GroupId))]
    pub group_id: GroupId,
    /// Its members.
    #[serde(with = "text::list")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<crate::openapi::UserId>, max_items = 500))]
    pub members: Vec<UserId>,
}

impl HelloResult {
    /// Where the backlog that follows ends.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { epoch: self.epoch, offset: self.offset, check: self.check }
    }
}

impl From<&Reply> for ReplyView {
    fn from(reply: &Reply) -> Self {
        match reply {
            Reply::Invited { invitation, created_at, expires_at, failed, crosses } => Self::Invited(InviteResult {
                invitation_id: *invitation,
                created_at: created_at.0,
                expires_at: expires_at.map(|at| at.0),
                failed: reasons(failed),
                crosses: *crosses,
            }),
            Reply::Done { invitation, version, at, invitees } => Self::Done(DoneResult {
                invitation_id: *invitation,
                version: *version,
                at: at.0,
                invitees: invitees.clone(),
            }),
            Reply::Posted { invitation, at } => Self::Posted(PostedResult { invitation_id: *invitation, at: at.0 }),
        }
    }
}
