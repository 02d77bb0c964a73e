//! What waits for its time in the whole cluster.

use actix_web::{HttpResponse, web};
use ringwire_signaling::Partition;
use ringwire_store::{Due, DueKind};

use super::openapi::PlainProblems;
use super::view::{TimerCounts, TimersView};
use crate::http::Response;
use crate::shared::Shared;

/// How far ahead is looked: the longest time in which a usual ring comes due.
const SOON_MS: u64 = 60_000;
/// Rows that are counted: what a node sweeps at once. More than this overdue is a backlog, however many there are.
const COUNTED: usize = 2_048;

/// Count timers
///
/// How many deadlines and broadcasts of the whole cluster are overdue, and how many soon will be. At rest nothing
/// is overdue for longer than about a second.
#[utoipa::path(
    get,
    path = "/v1/timers",
    operation_id = "timers",
    tag = "invitations",
    responses(
        (
            status = 200, description = "The counts.", body = TimersView,
            example = json!({
                "now": 1_766_000_000_000_u64, "overdue": {"deadlines": 0, "relays": 0, "pushes": 0},
                "soon": {"deadlines": 37, "relays": 1, "pushes": 2}, "soon_ms": 60_000, "oldest_overdue_ms": 0, "more": false,
            }),
        ),
        PlainProblems,
    ),
)]
pub(super) async fn timers(shared: web::Data<Shared>) -> Response {
    let now = shared.clock.now();
    let partitions = (0..=u8::MAX).map(Partition).collect();
    let due = shared.ask(shared.store.due(partitions, now.plus(SOON_MS), COUNTED)).await?;
    let (overdue, soon): (Vec<&Due>, Vec<&Due>) = due.iter().partition(|due| due.at <= now);
    Ok(HttpResponse::Ok().json(TimersView {
        now: now.0,
        overdue: count(&overdue),
        soon: count(&soon),
        soon_ms: SOON_MS,
        oldest_overdue_ms: overdue.iter().map(|due| now.since(due.at)).max().unwrap_or(0),
        more: due.len() >= COUNTED,
    }))
}

fn count(due: &[&Due]) -> TimerCounts {
    let mut counts = TimerCounts::default();
    for due in due {
        match due.kind {
            DueKind::Deadline => counts.deadlines += 1,
            DueKind::Relay => counts.relays += 1,
            DueKind::Push(_) | DueKind::PushEnd(_) | DueKind::Created(_) | DueKind::Settled(_) => counts.pushes += 1,
        }
    }
    counts
}
