//! What users see: events are in the past tense and describe committed facts.

use std::sync::Arc;

use crate::id::{DeviceId, GroupId, InvitationId, UserId};
use crate::invitation::{Audience, FailReason, Invitation, Outcome};
use crate::time::UnixMillis;

/// One thing that happened to an invitation, with what a UI needs to show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which invitation.
    pub invitation: InvitationId,
    /// The invitation's version after what happened; receipts and signals do not raise it.
    pub version: u64,
    /// When it was committed.
    pub at: UnixMillis,
    /// Who invited.
    pub inviter: UserId,
    /// The group it belongs to.
    pub group: Option<GroupId>,
    /// The application's kind.
    pub kind: Option<i64>,
    /// The configured duration of the ring.
    pub timeout_s: u32,
    /// Whether the whole invitation is settled.
    pub settled: bool,
    /// Belongs to an online-only invitation: not kept for long.
    pub ephemeral: bool,
    /// What happened.
    pub body: EventBody,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventBody {
    /// You (`invited`), or others in a group of yours, were invited.
    Received(Ring),
    /// Another device of yours invited.
    Sent {
        /// What the invitees got.
        ring: Ring,
        /// The device that invited.
        device: Option<DeviceId>,
        /// Whom it did not reach, and why.
        failed: Vec<(UserId, FailReason)>,
    },
    /// An invitee's device holds the ring.
    Ringing {
        /// Who rings.
        invitee: UserId,
        /// Where.
        device: DeviceId,
    },
    /// An invitee accepted.
    Accepted {
        /// Who.
        invitee: UserId,
        /// With which device.
        device: Option<DeviceId>,
        /// The answer's data.
        data: Arc<str>,
    },
    /// An invitee rejected.
    Rejected {
        /// Who.
        invitee: UserId,
        /// With which device; none also when the server rejected for a busy user.
        device: Option<DeviceId>,
        /// The answer's data.
        data: Arc<str>,
        /// `declined`, `busy`, or free text.
        reason: Arc<str>,
    },
    /// Another device of yours answered.
    AnsweredElsewhere {
        /// The answering user: you.
        invitee: UserId,
        /// Accepted or rejected.
        outcome: Outcome,
        /// With which device.
        device: Option<DeviceId>,
        /// The answer's data.
        data: Arc<str>,
        /// Why, if rejected.
        reason: Option<Arc<str>>,
    },
    /// The inviter withdrew it.
    Cancelled {
        /// The invitees concerned.
        invitees: Vec<UserId>,
        /// The inviter's device.
        device: Option<DeviceId>,
        /// The cancellation's data.
        data: Arc<str>,
        /// Why, when an administrator did it.
        reason: Option<Arc<str>>,
    },
    /// The deadline passed.
    TimedOut {
        /// The invitees concerned.
        invitees: Vec<UserId>,
        /// The invitation's data.
        data: Arc<str>,
    },
    /// The inviter replaced the data.
    Modified {
        /// The invitees concerned: pending and accepted ones.
        invitees: Vec<UserId>,
        /// The inviter's device.
        device: Option<DeviceId>,
        /// The new data.
        data: Arc<str>,
    },
    /// A participant sent data.
    Signal {
        /// Who.
        from: UserId,
        /// With which device.
        device: Option<DeviceId>,
        /// What.
        data: Arc<str>,
    },
}

/// What a device shows while it rings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    /// Everybody invited, failed ones left out.
    pub invitees: Vec<UserId>,
    /// The inviter's display name.
    pub inviter_name: Option<Arc<str>>,
    /// Who in the group hears of it.
    pub audience: Audience,
    /// The inviter's data.
    pub data: Arc<str>,
    /// When the ring ends; none without a timer.
    pub expires_at: Option<UnixMillis>,
    /// Whether the reader is invited, rather than a member of the audience or the inviter.
    pub invited: bool,
    /// An older active invitation in the other direction (glare).
    pub crosses: Option<InvitationId>,
}

impl Event {
    /// An event of `invitation` as it is now.
    #[must_use]
    pub fn of(invitation: &Invitation, at: UnixMillis, body: EventBody) -> Self {
        let terms = &invitation.terms;
        Self {
            invitation: invitation.id,
            version: invitation.version,
            at,
            inviter: terms.inviter.clone(),
            group: terms.group.clone(),
            kind: terms.kind,
            timeout_s: terms.timeout_s,
            settled: invitation.is_settled(),
            ephemeral: terms.online_user_only,
            body,
        }
    }

    /// The event's type in the protocol.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match &self.body {
            EventBody::Received(_) => "invitation.received",
            EventBody::Sent { .. } => "invitation.sent",
            EventBody::Ringing { .. } => "invitation.ringing",
            EventBody::Accepted { .. } => "invitation.accepted",
            EventBody::Rejected { .. } => "invitation.rejected",
            EventBody::AnsweredElsewhere { .. } => "invitation.answered_elsewhere",
            EventBody::Cancelled { .. } => "invitation.cancelled",
            EventBody::TimedOut { .. } => "invitation.timed_out",
            EventBody::Modified { .. } => "invitation.modified",
            EventBody::Signal { .. } => "signal",
        }
    }

    /// Whether this is a ring for its reader, which a device acknowledges with a receipt.
    #[must_use]
    pub fn is_ring(&self) -> bool {
        matches!(&self.body, EventBody::Received(ring) if ring.invited)
    }

    /// Whether, for `reader`, this tells of the reader's own action, which the acting connection
    /// learns from its result instead.
    #[must_use]
    pub fn echoes_action_of(&self, reader: &UserId) -> bool {
        match &self.body {
            EventBody::Sent { .. } => true,
            EventBody::AnsweredElsewhere { invitee, .. } => invitee == reader,
            EventBody::Cancelled { reason, .. } => reason.is_none() && self.inviter == *reader,
            EventBody::Modified { .. } => self.inviter == *reader,
            EventBody::Received(_)
            | EventBody::Ringing { .. }
            | EventBody::Accepted { .. }
            | EventBody::Rejected { .. }
            | EventBody::TimedOut { .. }
            | EventBody::Signal { .. } => false,
        }
    }

    /// Whether, for `reader`, the invitation no longer rings after this event.
    #[must_use]
    pub fn ends_ring_of(&self, reader: &UserId) -> bool {
        match &self.body {
            EventBody::AnsweredElsewhere { invitee, .. } => invitee == reader,
            EventBody::Cancelled { invitees, .. } | EventBody::TimedOut { invitees, .. } => invitees.contains(reader),
            EventBody::Received(_)
            | EventBody::Sent { .. }
            | EventBody::Ringing { .. }
            | EventBody::Accepted { .. }
            | EventBody::Rejected { .. }
            | EventBody::Modified { .. }
            | EventBody::Signal { .. } => false,
        }
    }
}
