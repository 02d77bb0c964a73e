//! Lists of invitations and messages, read in pages; and a group's members.

use ringwire_signaling::limits::{DEFAULT_PAGE_ROWS, GROUP_MEMBERS, PAGE_ROWS};
use ringwire_signaling::{GroupId, UserId};
use serde::{Deserialize, Serialize};

use crate::body::Params;
use crate::text;

/// Bytes of a cursor: the server's own are far shorter.
const CURSOR_BYTES: usize = 256;

/// Parameters of `list_active`, and of whom a user blocks over HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct ListActiveParams {
    /// Rows in the page, 1–100.
    #[serde(default = "default_rows")]
    #[cfg_attr(feature = "openapi", param(minimum = 1, maximum = 100, default = 20))]
    pub limit: usize,
    /// Where the page before ended, as it was given there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(max_length = 256))]
    pub cursor: Option<String>,
}

/// Parameters of `history`: exactly one of `peer` and `group_id`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct HistoryParams {
    /// The other user of a conversation of two.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<crate::openapi::UserId>))]
    pub peer: Option<UserId>,
    /// The group of a group conversation.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(value_type = Option<crate::openapi::GroupId>))]
    pub group_id: Option<GroupId>,
    /// Rows in the page, 1–100.
    #[serde(default = "default_rows")]
    #[cfg_attr(feature = "openapi", param(minimum = 1, maximum = 100, default = 20))]
    pub limit: usize,
    /// Where the page before ended, as it was given there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", param(max_length = 256))]
    pub cursor: Option<String>,
}

/// Whose messages a history lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conversation {
    /// Those between the asking user and this one.
    Peer(UserId),
    /// Those of a group.
    Group(GroupId),
}

/// The body that creates or replaces a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GroupParams {
    /// All its members; repeated names count once.
    #[serde(with = "text::list")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<crate::openapi::UserId>, max_items = 500))]
    pub members: Vec<UserId>,
}

impl HistoryParams {
    /// The first page of a conversation.
    #[must_use]
    pub fn new(conversation: Conversation) -> Self {
        let (peer, group_id) = match conversation {
            Conversation::Peer(user) => (Some(user), None),
            Conversation::Group(group) => (None, Some(group)),
        };
        Self { peer, group_id, limit: DEFAULT_PAGE_ROWS, cursor: None }
    }

    /// Whose messages are asked for; none unless exactly one is named, which reading has checked.
    #[must_use]
    pub fn conversation(&self) -> Option<Conversation> {
        match (&self.peer, &self.group_id) {
            (Some(user), None) => Some(Conversation::Peer(user.clone())),
            (None, Some(group)) => Some(Conversation::Group(group.clone())),
            (Some(_), Some(_)) | (None, None) => None,
        }
    }
}

impl Default for ListActiveParams {
    fn default() -> Self {
        Self { limit: DEFAULT_PAGE_ROWS, cursor: None }
    }
}

impl Params for ListActiveParams {
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        check_page(self.limit, self.cursor.as_deref())
    }
}

impl Params for HistoryParams {
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if self.conversation().is_none() {
            return Err(("peer", "exactly one of peer and group_id is required"));
        }
        check_page(self.limit, self.cursor.as_deref())
    }
}

impl Params for GroupParams {
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if self.members.len() > GROUP_MEMBERS { Err(("members", "are more than 500")) } else { Ok(()) }
    }
}

pub(super) fn check_page(limit: usize, cursor: Option<&str>) -> Result<(), (&'static str, &'static str)> {
    if !(1..=PAGE_ROWS).contains(&limit) {
        Err(("limit", "must be from 1 to 100"))
    } else if cursor.is_some_and(|cursor| cursor.len() > CURSOR_BYTES) {
        Err(("cursor", "is too long"))
    } else {
        Ok(())
    }
}

fn default_rows() -> usize {
    DEFAULT_PAGE_ROWS
}
