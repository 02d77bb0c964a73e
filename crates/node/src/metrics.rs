//! Counters and histograms for operators, in the Prometheus text format.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use ringwire_signaling::Reply;
use ringwire_wire::error::ErrorBody;

use crate::error::OperationError;

/// Upper bounds of commit durations in seconds: from a cached store to a stalled disk.
const COMMIT_BUCKETS: [f64; 12] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

/// Everything that is counted.
pub(crate) struct Metrics {
    registry: Registry,
    operations: Family<OperationLabels, Counter>,
    /// Seconds from a step to the store's answer.
    pub(crate) commit_seconds: Histogram,
    /// Commits that lost a race and stepped again.
    pub(crate) conflicts: Counter,
    /// Gaps in the doorbells of a session that reading the inbox filled.
    pub(crate) gaps_healed: Counter,
    /// Snapshots sent because an inbox could not be continued.
    pub(crate) resets: Counter,
    /// Deadlines that a sweep found.
    pub(crate) swept: Counter,
    /// Connections cut because they did not read.
    pub(crate) slow_consumers: Counter,
    /// Live connections.
    pub(crate) connections: Gauge,
    /// Live session actors.
    pub(crate) sessions: Gauge,
    /// Live invitation actors.
    pub(crate) invitations: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    operation: &'static str,
    result: String,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("ringwire"),
            operations: Family::default(),
            commit_seconds: Histogram::new(COMMIT_BUCKETS),
            conflicts: Counter::default(),
            gaps_healed: Counter::default(),
            resets: Counter::default(),
            swept: Counter::default(),
            slow_consumers: Counter::default(),
            connections: Gauge::default(),
            sessions: Gauge::default(),
            invitations: Gauge::default(),
        };
        let to = &mut metrics.registry;
        to.register("operations", "Operations by result", metrics.operations.clone());
        to.register_with_unit(
            "commit",
            "Time from a step to the store's answer",
            Unit::Seconds,
            metrics.commit_seconds.clone(),
        );
        to.register("conflicts", "Commits that lost a race and stepped again", metrics.conflicts.clone());
        to.register("gaps_healed", "Doorbell gaps filled from the inbox", metrics.gaps_healed.clone());
        to.register("session_resets", "Sessions that started again from a snapshot", metrics.resets.clone());
        to.register("deadlines_swept", "Due deadlines found by sweeping", metrics.swept.clone());
        to.register("slow_consumers", "Connections cut because they did not read", metrics.slow_consumers.clone());
        to.register("connections", "Live WebSocket connections", metrics.connections.clone());
        to.register("sessions", "Users with a session on this node", metrics.sessions.clone());
        to.register("invitation_actors", "Invitations held in memory by this node", metrics.invitations.clone());
        metrics
    }

    /// Counts an operation by its result: `ok`, or the error's name.
    pub(crate) fn operation(&self, operation: &'static str, outcome: &Result<Reply, OperationError>) {
        let result = match outcome {
            Ok(_) => "ok".to_owned(),
            Err(error) => ErrorBody::from(error.clone()).data.name.into_owned(),
        };
        self.operations.get_or_create(&OperationLabels { operation, result }).inc();
    }

    /// All of it as text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
