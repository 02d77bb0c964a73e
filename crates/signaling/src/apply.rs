//! What a device does with an event it is sent: apply it, or drop it because it already knows.
//!
//! Delivery is at least once, and a snapshot or a `get` may be ahead of events that are under way.

use std::collections::VecDeque;

use crate::id::InvitationId;
use crate::inbox::Epoch;

/// Full states that a device remembers. Older ones are forgotten; the events they outdate have then
/// long passed.
const FULL_STATES: usize = 512;

/// What a device has applied.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    position: Option<(Epoch, u64)>,
    full_versions: VecDeque<(InvitationId, u64)>,
}

/// What to do with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Show it.
    Apply,
    /// It says nothing new.
    Drop,
}

/// How an event relates to its invitation's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearing {
    /// It tells of a transition.
    State,
    /// A receipt or a signal, which leave the state as it is.
    Beside,
}

impl Applied {
    /// Rates an event and, if it is new, notes that it was applied.
    pub fn event(
        &mut self,
        epoch: Epoch,
        offset: u64,
        invitation: InvitationId,
        version: u64,
        bearing: Bearing,
    ) -> Decision {
        match self.position {
            Some((known, applied)) if known == epoch && offset <= applied => return Decision::Drop,
            Some(_) | None => self.position = Some((epoch, offset)),
        }
        let outdated = bearing == Bearing::State
            && self.full_versions.iter().any(|(id, full)| *id == invitation && version <= *full);
        if outdated { Decision::Drop } else { Decision::Apply }
    }

    /// Notes the position that the server named at the start of a connection or in a snapshot.
    pub fn starts_at(&mut self, epoch: Epoch, offset: u64) {
        self.position = Some((epoch, offset));
    }

    /// Notes a full state from a snapshot or a `get`. The result of one's own operation is none.
    pub fn full_state(&mut self, invitation: InvitationId, version: u64) {
        let newest = self.full_versions.iter().filter(|(id, _)| *id == invitation).map(|(_, full)| *full).max();
        self.full_versions.retain(|(id, _)| *id != invitation);
        if self.full_versions.len() == FULL_STATES {
            self.full_versions.pop_front();
        }
        self.full_versions.push_back((invitation, version.max(newest.unwrap_or(0))));
    }

    /// The epoch and offset through which events were applied.
    #[must_use]
    pub fn position(&self) -> Option<(Epoch, u64)> {
        self.position
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partition::Partition;

    const ONE: InvitationId = InvitationId { partition: Partition(1), bits: 1 };

    #[test]
    fn an_offset_is_applied_once_per_epoch() {
        let mut applied = Applied::default();
        assert_eq!(applied.event(Epoch(1), 5, ONE, 1, Bearing::State), Decision::Apply);
        assert_eq!(applied.event(Epoch(1), 5, ONE, 1, Bearing::State), Decision::Drop);
        assert_eq!(applied.event(Epoch(1), 7, ONE, 2, Bearing::State), Decision::Apply);
        assert_eq!(applied.event(Epoch(1), 6, ONE, 2, Bearing::State), Decision::Drop);
        assert_eq!(applied.event(Epoch(2), 1, ONE, 2, Bearing::State), Decision::Apply);
        assert_eq!(applied.position(), Some((Epoch(2), 1)));
    }

    #[test]
    fn a_state_event_not_newer_than_a_full_state_is_dropped_and_a_signal_is_not() {
        let mut applied = Applied::default();
        applied.full_state(ONE, 3);
        applied.full_state(ONE, 2);
        assert_eq!(applied.event(Epoch(1), 1, ONE, 3, Bearing::State), Decision::Drop);
        assert_eq!(applied.event(Epoch(1), 2, ONE, 3, Bearing::Beside), Decision::Apply);
        assert_eq!(applied.event(Epoch(1), 3, ONE, 4, Bearing::State), Decision::Apply);
    }

    #[test]
    fn full_states_do_not_grow_for_ever() {
        let mut applied = Applied::default();
        for bits in 0..2_000 {
            applied.full_state(InvitationId { bits, ..ONE }, 1);
        }
        assert_eq!(applied.full_versions.len(), FULL_STATES);
    }
}
