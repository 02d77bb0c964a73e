//! The fixed slices of the key space.
//!
//! Stored data depends on this hash: changing it, or the count, makes existing stores unreadable.

/// How many partitions there are. A store refuses to open data that was written with another count.
pub const PARTITIONS: usize = 256;

/// One of the [`PARTITIONS`] slices to which users, groups and invitations hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(pub u8);

impl Partition {
    /// The partition that owns `name`, a user's or a group's id.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let [.., last] = mix(fnv1a(FNV_OFFSET, name.as_bytes())).to_be_bytes();
        Self(last)
    }
}

pub(crate) const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a, continued from `state`.
pub(crate) fn fnv1a(state: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(state, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The finalizer of `MurmurHash3`: spreads FNV's weak low bits over the whole word.
pub(crate) fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_what_stored_data_was_written_with() {
        for (name, partition) in [("alice", 244), ("bob", 224), ("", 38), ("é", 59), ("user-1", 197)] {
            assert_eq!(Partition::of(name), Partition(partition), "{name}");
        }
    }

    #[test]
    fn numbered_names_spread_evenly() {
        let mut counts = [0_u32; PARTITIONS];
        for number in 0..25_600 {
            counts[usize::from(Partition::of(&format!("user-{number}")).0)] += 1;
        }
        assert!(counts.iter().all(|count| (50..=160).contains(count)), "{counts:?}");
    }
}
