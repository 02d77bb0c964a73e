//! `signaling_info`: one reading of an event, a history message or a push payload.

use std::borrow::Cow;
use std::sync::Arc;

use ringwire_signaling::info::SignalingInfo;
use ringwire_signaling::{DeviceId, GroupId, Invitation, InvitationId, Operation, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::EventView;
use crate::text;

/// What an app needs to show one step of an invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignalingInfoView {
    /// Which invitation.
    #[serde(with = "text")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::InvitationId))]
    pub invitation_id: InvitationId,
    /// The group it was made in.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::GroupId))]
    pub group_id: Option<GroupId>,
    /// Who invited.
    #[serde(with = "text")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::UserId))]
    pub inviter: UserId,
    /// The invitees concerned by this step.
    #[serde(with = "text::list")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<crate::openapi::UserId>))]
    pub invitees: Vec<UserId>,
    /// The step's data.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::Data))]
    pub data: Arc<str>,
    /// The configured duration of the ring.
    pub timeout_s: u32,
    /// `invite`, `cancel`, `accept`, `reject`, `timeout` or `modify`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub action: Cow<'static, str>,
    /// When.
    pub at: u64,
}

/// One message of a conversation's history: one operation on one invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HistoryMessage {
    /// What `signaling_info` reads from it.
    #[serde(flatten)]
    pub info: SignalingInfoView,
    /// The version that the operation led to.
    pub version: u64,
    /// Who did it; left out for a timeout.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::UserId))]
    pub by: Option<UserId>,
    /// With which device.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::DeviceId))]
    pub device_id: Option<DeviceId>,
    /// Why, of a rejection or an administrator's cancellation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 1, max_length = 64))]
    pub reason: Option<Arc<str>>,
    /// The application's kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub kind: Option<i64>,
}

/// Reads the parameters of an event frame, a history message, or a push payload.
///
/// None for everything else, receipts and signals among it.
#[must_use]
pub fn signaling_info(value: &Value) -> Option<SignalingInfoView> {
    let step = value.get("action").is_some().then(|| SignalingInfoView::deserialize(value).ok());
    if let Some(info) = step {
        return info.filter(|info| ACTIONS.contains(&info.action.as_ref()));
    }
    if let Ok(event) = EventView::deserialize(value) {
        return event.signaling_info();
    }
    // A push payload holds the invitation as a member.
    ["invitation", "data"].iter().filter_map(|name| value.get(name)).find_map(|inner| {
        inner.get("action")?;
        signaling_info(inner)
    })
}

const ACTIONS: &[&str] = &["invite", "cancel", "accept", "reject", "timeout", "modify"];

impl EventView<'_> {
    /// What `signaling_info` reads from it; none for receipts, signals and unknown events.
    #[must_use]
    pub fn signaling_info(&self) -> Option<SignalingInfoView> {
        let action = match self.name.as_ref() {
            "invitation.received" | "invitation.sent" => "invite",
            "invitation.accepted" => "accept",
            "invitation.answered_elsewhere" if self.outcome.as_deref() == Some("accepted") => "accept",
            "invitation.rejected" | "invitation.answered_elsewhere" => "reject",
            "invitation.cancelled" => "cancel",
            "invitation.timed_out" => "timeout",
            "invitation.modified" => "modify",
            _ => return None,
        };
        let concerned = self.invitees.as_deref().or(self.invitee.as_ref().map(std::slice::from_ref));
        Some(SignalingInfoView {
            invitation_id: self.invitation_id,
            group_id: self.group_id.clone(),
            inviter: self.inviter.clone(),
            invitees: concerned.unwrap_or_default().to_vec(),
            data: self.data.clone().unwrap_or_else(text::none),
            timeout_s: self.timeout_s,
            action: Cow::Borrowed(action),
            at: self.at,
        })
    }
}

impl HistoryMessage {
    /// The message of one operation on `invitation`.
    #[must_use]
    pub fn of(invitation: &Invitation, operation: &Operation) -> Self {
        Self {
            info: SignalingInfo::of_operation(invitation, operation).into(),
            version: operation.version,
            by: operation.by.clone(),
            device_id: operation.device.clone(),
            reason: operation.reason.clone(),
            kind: invitation.terms.kind,
        }
    }

    /// What `signaling_info` reads from it.
    #[must_use]
    pub fn signaling_info(&self) -> SignalingInfoView {
        self.info.clone()
    }
}

impl From<SignalingInfo> for SignalingInfoView {
    fn from(info: SignalingInfo) -> Self {
        Self {
            invitation_id: info.invitation,
            group_id: info.group,
            inviter: info.inviter,
            invitees: info.invitees,
            data: info.data,
            timeout_s: info.timeout_s,
            action: Cow::Borrowed(info.action.name()),
            at: info.at.0,
        }
    }
}
