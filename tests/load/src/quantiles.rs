//! Durations of a run, kept whole: a run is bounded, and every one counts.

use std::fmt;
use std::time::Duration;

/// A set of durations.
#[derive(Default)]
pub(crate) struct Quantiles(Vec<Duration>);

impl Quantiles {
    pub(crate) fn add(&mut self, duration: Duration) {
        self.0.push(duration);
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Quantiles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let Some(max) = sorted.last() else { return formatter.write_str("nothing measured") };
        let at = |permille: usize| sorted[(sorted.len() - 1) * permille / 1000].as_secs_f64() * 1000.0;
        write!(
            formatter,
            "p50 {:.2} ms   p90 {:.2} ms   p99 {:.2} ms   max {:.2} ms",
            at(500),
            at(900),
            at(990),
            max.as_secs_f64() * 1000.0
        )
    }
}
