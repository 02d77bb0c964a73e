//! What a target of events is sent: a message of Standard Webhooks (`type`, `timestamp`, `data`).

use ringwire_signaling::{Invitation, PushKind, UnixMillis, push};
use serde::Serialize;

use super::InvitationView;

/// One event of one invitation.
#[derive(Clone, Debug, Serialize)]
pub struct EventMessage {
    /// `invitation.created` or `invitation.settled`.
    #[serde(rename = "type")]
    pub name: &'static str,
    /// When that happened, as RFC 3339.
    pub timestamp: String,
    /// The invitation as it is when this is sent, without the data of answers.
    pub data: InvitationView,
}

impl EventMessage {
    /// The event, sent at `now`. `timestamp` writes a time as RFC 3339. None if it has not happened, or if that kind is no
    /// event.
    #[must_use]
    pub fn of(
        invitation: &Invitation,
        kind: PushKind,
        now: UnixMillis,
        timestamp: impl FnOnce(UnixMillis) -> String,
    ) -> Option<Self> {
        let at = push::happened_at(invitation, kind)?;
        // Answers' data stands with the operations: a record of a call does without.
        let data = InvitationView::of(invitation, &[], &[], now);
        Some(Self { name: kind.name(), timestamp: timestamp(at), data })
    }
}
