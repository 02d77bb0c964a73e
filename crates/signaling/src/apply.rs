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

    /// Notes the position that a snapshot names. A device that resumes stays where it was: what it
    /// missed follows.
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
mod tests;
