//! The invitations that a device takes for active, so that a snapshot cannot lose one.

use std::collections::{BTreeMap, VecDeque};

use ringwire_signaling::InvitationId;
use ringwire_signaling::limits::{PENDING_PER_USER, SENT_PER_USER};

/// As many as a user can be in.
const KNOWN: usize = PENDING_PER_USER + SENT_PER_USER;
/// Ended invitations that are remembered, because the result of an own operation can come after the
/// event that outdates it.
const ENDED: usize = 64;

/// Active invitations with the newest version heard of.
#[derive(Debug, Default)]
pub(super) struct Known {
    versions: BTreeMap<InvitationId, (u64, u64)>,
    /// Counts insertions, to know the oldest.
    insertions: u64,
    ended: VecDeque<InvitationId>,
}

impl Known {
    pub(super) fn insert(&mut self, invitation: InvitationId, version: u64) {
        if self.raise(invitation, version) || self.ended.contains(&invitation) {
            return;
        }
        if self.versions.len() == KNOWN
            && let Some(oldest) = self.versions.iter().min_by_key(|(_, (_, age))| *age).map(|(id, _)| *id)
        {
            self.versions.remove(&oldest);
        }
        self.insertions += 1;
        self.versions.insert(invitation, (version, self.insertions));
    }

    /// Notes a newer version; false if the invitation is not known.
    pub(super) fn raise(&mut self, invitation: InvitationId, version: u64) -> bool {
        let Some((newest, _)) = self.versions.get_mut(&invitation) else { return false };
        *newest = version.max(*newest);
        true
    }

    /// It ended for this user, and will not come back.
    pub(super) fn end(&mut self, invitation: InvitationId) {
        self.versions.remove(&invitation);
        if self.ended.len() == ENDED {
            self.ended.pop_front();
        }
        self.ended.push_back(invitation);
    }

    pub(super) fn version(&self, invitation: InvitationId) -> Option<u64> {
        self.versions.get(&invitation).map(|(version, _)| *version)
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = InvitationId> {
        self.versions.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringwire_signaling::Partition;

    fn id(bits: usize) -> InvitationId {
        InvitationId { partition: Partition(0), bits: bits as u128 }
    }

    #[test]
    fn the_oldest_goes_when_there_are_too_many() {
        let mut known = Known::default();
        (0..KNOWN).for_each(|bits| known.insert(id(bits), 1));
        known.insert(id(0), 2);
        known.insert(id(KNOWN), 1);
        assert_eq!(known.version(id(0)), None);
        assert_eq!(known.version(id(1)), Some(1));
        assert_eq!(known.ids().count(), KNOWN);
    }

    #[test]
    fn a_version_only_rises() {
        let mut known = Known::default();
        known.insert(id(1), 3);
        known.insert(id(1), 2);
        assert_eq!(known.version(id(1)), Some(3));
        assert!(!known.raise(id(2), 1));
    }

    #[test]
    fn what_ended_does_not_come_back() {
        let mut known = Known::default();
        known.end(id(1));
        known.insert(id(1), 1);
        assert_eq!(known.version(id(1)), None);
    }
}
