//! The one place where time is read.
//!
//! A node's `now` is an estimate of its store's clock: the process's monotonic clock plus an offset
//! that is refreshed from every reply of the store. It does not jump when the machine's wall clock
//! is set, and all nodes of a cluster agree on it.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ringwire_signaling::UnixMillis;

/// The estimate of the store's clock.
#[derive(Debug)]
pub struct Clock(Kind);

#[derive(Debug)]
enum Kind {
    Real { started: Instant, offset_ms: AtomicI64 },
    Manual { now_ms: AtomicU64 },
}

impl Clock {
    /// A clock that runs, set to the machine's time until the store tells another.
    #[must_use]
    pub fn real() -> Self {
        let clock = Self(Kind::Real { started: Instant::now(), offset_ms: AtomicI64::new(0) });
        clock.observe(clock.machine_time());
        clock
    }

    /// A clock that stands at `start` and moves only by [`Clock::advance`], for tests and simulation.
    #[must_use]
    pub fn manual(start: UnixMillis) -> Self {
        Self(Kind::Manual { now_ms: AtomicU64::new(start.0) })
    }

    /// The time now, as the store counts it.
    pub fn now(&self) -> UnixMillis {
        match &self.0 {
            Kind::Real { started, offset_ms } => {
                UnixMillis(elapsed_ms(*started).saturating_add_signed(offset_ms.load(Ordering::Relaxed)))
            }
            Kind::Manual { now_ms } => UnixMillis(now_ms.load(Ordering::SeqCst)),
        }
    }

    /// Takes in what the store said the time is.
    pub fn observe(&self, store_time: UnixMillis) {
        if let Kind::Real { started, offset_ms } = &self.0 {
            let offset = store_time.0.cast_signed().saturating_sub(elapsed_ms(*started).cast_signed());
            offset_ms.store(offset, Ordering::Relaxed);
        }
    }

    /// The machine's wall clock: the time of a store that has no other clock.
    pub fn machine_time(&self) -> UnixMillis {
        match &self.0 {
            Kind::Real { .. } => {
                let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                UnixMillis(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
            }
            Kind::Manual { .. } => self.now(),
        }
    }

    /// Moves a manual clock; a real one runs by itself.
    pub fn advance(&self, milliseconds: u64) {
        if let Kind::Manual { now_ms } = &self.0 {
            now_ms.fetch_add(milliseconds, Ordering::SeqCst);
        }
    }
}

fn elapsed_ms(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_clock_follows_the_store() {
        let clock = Clock::real();
        clock.observe(UnixMillis(1_000_000));
        let now = clock.now();
        assert!(now >= UnixMillis(1_000_000) && now < UnixMillis(1_060_000), "{now}");
    }

    #[test]
    fn a_manual_clock_stands_until_it_is_moved() {
        let clock = Clock::manual(UnixMillis(5));
        clock.observe(UnixMillis(9));
        assert_eq!(clock.now(), UnixMillis(5));
        clock.advance(2);
        assert_eq!((clock.now(), clock.machine_time()), (UnixMillis(7), UnixMillis(7)));
    }
}
