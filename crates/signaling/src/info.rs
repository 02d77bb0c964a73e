//! `signaling_info`: one reading of an event, a history message or a push, whichever an app holds.

use std::sync::Arc;

use crate::event::{Event, EventBody};
use crate::id::{GroupId, InvitationId, UserId};
use crate::invitation::{Invitation, Outcome};
use crate::operation::{Action, Operation};
use crate::time::UnixMillis;

/// What an app needs to show one step of an invitation (Tencent's `getSignallingInfo`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalingInfo {
    /// Which invitation.
    pub invitation: InvitationId,
    /// The group it was made in.
    pub group: Option<GroupId>,
    /// Who invited.
    pub inviter: UserId,
    /// The invitees concerned by this step.
    pub invitees: Vec<UserId>,
    /// The step's data.
    pub data: Arc<str>,
    /// The configured duration of the ring.
    pub timeout_s: u32,
    /// Which step.
    pub action: Action,
    /// When.
    pub at: UnixMillis,
}

impl SignalingInfo {
    /// Reads an event; none for receipts and signals.
    #[must_use]
    pub fn of_event(event: &Event) -> Option<Self> {
        let (action, invitees, data) = match &event.body {
            EventBody::Received(ring) | EventBody::Sent { ring, .. } => {
                (Action::Invite, ring.invitees.clone(), &ring.data)
            }
            EventBody::Accepted { invitee, data, .. } => (Action::Accept, vec![invitee.clone()], data),
            EventBody::Rejected { invitee, data, .. } => (Action::Reject, vec![invitee.clone()], data),
            EventBody::AnsweredElsewhere { invitee, outcome, data, .. } => {
                let action = if *outcome == Outcome::Accepted { Action::Accept } else { Action::Reject };
                (action, vec![invitee.clone()], data)
            }
            EventBody::Cancelled { invitees, data, .. } => (Action::Cancel, invitees.clone(), data),
            EventBody::TimedOut { invitees, data } => (Action::Timeout, invitees.clone(), data),
            EventBody::Modified { invitees, data, .. } => (Action::Modify, invitees.clone(), data),
            EventBody::Ringing { .. } | EventBody::Signal { .. } => return None,
        };
        Some(Self {
            invitation: event.invitation,
            group: event.group.clone(),
            inviter: event.inviter.clone(),
            invitees,
            data: Arc::clone(data),
            timeout_s: event.timeout_s,
            action,
            at: event.at,
        })
    }

    /// Reads an entry of an invitation's history.
    #[must_use]
    pub fn of_operation(invitation: &Invitation, operation: &Operation) -> Self {
        Self {
            invitation: invitation.id,
            group: invitation.terms.group.clone(),
            inviter: invitation.terms.inviter.clone(),
            invitees: operation.invitees.clone(),
            data: Arc::clone(&operation.data),
            timeout_s: invitation.terms.timeout_s,
            action: operation.action,
            at: operation.at,
        }
    }
}

#[cfg(test)]
mod tests;
