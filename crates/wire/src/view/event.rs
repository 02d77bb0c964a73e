//! One event, as a frame carries it: flat, with only those members that its type has.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use ringwire_signaling::apply::Bearing;
use ringwire_signaling::event::Ring;
use ringwire_signaling::invitation::Audience;
use ringwire_signaling::{
    Check, DeviceId, Entry, Epoch, Event, EventBody, FailReason, GroupId, InvitationId, Position, UserId,
};
use serde::{Deserialize, Serialize};

use crate::text;

/// An event as a device gets it.
///
/// Built without copying the event's texts, because every event is written once per device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventView<'a> {
    /// What happened, such as `invitation.received`.
    #[serde(rename = "type")]
    pub name: Cow<'a, str>,
    /// Its place in the user's inbox.
    pub offset: u64,
    /// The inbox's life.
    #[serde(with = "text")]
    pub epoch: Epoch,
    /// Random bits of this entry, to be given back on resume.
    #[serde(with = "text")]
    pub check: Check,
    /// Which invitation.
    #[serde(with = "text")]
    pub invitation_id: InvitationId,
    /// The invitation's version after what happened.
    pub version: u64,
    /// When it was committed.
    pub at: u64,
    /// Who invited.
    #[serde(with = "text")]
    pub inviter: UserId,
    /// The group it belongs to.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub group_id: Option<GroupId>,
    /// The application's kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<i64>,
    /// The configured duration of the ring; 0 is no timer.
    pub timeout_s: u32,
    /// Whether the whole invitation is settled.
    pub settled: bool,
    /// Of `received` and `sent`: everybody rung. Of `cancelled`, `timed_out`, `modified`: those concerned.
    #[serde(default, with = "text::optional_cow_list", skip_serializing_if = "Option::is_none")]
    pub invitees: Option<Cow<'a, [UserId]>>,
    /// Of `received` and `sent`: the inviter's display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inviter_name: Option<Arc<str>>,
    /// The data of what happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Arc<str>>,
    /// Of `received` and `sent`: when the ring ends; left out without a timer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
    /// Of `received`: whether the reader is invited, rather than a member of the audience.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invited: Option<bool>,
    /// Of `received` and `sent` in a group: `members` or `invitees`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<Cow<'static, str>>,
    /// Of `received` and `sent`: an older active invitation in the other direction.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub crosses: Option<InvitationId>,
    /// Of `ringing` and answers: which invitee.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub invitee: Option<UserId>,
    /// The device that did it.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
    /// Of a rejection, or of an administrator's cancellation: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
    /// Of `answered_elsewhere`: `accepted` or `rejected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Cow<'static, str>>,
    /// Of `sent`: whom it did not reach, and why.
    #[serde(default, with = "text::optional_map", skip_serializing_if = "Option::is_none")]
    pub failed: Option<BTreeMap<UserId, Cow<'static, str>>>,
    /// Of `signal`: who sent it.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub from: Option<UserId>,
}

impl<'a> EventView<'a> {
    /// Types of events that this version of the crate knows.
    pub const NAMES: &'static [&'static str] = &[
        "invitation.received",
        "invitation.sent",
        "invitation.ringing",
        "invitation.accepted",
        "invitation.rejected",
        "invitation.answered_elsewhere",
        "invitation.cancelled",
        "invitation.timed_out",
        "invitation.modified",
        "signal",
    ];

    /// The view of an inbox entry.
    #[must_use]
    pub fn of(entry: &'a Entry, epoch: Epoch) -> Self {
        let event: &'a Event = &entry.event;
        let view = Self {
            name: Cow::Borrowed(event.name()),
            offset: entry.offset,
            epoch,
            check: entry.check,
            invitation_id: event.invitation,
            version: event.version,
            at: event.at.0,
            inviter: event.inviter.clone(),
            group_id: event.group.clone(),
            kind: event.kind,
            timeout_s: event.timeout_s,
            settled: event.settled,
            invitees: None,
            inviter_name: None,
            data: None,
            expires_at: None,
            invited: None,
            audience: None,
            crosses: None,
            invitee: None,
            device_id: None,
            reason: None,
            outcome: None,
            failed: None,
            from: None,
        };
        view.with_body(&event.body)
    }

    fn with_body(mut self, body: &'a EventBody) -> Self {
        match body {
            EventBody::Received(ring) => {
                self.invited = Some(ring.invited);
                self.with_ring(ring)
            }
            EventBody::Sent { ring, device, failed } => {
                self.device_id.clone_from(device);
                self.failed = Some(reasons(failed));
                self.with_ring(ring)
            }
            EventBody::Ringing { invitee, device } => {
                Self { invitee: Some(invitee.clone()), device_id: Some(device.clone()), ..self }
            }
            EventBody::Accepted { invitee, device, data } => self.answered(invitee, device.as_ref(), data),
            EventBody::Rejected { invitee, device, data, reason } => {
                self.reason = Some(Arc::clone(reason));
                self.answered(invitee, device.as_ref(), data)
            }
            EventBody::AnsweredElsewhere { invitee, outcome, device, data, reason } => {
                self.outcome = Some(Cow::Borrowed(outcome.name()));
                self.reason.clone_from(reason);
                self.answered(invitee, device.as_ref(), data)
            }
            EventBody::Cancelled { invitees, device, data, reason } => {
                self.device_id.clone_from(device);
                self.reason.clone_from(reason);
                self.concerning(invitees, data)
            }
            EventBody::TimedOut { invitees, data } => self.concerning(invitees, data),
            EventBody::Modified { invitees, device, data } => {
                self.device_id.clone_from(device);
                self.concerning(invitees, data)
            }
            EventBody::Signal { from, device, data } => {
                Self { data: Some(Arc::clone(data)), device_id: device.clone(), from: Some(from.clone()), ..self }
            }
        }
    }

    fn with_ring(mut self, ring: &'a Ring) -> Self {
        self.audience = self.group_id.as_ref().map(|_| Cow::Borrowed(audience_name(ring.audience)));
        self.inviter_name.clone_from(&ring.inviter_name);
        self.expires_at = ring.expires_at.map(|at| at.0);
        self.crosses = ring.crosses;
        self.concerning(&ring.invitees, &ring.data)
    }

    fn concerning(self, invitees: &'a [UserId], data: &Arc<str>) -> Self {
        Self { invitees: Some(Cow::Borrowed(invitees)), data: Some(Arc::clone(data)), ..self }
    }

    fn answered(self, invitee: &UserId, device: Option<&DeviceId>, data: &Arc<str>) -> Self {
        Self { data: Some(Arc::clone(data)), invitee: Some(invitee.clone()), device_id: device.cloned(), ..self }
    }

    /// Where a device stands that has applied this event.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { epoch: self.epoch, offset: self.offset, check: self.check }
    }

    /// How it relates to its invitation's state.
    #[must_use]
    pub fn bearing(&self) -> Bearing {
        match self.name.as_ref() {
            "invitation.ringing" | "signal" => Bearing::Beside,
            _ => Bearing::State,
        }
    }

    /// The same, owning its texts.
    #[must_use]
    pub fn into_owned(self) -> EventView<'static> {
        EventView {
            name: Cow::Owned(self.name.into_owned()),
            invitees: self.invitees.map(|invitees| Cow::Owned(invitees.into_owned())),
            offset: self.offset,
            epoch: self.epoch,
            check: self.check,
            invitation_id: self.invitation_id,
            version: self.version,
            at: self.at,
            inviter: self.inviter,
            group_id: self.group_id,
            kind: self.kind,
            timeout_s: self.timeout_s,
            settled: self.settled,
            inviter_name: self.inviter_name,
            data: self.data,
            expires_at: self.expires_at,
            invited: self.invited,
            audience: self.audience,
            crosses: self.crosses,
            invitee: self.invitee,
            device_id: self.device_id,
            reason: self.reason,
            outcome: self.outcome,
            failed: self.failed,
            from: self.from,
        }
    }
}

pub(super) fn audience_name(audience: Audience) -> &'static str {
    match audience {
        Audience::Members => "members",
        Audience::Invitees => "invitees",
    }
}

pub(super) fn reasons(failed: &[(UserId, FailReason)]) -> BTreeMap<UserId, Cow<'static, str>> {
    failed.iter().map(|(user, reason)| (user.clone(), Cow::Borrowed(reason.name()))).collect()
}
