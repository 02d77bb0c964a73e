//! Invitations that two users sent each other at once: each crosses the other.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use ringwire_signaling::InvitationId;

/// Pairs that are remembered: more than a user can ring at once.
const PAIRS: usize = 64;

/// The crossing pairs that were heard of.
#[derive(Debug, Default)]
pub(crate) struct Glare {
    pairs: Mutex<VecDeque<(InvitationId, InvitationId)>>,
}

impl Glare {
    /// Notes that `later` says that it crosses an older one, if it does.
    pub(crate) fn note(&self, later: InvitationId, older: Option<InvitationId>) {
        let Some(older) = older else { return };
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        if pairs.contains(&(later, older)) {
            return;
        }
        if pairs.len() == PAIRS {
            pairs.pop_front();
        }
        pairs.push_back((later, older));
    }

    /// The invitation that crosses this one.
    pub(crate) fn other(&self, invitation: InvitationId) -> Option<InvitationId> {
        let pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        pairs.iter().rev().find_map(|&(later, older)| {
            let from_later = (later == invitation).then_some(older);
            from_later.or_else(|| (older == invitation).then_some(later))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringwire_signaling::Partition;

    #[test]
    fn each_of_a_pair_crosses_the_other() {
        let id = |bits| InvitationId { partition: Partition(0), bits };
        let glare = Glare::default();
        glare.note(id(2), Some(id(1)));
        glare.note(id(3), None);
        assert_eq!([1, 2, 3].map(|bits| glare.other(id(bits))), [Some(id(2)), Some(id(1)), None]);
    }
}
