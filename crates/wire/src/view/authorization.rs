//! What an authorization hook is asked: a message of Standard Webhooks (`type`, `timestamp`, `data`).

use std::sync::Arc;

use ringwire_signaling::{DeviceId, GroupId, InvitationId, Invite, RequestId, UserId};
use serde::Serialize;

use crate::text;

/// Whether an invitation may be created.
#[derive(Clone, Debug, Serialize)]
pub struct AuthorizationMessage {
    /// `invitation.authorize`.
    #[serde(rename = "type")]
    pub name: &'static str,
    /// When it is asked, as RFC 3339.
    pub timestamp: String,
    /// What is asked.
    pub data: AuthorizationData,
}

/// The invite, without what concerns only devices and pushes.
#[derive(Clone, Debug, Serialize)]
pub struct AuthorizationData {
    /// The id that the invitation gets if it is created.
    #[serde(with = "text")]
    pub invitation_id: InvitationId,
    /// Who invites.
    #[serde(with = "text")]
    pub inviter: UserId,
    /// The name that apps show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inviter_name: Option<Arc<str>>,
    /// The inviting device; left out when a server that named none acts for the inviter.
    #[serde(with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
    /// Whom, each once.
    #[serde(with = "text::list")]
    pub invitees: Vec<UserId>,
    /// The group.
    #[serde(with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub group_id: Option<GroupId>,
    /// The application's kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<i64>,
    /// Opaque.
    pub data: Arc<str>,
    /// How long it is to ring; 0 is no timer.
    pub timeout_s: u32,
    /// Ring only who is connected.
    pub online_user_only: bool,
    /// The inviter's name for the request.
    #[serde(with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
}

impl AuthorizationMessage {
    /// The question whether `invitation` may be created by this command, which invites `invitees`.
    #[must_use]
    pub fn of(invitation: InvitationId, command: &Invite, invitees: Vec<UserId>, timestamp: String) -> Self {
        let data = AuthorizationData {
            invitation_id: invitation,
            inviter: command.by.user.clone(),
            inviter_name: command.inviter_name.clone(),
            device_id: command.by.device.clone(),
            invitees,
            group_id: command.group.clone(),
            kind: command.kind,
            data: Arc::clone(&command.data),
            timeout_s: command.timeout_s,
            online_user_only: command.online_user_only,
            request_id: command.request_id.clone(),
        };
        Self { name: "invitation.authorize", timestamp, data }
    }
}
