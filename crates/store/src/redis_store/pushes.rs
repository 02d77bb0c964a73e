//! Pushes: from what is due to the jobs of targets, and to dead letters.
//!
//! A target has a ZSET of its jobs by the time from which on they may be taken, and a HASH of their
//! states. They belong to no partition: all nodes take from them.

use ringwire_signaling::{PushKind, UnixMillis};

use super::fields::member;
use super::link::Call;
use super::reply::{self, Parts};
use super::state::State;
use super::traffic::Purpose;
use crate::bytes::{Fields, push_text};
use crate::error::StoreError;
use crate::push::{
    DeadLetter, Failure, LetterCursor, LetterPage, NEVER_TRIED, NO_ROOM, PushId, PushJob, PushQueue, TakenPush, cut,
};
use crate::query::DueKind;

/// Stands before a user in the field of an invitation that says where the user's ring was pushed.
const PUSHED: char = 'P';

/// A call whose keys begin with the dead letters.
fn call(state: &State) -> Call {
    let mut call = Call::new(Purpose::Push);
    call.key(&state.keys.letter_times());
    call.key(&state.keys.letters());
    call
}

fn target_keys(call: &mut Call, state: &State, target: &str) {
    call.key(&state.keys.push_queue(target));
    call.key(&state.keys.push_states(target));
}

/// The job that waits for this one, if there may be one.
fn follower(job: &PushJob) -> Vec<u8> {
    job.follower().map(|follower| follower.bytes()).unwrap_or_default()
}

/// A target's name behind its length.
fn name(target: &str) -> Vec<u8> {
    let mut name = Vec::new();
    push_text(&mut name, target);
    name
}

fn letter_id(job: &PushJob, target: &str) -> [u8; 16] {
    job.id(target).0.to_be_bytes()
}

/// Turns what is due into jobs.
pub(super) async fn queue(state: &State, job: PushJob, targets: Vec<String>) -> Result<bool, StoreError> {
    let now = state.link.now();
    let kind = match job.kind {
        PushKind::Ring => DueKind::Push(job.user.clone()),
        PushKind::End | PushKind::Missed => DueKind::PushEnd(job.user.clone()),
        PushKind::Created | PushKind::Settled => return queue_event(state, &job, &targets).await,
    };
    let mut call = call(state);
    call.key(&state.keys.due(job.invitation.partition));
    call.key(&state.keys.invitation(job.invitation));
    call.argument(member(job.invitation, &kind));
    call.argument(job.ring().bytes());
    call.argument(if job.kind == PushKind::Ring { Vec::new() } else { job.bytes() });
    call.argument(pushed_field(job.user.as_str()));
    call.number(now);
    call.argument(NEVER_TRIED);
    call.argument(NO_ROOM);
    for target in &targets {
        target_keys(&mut call, state, target);
        call.argument(name(target));
        call.argument(letter_id(&job.ring(), target));
        call.argument(letter_id(&job, target));
    }
    let mut parts = state.link.run_timed(&state.scripts.queue_push, &call).await?;
    Ok(reply::integer(&parts.next())? == 1)
}

/// Turns an event that is due into jobs.
async fn queue_event(state: &State, job: &PushJob, targets: &[String]) -> Result<bool, StoreError> {
    let created = job.created();
    let is_settled = job.kind == PushKind::Settled;
    let mut call = call(state);
    call.key(&state.keys.due(job.invitation.partition));
    call.argument(member(job.invitation, &DueKind::Created(job.user.clone())));
    let settled = is_settled.then(|| member(job.invitation, &DueKind::Settled(job.user.clone())));
    call.argument(settled.unwrap_or_default());
    call.argument(created.bytes());
    call.argument(job.bytes());
    call.number(state.link.now());
    call.argument(NO_ROOM);
    for target in targets {
        target_keys(&mut call, state, target);
        call.argument(name(target));
        call.argument(letter_id(&created, target));
        call.argument(letter_id(job, target));
    }
    let mut parts = state.link.run_timed(&state.scripts.queue_event, &call).await?;
    Ok(reply::integer(&parts.next())? == 1)
}

/// The field of an invitation that says where a user's ring was pushed.
pub(super) fn pushed_field(user: &str) -> String {
    format!("{PUSHED}{user}")
}

/// Takes jobs under a lease.
pub(super) async fn take(
    state: &State,
    target: &str,
    limit: usize,
    lease_ms: u64,
) -> Result<Vec<TakenPush>, StoreError> {
    let mut call = call(state);
    target_keys(&mut call, state, target);
    call.number(limit);
    call.number(lease_ms);
    let mut parts = state.link.run_timed(&state.scripts.take_pushes, &call).await?;
    let taken = reply::list(parts.next())?;
    let read = |pair: &[Vec<u8>]| {
        let mut fields = Fields::of(&pair[1], "a push's state");
        let _lease = fields.time()?;
        let (attempts, queued_at) = (fields.short()?, fields.time()?);
        Ok(TakenPush { job: PushJob::read(&pair[0])?, attempts, queued_at })
    };
    taken.chunks_exact(2).map(read).collect()
}

/// Gives a job back.
pub(super) async fn put_off(
    state: &State,
    target: &str,
    job: &PushJob,
    at: UnixMillis,
    error: &str,
) -> Result<(), StoreError> {
    let mut call = call(state);
    target_keys(&mut call, state, target);
    call.argument(job.bytes());
    // An event that is tried again keeps its follower waiting.
    call.argument(if job.kind == PushKind::Ring { follower(job) } else { Vec::new() });
    call.number(at);
    call.argument(cut(error));
    call.argument(letter_id(job, target));
    call.number(state.link.now());
    call.argument(name(target));
    state.link.run_timed(&state.scripts.put_off_push, &call).await.map(|_| ())
}

/// Ends a job.
pub(super) async fn end(
    state: &State,
    target: &str,
    job: &PushJob,
    failure: Option<Failure>,
) -> Result<(), StoreError> {
    let mut call = call(state);
    target_keys(&mut call, state, target);
    call.argument(job.bytes());
    call.argument(follower(job));
    if let Some(failure) = failure {
        call.argument(letter_id(job, target));
        call.number(state.link.now());
        call.number(failure.attempts);
        call.argument(name(target));
        call.argument(cut(&failure.error));
    } else {
        call.argument("");
    }
    state.link.run_timed(&state.scripts.end_push, &call).await.map(|_| ())
}

/// How much waits.
pub(super) async fn queues(state: &State, targets: &[String]) -> Result<Vec<PushQueue>, StoreError> {
    if targets.is_empty() {
        return Ok(Vec::new());
    }
    let mut pipeline = redis::pipe();
    for target in targets {
        let queue = state.keys.push_queue(target);
        pipeline.cmd("ZCARD").arg(&queue);
        pipeline.cmd("ZRANGE").arg(&queue).arg(0).arg(0).arg("WITHSCORES");
    }
    let mut said = Parts::of(redis::Value::Array(state.link.ask_all(Purpose::Push, &pipeline).await?))?;
    let mut queues = Vec::with_capacity(targets.len());
    for _ in targets {
        let waiting = u64::try_from(reply::integer(&said.next())?).map_err(|_| reply::unexpected())?;
        let first = reply::list(said.next())?;
        let score = first.get(1).and_then(|score| std::str::from_utf8(score).ok());
        queues.push(PushQueue { waiting, next_at: score.and_then(|score| score.parse().ok()).map(UnixMillis) });
    }
    Ok(queues)
}

/// Pages through the dead letters.
pub(super) async fn letters(
    state: &State,
    before: Option<LetterCursor>,
    limit: usize,
) -> Result<LetterPage, StoreError> {
    let limit = limit.max(1);
    let from = before.map_or_else(|| "+inf".to_owned(), |cursor| cursor.at.to_string());
    let mut page = LetterPage::default();
    let mut skipped = 0;
    loop {
        let mut command = redis::cmd("ZREVRANGEBYSCORE");
        command.arg(state.keys.letter_times()).arg(&from).arg("-inf").arg("LIMIT").arg(skipped).arg(limit + 1);
        let ids = reply::list(state.link.ask(Purpose::Push, &command).await?)?;
        let is_last = ids.len() <= limit;
        skipped += ids.len();
        for letter in bodies(state, &ids).await?.into_iter().flatten() {
            if before.is_some_and(|before| letter.cursor() >= before) {
                continue;
            }
            if page.letters.len() == limit {
                page.next = page.letters.last().map(DeadLetter::cursor);
                return Ok(page);
            }
            page.letters.push(letter);
        }
        if is_last {
            return Ok(page);
        }
    }
}

async fn bodies(state: &State, ids: &[Vec<u8>]) -> Result<Vec<Option<DeadLetter>>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut command = redis::cmd("HMGET");
    command.arg(state.keys.letters()).arg(ids);
    let bodies = reply::array(state.link.ask(Purpose::Push, &command).await?)?;
    let read = |body| Ok(reply::optional(body)?.map(|body| DeadLetter::read(&body)).transpose()?);
    bodies.into_iter().map(read).collect()
}

/// Reads a dead letter.
pub(super) async fn read_letter(state: &State, id: PushId) -> Result<Option<DeadLetter>, StoreError> {
    Ok(bodies(state, &[id.0.to_be_bytes().to_vec()]).await?.pop().flatten())
}

/// Removes a dead letter, and queues a job in its stead.
pub(super) async fn remove_letter(state: &State, id: PushId, again: Option<PushJob>) -> Result<bool, StoreError> {
    let Some(letter) = read_letter(state, id).await? else { return Ok(false) };
    let mut call = call(state);
    target_keys(&mut call, state, &letter.target);
    call.argument(id.0.to_be_bytes());
    call.argument(again.map(|job| job.bytes()).unwrap_or_default());
    let mut parts = state.link.run_timed(&state.scripts.remove_letter, &call).await?;
    Ok(reply::integer(&parts.next())? == 1)
}
