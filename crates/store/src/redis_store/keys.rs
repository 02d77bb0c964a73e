//! Names of keys and channels.
//!
//! Everything of one partition carries one hash tag, so that a cluster keeps it in one slot. The tags
//! are chosen so that the partitions spread evenly over the slots.

use ringwire_signaling::{GroupId, InvitationId, Partition, UserId};

use crate::query::Conversation;

/// Hash slots of a Redis Cluster.
const SLOTS: usize = 16_384;
/// Slots for each partition.
const SPREAD: usize = SLOTS / ringwire_signaling::partition::PARTITIONS;

/// Makes names under one prefix.
#[derive(Debug)]
pub(super) struct Keys {
    prefix: String,
    tags: Vec<String>,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), tags: tags() }
    }

    fn name(&self, partition: Partition, rest: std::fmt::Arguments<'_>) -> String {
        let tag = &self.tags[usize::from(partition.0)];
        format!("{}{{{tag}}}:{rest}", self.prefix)
    }

    /// HASH of an invitation: its record, operations, notes of posts and outbox.
    pub(super) fn invitation(&self, id: InvitationId) -> String {
        self.name(id.partition, format_args!("i:{:032x}", id.bits))
    }

    /// ZSET of what is due in a partition.
    pub(super) fn due(&self, partition: Partition) -> String {
        self.name(partition, format_args!("due"))
    }

    /// HASH of a user: head of the inbox, presence, active and missed invitations, rings of late.
    pub(super) fn user(&self, user: &UserId) -> String {
        self.name(user.partition(), format_args!("u:{user}"))
    }

    /// LIST of a user's inbox entries.
    pub(super) fn inbox(&self, user: &UserId) -> String {
        self.name(user.partition(), format_args!("in:{user}"))
    }

    /// SET of a group's members and the empty name.
    pub(super) fn group(&self, group: &GroupId) -> String {
        self.name(group.partition(), format_args!("g:{group}"))
    }

    /// SET of those whom a user blocks.
    pub(super) fn blocks(&self, user: &UserId) -> String {
        self.name(user.partition(), format_args!("b:{user}"))
    }

    /// HASH of the devices that a user registered.
    pub(super) fn devices(&self, user: &UserId) -> String {
        self.name(user.partition(), format_args!("d:{user}"))
    }

    /// ZSET of a conversation's invitations by time of creation. A pair's stands with the smaller name.
    pub(super) fn history(&self, conversation: &Conversation) -> String {
        match conversation {
            Conversation::Group(group) => self.name(group.partition(), format_args!("hg:{group}")),
            Conversation::Pair(one, other) => {
                let (first, second) = if one <= other { (one, other) } else { (other, one) };
                // Neither name contains a control character.
                self.name(first.partition(), format_args!("hp:{first}\0{second}"))
            }
        }
    }

    /// ZSET of a target's pushes by the time from which on they may be taken.
    pub(super) fn push_queue(&self, target: &str) -> String {
        format!("{}push:{target}", self.prefix)
    }

    /// HASH of a target's pushes: their leases and attempts.
    pub(super) fn push_states(&self, target: &str) -> String {
        format!("{}pushes:{target}", self.prefix)
    }

    /// ZSET of dead letters by the time at which they were given up.
    pub(super) fn letter_times(&self) -> String {
        format!("{}dead", self.prefix)
    }

    /// HASH of dead letters.
    pub(super) fn letters(&self) -> String {
        format!("{}letters", self.prefix)
    }

    /// ZSET of node processes by the end of their lease.
    pub(super) fn nodes(&self) -> String {
        format!("{}nodes", self.prefix)
    }

    /// HASH of how many doorbells each node process was sent.
    pub(super) fn bells(&self) -> String {
        format!("{}bells", self.prefix)
    }

    /// HASH of what each node process says of itself.
    pub(super) fn descriptions(&self) -> String {
        format!("{}said", self.prefix)
    }

    /// STRING that says how the keys are laid out.
    pub(super) fn schema(&self) -> String {
        format!("{}schema", self.prefix)
    }

    /// What stands before an incarnation in the name of its channel.
    pub(super) fn channel(&self) -> String {
        format!("{}node:", self.prefix)
    }
}

/// For each partition the smallest number that hashes into its share of the slots.
fn tags() -> Vec<String> {
    let mut tags = vec![String::new(); ringwire_signaling::partition::PARTITIONS];
    let mut missing = tags.len();
    for number in 0_u32.. {
        if missing == 0 {
            break;
        }
        let text = format!("{number:x}");
        let place = &mut tags[slot(text.as_bytes()) / SPREAD];
        if place.is_empty() {
            *place = text;
            missing -= 1;
        }
    }
    tags
}

/// The slot of a hash tag: CRC-16/XMODEM modulo the number of slots.
fn slot(tag: &[u8]) -> usize {
    let mut crc = 0_u16;
    for byte in tag {
        crc ^= u16::from(*byte) << 8;
        for _ in 0..8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
        }
    }
    usize::from(crc) % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_redis() {
        assert_eq!(slot(b"123456789"), 0x31c3);
        assert_eq!(slot(b"foo"), 12_182);
    }

    #[test]
    fn every_partition_has_a_tag_in_its_own_share_of_the_slots() {
        for (partition, tag) in tags().iter().enumerate() {
            assert_eq!(slot(tag.as_bytes()) / SPREAD, partition);
        }
    }

    /// Another tag would look for stored data where it is not.
    #[test]
    fn tags_are_what_stored_data_was_written_with() {
        let tags = tags();
        assert_eq!([&tags[0], &tags[1], &tags[127], &tags[255]], ["2b7", "14", "2e", "2ad"]);
        assert_eq!(slot(tags.join(",").as_bytes()), 7673);
    }

    #[test]
    fn names_do_not_depend_on_braces_in_ids() {
        let keys = Keys::new("rw:");
        let user = UserId::parse("a}{b").unwrap();
        assert!(keys.user(&user).starts_with("rw:{"));
        let pair = |one: &str, other: &str| {
            keys.history(&Conversation::Pair(UserId::parse(one).unwrap(), UserId::parse(other).unwrap()))
        };
        assert_eq!(pair("ann", "bob"), pair("bob", "ann"));
    }
}
