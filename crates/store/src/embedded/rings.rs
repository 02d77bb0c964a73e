//! When users were rung of late. Kept by the writer, in memory only: after a restart the counting starts again.
//!
//! A ring counts when its commit is taken into a batch; should the batch fail, it counts all the same.

use std::collections::{BTreeMap, VecDeque};

use ringwire_signaling::{UnixMillis, UserId};

/// Rings after which those that are too old to count are dropped for all users: bounds what is kept to twice as
/// many rings as still count.
const SWEEP_EVERY: usize = 4096;

/// See the module.
#[derive(Default)]
pub(super) struct Rings {
    times: BTreeMap<UserId, VecDeque<UnixMillis>>,
    noted: usize,
}

impl Rings {
    /// How often the user was rung in the time before.
    pub(super) fn count(&self, user: &UserId, window_ms: u64, now: UnixMillis) -> usize {
        let times = self.times.get(user).into_iter().flatten();
        times.filter(|at| counts(**at, window_ms, now)).count()
    }

    /// Notes a ring.
    pub(super) fn note(&mut self, user: &UserId, window_ms: u64, now: UnixMillis) {
        self.noted += 1;
        if self.noted >= SWEEP_EVERY {
            self.noted = 0;
            self.times.retain(|_, times| {
                times.retain(|at| counts(*at, window_ms, now));
                !times.is_empty()
            });
        }
        let times = self.times.entry(user.clone()).or_default();
        while times.front().is_some_and(|at| !counts(*at, window_ms, now)) {
            times.pop_front();
        }
        times.push_back(now);
    }
}

/// A time in the future was noted before the clock went back.
fn counts(at: UnixMillis, window_ms: u64, now: UnixMillis) -> bool {
    at.0.abs_diff(now.0) < window_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_count_for_a_while_and_are_not_kept_for_longer() {
        let mut rings = Rings::default();
        let bob = UserId::parse("bob").unwrap();
        for at in [1_000, 1_500, 1_999] {
            rings.note(&bob, 1_000, UnixMillis(at));
        }
        assert_eq!(rings.count(&bob, 1_000, UnixMillis(1_999)), 3);
        assert_eq!(rings.count(&bob, 1_000, UnixMillis(2_000)), 2);
        assert_eq!(rings.count(&bob, 1_000, UnixMillis(2_999)), 0);
        // The clock went back by more than the window.
        assert_eq!(rings.count(&bob, 1_000, UnixMillis(0)), 0);
        for number in 0..3 * SWEEP_EVERY {
            let user = UserId::parse(&format!("user-{number}")).unwrap();
            rings.note(&user, 1_000, UnixMillis(3_000 + number as u64));
        }
        assert!(rings.times.len() <= 1_000 + SWEEP_EVERY, "{}", rings.times.len());
    }
}
