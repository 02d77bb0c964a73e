//! One attempt to tell a target: is it still true, say it, note what came of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use ringwire_signaling::{DeviceId, PushKind, UnixMillis, push};
use ringwire_store::{Detail, Failure, TakenPush};
use ringwire_wire::view::PushMessage;

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
    let (detail, registered) =
        tokio::join!(shared.ask(store.detail(job.invitation)), shared.ask(store.devices(job.user.clone())));
    let end = |failure| shared.ask(store.end_push(target.name.clone(), job.clone(), failure));
    let Some((message, detail)) = detail?.and_then(|detail| {
        let devices = registered.as_ref().ok()?.iter().filter(|device| target.is_for(device)).cloned().collect();
        Some((message(taken, &detail, devices, shared.clock.now())?, detail))
    }) else {
        registered?;
        shared.metrics.pushes.count(&target.name, job.kind, PushOutcome::Needless);
        return end(None).await;
    };
    let started = Instant::now();
    let answer = send(shared, target, taken, &message).await;
    shared.metrics.pushes.took(&target.name, started.elapsed());
    let (error, wait) = match answer {
        Answer::Taken => {
            let delay = Duration::from_millis(shared.clock.now().since(*queued_at));
            shared.metrics.pushes.count(&target.name, job.kind, PushOutcome::Delivered);
            shared.metrics.pushes.delivered(&target.name, delay);
            return end(None).await;
        }
        Answer::Refused(error, wait) => (error, Some(wait.unwrap_or_default())),
        Answer::Gone(error) => (error, None),
    };
    let now = shared.clock.now();
    let wait = wait.map(|asked| {
        let own = push::wait_ms(*attempts, ids::random_u64());
        now.plus(own.max(u64::try_from(asked.min(RETRY_AFTER).as_millis()).unwrap_or(own)))
    });
    match wait.filter(|at| *at < push::gives_up_at(&detail.invitation, job.kind, *queued_at)) {
        Some(at) => {
            shared.metrics.pushes.count(&target.name, job.kind, PushOutcome::Failed);
            shared.ask(store.put_off_push(target.name.clone(), job.clone(), at, error)).await
        }
        None => {
            let (id, kind) = (job.id(&target.name), job.kind.name());
            tracing::warn!(target = target.name, %id, kind, attempts, error, "push given up: it is a dead letter");
            shared.metrics.pushes.count(&target.name, job.kind, PushOutcome::Dead);
            end(Some(Failure { attempts: *attempts, error })).await
        }
    }
}

/// What to say; none if it is not true any more, or for nobody.
fn message(
    taken: &TakenPush,
    detail: &Detail,
    devices: Vec<ringwire_signaling::RegisteredDevice>,
    now: UnixMillis,
) -> Option<PushMessage> {
    let Detail { invitation, operations, received, .. } = detail;
    let (user, kind) = (&taken.job.user, taken.job.kind);
    if !push::holds(invitation, user, kind) {
        return None;
    }
    let devices = match kind {
        PushKind::Ring => {
            let received: BTreeSet<DeviceId> =
                received.iter().filter(|(of, _)| of == user).map(|(_, device)| device.clone()).collect();
            push::devices(&invitation.terms, devices, &received)?
        }
        PushKind::End | PushKind::Missed => devices,
    };
    PushMessage::of((invitation, operations), user, kind, devices, now, timestamp)
}

/// Sends it, signed with every secret.
async fn send(shared: &Arc<Shared>, target: &Target, taken: &TakenPush, message: &PushMessage) -> Answer {
    let id = taken.job.id(&target.name).to_string();
    let body = match serde_json::to_vec(message) {
        Ok(body) => Bytes::from(body),
        Err(error) => return Answer::Gone(error.to_string()),
    };
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
