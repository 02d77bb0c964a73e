//! Whether a hook is worth asking: a state machine over outcomes, without a clock of its own.

use ringwire_signaling::push::wait_ms;

/// Failures in a row after which a hook counts as down: fewer could be the fault of a few messages.
const FAILURES: u32 = 5;
/// The longest time for which nobody asks. A ring lasts about as long.
const LONGEST_MS: u64 = 15_000;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Circuit {
    /// Failures since the last success.
    failures: u32,
    /// Until when nobody asks, since it opened.
    opens_until: Option<u64>,
    /// How often it opened since the last success.
    openings: u32,
}

/// What a hook may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// As much as there is.
    Closed,
    /// One thing, to see whether it works again.
    Trying,
    /// Nothing for so many milliseconds.
    Open(u64),
}

impl Circuit {
    /// What it may be asked at `now`, in milliseconds of any clock that only goes forward.
    pub(crate) fn condition(&self, now: u64) -> Condition {
        match self.opens_until {
            None => Condition::Closed,
            Some(until) if until <= now => Condition::Trying,
            Some(until) => Condition::Open(until - now),
        }
    }

    /// It answered, also if it did not like the message. Whether it was down.
    pub(crate) fn succeeded(&mut self) -> bool {
        std::mem::take(self).opens_until.is_some()
    }

    /// It did not. `random` is any number. Whether it counts as down from here on.
    pub(crate) fn failed(&mut self, now: u64, random: u64) -> bool {
        self.failures = self.failures.saturating_add(1);
        // What was under way when it opened says nothing new.
        if self.failures < FAILURES || matches!(self.condition(now), Condition::Open(_)) {
            return false;
        }
        self.openings = self.openings.saturating_add(1);
        let longer = u64::from(self.openings > 5);
        self.opens_until = Some(now + (wait_ms(self.openings, random) << longer).min(LONGEST_MS));
        self.openings == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_failures_in_a_row_open_it_and_one_success_closes_it() {
        let mut circuit = Circuit::default();
        for _ in 1..FAILURES {
            assert!(!circuit.failed(0, 0));
        }
        assert!(!circuit.succeeded());
        for _ in 1..FAILURES {
            assert!(!circuit.failed(0, 0));
        }
        assert_eq!(circuit.condition(0), Condition::Closed);
        assert!(circuit.failed(0, 0));
        assert_eq!(circuit.condition(0), Condition::Open(500));
        assert_eq!(circuit.condition(500), Condition::Trying);
        assert!(circuit.succeeded());
        assert_eq!(circuit.condition(500), Condition::Closed);
    }

    #[test]
    fn every_trial_that_fails_opens_it_for_longer_up_to_a_bound() {
        let mut circuit = Circuit::default();
        (0..FAILURES).for_each(|_| _ = circuit.failed(0, 0));
        let (mut now, mut last) = (0, 0);
        for _ in 0..20 {
            let Condition::Open(wait) = circuit.condition(now) else { panic!("it is open") };
            assert!(wait >= last && wait <= LONGEST_MS, "{wait} after {last}");
            assert!(!circuit.failed(now, 0), "what comes late changes nothing");
            assert_eq!(circuit.condition(now), Condition::Open(wait));
            (now, last) = (now + wait, wait);
            assert!(!circuit.failed(now, 0), "it is known to be down");
        }
        assert_eq!(last, LONGEST_MS);
    }
}
