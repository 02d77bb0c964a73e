//! When to acknowledge what the app was shown. Pure; time is an argument.

use std::time::Duration;

use ringwire_signaling::{Epoch, Position};
use tokio::time::Instant;

/// How long acknowledgements are collected, unless there is a ring among them.
const DELAY: Duration = Duration::from_millis(20);

/// Cumulative acknowledgements of one client.
#[derive(Debug)]
pub(crate) struct Acks {
    automatic: bool,
    /// Through where the app was shown everything.
    shown: Option<Position>,
    /// The inbox that the live connection serves.
    epoch: Option<Epoch>,
    /// When to acknowledge.
    due: Option<Instant>,
}

impl Acks {
    pub(crate) fn new(automatic: bool) -> Self {
        Self { automatic, shown: None, epoch: None, due: None }
    }

    /// A connection starts. What was acknowledged on the last one may be lost, so it is repeated.
    pub(crate) fn connected(&mut self, epoch: Epoch, now: Instant) {
        self.epoch = Some(epoch);
        let same_epoch = self.shown.is_some_and(|shown| shown.epoch == epoch);
        self.due = (self.automatic && same_epoch).then_some(now + DELAY);
    }

    /// The live connection serves another inbox from here on. What was shown of the old one says
    /// nothing about it.
    pub(crate) fn moved(&mut self, epoch: Epoch) {
        self.epoch = Some(epoch);
    }

    /// The app was shown everything up to `position`.
    pub(crate) fn shown(&mut self, position: Position, rings: bool, now: Instant) {
        self.shown = Some(position);
        if !self.automatic {
            return;
        }
        let at = if rings { now } else { now + DELAY };
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// When [`Acks::take`] is to be called; none if there is nothing to acknowledge.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// The offset to acknowledge now, if any.
    pub(crate) fn take(&mut self, now: Instant) -> Option<u64> {
        if self.due.is_none_or(|due| due > now) {
            return None;
        }
        self.due = None;
        self.shown.filter(|shown| Some(shown.epoch) == self.epoch).map(|shown| shown.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringwire_signaling::Check;

    fn at(epoch: u64, offset: u64) -> Position {
        Position { epoch: Epoch(epoch), offset, check: Check(0) }
    }

    #[test]
    fn acknowledgements_are_collected_and_a_ring_is_not_delayed() {
        let (mut acks, start) = (Acks::new(true), Instant::now());
        acks.connected(Epoch(1), start);
        assert_eq!(acks.due(), None);
        acks.shown(at(1, 5), false, start);
        acks.shown(at(1, 6), false, start + DELAY / 2);
        assert_eq!(acks.take(start + DELAY / 2), None);
        assert_eq!(acks.take(start + DELAY), Some(6));
        assert_eq!(acks.take(start + DELAY), None);
        acks.shown(at(1, 7), true, start + DELAY);
        assert_eq!(acks.take(start + DELAY), Some(7));
    }

    #[test]
    fn what_may_be_lost_is_acknowledged_again_and_an_old_inbox_is_not() {
        let (mut acks, start) = (Acks::new(true), Instant::now());
        acks.connected(Epoch(1), start);
        acks.shown(at(1, 5), true, start);
        assert_eq!(acks.take(start), Some(5));
        acks.connected(Epoch(1), start);
        assert_eq!(acks.take(start + DELAY), Some(5));
        acks.connected(Epoch(2), start);
        acks.shown(at(1, 6), true, start);
        assert_eq!(acks.take(start + DELAY), None);
        acks.shown(at(2, 1), true, start);
        assert_eq!(acks.take(start), Some(1));
        acks.moved(Epoch(3));
        acks.shown(at(3, 1), true, start);
        assert_eq!(acks.take(start), Some(1));
    }

    #[test]
    fn an_app_can_acknowledge_itself() {
        let (mut acks, start) = (Acks::new(false), Instant::now());
        acks.connected(Epoch(1), start);
        acks.shown(at(1, 5), true, start);
        assert_eq!(acks.due(), None);
    }
}
