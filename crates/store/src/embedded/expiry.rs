//! Nothing grows for ever: removing what has expired, a bounded number of rows at a time.

use ringwire_signaling::guard::Role;
use ringwire_signaling::{InvitationId, UserId};
use ringwire_wire::record::decode_invitation;

use super::commit::conversations;
use super::fault::Fault;
use super::inbox;
use super::keys::{self, Mortal};
use super::pushes;
use super::relay;
use super::rows::{RecordHead, read_note};
use super::write::Write;
use crate::query::{Due, DueKind};

/// Removes what has expired, about `budget` rows of it. Returns whether that was all.
pub(super) fn sweep(write: &mut Write<'_>, in_use: impl Fn(&UserId) -> bool, budget: usize) -> Result<bool, Fault> {
    let mut left = budget;
    while left > 0 {
        let Some(first) = write.tables.expiry.all(&[])?.next().transpose()?.map(|(key, _)| key.value().to_vec()) else {
            return Ok(true);
        };
        let Some((at, mortal)) = keys::read_expiry(&first) else {
            tracing::warn!("dropped a damaged row of the expiry table");
            write.tables.expiry.remove(&first)?;
            continue;
        };
        if at > write.now {
            return Ok(true);
        }
        match mortal {
            Mortal::Invitation(id) => sweep_invitation(write, id, &first, &mut left)?,
            Mortal::Inbox(user) => {
                let removed = inbox::sweep(write, &user, at, in_use(&user))?;
                left = left.saturating_sub(removed);
            }
            Mortal::Once(note) => {
                sweep_note(write, &note)?;
                write.tables.expiry.remove(&first)?;
                left = left.saturating_sub(2);
            }
        }
    }
    Ok(false)
}

fn sweep_invitation(write: &mut Write<'_>, id: InvitationId, row: &[u8], left: &mut usize) -> Result<(), Fault> {
    let key = keys::invitation(id);
    let head = match write.tables.invitations.get(&key)? {
        Some(record) => RecordHead::read(record.value()).map(|(head, _)| head).ok(),
        None => None,
    };
    let Some(head) = head else {
        // Without a readable record there is nothing to find the rest by but the id.
        write.tables.expiry.remove(row)?;
        write.tables.invitations.remove(&key)?;
        return Ok(());
    };
    if head.retained_until > write.now {
        write.tables.expiry.remove(row)?;
        return Ok(());
    }
    remove_invitation(write, id, head, left)
}

fn sweep_note(write: &mut Write<'_>, note: &[u8]) -> Result<(), Fault> {
    // Posted again meanwhile, the note has another row for its later end.
    let over = match write.tables.once.get(note)? {
        Some(row) => read_note(row.value()).is_ok_and(|(retained_until, _)| retained_until <= write.now),
        None => false,
    };
    if over {
        write.tables.once.remove(note)?;
    }
    Ok(())
}

/// Removes an invitation with everything of its own, as far as `left` reaches. The record goes last,
/// so that another call can go on.
pub(super) fn remove_invitation(
    write: &mut Write<'_>,
    id: InvitationId,
    head: RecordHead,
    left: &mut usize,
) -> Result<(), Fault> {
    let key = keys::invitation(id);
    relay::clear_due(write, id)?;
    let tables = &mut write.tables;
    for rows in [&mut tables.operations, &mut tables.once, &mut tables.outbox] {
        rows.remove_all(&key, left)?;
    }
    if *left == 0 {
        return Ok(());
    }
    pushes::remove(tables, id)?;
    tables.audiences.remove(&key)?;
    if let Some(at) = head.deadline {
        tables.due.remove(&keys::due(&Due { at, invitation: id, kind: DueKind::Deadline }))?;
    }
    let body = tables.invitations.get(&key)?.map(|row| row.value().to_vec());
    let invitation =
        body.and_then(|row| RecordHead::read(&row).ok().and_then(|(_, body)| decode_invitation(body).ok()));
    if let Some(invitation) = invitation {
        for conversation in conversations(&invitation) {
            tables.history.remove(&keys::history(&conversation, invitation.terms.created_at, id))?;
        }
        tables.active.remove(&keys::active(&invitation.terms.inviter, Role::Inviter, id))?;
        for invitee in &invitation.invitees {
            tables.active.remove(&keys::active(&invitee.user, Role::Invitee, id))?;
        }
        *left = left.saturating_sub(2 * invitation.invitees.len());
    }
    tables.expiry.remove(&keys::expiry(head.retained_until, &Mortal::Invitation(id)))?;
    tables.invitations.remove(&key)?;
    *left = left.saturating_sub(4);
    Ok(())
}
