//! Choices in carrying events from an invitation to inboxes that its commit did not write.

use crate::limits::RELAY_BATCH;

/// What to do with an event that an invitation numbered `number` for a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Append {
    /// The user's inbox has it: do nothing.
    Repeat,
    /// It is the next: append it.
    Next,
    /// Older events of this invitation are missing: relay those first.
    Gap,
}

/// Rates an event by the number of the last one that the inbox took from the same invitation.
#[must_use]
pub fn rate(last: Option<u64>, number: u64) -> Append {
    let last = last.unwrap_or(0);
    if number <= last {
        Append::Repeat
    } else if number == last + 1 {
        Append::Next
    } else {
        Append::Gap
    }
}

/// The part of an audience of `recipients` that one step serves, when `served` already were.
#[must_use]
pub fn batch(recipients: usize, served: usize) -> std::ops::Range<usize> {
    served.min(recipients)..served.saturating_add(RELAY_BATCH).min(recipients)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_appended_once_and_in_order() {
        assert_eq!(rate(None, 1), Append::Next);
        assert_eq!(rate(Some(1), 1), Append::Repeat);
        assert_eq!(rate(Some(1), 2), Append::Next);
        assert_eq!(rate(Some(1), 3), Append::Gap);
        assert_eq!(rate(None, 2), Append::Gap);
    }

    #[test]
    fn batches_cover_an_audience_once() {
        assert_eq!(batch(120, 0), 0..50);
        assert_eq!(batch(120, 50), 50..100);
        assert_eq!(batch(120, 100), 100..120);
        assert!(batch(120, 120).is_empty());
        assert!(batch(0, 0).is_empty());
    }
}
