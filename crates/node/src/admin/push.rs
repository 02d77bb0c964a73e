//! Offline pushes as operators see them: targets, and the dead letters, to read, remove and send again.

pub(super) mod view;

use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::{StreamExt, stream};
use ringwire_signaling::limits::{DEFAULT_PAGE_ROWS, PAGE_ROWS};
use ringwire_signaling::push;
use ringwire_store::{DeadLetter, LetterCursor, LetterPage, PushId, PushJob, PushQueue};
use ringwire_wire::body::{Params, parse_body};
use ringwire_wire::error::{ErrorBody, ErrorCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use self::view::{
    DeadLetterView, DeadLettersView, ReplayedManyView, ReplayedView, TargetState, TargetView, TargetsView,
};
use super::body::{check_reason, note, parse_optional, parse_query};
use super::openapi::{LetterPath, LetterProblems, LettersProblems, PlainProblems, ReplayManyProblems, ReplayProblems};
use crate::cursor;
use crate::error::OperationError;
use crate::http::Response;
use crate::http::body::Body;
use crate::http::problem::HttpError;
use crate::push::{Condition, Target};
use crate::shared::Shared;

/// Letters that one request replays: enough for an outage of some minutes, and no request that takes as long.
const REPLAYED: usize = 1_000;
/// Letters that are replayed at once: enough to keep the store busy, and no burst that keeps others waiting.
const AT_ONCE: usize = 16;

/// Which dead letters are listed.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct LettersParams {
    /// Only those of this target, which need not be configured any more.
    #[serde(default)]
    #[param(nullable = false, example = "apns")]
    target: Option<String>,
    /// Rows in the page, 1–100.
    #[serde(default = "default_rows")]
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: usize,
    /// Where the page before ended, as it was given there.
    #[serde(default)]
    #[param(nullable = false)]
    cursor: Option<String>,
}

/// Why an operator has a push sent again.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplayParams {
    /// For the record.
    #[serde(default)]
    #[schema(max_length = 64, nullable = false)]
    reason: Option<String>,
}

/// Which dead letters an operator has sent again, and why.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplayManyParams {
    /// Those of this target.
    target: String,
    /// How many at most, the newest.
    #[schema(minimum = 1, maximum = 1000)]
    limit: usize,
    /// For the record.
    #[serde(default)]
    #[schema(max_length = 64, nullable = false)]
    reason: Option<String>,
}

impl Params for LettersParams {
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if (1..=PAGE_ROWS).contains(&self.limit) { Ok(()) } else { Err(("limit", "must be from 1 to 100")) }
    }
}

impl Params for ReplayParams {
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        check_reason(self.reason.as_deref())
    }
}

impl Params for ReplayManyParams {
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if (1..=REPLAYED).contains(&self.limit) {
            check_reason(self.reason.as_deref())
        } else {
            Err(("limit", "must be from 1 to 1000"))
        }
    }
}

fn default_rows() -> usize {
    DEFAULT_PAGE_ROWS
}

/// List push targets
///
/// What waits for each in the whole cluster, and how the node that answers finds it.
#[utoipa::path(
    get,
    path = "/v1/push/targets",
    operation_id = "push_targets",
    tag = "push",
    responses(
        (
            status = 200, description = "The targets in the order of the configuration.", body = TargetsView,
            example = json!({"targets": [
                {
                    "name": "apns", "url": "https://hooks.example/apns", "platforms": ["ios"], "waiting": 12,
                    "next_at": 1_766_000_000_000_u64, "in_flight": 1, "state": "down", "down_for_ms": 7_400,
                },
                {
                    "name": "fcm", "url": "https://hooks.example/fcm", "platforms": ["android"], "waiting": 0,
                    "in_flight": 0, "state": "up",
                },
            ]}),
        ),
        PlainProblems,
    ),
)]
pub(super) async fn targets(shared: web::Data<Shared>) -> Response {
    let queues = shared.ask(shared.store.push_queues(shared.pushes.names())).await?;
    let view = |(target, queue): (_, PushQueue)| target_view(target, queue);
    let targets = shared.pushes.targets.iter().map(AsRef::as_ref).zip(queues).map(view).collect();
    Ok(HttpResponse::Ok().json(TargetsView { targets }))
}

fn target_view(target: &Target, queue: PushQueue) -> TargetView {
    let (state, down_for_ms) = match target.condition() {
        Condition::Closed => (TargetState::Up, None),
        Condition::Trying => (TargetState::Trying, None),
        Condition::Open(wait_ms) => (TargetState::Down, Some(wait_ms)),
    };
    TargetView {
        name: target.name.clone(),
        url: target.shown_url(),
        platforms: target.platforms().to_vec(),
        waiting: queue.waiting,
        next_at: queue.next_at.map(|at| at.0),
        in_flight: target.in_flight(),
        state,
        down_for_ms,
    }
}

/// List dead letters
///
/// Pushes of the whole cluster that failed for good, newest first, in pages.
#[utoipa::path(
    get,
    path = "/v1/push/dead_letters",
    operation_id = "dead_letters",
    tag = "push",
    params(LettersParams),
    responses(
        (
            status = 200, description = "One page.", body = DeadLettersView,
            example = json!({
                "dead_letters": [{
                    "id": "psh_00112233445566778899aabbccddeeff", "target": "apns", "type": "push.ring",
                    "invitation_id": "3f-0123456789abcdef0123456789abcdef", "user": "bob", "attempts": 5,
                    "error": "the target answered 503", "at": 1_766_000_030_000_u64,
                }],
                "cursor": "1766000030000.psh_00112233445566778899aabbccddeeff",
            }),
        ),
        LettersProblems,
    ),
)]
pub(super) async fn letters(shared: web::Data<Shared>, query: web::Query<Vec<(String, String)>>) -> Response {
    let pairs = query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let LettersParams { target, limit, cursor } = parse_query(pairs)?;
    let before = cursor.as_deref().map(cursor::letter).transpose().map_err(ErrorBody::from)?;
    let page = page(&shared, target.as_deref(), before, limit).await?;
    Ok(HttpResponse::Ok().json(DeadLettersView {
        dead_letters: page.letters.iter().map(DeadLetterView::from).collect(),
        cursor: page.next.map(cursor::write_letter),
    }))
}

/// A full page, also of one target: the store has the letters of all in one list.
async fn page(
    shared: &Shared,
    target: Option<&str>,
    mut before: Option<LetterCursor>,
    limit: usize,
) -> Result<LetterPage, OperationError> {
    let mut found = LetterPage::default();
    loop {
        let page = shared.ask(shared.store.dead_letters(before, PAGE_ROWS)).await?;
        for letter in page.letters {
            if target.is_some_and(|target| target != letter.target) {
                continue;
            }
            if found.letters.len() == limit {
                found.next = found.letters.last().map(DeadLetter::cursor);
                return Ok(found);
            }
            found.letters.push(letter);
        }
        before = page.next;
        if before.is_none() {
            return Ok(found);
        }
    }
}

/// Read a dead letter
#[utoipa::path(
    get,
    path = "/v1/push/dead_letters/{id}",
    operation_id = "dead_letter",
    tag = "push",
    params(LetterPath),
    responses(
        (
            status = 200, description = "The letter.", body = DeadLetterView,
            example = json!({
                "id": "psh_00112233445566778899aabbccddeeff", "target": "apns", "type": "push.cancel",
                "invitation_id": "3f-0123456789abcdef0123456789abcdef", "user": "bob", "attempts": 1,
                "error": "the target answered 410", "at": 1_766_000_030_000_u64,
            }),
        ),
        LetterProblems,
    ),
)]
pub(super) async fn letter(shared: web::Data<Shared>, path: web::Path<String>) -> Response {
    let letter = read(&shared, id(&path)?).await?;
    Ok(HttpResponse::Ok().json(DeadLetterView::from(&letter)))
}

/// Remove a dead letter
///
/// Nothing is sent.
#[utoipa::path(
    delete,
    path = "/v1/push/dead_letters/{id}",
    operation_id = "remove_dead_letter",
    tag = "push",
    params(LetterPath),
    responses((status = 204, description = "There is no such letter any more."), LetterProblems),
)]
pub(super) async fn remove(shared: web::Data<Shared>, path: web::Path<String>) -> Response {
    if shared.ask(shared.store.remove_letter(id(&path)?, None)).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(no_letter().into())
    }
}

/// Replay a dead letter
///
/// Puts the push back into its target's queue; if it fails again, it is a dead letter again. A ring whose invitee is not
/// pending any more does not ring: `push.missed` is sent instead.
#[utoipa::path(
    post,
    path = "/v1/push/dead_letters/{id}/replay",
    operation_id = "replay_dead_letter",
    tag = "push",
    params(LetterPath),
    request_body(content = ReplayParams, example = json!({"reason": "the hook works again"})),
    responses(
        (
            status = 200, description = "What is sent.", body = ReplayedView,
            example = json!({
                "id": "psh_ffeeddccbbaa99887766554433221100", "target": "apns", "type": "push.missed",
            }),
        ),
        ReplayProblems,
    ),
)]
pub(super) async fn replay(
    request: HttpRequest,
    shared: web::Data<Shared>,
    path: web::Path<String>,
    Body(body): Body,
) -> Response {
    let ReplayParams { reason } = parse_optional(&body)?;
    note(&request, reason.as_ref());
    let letter = read(&shared, id(&path)?).await?;
    let target = shared.pushes.target(&letter.target).ok_or_else(|| HttpError(no_target(&letter.target)))?;
    let job = again(&shared, &letter).await?.ok_or_else(|| {
        HttpError(ErrorBody::new(ErrorCode::NotFound, "the letter's invitation is gone: there is nothing to tell"))
    })?;
    if !send_again(&shared, target, &letter, &job).await? {
        return Err(no_letter().into());
    }
    let (id, kind) = (job.id(&target.name).to_string(), job.kind.name().to_owned());
    Ok(HttpResponse::Ok().json(ReplayedView { id, target: letter.target, kind }))
}

/// Replay a target's dead letters
///
/// The newest of them, each as if it were replayed alone. Letters whose invitation is gone are left.
#[utoipa::path(
    post,
    path = "/v1/push/dead_letters/replay",
    operation_id = "replay_dead_letters",
    tag = "push",
    request_body(
        content = ReplayManyParams,
        example = json!({"target": "apns", "limit": 500, "reason": "the hook works again"}),
    ),
    responses(
        (
            status = 200, description = "How many are sent.", body = ReplayedManyView,
            example = json!({"replayed": 212, "left": 3, "more": false}),
        ),
        ReplayManyProblems,
    ),
)]
pub(super) async fn replay_many(request: HttpRequest, shared: web::Data<Shared>, Body(body): Body) -> Response {
    let ReplayManyParams { target, limit, reason } = parse_body(&body)?;
    note(&request, reason.as_ref());
    let target = shared
        .pushes
        .target(&target)
        .ok_or_else(|| HttpError(ErrorBody::invalid_params("target", "is not configured at this node")))?;
    let page = page(&shared, Some(&target.name), None, limit).await?;
    let mut outcomes = stream::iter(&page.letters)
        .map(async |letter| match again(&shared, letter).await? {
            Some(job) => send_again(&shared, target, letter, &job).await.map(|is_sent| (is_sent, false)),
            None => Ok::<_, OperationError>((false, true)),
        })
        .buffer_unordered(AT_ONCE);
    let mut counts = ReplayedManyView { more: page.next.is_some(), ..ReplayedManyView::default() };
    while let Some(outcome) = outcomes.next().await {
        // What somebody else removed meanwhile is neither.
        let (is_sent, is_left) = outcome?;
        counts.replayed += usize::from(is_sent);
        counts.left += usize::from(is_left);
    }
    Ok(HttpResponse::Ok().json(counts))
}

/// What is to be sent in place of the letter; none if there is nothing to tell any more.
async fn again(shared: &Shared, letter: &DeadLetter) -> Result<Option<PushJob>, OperationError> {
    let job = &letter.job;
    let stored = shared.ask(shared.store.load(job.invitation)).await?;
    let kind = stored.and_then(|stored| push::said_again(&stored.invitation, &job.user, job.kind));
    Ok(kind.map(|kind| PushJob { kind, ..job.clone() }))
}

/// Whether the letter was there to be replaced.
async fn send_again(
    shared: &Shared,
    target: &Target,
    letter: &DeadLetter,
    job: &PushJob,
) -> Result<bool, OperationError> {
    let was_there = shared.ask(shared.store.remove_letter(letter.id(), Some(job.clone()))).await?;
    if was_there {
        target.wake();
    }
    Ok(was_there)
}

async fn read(shared: &Shared, id: PushId) -> Result<DeadLetter, HttpError> {
    shared.ask(shared.store.dead_letter(id)).await?.ok_or_else(|| no_letter().into())
}

/// An id that is none names no letter.
fn id(text: &str) -> Result<PushId, HttpError> {
    PushId::parse(text).ok_or_else(|| no_letter().into())
}

pub(super) fn no_letter() -> ErrorBody {
    ErrorBody::new(ErrorCode::NotFound, "there is no such dead letter")
}

pub(super) fn no_target(name: &str) -> ErrorBody {
    ErrorBody::new(ErrorCode::Conflict, format!("the target {name} is not configured at this node any more"))
}
