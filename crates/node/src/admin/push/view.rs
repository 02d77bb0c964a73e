//! What operators see of offline pushes.

use ringwire_store::DeadLetter;
use ringwire_wire::openapi::{InvitationId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whom offline pushes go to.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct TargetsView {
    /// As configured.
    pub(crate) targets: Vec<TargetView>,
}

/// A push target.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct TargetView {
    /// Its name in the configuration.
    pub(crate) name: String,
    /// Where it is, without the query.
    pub(crate) url: String,
    /// The platforms whose devices it is for; empty is all users.
    pub(crate) platforms: Vec<String>,
    /// Pushes of the whole cluster that it has not taken yet, those under way among them.
    pub(crate) waiting: u64,
    /// When the next of them may be sent; left out if none waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) next_at: Option<u64>,
    /// Requests that the node that answers has under way.
    pub(crate) in_flight: usize,
    /// How the node that answers finds it.
    pub(crate) state: TargetState,
    /// While it is down: milliseconds for which that node leaves it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) down_for_ms: Option<u64>,
}

/// How a node finds a push target.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TargetState {
    /// It answers, or was not asked yet.
    Up,
    /// It did not answer, and is asked one thing to see whether it does again.
    Trying,
    /// It did not answer, and is left alone for a while.
    Down,
}

/// One page of the dead letters.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct DeadLettersView {
    /// Newest first.
    pub(crate) dead_letters: Vec<DeadLetterView>,
    /// Where the next page begins; left out at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) cursor: Option<String>,
}

/// A push that failed for good.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct DeadLetterView {
    /// Its name: the `webhook-id` that the target was sent.
    pub(crate) id: String,
    /// The target that did not take it.
    pub(crate) target: String,
    /// `push.ring`, `push.cancel` or `push.missed`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// Of which invitation.
    #[schema(value_type = InvitationId)]
    pub(crate) invitation_id: String,
    /// Who was to be told.
    #[schema(value_type = UserId)]
    pub(crate) user: String,
    /// How often it was tried.
    pub(crate) attempts: u32,
    /// What went wrong the last time.
    pub(crate) error: String,
    /// When it was given up.
    pub(crate) at: u64,
}

/// What is sent in place of a dead letter.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct ReplayedView {
    /// Its `webhook-id`: another than the letter's if the type is another.
    pub(crate) id: String,
    /// Whom to.
    pub(crate) target: String,
    /// `push.ring`, `push.cancel` or `push.missed`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

/// What became of a target's dead letters.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
pub(crate) struct ReplayedManyView {
    /// Those that are sent again.
    pub(crate) replayed: usize,
    /// Those that stay what they are, because their invitation is gone.
    pub(crate) left: usize,
    /// There are more of this target, which are older.
    pub(crate) more: bool,
}

impl From<&DeadLetter> for DeadLetterView {
    fn from(letter: &DeadLetter) -> Self {
        Self {
            id: letter.id().to_string(),
            target: letter.target.clone(),
            kind: letter.job.kind.name().to_owned(),
            invitation_id: letter.job.invitation.to_string(),
            user: letter.job.user.to_string(),
            attempts: letter.failure.attempts,
            error: letter.failure.error.clone(),
            at: letter.at.0,
        }
    }
}
