//! Pushes: from what is due to the jobs of targets, and to dead letters.

use std::ops::Bound;

use redb::ReadableTableMetadata;
use ringwire_signaling::{InvitationId, PushChange, PushKind, UnixMillis, UserId};

use super::events;
use super::fault::Fault;
use super::keys;
use super::presence::Presence;
use super::read::Reading;
use super::rows::{JobRow, PushedRow};
use super::tables::{self, Tables, rows_between, rows_of};
use super::write::{Write, Written};
use crate::push::{
    DEAD_LETTERS, DeadLetter, Failure, HELD, LetterCursor, LetterPage, NEVER_TRIED, NO_ROOM, PushId, PushJob,
    PushQueue, QUEUED_PUSHES, TakenPush,
};
use crate::query::{Due, DueKind};

fn due_row(id: InvitationId, at: UnixMillis, kind: DueKind) -> Vec<u8> {
    keys::due(&Due { at, invitation: id, kind })
}

fn pushed(tables: &Tables<'_>, id: InvitationId, user: &UserId) -> Result<PushedRow, Fault> {
    let row = tables.pushed.get(&keys::pushed(id, user))?;
    row.map_or_else(|| Ok(PushedRow::default()), |row| PushedRow::read(row.value()))
}

fn save(tables: &mut Tables<'_>, id: InvitationId, user: &UserId, row: &PushedRow) -> Result<(), Fault> {
    let key = keys::pushed(id, user);
    if *row == PushedRow::default() {
        return tables.pushed.remove(&key).map(|_| ());
    }
    tables.pushed.insert(&key, &row.write())
}

/// Makes due what a commit says, and no longer due. Returns what is so at once.
pub(super) fn change(
    write: &mut Write<'_>,
    id: InvitationId,
    changes: Vec<PushChange>,
    presence: &Presence,
) -> Result<Vec<Due>, Fault> {
    let now = write.now;
    let mut at_once = Vec::new();
    for change in changes {
        match change {
            PushChange::Ring { user, patience_ms } => {
                let at = if presence.contains(&user) { now.plus(patience_ms) } else { now };
                let due = Due { at, invitation: id, kind: DueKind::Push(user.clone()) };
                write.tables.due.insert(&keys::due(&due), &[])?;
                save(&mut write.tables, id, &user, &PushedRow { ring_at: Some(at), ..PushedRow::default() })?;
                at_once.extend((at == now).then_some(due));
            }
            PushChange::End { user } => {
                forget_ring(write, id, &user)?;
                let mut row = pushed(&write.tables, id, &user)?;
                if !row.targets.is_empty() {
                    row.end_at = Some(now);
                    let due = Due { at: now, invitation: id, kind: DueKind::PushEnd(user.clone()) };
                    write.tables.due.insert(&keys::due(&due), &[])?;
                    save(&mut write.tables, id, &user, &row)?;
                    at_once.push(due);
                }
            }
            PushChange::Created { inviter } => at_once.push(events::created(write, id, inviter)?),
            PushChange::Settled { inviter } => at_once.push(events::settled(write, id, inviter)?),
        }
    }
    Ok(at_once)
}

/// No push of the ring is due any more. One that was queued stays what it is.
pub(super) fn forget_ring(write: &mut Write<'_>, id: InvitationId, user: &UserId) -> Result<(), Fault> {
    let mut row = pushed(&write.tables, id, user)?;
    if let Some(at) = row.ring_at.take() {
        write.tables.due.remove(&due_row(id, at, DueKind::Push(user.clone())))?;
        save(&mut write.tables, id, user, &row)?;
    }
    Ok(())
}

/// Removes what is noted of an invitation's pushes, and what is due of them. Its events stay due: that there was an
/// invitation is told of even if what it was is not known any more.
pub(super) fn remove(tables: &mut Tables<'_>, id: InvitationId) -> Result<(), Fault> {
    let (mut due, mut gone) = (Vec::new(), Vec::new());
    for row in tables.pushed.all(&keys::invitation(id))? {
        let (key, value) = row?;
        if key.value() == keys::events(id) {
            continue;
        }
        gone.push(key.value().to_vec());
        let user = keys::read_pushed(key.value());
        // What cannot be read goes all the same; what is due of it is skipped when its time comes.
        if let (Some(user), Ok(row)) = (user, PushedRow::read(value.value())) {
            due.extend(row.ring_at.map(|at| due_row(id, at, DueKind::Push(user.clone()))));
            due.extend(row.end_at.map(|at| due_row(id, at, DueKind::PushEnd(user))));
        }
    }
    for key in due {
        tables.due.remove(&key)?;
    }
    for key in gone {
        tables.pushed.remove(&key)?;
    }
    Ok(())
}

/// Turns what is due into jobs.
pub(super) fn queue(write: &mut Write<'_>, job: &PushJob, targets: Vec<String>) -> Written<bool> {
    if job.kind.is_event() {
        return events::queue(write, job, &targets);
    }
    let (id, user) = (job.invitation, &job.user);
    let mut row = pushed(&write.tables, id, user)?;
    let (at, kind) = if job.kind == PushKind::Ring {
        (row.ring_at.take(), DueKind::Push(user.clone()))
    } else {
        (row.end_at.take(), DueKind::PushEnd(user.clone()))
    };
    let Some(at) = at else { return Ok((false, Vec::new())) };
    write.tables.due.remove(&due_row(id, at, kind))?;
    let now = write.now;
    for target in targets {
        if job.kind == PushKind::Ring {
            add(write, &target, job, now)?;
            row.targets.push(target);
        } else if row.targets.contains(&target) {
            queue_end(write, &target, job)?;
        }
    }
    save(&mut write.tables, id, user, &row)?;
    Ok((true, Vec::new()))
}

/// Queues the end of a ring behind the ring, or instead of it.
fn queue_end(write: &mut Write<'_>, target: &str, job: &PushJob) -> Result<(), Fault> {
    let ring = job.ring();
    let mut takeable = write.now;
    if let Some(row) = find(&write.tables, target, &ring)? {
        if row.lease > write.now {
            // On its way right now: what ends it must not overtake it.
            takeable = row.lease;
        } else {
            forget(&mut write.tables, target, &ring)?;
            let is_untried = row.attempts == 0;
            let error = if is_untried { NEVER_TRIED.to_owned() } else { row.error };
            bury(write, target, &ring, Failure { attempts: row.attempts, error })?;
            // Nobody has to be told of the end of what nobody was told of.
            if is_untried {
                return Ok(());
            }
        }
    }
    add(write, target, job, takeable)
}

fn find(tables: &Tables<'_>, target: &str, job: &PushJob) -> Result<Option<JobRow>, Fault> {
    tables.jobs.get(&keys::job(target, job))?.map(|row| JobRow::read(row.value())).transpose()
}

fn put(tables: &mut Tables<'_>, target: &str, job: &PushJob, row: &JobRow) -> Result<(), Fault> {
    forget(tables, target, job)?;
    tables.job_times.insert(&keys::job_time(target, row.at, job), &[])?;
    tables.jobs.insert(&keys::job(target, job), &row.write())
}

/// Removes a job; whether there was one.
fn forget(tables: &mut Tables<'_>, target: &str, job: &PushJob) -> Result<bool, Fault> {
    let Some(row) = find(tables, target, job)? else { return Ok(false) };
    tables.job_times.remove(&keys::job_time(target, row.at, job))?;
    tables.jobs.remove(&keys::job(target, job))
}

/// Whether a job waits for another: a settlement is not told before the creation was, or cannot be.
fn is_held(tables: &Tables<'_>, target: &str, job: &PushJob) -> Result<bool, Fault> {
    Ok(job.kind == PushKind::Settled && find(tables, target, &job.created())?.is_some())
}

pub(super) fn add(write: &mut Write<'_>, target: &str, job: &PushJob, at: UnixMillis) -> Result<(), Fault> {
    // Counting the rows of one target takes as long as there are, and is hardly ever needed.
    let may_be_full = write.tables.jobs.table().len()? >= QUEUED_PUSHES as u64;
    if may_be_full && rows_of(write.tables.jobs.table(), &keys::target(target))?.count() >= QUEUED_PUSHES {
        return bury(write, target, job, Failure { attempts: 0, error: NO_ROOM.to_owned() });
    }
    let at = if is_held(&write.tables, target, job)? { HELD } else { at };
    let row = JobRow { at, lease: UnixMillis(0), attempts: 0, queued_at: write.now, error: String::new() };
    put(&mut write.tables, target, job, &row)
}

fn bury(write: &mut Write<'_>, target: &str, job: &PushJob, failure: Failure) -> Result<(), Fault> {
    let letter = DeadLetter { target: target.to_owned(), job: job.clone(), at: write.now, failure };
    remove_letter_rows(&mut write.tables, letter.id())?;
    write.tables.letter_times.insert(&keys::letter_time(letter.cursor()), &[])?;
    write.tables.letters.insert(&keys::letter(letter.id()), &letter.bytes())?;
    let surplus = write.tables.letters.table().len()?.saturating_sub(DEAD_LETTERS as u64);
    for _ in 0..surplus {
        let oldest = write.tables.letter_times.all(&[])?.next().transpose()?.map(|(key, _)| key.value().to_vec());
        let Some(id) = oldest.as_deref().and_then(keys::read_letter_time) else { break };
        remove_letter_rows(&mut write.tables, id)?;
    }
    Ok(())
}

fn remove_letter_rows(tables: &mut Tables<'_>, id: PushId) -> Result<Option<DeadLetter>, Fault> {
    let letter = match tables.letters.get(&keys::letter(id))? {
        Some(row) => DeadLetter::read(row.value())?,
        None => return Ok(None),
    };
    tables.letter_times.remove(&keys::letter_time(letter.cursor()))?;
    tables.letters.remove(&keys::letter(id))?;
    Ok(Some(letter))
}

/// Takes jobs under a lease.
pub(super) fn take(write: &mut Write<'_>, target: &str, limit: usize, lease_ms: u64) -> Written<Vec<TakenPush>> {
    let mut due = Vec::new();
    let end = keys::job_times(target, write.now.plus(1));
    let start = keys::target(target);
    let rows = rows_between(write.tables.job_times.table(), Bound::Included(&start), Bound::Excluded(&end))?;
    for row in rows.take(limit) {
        due.push(keys::read_job_time(target, row?.0.value()).ok_or(Fault::Damaged("a push's time"))?);
    }
    let mut taken = Vec::with_capacity(due.len());
    for job in due {
        let Some(row) = find(&write.tables, target, &job)? else { continue };
        // The creation came back: it was a dead letter that is sent again.
        if is_held(&write.tables, target, &job)? {
            put(&mut write.tables, target, &job, &JobRow { at: HELD, ..row })?;
            continue;
        }
        let lease = write.now.plus(lease_ms);
        let row = JobRow { at: lease, lease, attempts: row.attempts + 1, ..row };
        put(&mut write.tables, target, &job, &row)?;
        taken.push(TakenPush { job, attempts: row.attempts, queued_at: row.queued_at });
    }
    Ok((taken, Vec::new()))
}

/// Has what waited for this job follow at once; whether there is such.
fn follow(write: &mut Write<'_>, target: &str, job: &PushJob) -> Result<bool, Fault> {
    let Some(follower) = job.follower() else { return Ok(false) };
    let Some(row) = find(&write.tables, target, &follower)? else { return Ok(false) };
    if row.attempts == 0 || row.at == HELD {
        put(&mut write.tables, target, &follower, &JobRow { at: write.now, ..row })?;
    }
    Ok(true)
}

/// Gives a job back. A ring whose end waits has failed for good.
pub(super) fn put_off(
    write: &mut Write<'_>,
    target: &str,
    job: &PushJob,
    at: UnixMillis,
    error: String,
) -> Written<()> {
    if let Some(row) = find(&write.tables, target, job)? {
        // An event that is tried again keeps its follower waiting.
        if job.kind == PushKind::Ring && follow(write, target, job)? {
            forget(&mut write.tables, target, job)?;
            bury(write, target, job, Failure { attempts: row.attempts, error })?;
        } else {
            put(&mut write.tables, target, job, &JobRow { at, lease: UnixMillis(0), error, ..row })?;
        }
    }
    Ok(((), Vec::new()))
}

/// Ends a job. What somebody else has ended, maybe by delivering it, leaves no letter.
pub(super) fn end(write: &mut Write<'_>, target: &str, job: &PushJob, failure: Option<Failure>) -> Written<()> {
    let existed = forget(&mut write.tables, target, job)?;
    if let Some(failure) = failure.filter(|_| existed) {
        bury(write, target, job, failure)?;
    }
    follow(write, target, job)?;
    Ok(((), Vec::new()))
}

/// Removes a dead letter, and queues a job in its stead.
pub(super) fn remove_letter(write: &mut Write<'_>, id: PushId, again: Option<PushJob>) -> Written<bool> {
    let Some(letter) = remove_letter_rows(&mut write.tables, id)? else { return Ok((false, Vec::new())) };
    if let Some(job) = again {
        add(write, &letter.target, &job, write.now)?;
    }
    Ok((true, Vec::new()))
}

impl Reading {
    pub(super) fn push_queues(&self, targets: &[String]) -> Result<Vec<PushQueue>, Fault> {
        let table = self.table(tables::JOB_TIMES)?;
        let queue = |target: &String| {
            let mut rows = rows_of(&table, &keys::target(target))?;
            let first = rows.next().transpose()?.map(|(key, _)| keys::read_time_of_job(target, key.value()));
            let waiting = u64::from(first.is_some()) + rows.count() as u64;
            Ok(PushQueue { waiting, next_at: first.flatten() })
        };
        targets.iter().map(queue).collect()
    }

    pub(super) fn dead_letters(&self, before: Option<LetterCursor>, limit: usize) -> Result<LetterPage, Fault> {
        let (times, letters) = (self.table(tables::LETTER_TIMES)?, self.table(tables::LETTERS)?);
        let end = before.map(keys::letter_time);
        let end = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut page = LetterPage::default();
        for row in rows_between(&times, Bound::Unbounded, end)?.rev() {
            let id = keys::read_letter_time(row?.0.value()).ok_or(Fault::Damaged("a dead letter's time"))?;
            if page.letters.len() == limit.max(1) {
                page.next = page.letters.last().map(DeadLetter::cursor);
                break;
            }
            let Some(body) = redb::ReadableTable::get(&letters, keys::letter(id).as_slice())? else { continue };
            page.letters.push(DeadLetter::read(body.value())?);
        }
        Ok(page)
    }

    pub(super) fn dead_letter(&self, id: PushId) -> Result<Option<DeadLetter>, Fault> {
        let letters = self.table(tables::LETTERS)?;
        let body = redb::ReadableTable::get(&letters, keys::letter(id).as_slice())?;
        Ok(body.map(|body| DeadLetter::read(body.value())).transpose()?)
    }
}
