//! What the store counts, as metrics: its links, and what they carry.

use std::sync::atomic::Ordering;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use ringwire_store::Counters;

/// See the module. All stay empty with a store that has no links.
pub(super) struct StoreMetrics {
    round_trips: Family<PurposeLabels, Counter>,
    commands: Family<PurposeLabels, Counter>,
    link_rebuilds: Family<LinkLabels, Counter>,
    lost_doorbells: Counter,
    interruptions: Counter,
    incarnations: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PurposeLabels {
    purpose: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LinkLabels {
    link: &'static str,
}

impl StoreMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            round_trips: Family::default(),
            commands: Family::default(),
            link_rebuilds: Family::default(),
            lost_doorbells: Counter::default(),
            interruptions: Counter::default(),
            incarnations: Counter::default(),
        };
        let to = registry.sub_registry_with_prefix("redis");
        to.register("round_trips", "Round trips to Redis by purpose", metrics.round_trips.clone());
        to.register("commands", "Commands sent to Redis by purpose; a script is one", metrics.commands.clone());
        to.register("link_rebuilds", "Links to Redis that were built again", metrics.link_rebuilds.clone());
        to.register("lost_doorbells", "Holes in the numbers of doorbells", metrics.lost_doorbells.clone());
        to.register("interruptions", "Times that all sessions looked at their inbox", metrics.interruptions.clone());
        to.register("incarnations_lost", "Times that this node was taken for dead", metrics.incarnations.clone());
        metrics
    }

    /// Takes over what the store counted.
    pub(super) fn set(&self, counters: &Counters) {
        let set = |counter: &Counter, value: u64| counter.inner().store(value, Ordering::Relaxed);
        for traffic in &counters.traffic {
            let labels = PurposeLabels { purpose: traffic.purpose };
            set(&self.round_trips.get_or_create(&labels), traffic.round_trips);
            set(&self.commands.get_or_create(&labels), traffic.commands);
        }
        if !counters.traffic.is_empty() {
            for (link, rebuilds) in
                [("commands", counters.link_rebuilds), ("doorbells", counters.subscription_rebuilds)]
            {
                set(&self.link_rebuilds.get_or_create(&LinkLabels { link }), rebuilds);
            }
        }
        set(&self.lost_doorbells, counters.lost_doorbells);
        set(&self.interruptions, counters.interruptions);
        set(&self.incarnations, counters.incarnations);
    }
}
