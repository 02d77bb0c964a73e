//! Events of invitations: due with the commit that made them, then jobs of targets.

use ringwire_signaling::{InvitationId, PushKind, UserId};

use super::fault::Fault;
use super::keys;
use super::pushes::add;
use super::rows::PushedRow;
use super::tables::Tables;
use super::write::{Write, Written};
use crate::push::PushJob;
use crate::query::{Due, DueKind};

/// Since when the creation is due stands where the ring of an invitee would, the settlement where its end would.
fn noted(tables: &Tables<'_>, id: InvitationId) -> Result<PushedRow, Fault> {
    let row = tables.pushed.get(&keys::events(id))?;
    row.map_or_else(|| Ok(PushedRow::default()), |row| PushedRow::read(row.value()))
}

fn note(tables: &mut Tables<'_>, id: InvitationId, row: &PushedRow) -> Result<(), Fault> {
    if *row == PushedRow::default() {
        return tables.pushed.remove(&keys::events(id)).map(|_| ());
    }
    tables.pushed.insert(&keys::events(id), &row.write())
}

/// Makes the creation due.
pub(super) fn created(write: &mut Write<'_>, id: InvitationId, inviter: UserId) -> Result<Due, Fault> {
    let row = PushedRow { ring_at: Some(write.now), ..noted(&write.tables, id)? };
    make_due(write, id, &row, DueKind::Created(inviter))
}

/// Makes the settlement due.
pub(super) fn settled(write: &mut Write<'_>, id: InvitationId, inviter: UserId) -> Result<Due, Fault> {
    let row = PushedRow { end_at: Some(write.now), ..noted(&write.tables, id)? };
    make_due(write, id, &row, DueKind::Settled(inviter))
}

fn make_due(write: &mut Write<'_>, id: InvitationId, row: &PushedRow, kind: DueKind) -> Result<Due, Fault> {
    note(&mut write.tables, id, row)?;
    let due = Due { at: write.now, invitation: id, kind };
    write.tables.due.insert(&keys::due(&due), &[])?;
    Ok(due)
}

/// Turns an event that is due into a job for each target; before the settlement the creation, if nobody has yet.
pub(super) fn queue(write: &mut Write<'_>, job: &PushJob, targets: &[String]) -> Written<bool> {
    let (id, inviter) = (job.invitation, &job.user);
    let mut row = noted(&write.tables, id)?;
    let settled_at = if job.kind == PushKind::Settled { row.end_at.take() } else { None };
    if job.kind == PushKind::Settled && settled_at.is_none() {
        return Ok((false, Vec::new()));
    }
    let created_at = row.ring_at.take();
    let found = [
        (created_at, DueKind::Created(inviter.clone()), job.created()),
        (settled_at, DueKind::Settled(inviter.clone()), job.clone()),
    ];
    let now = write.now;
    for (at, kind, job) in found {
        let Some(at) = at else { continue };
        write.tables.due.remove(&keys::due(&Due { at, invitation: id, kind }))?;
        for target in targets {
            add(write, target, &job, now)?;
        }
    }
    note(&mut write.tables, id, &row)?;
    Ok((created_at.is_some() || settled_at.is_some(), Vec::new()))
}
