//! What an offline push hook is sent: a message of Standard Webhooks (`type`, `timestamp`, `data`).

use std::collections::BTreeMap;
use std::sync::Arc;

use ringwire_signaling::{
    DeviceId, Invitation, InviteeState, Operation, PushKind, RegisteredDevice, UnixMillis, UserId, push,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::SignalingInfoView;
use crate::text;

/// One push of one invitee.
#[derive(Clone, Debug, Serialize)]
pub struct PushMessage {
    /// `push.ring`, `push.cancel`, or `push.missed`.
    #[serde(rename = "type")]
    pub name: &'static str,
    /// When what it tells happened, as RFC 3339.
    pub timestamp: String,
    /// What it tells.
    pub data: PushData,
}

/// The invitation as `signaling_info` reads it, and whom to tell how.
#[derive(Clone, Debug, Serialize)]
pub struct PushData {
    /// What `signaling_info` reads from it.
    #[serde(flatten)]
    pub info: SignalingInfoView,
    /// Whom to tell.
    #[serde(with = "text")]
    pub user: UserId,
    /// The state of this invitee.
    pub state: &'static str,
    /// Why, of a rejection or an administrator's cancellation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
    /// The device that answered: it needs no telling.
    #[serde(with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
    /// The invitation's version.
    pub version: u64,
    /// The name that apps show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inviter_name: Option<Arc<str>>,
    /// The application's kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<i64>,
    /// When the ring ends; left out without a timer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
    /// Milliseconds until then, when this was sent; 0 once the ring is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining_ms: Option<u64>,
    /// What the inviter wants to be shown.
    pub push: PushTexts,
    /// The user's registered devices that this is for.
    pub devices: Vec<PushDevice>,
}

/// What to show, and what push services want to know.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PushTexts {
    /// Title of the notification.
    pub title: Arc<str>,
    /// Its text.
    pub desc: Arc<str>,
    /// Opaque.
    pub ext: Arc<str>,
    /// The resource that push services know texts and sounds by.
    pub resource_id: Arc<str>,
    /// A `VoIP` push is asked for.
    pub voip: bool,
    /// Fields for push services, untouched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<Box<RawValue>>,
}

/// A device with the tokens that the app registered.
#[derive(Clone, Serialize)]
pub struct PushDevice {
    /// Which device.
    #[serde(with = "text")]
    pub device_id: DeviceId,
    /// As the app said.
    pub platform: String,
    /// Provider → token.
    pub tokens: BTreeMap<String, String>,
}

impl std::fmt::Debug for PushDevice {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PushDevice").field("device_id", &self.device_id).finish_non_exhaustive()
    }
}

impl PushMessage {
    /// The push of `user`, sent at `now`. `timestamp` writes a time as RFC 3339. None if nothing is known that could
    /// be told.
    #[must_use]
    pub fn of(
        (invitation, operations): (&Invitation, &[Operation]),
        user: &UserId,
        kind: PushKind,
        devices: Vec<RegisteredDevice>,
        now: UnixMillis,
        timestamp: impl FnOnce(UnixMillis) -> String,
    ) -> Option<Self> {
        let terms = &invitation.terms;
        let state = &invitation.invitee(user)?.state;
        let settlement = state.settlement();
        let info = push::info(invitation, operations, user, kind)?;
        let remaining_ms = terms.expires_at().map(|at| at.since(now));
        let at = info.at;
        let data = PushData {
            info: info.into(),
            user: user.clone(),
            state: state.name(),
            reason: settlement.and_then(|settlement| settlement.reason.clone()),
            device_id: settlement.and_then(|settlement| settlement.device.clone()),
            version: invitation.version,
            inviter_name: terms.inviter_name.clone(),
            kind: terms.kind,
            expires_at: terms.expires_at().map(|at| at.0),
            remaining_ms: if *state == InviteeState::Pending { remaining_ms } else { remaining_ms.map(|_| 0) },
            push: terms.push.as_ref().map(PushTexts::from).unwrap_or_default(),
            devices: devices.into_iter().map(PushDevice::from).collect(),
        };
        Some(Self { name: kind.name(), timestamp: timestamp(at), data })
    }
}

impl From<&ringwire_signaling::command::Push> for PushTexts {
    fn from(push: &ringwire_signaling::command::Push) -> Self {
        Self {
            title: Arc::clone(&push.title),
            desc: Arc::clone(&push.desc),
            ext: Arc::clone(&push.ext),
            resource_id: Arc::clone(&push.resource_id),
            voip: push.voip,
            // It was checked to be JSON when it came, so that this is none only where it is empty.
            vendor: RawValue::from_string(push.vendor.to_string()).ok(),
        }
    }
}

impl From<RegisteredDevice> for PushDevice {
    fn from(registered: RegisteredDevice) -> Self {
        Self { device_id: registered.device, platform: registered.platform, tokens: registered.tokens }
    }
}
