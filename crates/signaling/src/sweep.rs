//! Which node looks after which partition's due timers, and how often.
//!
//! The timer of the actor that created an invitation normally fires first. Sweeping is the backstop
//! for nodes that died: every partition has a first and a second sweeper among the live nodes, and
//! all others look rarely. Two sweepers at once are harmless, because firing is a commit.

use crate::partition::{FNV_OFFSET, Partition, fnv1a, mix};

/// How often a partition's first node sweeps it.
pub const FIRST_INTERVAL_MS: u64 = 250;
/// How often the second does.
pub const SECOND_INTERVAL_MS: u64 = 1_000;
/// How often every other node does.
pub const OTHER_INTERVAL_MS: u64 = 5_000;

/// How often the node `incarnation` sweeps `partition`, given all live nodes.
///
/// By rendezvous hashing: when a node comes or goes, only the partitions it ranked first for move.
#[must_use]
pub fn interval_ms(partition: Partition, incarnation: u64, live: &[u64]) -> u64 {
    let own = weight(partition, incarnation);
    let ahead = live.iter().filter(|other| (weight(partition, **other), **other) > (own, incarnation)).count();
    match ahead {
        0 => FIRST_INTERVAL_MS,
        1 => SECOND_INTERVAL_MS,
        _ => OTHER_INTERVAL_MS,
    }
}

/// The partitions that the node sweeps at its tick number `tick`, one tick per [`FIRST_INTERVAL_MS`].
pub fn partitions_at(tick: u64, incarnation: u64, live: &[u64]) -> impl Iterator<Item = Partition> {
    (0..=u8::MAX).map(Partition).filter(move |partition| {
        let every = interval_ms(*partition, incarnation, live) / FIRST_INTERVAL_MS;
        (tick + u64::from(partition.0)).is_multiple_of(every)
    })
}

fn weight(partition: Partition, incarnation: u64) -> u64 {
    mix(fnv1a(fnv1a(FNV_OFFSET, &incarnation.to_le_bytes()), &[partition.0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_node_sweeps_everything_at_every_tick() {
        assert_eq!(partitions_at(0, 7, &[7]).count(), 256);
        assert_eq!(partitions_at(1, 7, &[7]).count(), 256);
    }

    #[test]
    fn every_partition_has_one_first_and_one_second_node() {
        let live = [11, 22, 33, 44];
        for partition in (0..=255).map(Partition) {
            let mut intervals: Vec<u64> = live.iter().map(|node| interval_ms(partition, *node, &live)).collect();
            intervals.sort_unstable();
            assert_eq!(intervals, [250, 1_000, 5_000, 5_000]);
        }
    }

    #[test]
    fn a_dead_nodes_partitions_pass_to_their_second_and_no_others_move() {
        let before = [11, 22, 33];
        let after = [11, 22];
        for partition in (0..=255).map(Partition) {
            for node in after {
                let (was, is) = (interval_ms(partition, node, &before), interval_ms(partition, node, &after));
                assert!(is <= was);
                if interval_ms(partition, 33, &before) == OTHER_INTERVAL_MS {
                    assert_eq!(is, was);
                }
            }
        }
    }
}
