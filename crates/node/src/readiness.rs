//! Whether this node should get traffic, with hysteresis: a blink of the store turns no traffic away,
//! and a store that comes and goes gets none back.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long looks must fail before the node is not ready. Users whose store is away for less would
/// only be moved to nodes that wait for the same store.
const UNREADY_AFTER: Duration = Duration::from_secs(2);
/// How long they must succeed before it is ready again.
const READY_AFTER: Duration = Duration::from_secs(1);

/// The state of the store, as those who asked for it saw it.
#[derive(Debug)]
pub(crate) struct Readiness(Mutex<Judge>);

impl Readiness {
    /// Ready: the store has just been opened.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Judge { is_ready: true, against_since: None }))
    }

    /// What came of the last look.
    pub(crate) fn is_ready(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_ready
    }

    /// Takes in whether the store works at this moment; whether the node is ready.
    pub(crate) fn look(&self, works: bool) -> bool {
        let mut judge = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if judge.look(works, Instant::now()) {
            if judge.is_ready {
                tracing::info!("ready again: the store works");
            } else {
                tracing::warn!("not ready: the store does not work");
            }
        }
        judge.is_ready
    }
}

/// Turns looks into a state.
#[derive(Debug)]
struct Judge {
    is_ready: bool,
    /// Since when every look has spoken against the state.
    against_since: Option<Instant>,
}

impl Judge {
    /// Takes in a look; whether the state changed.
    fn look(&mut self, works: bool, now: Instant) -> bool {
        if works == self.is_ready {
            self.against_since = None;
            return false;
        }
        let since = *self.against_since.get_or_insert(now);
        let is_long = now.duration_since(since) >= if self.is_ready { UNREADY_AFTER } else { READY_AFTER };
        if is_long {
            *self = Self { is_ready: works, against_since: None };
        }
        is_long
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The states after looks half a second apart.
    fn states(looks: &str) -> String {
        let mut judge = Judge { is_ready: true, against_since: None };
        let mut now = Instant::now();
        let state = |look| {
            judge.look(look == '+', now);
            now += Duration::from_millis(500);
            if judge.is_ready { '+' } else { '-' }
        };
        looks.chars().map(state).collect()
    }

    #[test]
    fn a_blink_changes_nothing() {
        assert_eq!(states("+----+----+"), "+++++++++++");
    }

    #[test]
    fn a_lasting_failure_ends_it_and_lasting_success_brings_it_back() {
        assert_eq!(states("-----++-+++-"), "++++------++");
    }
}
