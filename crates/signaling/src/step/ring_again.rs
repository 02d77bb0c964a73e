//! A device that a push woke asks for the ring.

use crate::id::UserId;
use crate::invitation::{Invitation, InviteeState};
use crate::refusal::Refusal;

/// Whether the invitation rings on a connection of `user` that asks for it by name.
///
/// `state` is none when the record is gone; `already_sent` says that the connection had the ring.
///
/// # Errors
/// `expired`, `already_settled` or `already_exists`; for an outsider the same as for any other id.
pub fn ring_again(state: Option<&Invitation>, user: &UserId, already_sent: bool) -> Result<(), Refusal> {
    let state = state.ok_or(Refusal::Expired)?;
    let invitee = match state.invitee(user) {
        Some(invitee) if !invitee.hidden => invitee,
        None if state.terms.inviter == *user => return Err(Refusal::NotInvitee),
        Some(_) | None => return Err(Refusal::NotFound),
    };
    if invitee.state != InviteeState::Pending {
        let device = invitee.state.settlement().and_then(|settlement| settlement.device.clone());
        return Err(Refusal::AlreadySettled { state: invitee.state.name(), device });
    }
    if already_sent { Err(Refusal::AlreadyExists) } else { Ok(()) }
}
