//! One attempt to tell a target: is it still true, say it, note what came of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use ringwire_signaling::{DeviceId, PushKind, UnixMillis, push};
use ringwire_store::{Detail, Failure, TakenPush};
use ringwire_wire::view::{EventMessage, PushMessage};
use serde::Serialize;

use super::Target;
use crate::error::OperationError;
use crate::ids;
use crate::metrics::PushOutcome;
use crate::outbound::{Limits, Response};
use crate::shared::Shared;
use crate::webhook::{GONE, answers, timestamp};

/// Bytes of an answer that are read, so that the connection can be used again. Nothing in it matters.
const ANSWER_BYTES: usize = 16 * 1024;
/// The longest time that a target may ask to wait.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// What a dead letter says of an event whose invitation was retained for too short.
const RECORD_GONE: &str = "the invitation's record is gone: it was not retained until now";

/// What there is to say.
enum Said {
    /// This, until then.
    This(Bytes, UnixMillis),
    /// It is not true any more, or for nobody.
    Nothing,
    /// It cannot be said; why.
    Lost(String),
}

/// What came of a request.
enum Answer {
    Taken,
    /// It was not taken; why, and for how long the target wants to be left alone.
    Refused(String, Option<Duration>),
    /// The target does not want this, ever.
    Gone(String),
}

/// Carries it out. If the store fails, the job comes back with the end of its lease.
pub(super) async fn attempt(shared: &Arc<Shared>, target: &Target, taken: TakenPush) {
    if let Err(error) = try_to(shared, target, &taken).await {
        let TakenPush { job, .. } = &taken;
        tracing::debug!(?error, target = target.name, invitation = %job.invitation, "push left to its lease");
    }
}

async fn try_to(shared: &Arc<Shared>, target: &Target, taken: &TakenPush) -> Result<(), OperationError> {
    let TakenPush { job, attempts, queued_at } = taken;
    let store = &shared.store;
    let read = if job.kind.is_event() { event(shared, taken).await? } else { push(shared, target, taken).await? };
    let (body, gives_up_at) = match read {
        Said::This(body, gives_up_at) => (body, gives_up_at),
        Said::Nothing => {
            shared.metrics.pushes.count(&target.name, job.kind, PushOutcome::Needless);
            return shared.ask(store.end_push(target.name.clone(), job.clone(), None)).await;
        }
        Said::Lost(error) => return give_up(shared, target, taken, error).await,
    };
    let started = Instant::now();
    let answer = send(shared, target, taken, body).await;
    shared.metrics.pushes.took(&target.name, started.elapsed());
    let (error, wait) = match answer {
        Answer::Taken => {
            let delay = Duration::from_millis(shared.clock.now().since(*queued_at));
            shared.metrics.pushes.count(&target.name, job.kind, PushOutcome::Delivered);
            shared.metrics.pushes.delivered(&target.name, delay);
            return shared.ask(store.end_push(target.name.clone(), job.clone(), None)).await;
        }
        Answer::Refused(error, wait) => (error, Some(wait.unwrap_or_default())),
        Answer::Gone(error) => (error, None),
    };
    let now = shared.clock.now();
    let wait = wait.map(|asked| {
        let own = push::retry_ms(job.kind, *attempts, ids::random_u64());
        now.plus(own.max(u64::try_from(asked.min(RETRY_AFTER).as_millis()).unwrap_or(own)))
    });
    match wait.filter(|at| *at < gives_up_at) {
        Some(at) => {
            shared.metrics.pushes.count(&target.name, job.kind, PushOutcome::Failed);
            shared.ask(store.put_off_push(target.name.clone(), job.clone(), at, error)).await
        }
        None => give_up(shared, target, taken, error).await,
    }
}

/// Makes a dead letter of it.
async fn give_up(
    shared: &Arc<Shared>,
    target: &Target,
    TakenPush { job, attempts, .. }: &TakenPush,
    error: String,
) -> Result<(), OperationError> {
    let (id, kind) = (job.id(&target.name), job.kind.name());
    tracing::warn!(target = target.name, %id, kind, attempts, error, "push given up: it is a dead letter");
    shared.metrics.pushes.count(&target.name, job.kind, PushOutcome::Dead);
    let failure = Failure { attempts: *attempts, error };
    shared.ask(shared.store.end_push(target.name.clone(), job.clone(), Some(failure))).await
}

/// Reads what an event says: the invitation as it is now.
async fn event(shared: &Arc<Shared>, taken: &TakenPush) -> Result<Said, OperationError> {
    let kind = taken.job.kind;
    let Some(stored) = shared.ask(shared.store.load(taken.job.invitation)).await? else {
        return Ok(Said::Lost(RECORD_GONE.to_owned()));
    };
    let Some(message) = EventMessage::of(&stored.invitation, kind, shared.clock.now(), timestamp) else {
        return Ok(Said::Nothing);
    };
    Ok(written(&message, push::gives_up_at(&stored.invitation, kind, taken.queued_at)))
}

/// Reads what a push says, and to which devices.
async fn push(shared: &Arc<Shared>, target: &Target, taken: &TakenPush) -> Result<Said, OperationError> {
    let job = &taken.job;
    let store = &shared.store;
    let (detail, registered) =
        tokio::join!(shared.ask(store.detail(job.invitation)), shared.ask(store.devices(job.user.clone())));
    let (Some(detail), registered) = (detail?, registered?) else { return Ok(Said::Nothing) };
    let devices = registered.into_iter().filter(|device| target.is_for(device)).collect();
    Ok(message(taken, &detail, devices, shared.clock.now()).map_or(Said::Nothing, |message| {
        written(&message, push::gives_up_at(&detail.invitation, job.kind, taken.queued_at))
    }))
}

fn written(message: &impl Serialize, gives_up_at: UnixMillis) -> Said {
    match serde_json::to_vec(message) {
        Ok(body) => Said::This(Bytes::from(body), gives_up_at),
        Err(error) => Said::Lost(error.to_string()),
    }
}

/// What to say; none if it is not true any more, or for nobody.
fn message(
    taken: &TakenPush,
    detail: &Detail,
    devices: Vec<ringwire_signaling::RegisteredDevice>,
    now: UnixMillis,
) -> Option<PushMessage> {
    let Detail { invitation, operations, ringing, received } = detail;
    let (user, kind) = (&taken.job.user, taken.job.kind);
    if !push::holds(invitation, user, kind) {
        return None;
    }
    let devices = match kind {
        PushKind::Ring => {
            let receipts = ringing.iter().chain(received).filter(|(of, _)| of == user);
            let received: BTreeSet<DeviceId> = receipts.map(|(_, device)| device.clone()).collect();
            push::devices(&invitation.terms, devices, &received)?
        }
        PushKind::End | PushKind::Missed | PushKind::Created | PushKind::Settled => devices,
    };
    PushMessage::of((invitation, operations), user, kind, devices, now, timestamp)
}

/// Sends it, signed with every secret.
async fn send(shared: &Arc<Shared>, target: &Target, taken: &TakenPush, body: Bytes) -> Answer {
    let id = taken.job.id(&target.name).to_string();
    let Some(headers) = target.signers.headers(&id, shared.clock.now(), &body) else {
        return Answer::Gone("the message cannot be signed".to_owned());
    };
    let limits = Limits { timeout: shared.pushes.timeout, max_body_bytes: ANSWER_BYTES };
    let answer = shared.outbound.post(&target.url, headers, body, limits).await;
    let now = target.now_ms();
    if answers(&answer) {
        if target.circuit().succeeded() {
            tracing::info!(target = target.name, "push target works again");
        }
    } else if target.circuit().failed(now, ids::random_u64()) {
        let problem = answer.as_ref().map_or_else(ToString::to_string, |answer| answer.status.to_string());
        tracing::warn!(target = target.name, problem, "push target is down");
    }
    match answer {
        Ok(Response { status: 200..=299, .. }) => Answer::Taken,
        Ok(answer) if answer.status == GONE => Answer::Gone("the target answered 410".to_owned()),
        Ok(answer) if (300..=399).contains(&answer.status) => {
            Answer::Refused(format!("the target answered {}, and redirects are not followed", answer.status), None)
        }
        Ok(answer) => Answer::Refused(format!("the target answered {}", answer.status), answer.retry_after()),
        Err(error) => Answer::Refused(error.to_string(), None),
    }
}
