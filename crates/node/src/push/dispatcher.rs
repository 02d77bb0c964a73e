//! One target's jobs: taken as there is room for them, sent side by side.
//!
//! Nothing is taken that is not sent at once, so that what waits, waits in the store: a queue of any
//! length takes no memory here, and another node may take it. A target that is down is left alone,
//! and holds up no other.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Condition, Target, attempt};
use crate::ids;
use crate::shared::Shared;

/// How often the queue is looked at unasked: jobs that others queued, that were put off, or whose taker died.
const LOOK: Duration = Duration::from_millis(250);
/// How much longer a job is nobody else's than its request may take: reading the record, and saying how it went.
const LEASE_MARGIN_MS: u64 = 1_000;
/// Jobs taken in one go.
const BATCH: usize = 64;
/// Every how many looks the length of the queue is noted.
const MEASURE_EVERY: u32 = 20;

/// Dispatches until dropped.
pub(super) async fn run(shared: Arc<Shared>, target: Arc<Target>) {
    let lease_ms = u64::try_from(shared.pushes.timeout.as_millis()).unwrap_or(u64::MAX) + LEASE_MARGIN_MS;
    for look in 0_u32.. {
        // Nodes that started together do not look together for ever.
        let jitter = Duration::from_millis(ids::random_u64() % 50);
        let _ = tokio::time::timeout(LOOK + jitter, target.wake.notified()).await;
        while take(&shared, &target, lease_ms).await {}
        if look % MEASURE_EVERY == 0
            && let Ok(queues) = shared.ask(shared.store.push_queues(vec![target.name.clone()])).await
        {
            let waiting = queues.first().map_or(0, |queue| queue.waiting);
            shared.metrics.pushes.waiting(&target.name, waiting, target.condition() != Condition::Closed);
        }
    }
}

/// Takes what there is room for; whether there may be more.
async fn take(shared: &Arc<Shared>, target: &Arc<Target>, lease_ms: u64) -> bool {
    let in_flight = target.in_flight();
    let room = match target.condition() {
        Condition::Closed => target.max_in_flight.saturating_sub(in_flight).min(BATCH),
        Condition::Trying => 1_usize.saturating_sub(in_flight),
        Condition::Open(_) => 0,
    };
    if room == 0 {
        return false;
    }
    let taken = match shared.ask(shared.store.take_pushes(target.name.clone(), room, lease_ms)).await {
        Ok(taken) => taken,
        Err(error) => {
            tracing::debug!(?error, target = target.name, "could not take pushes");
            return false;
        }
    };
    let is_all = taken.len() < room;
    for push in taken {
        target.in_flight.fetch_add(1, Ordering::Relaxed);
        let (shared, target) = (Arc::clone(shared), Arc::clone(target));
        actix::spawn(async move {
            attempt::attempt(&shared, &target, push).await;
            // Whoever stopped for want of room goes on.
            let before = target.in_flight.fetch_sub(1, Ordering::Relaxed);
            if before == target.max_in_flight || target.condition() != Condition::Closed {
                target.wake();
            }
        });
    }
    !is_all
}
