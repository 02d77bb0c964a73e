//! Finds what is due: deadlines of invitations whose actor is gone, broadcasts that were not served,
//! pushes.
//!
//! It looks a little ahead, so that after a restart the timers of active invitations are armed
//! before they are due, and what fell due meanwhile fires at the first look.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ringwire_signaling::{InvitationId, sweep};
use ringwire_store::{Due, DueKind};
use tokio::task::JoinHandle;

use crate::invitation::KeepTime;
use crate::push;
use crate::registry::Invitations;
use crate::shared::Shared;

/// How far ahead deadlines are handed to their actors: some sweeps, so that one late sweep delays none.
const AHEAD_MS: u64 = 1_000;
/// Due things taken in one look: bounds the actors that an outage of the store starts at once. More
/// follow with the next look.
const BATCH: usize = 2_048;

/// Sweeps until dropped.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut interval = tokio::time::interval(Duration::from_millis(sweep::FIRST_INTERVAL_MS));
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut handed = BTreeSet::new();
    let mut relaying: Option<JoinHandle<()>> = None;
    let mut queueing: Option<JoinHandle<()>> = None;
    for tick in 0_u64.. {
        interval.tick().await;
        let partitions = {
            let nodes = shared.store.nodes();
            sweep::partitions_at(tick, nodes.own, &nodes.live).collect()
        };
        let until = shared.clock.now().plus(AHEAD_MS);
        match shared.ask(shared.store.due(partitions, until, BATCH)).await {
            Ok(found) => {
                hand_over(&shared, &found, &mut handed);
                let now = shared.clock.now();
                let found: Vec<Due> = found.into_iter().filter(|due| due.at <= now).collect();
                if queueing.as_ref().is_none_or(JoinHandle::is_finished) {
                    queueing = Some(actix::spawn(queue(Arc::clone(&shared), found.clone())));
                }
                if relaying.as_ref().is_none_or(JoinHandle::is_finished) {
                    relaying = Some(actix::spawn(relay(Arc::clone(&shared), found)));
                }
            }
            Err(error) => tracing::debug!(?error, "could not sweep"),
        }
        let metrics = &shared.metrics;
        metrics.sessions.set(count(shared.sessions.len()));
        metrics.invitations.set(count(shared.invitations.len()));
    }
}

/// Gives each deadline to its actor once, which arms its timer; one that is long overdue again,
/// because its actor may have failed.
fn hand_over(shared: &Arc<Shared>, found: &[Due], handed: &mut BTreeSet<InvitationId>) {
    let now = shared.clock.now();
    let still_due: BTreeSet<InvitationId> = found.iter().map(|due| due.invitation).collect();
    handed.retain(|invitation| still_due.contains(invitation));
    for due in found.iter().filter(|due| due.kind == DueKind::Deadline) {
        if handed.insert(due.invitation) || now.since(due.at) > AHEAD_MS {
            if due.at <= now {
                shared.metrics.swept.inc();
            }
            if Invitations::address(shared, due.invitation).try_send(KeepTime).is_err() {
                handed.remove(&due.invitation);
            }
        }
    }
}

/// Serves the broadcasts whose committing node did not.
async fn relay(shared: Arc<Shared>, found: Vec<Due>) {
    for due in found.iter().filter(|due| due.kind == DueKind::Relay) {
        while let Ok(true) = shared.ask(shared.store.relay(due.invitation)).await {}
    }
}

/// Queues pushes whose time came, or whose committing node did not.
async fn queue(shared: Arc<Shared>, found: Vec<Due>) {
    push::queue(&shared, found).await;
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
