//! Counters and histograms for operators, in the text format of Prometheus.

mod authorization;
mod push;
mod store;
mod tls;

use std::future::Future;
use std::time::Instant;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use ringwire_signaling::Reply;
use ringwire_store::Counters;
use ringwire_wire::error::ErrorBody;

use crate::error::OperationError;
use authorization::AuthorizationMetrics;
use push::PushMetrics;
use store::StoreMetrics;
use tls::TlsMetrics;

pub(crate) use authorization::AuthorizationOutcome;
pub(crate) use push::PushOutcome;

/// Upper bounds of durations in seconds: from a cached store to a stalled disk or a lost server.
const STAGE_BUCKETS: [f64; 13] = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

/// Everything that is counted.
pub(crate) struct Metrics {
    registry: Registry,
    operations: Family<OperationLabels, Counter>,
    stages: Family<StageLabels, Histogram>,
    mailbox_rejections: Family<MailboxLabels, Counter>,
    limited: Family<LimitLabels, Counter>,
    jwks_fetches: Family<FetchLabels, Counter>,
    jwks_keys: Family<IssuerLabels, Gauge>,
    store: StoreMetrics,
    /// Offline pushes.
    pub(crate) pushes: PushMetrics,
    /// Certificates of the listeners.
    pub(crate) tls: TlsMetrics,
    /// What became of questions whether an invitation may be created.
    pub(crate) authorizations: AuthorizationMetrics,
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
    /// Active invitations whose timer this node holds.
    pub(crate) active: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    operation: &'static str,
    result: String,
}

/// A part of the way from a request to those concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// From a request about an invitation to its answer.
    Operation,
    /// Asking whether an invitation may be created.
    Authorize,
    /// Reading a record.
    Load,
    /// From a step to the store's answer.
    Commit,
    /// From a signal or a receipt to the store's answer.
    Post,
    /// From a commit, by the store's clock, to the sessions of those concerned.
    Delivery,
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Self::Operation => "operation",
            Self::Authorize => "authorize",
            Self::Load => "load",
            Self::Commit => "commit",
            Self::Post => "post",
            Self::Delivery => "delivery",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabels {
    stage: &'static str,
}

/// Whose mailbox was full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mailbox {
    /// An invitation's.
    Invitation,
    /// A user's session's.
    Session,
}

impl Mailbox {
    fn name(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Session => "session",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MailboxLabels {
    actor: &'static str,
}

/// What turned somebody away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// An address that connects too fast.
    Handshakes,
    /// An address with too many connections.
    Connections,
    /// A connection too many for the node.
    Node,
    /// A device too many of one user, which ends another.
    Devices,
    /// A connection that asks too fast.
    Requests,
    /// A user who invites too fast.
    Invites,
    /// An invitee who was rung too often.
    Rings,
    /// A web page that is not allowed.
    Origin,
}

impl Limit {
    const ALL: [Self; 8] = [
        Self::Handshakes,
        Self::Connections,
        Self::Node,
        Self::Devices,
        Self::Requests,
        Self::Invites,
        Self::Rings,
        Self::Origin,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Handshakes => "handshakes",
            Self::Connections => "connections",
            Self::Node => "node",
            Self::Devices => "devices",
            Self::Requests => "requests",
            Self::Invites => "invites",
            Self::Rings => "rings",
            Self::Origin => "origin",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabels {
    limit: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FetchLabels {
    issuer: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct IssuerLabels {
    issuer: String,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("ringwire");
        let metrics = Self {
            operations: Family::default(),
            stages: Family::new_with_constructor(|| Histogram::new(STAGE_BUCKETS)),
            mailbox_rejections: Family::default(),
            limited: Family::default(),
            jwks_fetches: Family::default(),
            jwks_keys: Family::default(),
            store: StoreMetrics::new(&mut registry),
            pushes: PushMetrics::new(&mut registry),
            tls: TlsMetrics::new(&mut registry),
            authorizations: AuthorizationMetrics::new(&mut registry),
            conflicts: Counter::default(),
            gaps_healed: Counter::default(),
            resets: Counter::default(),
            swept: Counter::default(),
            slow_consumers: Counter::default(),
            connections: Gauge::default(),
            sessions: Gauge::default(),
            invitations: Gauge::default(),
            active: Gauge::default(),
            registry,
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        // Seen at zero, so that the first one is a rise.
        for limit in Limit::ALL {
            drop(self.limited.get_or_create(&LimitLabels { limit: limit.name() }));
        }
        let to = &mut self.registry;
        to.register("operations", "Operations by result", self.operations.clone());
        to.register_with_unit("stage", "Time that a stage took", Unit::Seconds, self.stages.clone());
        to.register("mailbox_rejections", "Messages that found a mailbox full", self.mailbox_rejections.clone());
        to.register("limited", "Requests that a limit of this node turned away", self.limited.clone());
        to.register("jwks_fetches", "Fetches of an issuer's keys by outcome", self.jwks_fetches.clone());
        to.register("jwks_keys", "Keys of an issuer that can be used", self.jwks_keys.clone());
        to.register("conflicts", "Commits that lost a race and stepped again", self.conflicts.clone());
        to.register("gaps_healed", "Doorbell gaps filled from the inbox", self.gaps_healed.clone());
        to.register("session_resets", "Sessions that started again from a snapshot", self.resets.clone());
        to.register("deadlines_swept", "Due deadlines found by sweeping", self.swept.clone());
        to.register("slow_consumers", "Connections cut because they did not read", self.slow_consumers.clone());
        to.register("connections", "Live WebSocket connections", self.connections.clone());
        to.register("sessions", "Users with a session on this node", self.sessions.clone());
        to.register("invitation_actors", "Invitations held in memory by this node", self.invitations.clone());
        to.register("active_invitations", "Active invitations whose timer this node holds", self.active.clone());
        self
    }

    /// Counts an operation by its result: `ok`, or the error's name.
    pub(crate) fn operation(&self, operation: &'static str, outcome: &Result<Reply, OperationError>) {
        let result = match outcome {
            Ok(_) => "ok".to_owned(),
            Err(error) => ErrorBody::from(error.clone()).data.name.into_owned(),
        };
        self.operations.get_or_create(&OperationLabels { operation, result }).inc();
    }

    /// Measures how long a stage takes.
    pub(crate) async fn time<T>(&self, stage: Stage, work: impl Future<Output = T>) -> T {
        let started = Instant::now();
        let outcome = work.await;
        self.took(stage, started.elapsed().as_secs_f64());
        outcome
    }

    /// Notes how long a stage took.
    pub(crate) fn took(&self, stage: Stage, seconds: f64) {
        self.stages.get_or_create(&StageLabels { stage: stage.name() }).observe(seconds);
    }

    /// Counts a message that found a mailbox full.
    pub(crate) fn rejected(&self, actor: Mailbox) {
        self.mailbox_rejections.get_or_create(&MailboxLabels { actor: actor.name() }).inc();
    }

    /// Counts a request that a limit turned away.
    pub(crate) fn limited(&self, limit: Limit) {
        self.limited.get_or_create(&LimitLabels { limit: limit.name() }).inc();
    }

    /// Counts a fetch of an issuer's keys: how many there are, or none if it failed.
    pub(crate) fn fetched_keys(&self, issuer: &str, keys: Option<usize>) {
        // Both are seen from the first fetch on, so that the first failure is a rise.
        for (outcome, happened) in [("ok", keys.is_some()), ("failed", keys.is_none())] {
            let count = u64::from(happened);
            self.jwks_fetches.get_or_create(&FetchLabels { issuer: issuer.to_owned(), outcome }).inc_by(count);
        }
        if let Some(keys) = keys {
            let keys = i64::try_from(keys).unwrap_or(i64::MAX);
            self.jwks_keys.get_or_create(&IssuerLabels { issuer: issuer.to_owned() }).set(keys);
        }
    }

    /// All of it as text, with what the store counts.
    pub(crate) fn text(&self, store: &Counters) -> String {
        self.store.set(store);
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use ringwire_store::Traffic;

    use super::*;

    #[test]
    fn what_the_store_counts_stands_beside_what_the_node_counts() {
        let metrics = Metrics::new();
        metrics.took(Stage::Commit, 0.001);
        metrics.rejected(Mailbox::Session);
        let traffic = vec![Traffic { purpose: "commit", round_trips: 3, commands: 4 }];
        let text = metrics.text(&Counters { traffic, link_rebuilds: 2, ..Counters::default() });
        for line in [
            "ringwire_stage_seconds_count{stage=\"commit\"} 1",
            "ringwire_mailbox_rejections_total{actor=\"session\"} 1",
            "ringwire_redis_round_trips_total{purpose=\"commit\"} 3",
            "ringwire_redis_commands_total{purpose=\"commit\"} 4",
            "ringwire_redis_link_rebuilds_total{link=\"commands\"} 2",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in:\n{text}");
        }
    }
}
