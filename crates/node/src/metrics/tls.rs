//! The certificates of the node's listeners, as metrics.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// See the module. Both stay empty without TLS.
pub(crate) struct TlsMetrics {
    reloads: Family<ReloadLabels, Counter>,
    expiry: Family<ListenerLabels, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReloadLabels {
    listener: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ListenerLabels {
    listener: &'static str,
}

impl TlsMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let metrics = Self { reloads: Family::default(), expiry: Family::default() };
        let to = registry.sub_registry_with_prefix("tls");
        to.register("reloads", "Times that a certificate was read again, by outcome", metrics.reloads.clone());
        to.register_with_unit(
            "certificate_expiry",
            "End of the certificate in use, as Unix time",
            Unit::Seconds,
            metrics.expiry.clone(),
        );
        metrics
    }

    /// Notes the certificate that a listener shows, and when it ends in Unix seconds, if that is known.
    pub(crate) fn in_use(&self, listener: &'static str, expires_at: Option<u64>) {
        // Seen at zero, so that the first failure is a rise.
        for outcome in ["ok", "failed"] {
            drop(self.reloads.get_or_create(&ReloadLabels { listener, outcome }));
        }
        let labels = ListenerLabels { listener };
        match expires_at.and_then(|at| i64::try_from(at).ok()) {
            Some(at) => {
                self.expiry.get_or_create(&labels).set(at);
            }
            None => {
                self.expiry.remove(&labels);
            }
        }
    }

    /// Counts that a certificate was read again.
    pub(crate) fn reloaded(&self, listener: &'static str, is_ok: bool) {
        let outcome = if is_ok { "ok" } else { "failed" };
        self.reloads.get_or_create(&ReloadLabels { listener, outcome }).inc();
    }
}
