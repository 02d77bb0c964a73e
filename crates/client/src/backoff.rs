//! Pauses between attempts to connect: exponential with full jitter, so that a crowd that lost its
//! server does not come back all at once. Pure; randomness is an argument.

use std::time::Duration;

/// When and how long to wait before connecting again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconnect {
    /// The first pause is random between zero and this.
    pub initial: Duration,
    /// The bound of a pause doubles with each failed attempt up to this.
    pub longest: Duration,
    /// Attempts in a row before giving up; none is never.
    pub attempts: Option<u32>,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self { initial: Duration::from_millis(250), longest: Duration::from_secs(10), attempts: None }
    }
}

impl Reconnect {
    /// Never connects again.
    #[must_use]
    pub fn never() -> Self {
        Self { attempts: Some(0), ..Self::default() }
    }
}

/// A connection that lasted this long was a good one: the next pause is short again.
const GOOD_CONNECTION: Duration = Duration::from_secs(5);

/// Counts attempts and says how long to wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    policy: Reconnect,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(policy: Reconnect) -> Self {
        Self { policy, failures: 0 }
    }

    /// A connection lasted this long before it ended.
    pub(crate) fn lasted(&mut self, duration: Duration) {
        if duration >= GOOD_CONNECTION {
            self.failures = 0;
        }
    }

    /// The pause before the next attempt; none when there is to be no further one.
    ///
    /// `random` is uniform over all values; `at_least` is what the server asked for.
    pub(crate) fn pause(&mut self, random: u64, at_least: Option<Duration>) -> Option<Duration> {
        if self.policy.attempts.is_some_and(|attempts| self.failures >= attempts) {
            return None;
        }
        let doubled = self.policy.initial.saturating_mul(1u32 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let bound_ms = u64::try_from(doubled.min(self.policy.longest).as_millis()).unwrap_or(u64::MAX);
        let jittered = Duration::from_millis(random % bound_ms.max(1));
        // What the server asked for comes before the jitter, or a crowd would return in step.
        Some(jittered.saturating_add(at_least.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGEST: u64 = u64::MAX - u64::MAX % 3_840_000;

    fn bound(failures: u32) -> u64 {
        let mut backoff = Backoff::new(Reconnect::default());
        for _ in 0..failures {
            backoff.pause(0, None);
        }
        (0..40_000).filter_map(|random| backoff.clone().pause(random, None)).map(millis).max().unwrap()
    }

    fn millis(pause: Duration) -> u64 {
        u64::try_from(pause.as_millis()).unwrap()
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        assert_eq!([0, 1, 2, 6, 60].map(bound), [249, 499, 999, 9_999, 9_999]);
    }

    #[test]
    fn a_pause_can_be_anything_below_its_bound() {
        let mut backoff = Backoff::new(Reconnect::default());
        assert_eq!(backoff.pause(LARGEST, None), Some(Duration::ZERO));
        assert_eq!(backoff.pause(LARGEST + 499, None), Some(Duration::from_millis(499)));
    }

    #[test]
    fn the_server_can_ask_for_more() {
        let mut backoff = Backoff::new(Reconnect::default());
        assert_eq!(backoff.pause(7, Some(Duration::from_secs(30))), Some(Duration::from_millis(30_007)));
    }

    #[test]
    fn attempts_in_a_row_are_counted_and_a_good_connection_starts_again() {
        let mut backoff = Backoff::new(Reconnect { attempts: Some(2), ..Reconnect::default() });
        assert!(backoff.pause(0, None).is_some());
        backoff.lasted(Duration::from_millis(10));
        assert!(backoff.pause(0, None).is_some());
        assert!(backoff.pause(0, None).is_none());
        backoff.lasted(GOOD_CONNECTION);
        assert!(backoff.pause(0, None).is_some());
        assert!(Backoff::new(Reconnect::never()).pause(0, None).is_none());
    }
}
