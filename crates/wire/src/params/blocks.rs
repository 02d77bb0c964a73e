//! Whom a user blocks.

use ringwire_signaling::UserId;
use serde::{Deserialize, Serialize};

use super::listing::check_page;
use crate::body::Params;
use crate::text;

/// Parameters of `blocks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlocksParams {
    /// What to do.
    pub action: BlocksAction,
    /// Whom; only of `add` and `remove`, and required there.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// Rows in the page, 1–100, 20 if left out; only of `list`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Where the page before ended, as it was given there; only of `list`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// What `blocks` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BlocksAction {
    /// Block a user.
    Add,
    /// Block a user no longer.
    Remove,
    /// Read who is blocked.
    List,
}

impl BlocksParams {
    /// Blocks a user.
    #[must_use]
    pub fn add(user: UserId) -> Self {
        Self { action: BlocksAction::Add, user: Some(user), limit: None, cursor: None }
    }

    /// Blocks a user no longer.
    #[must_use]
    pub fn remove(user: UserId) -> Self {
        Self { action: BlocksAction::Remove, user: Some(user), limit: None, cursor: None }
    }

    /// Reads a page of who is blocked, from where the page before ended.
    #[must_use]
    pub fn list(limit: Option<usize>, cursor: Option<String>) -> Self {
        Self { action: BlocksAction::List, user: None, limit, cursor }
    }
}

impl Params for BlocksParams {
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        match self.action {
            BlocksAction::Add | BlocksAction::Remove if self.user.is_none() => Err(("user", "is required")),
            BlocksAction::Add | BlocksAction::Remove if self.limit.is_some() => {
                Err(("limit", "is only a parameter of list"))
            }
            BlocksAction::Add | BlocksAction::Remove if self.cursor.is_some() => {
                Err(("cursor", "is only a parameter of list"))
            }
            BlocksAction::List if self.user.is_some() => Err(("user", "is not a parameter of list")),
            BlocksAction::Add | BlocksAction::Remove | BlocksAction::List => {
                check_page(self.limit.unwrap_or(1), self.cursor.as_deref())
            }
        }
    }
}
