//! What became of offline pushes, by target.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use ringwire_signaling::PushKind;

/// Upper bounds in seconds: from a hook next door to one that needs several attempts.
const BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0, 10.0];

/// What became of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PushOutcome {
    /// The target took it.
    Delivered,
    /// It did not, and will be asked again.
    Failed,
    /// It did not, and will not be asked again.
    Dead,
    /// Not sent: it was not true any more.
    Needless,
}

impl PushOutcome {
    fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dead => "dead",
            Self::Needless => "needless",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    target: String,
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TargetLabels {
    target: String,
}

/// See the module.
pub(crate) struct PushMetrics {
    attempts: Family<AttemptLabels, Counter>,
    requests: Family<TargetLabels, Histogram>,
    delays: Family<TargetLabels, Histogram>,
    waiting: Family<TargetLabels, Gauge>,
    down: Family<TargetLabels, Gauge>,
}

impl PushMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            attempts: Family::default(),
            requests: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            delays: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            waiting: Family::default(),
            down: Family::default(),
        };
        registry.register("pushes", "Attempts to push, by what became of them", metrics.attempts.clone());
        let requests = metrics.requests.clone();
        registry.register_with_unit("push_request", "Time that a target took to answer", Unit::Seconds, requests);
        let delays = metrics.delays.clone();
        registry.register_with_unit("push_delay", "Time from queueing a push to its delivery", Unit::Seconds, delays);
        registry.register(
            "push_waiting",
            "Pushes of the whole cluster that wait for a target",
            metrics.waiting.clone(),
        );
        registry.register("push_target_down", "Whether a target counts as down here", metrics.down.clone());
        metrics
    }

    /// Counts an attempt.
    pub(crate) fn count(&self, target: &str, kind: PushKind, outcome: PushOutcome) {
        let labels = AttemptLabels { target: target.to_owned(), kind: kind.name(), outcome: outcome.name() };
        self.attempts.get_or_create(&labels).inc();
    }

    /// Notes how long a target took.
    pub(crate) fn took(&self, target: &str, time: Duration) {
        self.requests.get_or_create(&TargetLabels { target: target.to_owned() }).observe(time.as_secs_f64());
    }

    /// Notes how long a push took from its queueing.
    pub(crate) fn delivered(&self, target: &str, delay: Duration) {
        self.delays.get_or_create(&TargetLabels { target: target.to_owned() }).observe(delay.as_secs_f64());
    }

    /// Notes how a target stands.
    pub(crate) fn waiting(&self, target: &str, waiting: u64, is_down: bool) {
        let labels = TargetLabels { target: target.to_owned() };
        self.waiting.get_or_create(&labels).set(i64::try_from(waiting).unwrap_or(i64::MAX));
        self.down.get_or_create(&labels).set(i64::from(is_down));
    }
}
