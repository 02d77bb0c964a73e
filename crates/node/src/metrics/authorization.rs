//! What became of questions to the authorization hook.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// What became of one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthorizationOutcome {
    /// The hook allows it.
    Allowed,
    /// The hook denies it.
    Denied,
    /// There was no answer, or none that says either; the configuration decided.
    Failed,
}

impl AuthorizationOutcome {
    const ALL: [Self; 3] = [Self::Allowed, Self::Denied, Self::Failed];

    fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

/// See the module.
pub(crate) struct AuthorizationMetrics(Family<OutcomeLabels, Counter>);

impl AuthorizationMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let questions = Family::<OutcomeLabels, Counter>::default();
        // Seen at zero, so that the first one is a rise.
        for outcome in AuthorizationOutcome::ALL {
            drop(questions.get_or_create(&OutcomeLabels { outcome: outcome.name() }));
        }
        registry.register("authorizations", "Questions to the authorization hook by outcome", questions.clone());
        Self(questions)
    }

    /// Counts a question.
    pub(crate) fn count(&self, outcome: AuthorizationOutcome) {
        self.0.get_or_create(&OutcomeLabels { outcome: outcome.name() }).inc();
    }
}
