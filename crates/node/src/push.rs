//! Offline pushes: telling hooks of invitees whom no device told. Events of invitations go the same way.
//!
//! What is due is turned into jobs by `queueing`; a `dispatcher` for each target takes jobs and has
//! each sent as an `attempt`; a circuit keeps a target that fails from being asked in vain. All
//! state that matters is in the store, so that any node goes on where another died.

mod attempt;
mod dispatcher;
mod queueing;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ringwire_store::Due;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use crate::circuit::Circuit;
use crate::config::{self, HttpUrl};
use crate::shared::Shared;
use crate::webhook::Signers;

pub(crate) use crate::circuit::Condition;
pub(crate) use queueing::queue;

/// What became due here and waits for a moment to be queued. What finds no room is found by sweeping.
const DUE_AT_ONCE: usize = 1_024;

/// What a node knows of pushes.
pub(crate) struct Pushes {
    /// Those of pushes, and those of events.
    pub(crate) targets: Vec<Arc<Target>>,
    /// How long one request may take.
    timeout: Duration,
    at_once: mpsc::Sender<Vec<Due>>,
    /// Taken by whoever queues.
    waiting: Mutex<Option<mpsc::Receiver<Vec<Due>>>>,
}

/// A target, as this node sees it.
pub(crate) struct Target {
    pub(crate) name: String,
    url: HttpUrl,
    signers: Signers,
    platforms: Vec<String>,
    /// It is told events, and no pushes.
    is_for_events: bool,
    max_in_flight: usize,
    in_flight: AtomicUsize,
    /// There may be a job for it, or room for one.
    wake: Notify,
    circuit: Mutex<Circuit>,
    started: Instant,
}

impl Pushes {
    /// Takes over checked settings.
    pub(crate) fn new(settings: &config::Push, events: &config::Events) -> Self {
        let target = |target: &config::PushTarget, is_for_events| {
            Arc::new(Target {
                name: target.name.clone(),
                url: target.url.clone(),
                signers: Signers::new(&target.secrets),
                platforms: target.platforms.clone(),
                is_for_events,
                max_in_flight: settings.max_in_flight,
                in_flight: AtomicUsize::new(0),
                wake: Notify::new(),
                circuit: Mutex::new(Circuit::default()),
                started: Instant::now(),
            })
        };
        let (at_once, waiting) = mpsc::channel(DUE_AT_ONCE);
        let pushed = settings.targets.iter().map(|settings| target(settings, false));
        let told = events.targets.iter().map(|settings| target(settings, true));
        Self {
            targets: pushed.chain(told).collect(),
            timeout: Duration::from_millis(settings.timeout_ms),
            at_once,
            waiting: Mutex::new(Some(waiting)),
        }
    }

    /// Whether there is anybody to push to.
    pub(crate) fn is_on(&self) -> bool {
        self.targets.iter().any(|target| !target.is_for_events)
    }

    /// Whether there is anybody to tell events.
    pub(crate) fn tells_events(&self) -> bool {
        self.targets.iter().any(|target| target.is_for_events)
    }

    /// Takes in what a commit of this node made due.
    pub(crate) fn due_at_once(&self, due: Vec<Due>) {
        drop(self.at_once.try_send(due));
    }

    /// The target of that name.
    pub(crate) fn target(&self, name: &str) -> Option<&Arc<Target>> {
        self.targets.iter().find(|target| target.name == name)
    }

    /// The names of all targets.
    pub(crate) fn names(&self) -> Vec<String> {
        self.targets.iter().map(|target| target.name.clone()).collect()
    }
}

impl Target {
    /// Where it is, without the query.
    pub(crate) fn shown_url(&self) -> String {
        self.url.to_string()
    }

    /// The platforms whose devices it is for; none is all.
    pub(crate) fn platforms(&self) -> &[String] {
        &self.platforms
    }

    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the node started, which is what circuits count in.
    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether it is asked now.
    pub(crate) fn condition(&self) -> Condition {
        self.circuit().condition(self.now_ms())
    }

    /// Requests under way from this node.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Has it looked for jobs.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }
}

/// Starts what queues and sends; it runs until it is aborted.
pub(crate) fn start(shared: &Arc<Shared>) -> Vec<JoinHandle<()>> {
    let waiting = shared.pushes.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
    let mut tasks: Vec<_> =
        waiting.into_iter().map(|due| actix::spawn(queueing::run(Arc::clone(shared), due))).collect();
    for target in &shared.pushes.targets {
        tasks.push(actix::spawn(dispatcher::run(Arc::clone(shared), Arc::clone(target))));
    }
    tasks
}
