//! Guards as the commit script takes them, and what it says of those that failed.

use ringwire_signaling::guard::Role;
use ringwire_signaling::{Guard, GuardFailure, InvitationId};

use super::draft::{Draft, List, small};
use super::fields::ID;
use super::keys::Keys;
use super::link::Call;
use super::reply;
use crate::bytes::{Fields, push_text};
use crate::error::StoreError;

/// Says whom the guards concern.
pub(super) fn concern<'a>(draft: &mut Draft<'a>, guards: &'a [Guard]) {
    for guard in guards {
        match guard {
            Guard::Below { user, .. }
            | Guard::NotInvitedBy { user, .. }
            | Guard::NotRinging { user }
            | Guard::RingsBelow { user, .. } => {
                draft.user(user);
            }
            Guard::NotBlocked { .. } | Guard::Members { .. } => {}
        }
    }
}

/// The guards packed, once everybody concerned has a number; the keys of groups and of lists of blocked users go into the call.
pub(super) fn pack<'a>(draft: &mut Draft<'a>, call: &mut Call, keys: &Keys, guards: &'a [Guard]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(guards.len() * 6);
    for guard in guards {
        let (kind, number, list, limit) = match guard {
            Guard::Below { user, role, limit } => (b'b', draft.user(user), list(*role), *limit),
            Guard::NotInvitedBy { user, inviters } => (b'i', draft.user(user), List::Invited, inviters.len()),
            Guard::NotRinging { user } => (b'q', draft.user(user), List::Invited, 0),
            Guard::RingsBelow { user, limit, .. } => (b'r', draft.user(user), List::Invited, *limit as usize),
            Guard::NotBlocked { user, .. } => (b's', call.key(&keys.blocks(user)), List::Invited, 1),
            Guard::Members { group, users } => (b'm', call.key(&keys.group(group)), List::Invited, users.len()),
        };
        packed.push(kind);
        packed.extend_from_slice(&small(number));
        packed.push(list as u8);
        packed.extend_from_slice(&small(limit));
    }
    packed
}

/// Adds the names that the guards count, inviters behind their length as in a list of active invitations.
pub(super) fn name(call: &mut Call, guards: &[Guard]) {
    for guard in guards {
        match guard {
            Guard::NotInvitedBy { inviters, .. } => {
                for inviter in inviters {
                    let mut name = Vec::new();
                    push_text(&mut name, inviter.as_str());
                    call.argument(name);
                }
            }
            Guard::Members { users, .. } => users.iter().for_each(|user| call.argument(user.as_str())),
            Guard::NotBlocked { inviter, .. } => call.argument(inviter.as_str()),
            Guard::RingsBelow { window_ms, .. } => call.number(window_ms),
            Guard::Below { .. } | Guard::NotRinging { .. } => {}
        }
    }
}

/// The list in which a user stands with that role.
pub(super) fn list(role: Role) -> List {
    match role {
        Role::Invitee => List::Invited,
        Role::Inviter => List::Sent,
    }
}

/// Reads what the script says of a guard that failed.
pub(super) fn failure_of(guard: &Guard, said: &[u8]) -> Result<GuardFailure, StoreError> {
    Ok(match guard {
        Guard::Below { user, role, .. } => {
            GuardFailure::Full { user: user.clone(), role: *role, oldest_timerless: smallest(said)? }
        }
        Guard::NotInvitedBy { .. } => {
            GuardFailure::Crossed { invitation: smallest(said)?.ok_or_else(reply::unexpected)? }
        }
        Guard::NotRinging { user } => GuardFailure::Ringing { user: user.clone() },
        Guard::RingsBelow { user, .. } => GuardFailure::RungTooOften { user: user.clone() },
        Guard::NotBlocked { user, .. } => GuardFailure::Blocked { user: user.clone() },
        Guard::Members { .. } if said == b"missing" => GuardFailure::GroupMissing,
        Guard::Members { users, .. } => {
            let text = std::str::from_utf8(said).map_err(|_| reply::unexpected())?;
            let named = text.split(',').map(|at| users.get(at.parse::<usize>().ok()?).cloned());
            GuardFailure::NotMembers { users: named.collect::<Option<_>>().ok_or_else(reply::unexpected)? }
        }
    })
}

/// The smallest of some ids.
fn smallest(ids: &[u8]) -> Result<Option<InvitationId>, StoreError> {
    let ids = ids.chunks(ID).map(|id| Fields::of(id, "an id").invitation());
    Ok(ids.collect::<Result<Vec<_>, _>>()?.into_iter().min())
}
