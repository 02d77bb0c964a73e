//! An invitation with every invitee's state: what `get`, listings and snapshots show.

use std::borrow::Cow;
use std::sync::Arc;

use ringwire_signaling::operation::Action;
use ringwire_signaling::{
    DeviceId, GroupId, Invitation, InvitationId, Invitee, InviteeState, Operation, UnixMillis, UserId,
};
use serde::{Deserialize, Serialize};

use super::event::audience_name;
use crate::text;

/// An invitation as it is at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitationView {
    /// Which invitation.
    #[serde(with = "text")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::InvitationId))]
    pub invitation_id: InvitationId,
    /// Counts its state transitions.
    pub version: u64,
    /// `active` while anybody is pending, then `settled`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub state: Cow<'static, str>,
    /// Who invites.
    #[serde(with = "text")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::UserId))]
    pub inviter: UserId,
    /// The inviter's display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, max_length = 128))]
    pub inviter_name: Option<Arc<str>>,
    /// The group it was made in.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::GroupId))]
    pub group_id: Option<GroupId>,
    /// In a group: `members` or `invitees`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub audience: Option<Cow<'static, str>>,
    /// The application's kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub kind: Option<i64>,
    /// What the inviter hands to everybody.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::Data))]
    pub data: Arc<str>,
    /// The configured duration of the ring; 0 is no timer.
    pub timeout_s: u32,
    /// Whether presence decided who was rung.
    pub online_user_only: bool,
    /// Whether the inviter hears that devices ring.
    pub receipts: bool,
    /// When it was committed.
    pub created_at: u64,
    /// When it times out, or would have; null without a timer.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub expires_at: Option<u64>,
    /// How long it still rings; null without a timer, and when it is settled.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub remaining_ms: Option<u64>,
    /// When it was settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub settled_at: Option<u64>,
    /// An older active invitation in the other direction.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::InvitationId))]
    pub crosses: Option<InvitationId>,
    /// How often its data was replaced.
    pub modifications: u8,
    /// Everybody invited, in the order of the request.
    pub invitees: Vec<InviteeView>,
}

/// One invitee and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InviteeView {
    /// Who.
    #[serde(with = "text")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::UserId))]
    pub user: UserId,
    /// `pending`, `accepted`, `rejected`, `cancelled`, `timed_out` or `failed`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub state: Cow<'static, str>,
    /// Why, of a rejection, a failure, or an administrator's cancellation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 1, max_length = 64))]
    pub reason: Option<Arc<str>>,
    /// The device that answered.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::DeviceId))]
    pub device_id: Option<DeviceId>,
    /// When it settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub at: Option<u64>,
    /// The answer's data, where it was read too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::Data))]
    pub data: Option<Arc<str>>,
    /// The first device that rang.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::DeviceId))]
    pub ringing_device_id: Option<DeviceId>,
}

/// A receipt: the first device of an invitee that rang.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ringing {
    /// The invitee.
    pub user: UserId,
    /// The device.
    pub device: DeviceId,
}

impl InvitationView {
    /// The view of `invitation` at `now`, with the data of those answers that are among `operations`
    /// and with the receipts in `ringing`.
    #[must_use]
    pub fn of(invitation: &Invitation, operations: &[Operation], ringing: &[Ringing], now: UnixMillis) -> Self {
        let terms = &invitation.terms;
        let invitees =
            invitation.invitees.iter().map(|invitee| InviteeView::of(invitee, operations, ringing)).collect();
        Self {
            invitation_id: invitation.id,
            version: invitation.version,
            state: Cow::Borrowed(if invitation.is_settled() { "settled" } else { "active" }),
            inviter: terms.inviter.clone(),
            inviter_name: terms.inviter_name.clone(),
            group_id: terms.group.clone(),
            audience: terms.group.as_ref().map(|_| Cow::Borrowed(audience_name(terms.audience))),
            kind: terms.kind,
            data: Arc::clone(&invitation.data),
            timeout_s: terms.timeout_s,
            online_user_only: terms.online_user_only,
            receipts: terms.receipts,
            created_at: terms.created_at.0,
            expires_at: terms.expires_at().map(|at| at.0),
            remaining_ms: invitation.deadline().map(|deadline| deadline.since(now)),
            settled_at: invitation.settled_at.map(|at| at.0),
            crosses: terms.crosses,
            modifications: invitation.modifications,
            invitees,
        }
    }

    /// Whether nobody is pending.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.state == "settled"
    }
}

impl InviteeView {
    fn of(invitee: &Invitee, operations: &[Operation], ringing: &[Ringing]) -> Self {
        let (reason, device_id, at, data) = match &invitee.state {
            InviteeState::Pending => (None, None, None, None),
            InviteeState::Failed(reason) => (Some(Arc::from(reason.name())), None, None, None),
            InviteeState::Settled(settlement) => {
                let answer = operations.iter().find(|operation| {
                    operation.version == settlement.version
                        && is_answer(operation.action)
                        && operation.invitees.contains(&invitee.user)
                });
                let data = answer.map(|operation| Arc::clone(&operation.data));
                (settlement.reason.clone(), settlement.device.clone(), Some(settlement.at.0), data)
            }
        };
        let receipt = ringing.iter().find(|receipt| receipt.user == invitee.user);
        Self {
            user: invitee.user.clone(),
            state: Cow::Borrowed(invitee.state.name()),
            reason,
            device_id,
            at,
            data,
            ringing_device_id: receipt.map(|receipt| receipt.device.clone()),
        }
    }
}

fn is_answer(action: Action) -> bool {
    matches!(action, Action::Accept | Action::Reject)
}
