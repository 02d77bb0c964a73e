//! A token bucket for each of many keys, in bounded memory: what every address, or every user, may do at this node.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Bucket;

/// Keys that one generation holds; there are two. Whoever comes with more keys than this at once has as many
/// allowances anyway.
const GENERATION_KEYS: usize = 32 * 1024;

/// Buckets by key. The keys that were used last are kept; a bucket that is forgotten counts as full.
pub(crate) struct Buckets<K> {
    per_second: u32,
    burst: u32,
    generation_keys: usize,
    generations: Mutex<Generations<K>>,
}

/// What was used since the last turn, and what was not used since then but before. A turn comes when the young are
/// many, or after the time in which any bucket fills: then forgetting the old ones changes nothing.
struct Generations<K> {
    young: HashMap<K, Bucket>,
    old: HashMap<K, Bucket>,
    turned_at: Instant,
}

impl<K: Eq + Hash> Buckets<K> {
    /// No limit if `per_second` is 0.
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        Self::starting_at(per_second, burst, GENERATION_KEYS, Instant::now())
    }

    fn starting_at(per_second: u32, burst: u32, generation_keys: usize, now: Instant) -> Self {
        let generations = Generations { young: HashMap::new(), old: HashMap::new(), turned_at: now };
        Self { per_second, burst, generation_keys, generations: Mutex::new(generations) }
    }

    /// Takes one token of this key.
    ///
    /// # Errors
    /// The milliseconds until there is one, if there is none.
    pub(crate) fn take(&self, key: K) -> Result<(), u64> {
        self.take_at(key, Instant::now())
    }

    fn take_at(&self, key: K, now: Instant) -> Result<(), u64> {
        if self.per_second == 0 {
            return Ok(());
        }
        // A panic under the lock can at most lose buckets.
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let fills_in = Duration::from_secs_f64(f64::from(self.burst) / f64::from(self.per_second));
        if generations.young.len() >= self.generation_keys || now.duration_since(generations.turned_at) >= fills_in {
            generations.old = mem::take(&mut generations.young);
            generations.turned_at = now;
        }
        if let Some(bucket) = generations.young.get_mut(&key) {
            return bucket.take(now);
        }
        let kept = generations.old.remove(&key);
        let mut bucket = kept.unwrap_or_else(|| Bucket::new(self.per_second, self.burst, now));
        let taken = bucket.take(now);
        generations.young.insert(key, bucket);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept<K>(buckets: &Buckets<K>) -> usize {
        let generations = buckets.generations.lock().unwrap();
        generations.young.len() + generations.old.len()
    }

    #[test]
    fn every_key_has_its_own_burst_and_rate() {
        let start = Instant::now();
        let buckets = Buckets::starting_at(10, 2, 100, start);
        for key in ["ann", "bob"] {
            assert_eq!(buckets.take_at(key, start), Ok(()));
            assert_eq!(buckets.take_at(key, start), Ok(()));
            assert_eq!(buckets.take_at(key, start), Err(100));
        }
        let later = start + Duration::from_millis(100);
        assert_eq!(buckets.take_at("ann", later), Ok(()));
        assert_eq!(buckets.take_at("ann", later), Err(100));
    }

    #[test]
    fn a_key_in_use_stays_limited_for_as_long_as_it_goes_on() {
        let start = Instant::now();
        let buckets = Buckets::starting_at(10, 2, 100, start);
        let taken = (0..5_000_u64).filter(|ms| buckets.take_at("ann", start + Duration::from_millis(*ms)).is_ok());
        // The burst, and ten a second for five seconds.
        assert_eq!(taken.count(), 2 + 49);
    }

    #[test]
    fn no_more_keys_are_kept_than_two_generations_hold() {
        let start = Instant::now();
        let buckets = Buckets::starting_at(1, 1_000_000, 50, start);
        for key in 0..10_000 {
            assert_eq!(buckets.take_at(key, start), Ok(()));
            assert!(kept(&buckets) <= 100);
        }
    }

    #[test]
    fn a_key_that_is_used_outlives_a_flood_of_others() {
        let start = Instant::now();
        let buckets = Buckets::starting_at(1, 3, 50, start);
        let mut taken = 0;
        for key in 0..10_000 {
            buckets.take_at(key, start).unwrap();
            taken += i32::from(key % 20 == 0 && buckets.take_at(-1, start).is_ok());
        }
        assert_eq!(taken, 3);
    }

    #[test]
    fn idle_keys_are_forgotten_once_their_buckets_are_full() {
        let start = Instant::now();
        let buckets = Buckets::starting_at(10, 20, 1_000, start);
        for key in 0..500 {
            buckets.take_at(key, start).unwrap();
        }
        buckets.take_at(-1, start + Duration::from_secs(2)).unwrap();
        assert_eq!(kept(&buckets), 501);
        buckets.take_at(-1, start + Duration::from_secs(4)).unwrap();
        assert_eq!(kept(&buckets), 1);
    }

    #[test]
    fn a_rate_of_zero_is_no_limit() {
        let buckets = Buckets::starting_at(0, 0, 10, Instant::now());
        assert!((0..1_000).all(|_| buckets.take_at("ann", Instant::now()).is_ok()));
        assert_eq!(kept(&buckets), 0);
    }
}
