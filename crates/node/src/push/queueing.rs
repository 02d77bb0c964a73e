//! From what is due to jobs: which targets hear of it.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use ringwire_signaling::{PushKind, RegisteredDevice};
use ringwire_store::{Due, DueKind, PushJob};
use tokio::sync::mpsc;

use super::Target;
use crate::error::OperationError;
use crate::shared::Shared;

/// Pushes that are queued at once: enough to keep the store busy, and no burst that keeps others waiting.
const AT_ONCE: usize = 32;

/// Queues what commits of this node made due, until dropped.
pub(super) async fn run(shared: Arc<Shared>, mut waiting: mpsc::Receiver<Vec<Due>>) {
    while let Some(due) = waiting.recv().await {
        queue(&shared, due).await;
    }
}

/// Queues what is due. What fails stays due.
pub(crate) async fn queue(shared: &Arc<Shared>, due: Vec<Due>) {
    let jobs = due.into_iter().filter_map(|due| {
        let (user, kind) = match due.kind {
            DueKind::Push(user) => (user, PushKind::Ring),
            DueKind::PushEnd(user) => (user, PushKind::End),
            DueKind::Created(inviter) => (inviter, PushKind::Created),
            DueKind::Settled(inviter) => (inviter, PushKind::Settled),
            DueKind::Deadline | DueKind::Relay => return None,
        };
        Some(PushJob { invitation: due.invitation, user, kind })
    });
    stream::iter(jobs)
        .for_each_concurrent(AT_ONCE, |job| async move {
            let (invitation, user) = (job.invitation, job.user.clone());
            if let Err(error) = queue_one(shared, job).await {
                tracing::debug!(?error, %invitation, %user, "push not queued");
            }
        })
        .await;
}

async fn queue_one(shared: &Arc<Shared>, job: PushJob) -> Result<(), OperationError> {
    let fitting = shared.pushes.targets.iter().filter(|target| target.is_for_events == job.kind.is_event());
    let by_platform = fitting.clone().any(|target| !target.platforms.is_empty());
    let targets: Vec<&Arc<Target>> = if job.kind == PushKind::Ring && by_platform {
        let devices = shared.ask(shared.store.devices(job.user.clone())).await?;
        fitting.filter(|target| target.serves(&devices)).collect()
    } else {
        // Of the end of a ring the store knows where the ring went.
        fitting.collect()
    };
    let names = targets.iter().map(|target| target.name.clone()).collect();
    if shared.ask(shared.store.queue_push(job, names)).await? {
        for target in targets {
            target.wake();
        }
    }
    Ok(())
}

impl Target {
    /// Whether it is for a user with these devices.
    fn serves(&self, devices: &[RegisteredDevice]) -> bool {
        self.platforms.is_empty() || devices.iter().any(|device| self.is_for(device))
    }

    /// Whether it is for that device.
    pub(super) fn is_for(&self, device: &RegisteredDevice) -> bool {
        self.platforms.is_empty() || self.platforms.contains(&device.platform)
    }
}
