//! How a session learns what it missed: when it reads the inbox, and what it makes of the outcome.

use super::{Effect, Session};
use crate::inbox::{Delivery, Epoch, Position, Snapshot, Stretch};

/// The read that is under way; there is one at a time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Recovery {
    /// Of what follows a position.
    Fetch(Asked),
    /// Of a snapshot.
    Reset {
        /// The highest offset that was held when it was asked for.
        heard: u64,
    },
}

/// What was known when a fetch was asked for. It is read later than that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// It brings what follows this.
    after: Position,
    /// The highest offset that was sent: the inbox does not end before it unless it was rolled back.
    sent: u64,
    /// The highest offset that was held: likewise.
    heard: u64,
}

/// Whether an inbox, as far as a stretch of it shows, goes on from a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Continuation {
    Whole,
    /// What followed the position was trimmed from the inbox.
    Trimmed,
    /// The position is of another history under the same epoch: the inbox was rolled back.
    Diverged,
}

impl Session {
    /// The doorbell may have dropped something: look whether the inbox went on.
    pub fn suspect(&mut self) -> Vec<Effect> {
        self.suspected = true;
        self.heal()
    }

    /// A fetch brought what follows the position.
    pub fn fetched(&mut self, stretch: Stretch) -> Vec<Effect> {
        let (Some(Recovery::Fetch(asked)), Some(position)) = (self.recovery, self.position) else { return Vec::new() };
        self.recovery = None;
        let end = stretch.position;
        if asked.after.epoch != position.epoch {
            // Everybody was reset while it was under way: it tells of a life that is over.
            return self.suspect();
        }
        if end.epoch != position.epoch {
            return self.ask_reset(None);
        }
        if end.offset < asked.sent {
            return self.ask_reset(Some(end.epoch));
        }
        self.drop_lost(asked.heard, end.offset);
        let cursors = self.connections.values().map(|connection| connection.sent).chain([position]);
        let known = cursors.filter(|cursor| cursor.epoch == end.epoch && cursor.offset >= asked.after.offset);
        match known.map(|cursor| continuation(&stretch, cursor)).max() {
            Some(Continuation::Diverged) => return self.ask_reset(Some(end.epoch)),
            Some(Continuation::Trimmed) => return self.ask_reset(None),
            Some(Continuation::Whole) | None => {}
        }
        if end.offset > position.offset {
            self.gaps += 1;
        }
        let mut deliveries: Vec<Delivery> = Vec::with_capacity(stretch.entries.len());
        for entry in stretch.entries {
            if deliveries.last().is_some_and(|last| !last.entry.precedes(&entry)) {
                break;
            }
            let held = self.held.get(&entry.offset).filter(|held| held.entry.check == entry.check);
            let origin = held.and_then(|held| held.origin);
            deliveries.push(Delivery { user: self.user.clone(), epoch: end.epoch, entry, origin });
        }
        let mut effects = self.send(end.epoch, &deliveries);
        effects.extend(self.release_held());
        // A stretch that stops short is read on.
        self.suspected |= self.position.is_some_and(|position| position.offset < end.offset);
        effects.extend(self.heal());
        effects
    }

    /// A snapshot was read: every connection starts again from it.
    ///
    /// May also be called without having been asked for.
    pub fn reset(&mut self, snapshot: &Snapshot) -> Vec<Effect> {
        let start = snapshot.position;
        if let Some(Recovery::Reset { heard }) = self.recovery {
            self.recovery = None;
            self.drop_lost(heard, start.offset);
        }
        // What was delivered since it was read stays known, and is fetched for everybody again.
        let goes_on = |position: Position| position.epoch == start.epoch && position.offset > start.offset;
        if !self.position.is_some_and(goes_on) {
            self.position = Some(start);
        }
        self.held.retain(|_, held| held.epoch == start.epoch);
        let mut effects = Vec::with_capacity(self.connections.len());
        for (id, connection) in &mut self.connections {
            connection.sent = start;
            connection.note_snapshot(&self.user, snapshot);
            effects.push(Effect::SendSnapshot { to: *id, snapshot: snapshot.clone() });
        }
        effects.extend(self.release_held());
        effects.extend(self.heal());
        effects
    }

    /// Reading failed; the next delivery or [`Session::suspect`] tries again.
    pub fn recovery_failed(&mut self) {
        if self.recovery.take().is_some() {
            self.suspected = true;
        }
    }

    /// Asks for a read if something is missing, known or suspected, and none is under way.
    pub(super) fn heal(&mut self) -> Vec<Effect> {
        let Some(position) = self.position else { return Vec::new() };
        if self.recovery.is_some() || self.connections.is_empty() {
            return Vec::new();
        }
        let mut asked = Asked { after: position, sent: position.offset, heard: self.heard() };
        let mut behind = false;
        for cursor in self.connections.values().map(|connection| connection.sent) {
            if cursor.epoch != position.epoch {
                return self.ask_reset(None);
            }
            if cursor.offset == position.offset && cursor.check != position.check {
                return self.ask_reset(Some(position.epoch));
            }
            behind |= cursor != position;
            asked.sent = asked.sent.max(cursor.offset);
            if cursor.offset < asked.after.offset {
                asked.after = cursor;
            }
        }
        if !behind && !self.suspected && self.held.is_empty() {
            return Vec::new();
        }
        self.suspected = false;
        self.recovery = Some(Recovery::Fetch(asked));
        vec![Effect::Fetch { after: asked.after.offset }]
    }

    /// A delivery contradicts what was sent: one of the two was rolled back.
    pub(super) fn diverged(&mut self, epoch: Epoch) -> Vec<Effect> {
        if self.recovery.is_some() {
            self.suspected = true;
            return Vec::new();
        }
        self.ask_reset(Some(epoch))
    }

    fn ask_reset(&mut self, replace: Option<Epoch>) -> Vec<Effect> {
        self.recovery = Some(Recovery::Reset { heard: self.heard() });
        vec![Effect::Reset { replace }]
    }

    /// The highest offset that is held.
    fn heard(&self) -> u64 {
        self.held.last_key_value().map_or(0, |(offset, _)| *offset)
    }

    /// What was heard before the inbox was read, and lies beyond the end that was found, was rolled
    /// back before it was sent.
    fn drop_lost(&mut self, heard: u64, end: u64) {
        self.held.retain(|offset, _| *offset <= end || *offset > heard);
    }
}

/// Positions beyond the stretch are of deliveries that it was read before.
fn continuation(stretch: &Stretch, cursor: Position) -> Continuation {
    let end = stretch.position;
    let check = if cursor.offset > end.offset {
        return Continuation::Whole;
    } else if cursor.offset == end.offset {
        end.check
    } else if let Some(next) = stretch.entries.iter().find(|entry| entry.offset == cursor.offset + 1) {
        next.previous
    } else {
        return Continuation::Trimmed;
    };
    if check == cursor.check { Continuation::Whole } else { Continuation::Diverged }
}
