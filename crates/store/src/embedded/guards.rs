//! Checking a commit's guards: facts about other keys, read in the commit's own transaction.

use std::collections::BTreeSet;

use redb::ReadableTable;
use ringwire_signaling::guard::Role;
use ringwire_signaling::{Guard, GuardFailure, InvitationId, UnixMillis, UserId};

use super::fault::Fault;
use super::keys;
use super::rows::ActiveRow;
use super::tables::{Bytes, rows_of};
use super::write::Write;

/// Checks all guards and returns what every failed one says.
pub(super) fn check(write: &Write<'_>, guards: &[Guard]) -> Result<Vec<GuardFailure>, Fault> {
    let mut failures = Vec::new();
    for guard in guards {
        failures.extend(check_one(write, guard)?);
    }
    Ok(failures)
}

fn check_one(write: &Write<'_>, guard: &Guard) -> Result<Option<GuardFailure>, Fault> {
    let (tables, now) = (&write.tables, write.now);
    Ok(match guard {
        Guard::Below { user, role, limit } => {
            let rows = active(tables.active.table(), user, *role, now)?;
            (rows.len() >= *limit).then(|| GuardFailure::Full {
                user: user.clone(),
                role: *role,
                oldest_timerless: oldest_timerless(&rows),
            })
        }
        Guard::NotInvitedBy { user, inviters } => {
            let inviters: BTreeSet<&UserId> = inviters.iter().collect();
            active(tables.active.table(), user, Role::Invitee, now)?
                .iter()
                .filter(|(_, row)| inviters.contains(&row.inviter))
                .map(|(id, _)| *id)
                .min()
                .map(|invitation| GuardFailure::Crossed { invitation })
        }
        Guard::NotRinging { user } => active(tables.active.table(), user, Role::Invitee, now)?
            .iter()
            .any(|(_, row)| row.has_timer)
            .then(|| GuardFailure::Ringing { user: user.clone() }),
        Guard::NotBlocked { user, inviter } => tables
            .blocks
            .get(&keys::block(user, inviter))?
            .is_some()
            .then(|| GuardFailure::Blocked { user: user.clone() }),
        Guard::RingsBelow { user, limit, window_ms } => {
            let rung = write.rings.count(user, *window_ms, now);
            (rung >= *limit as usize).then(|| GuardFailure::RungTooOften { user: user.clone() })
        }
        Guard::Members { group, users } => {
            if tables.groups.get(&keys::group(group))?.is_none() {
                Some(GuardFailure::GroupMissing)
            } else {
                let mut strangers = Vec::new();
                for user in users {
                    if tables.members.get(&keys::member(group, user))?.is_none() {
                        strangers.push(user.clone());
                    }
                }
                (!strangers.is_empty()).then_some(GuardFailure::NotMembers { users: strangers })
            }
        }
    })
}

/// Counts the rings of a commit whose guards hold.
pub(super) fn count_rings(write: &mut Write<'_>, guards: &[Guard]) {
    for guard in guards {
        if let Guard::RingsBelow { user, window_ms, .. } = guard {
            write.rings.note(user, *window_ms, write.now);
        }
    }
}

fn oldest_timerless(rows: &[(InvitationId, ActiveRow)]) -> Option<InvitationId> {
    rows.iter().filter(|(_, row)| !row.has_timer).min_by_key(|(id, row)| (row.created_at, *id)).map(|(id, _)| *id)
}

/// A user's active invitations in one role, by id.
pub(super) fn active<T: ReadableTable<Bytes, Bytes>>(
    table: &T,
    user: &UserId,
    role: Role,
    now: UnixMillis,
) -> Result<Vec<(InvitationId, ActiveRow)>, Fault> {
    let mut rows = Vec::new();
    for row in rows_of(table, &keys::active_role(user, role))? {
        let (key, value) = row?;
        let id = keys::last_invitation(key.value()).ok_or(Fault::Damaged("an active invitation's key"))?;
        let row = ActiveRow::read(value.value())?;
        if row.retained_until > now {
            rows.push((id, row));
        }
    }
    Ok(rows)
}
