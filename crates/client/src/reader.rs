//! Which events an app is shown, and where the device stands in the user's inbox. Pure.
//!
//! Everything that the server sends passes through here and comes out as [`Shown`] items in order.
//! After a resume, what was missed is held until it is complete, so that an invitation that rang and
//! ended meanwhile does not ring.

mod known;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use ringwire_signaling::apply::{Applied, Bearing, Decision};
use ringwire_signaling::{DeviceId, InvitationId, Position, UserId};
use ringwire_wire::view::{EventView, HelloResult, InvitationView, SnapshotView};

use crate::event::Event;
use crate::glare::Glare;
use known::Known;

/// Events that are held while a backlog comes in. The server keeps fewer in an inbox.
const BACKLOG_EVENTS: usize = 1024;
/// Own operations whose echo in a later backlog is recognized.
const OWN_OPERATIONS: usize = 256;

/// One item on its way to the app.
#[derive(Debug)]
pub(crate) struct Shown {
    /// What the app is told; none if the server's event said nothing new.
    pub(crate) event: Option<Event>,
    /// The device holds everything up to here once the item has reached the app.
    pub(crate) covers: Option<Position>,
    /// It rings: its receipt is not to be delayed.
    pub(crate) rings: bool,
}

/// What became of an invitation that a snapshot lacked.
#[derive(Debug)]
pub(crate) enum Found {
    /// This.
    State(Box<InvitationView>),
    /// There is no such invitation.
    Nothing,
}

/// What came in after a resume and is not shown yet.
#[derive(Debug)]
struct Backlog {
    end: Position,
    /// Boxed, as they come and go.
    events: VecDeque<Box<EventView<'static>>>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Reader {
    device: DeviceId,
    user: Option<UserId>,
    glare: Arc<Glare>,
    applied: Applied,
    /// Where to resume.
    position: Option<Position>,
    backlog: Option<Backlog>,
    known: Known,
    /// Invitations that a snapshot lacked, whose state is to be asked for.
    unverified: VecDeque<InvitationId>,
    /// The one that was asked about.
    asked: Option<InvitationId>,
    question_failed: bool,
    /// Invitation and version of own operations whose results the app has.
    own: VecDeque<(InvitationId, u64)>,
    shown: VecDeque<Shown>,
}

impl Reader {
    pub(crate) fn new(device: DeviceId, resume: Option<Position>, glare: Arc<Glare>) -> Self {
        let mut applied = Applied::default();
        if let Some(position) = resume {
            applied.starts_at(position.epoch, position.offset);
        }
        Self {
            device,
            user: None,
            glare,
            applied,
            position: resume,
            backlog: None,
            known: Known::default(),
            unverified: VecDeque::new(),
            asked: None,
            question_failed: false,
            own: VecDeque::new(),
            shown: VecDeque::new(),
        }
    }

    /// The position to resume from.
    pub(crate) fn position(&self) -> Option<Position> {
        self.position
    }

    /// Whether anything waits to be shown.
    pub(crate) fn has_shown(&self) -> bool {
        !self.shown.is_empty()
    }

    /// The next item to be shown.
    pub(crate) fn next_shown(&mut self) -> Option<Shown> {
        self.shown.pop_front()
    }

    /// Whether missed events are still coming in.
    pub(crate) fn in_backlog(&self) -> bool {
        self.backlog.is_some()
    }

    /// Shows something that has no place in the inbox.
    pub(crate) fn show(&mut self, event: Event) {
        self.shown.push_back(Shown { event: Some(event), covers: None, rings: false });
    }

    /// The server greeted. Events that follow up to its position are the backlog.
    pub(crate) fn greeted(&mut self, hello: &HelloResult) {
        self.user = Some(hello.user.clone());
        let end = hello.position();
        let complete = self.position.is_some_and(|position| position.offset >= end.offset);
        self.backlog = (hello.resumed && !complete).then(|| Backlog { end, events: VecDeque::new() });
    }

    /// The connection was lost. What is held of a backlog will come again.
    pub(crate) fn lost(&mut self) {
        self.backlog = None;
    }

    /// An event came.
    pub(crate) fn event(&mut self, view: Box<EventView<'static>>) {
        let Some(backlog) = &mut self.backlog else { return self.apply(view) };
        let (end, at) = (backlog.end, view.position());
        if at.epoch != end.epoch || at.offset > end.offset {
            self.end_backlog();
            return self.apply(view);
        }
        backlog.events.push_back(view);
        if at.offset == end.offset || backlog.events.len() >= BACKLOG_EVENTS {
            self.end_backlog();
        }
    }

    /// An event came of a type that this version of the crate does not know.
    pub(crate) fn unknown(&mut self, position: Position) {
        if self.backlog.as_ref().is_some_and(|backlog| position.offset < backlog.end.offset) {
            // It will be covered by the end of the backlog.
            return;
        }
        self.end_backlog();
        let newer = self.position.is_none_or(|at| at.epoch != position.epoch || at.offset < position.offset);
        if newer {
            self.applied.starts_at(position.epoch, position.offset);
            self.covered(position);
        }
    }

    /// Shows the backlog. Rings that it also ends are left out; their ends are not.
    pub(crate) fn end_backlog(&mut self) {
        let Some(backlog) = self.backlog.take() else { return };
        let Backlog { end, events } = backlog;
        let ended: Vec<bool> =
            events.iter().enumerate().map(|(at, view)| self.is_ended(view, events.range(at + 1..))).collect();
        for (view, ended) in events.into_iter().zip(ended) {
            if ended {
                self.covered(view.position());
            } else {
                self.apply(view);
            }
        }
        // Entries at the end may have expired and not been sent.
        let behind = self.position.is_none_or(|at| at.epoch != end.epoch || at.offset < end.offset);
        if behind {
            self.applied.starts_at(end.epoch, end.offset);
            self.covered(end);
        }
    }

    /// Whether `view` is a ring that ends for this user in what follows it.
    fn is_ended<'a>(&self, view: &EventView<'_>, mut later: impl Iterator<Item = &'a Box<EventView<'static>>>) -> bool {
        is_ring(view)
            && later.any(|end| {
                end.invitation_id == view.invitation_id
                    && (self.ends_ring(end) || (end.settled && end.bearing() == Bearing::State))
            })
    }

    /// Whether this user's part of the invitation is over after this event.
    fn ends_ring(&self, view: &EventView<'_>) -> bool {
        let Some(user) = &self.user else { return false };
        match view.name.as_ref() {
            "invitation.answered_elsewhere" => view.invitee.as_ref() == Some(user),
            "invitation.cancelled" | "invitation.timed_out" => {
                view.invitees.as_deref().is_some_and(|invitees| invitees.contains(user))
            }
            _ => false,
        }
    }

    fn apply(&mut self, view: Box<EventView<'static>>) {
        let position = view.position();
        let stale = self.position.is_some_and(|known| known.epoch == position.epoch && position.offset <= known.offset);
        let decision =
            self.applied.event(position.epoch, position.offset, view.invitation_id, view.version, view.bearing());
        if stale {
            return;
        }
        self.glare.note(view.invitation_id, view.crosses);
        self.note_event(&view);
        let own = view.device_id.as_ref() == Some(&self.device)
            && self.own.contains(&(view.invitation_id, view.version))
            && view.bearing() == Bearing::State;
        if decision == Decision::Drop || own {
            return self.covered(position);
        }
        let rings = is_ring(&view);
        self.position = Some(position);
        self.shown.push_back(Shown { event: Event::of(view), covers: Some(position), rings });
    }

    /// Notes a position without an event to show.
    fn covered(&mut self, position: Position) {
        self.position = Some(position);
        self.shown.push_back(Shown { event: None, covers: Some(position), rings: false });
    }

    /// Keeps the list of active invitations.
    fn note_event(&mut self, view: &EventView<'_>) {
        if view.bearing() == Bearing::Beside {
            return;
        }
        let is_inviter = self.user.as_ref() == Some(&view.inviter);
        if view.settled || (self.ends_ring(view) && !is_inviter) {
            self.ended(view.invitation_id);
        } else if matches!(view.name.as_ref(), "invitation.received" | "invitation.sent") {
            self.known.insert(view.invitation_id, view.version);
        } else {
            self.known.raise(view.invitation_id, view.version);
        }
    }

    fn ended(&mut self, invitation: InvitationId) {
        self.known.end(invitation);
        self.unverified.retain(|id| *id != invitation);
    }

    /// A snapshot came: positions and states that the device holds are void.
    pub(crate) fn snapshot(&mut self, snapshot: Box<SnapshotView>) {
        let position = snapshot.position();
        self.backlog = None;
        self.applied.starts_at(position.epoch, position.offset);
        self.position = Some(position);
        snapshot.active.iter().chain(&snapshot.missed).for_each(|state| self.full_state(state));
        let is_in_it = |id: &InvitationId| snapshot.active.iter().any(|state| state.invitation_id == *id);
        self.unverified = self.known.ids().filter(|id| !is_in_it(id)).collect();
        let rings = snapshot.active.iter().any(|state| self.is_pending_in(state));
        self.shown.push_back(Shown { event: Some(Event::Snapshot(snapshot)), covers: Some(position), rings });
    }

    fn is_pending_in(&self, state: &InvitationView) -> bool {
        state.invitees.iter().any(|invitee| self.user.as_ref() == Some(&invitee.user) && invitee.state == "pending")
    }

    fn note_state(&mut self, state: &InvitationView) {
        self.glare.note(state.invitation_id, state.crosses);
        let took_part = state.invitees.iter().any(|invitee| self.user.as_ref() == Some(&invitee.user));
        if state.is_settled() || (took_part && !self.is_pending_in(state)) {
            self.ended(state.invitation_id);
        } else {
            self.known.insert(state.invitation_id, state.version);
        }
    }

    /// The app was given a full state that it asked for.
    pub(crate) fn full_state(&mut self, state: &InvitationView) {
        self.applied.full_state(state.invitation_id, state.version);
        self.note_state(state);
    }

    /// The next invitation whose state is to be asked for; one at a time.
    pub(crate) fn next_question(&mut self) -> Option<InvitationId> {
        if self.asked.is_none() {
            self.asked = self.unverified.pop_front();
            return self.asked;
        }
        None
    }

    /// Whether the state of an invitation is to be asked for.
    pub(crate) fn has_question(&self) -> bool {
        self.asked.is_none() && !self.unverified.is_empty()
    }

    /// The answer about `invitation`; none if there was none, and it is to be asked again. Events may
    /// have told more meanwhile.
    pub(crate) fn answered(&mut self, invitation: InvitationId, answer: Option<Found>) {
        self.asked = None;
        let Some(newest) = self.known.version(invitation) else { return };
        match answer {
            Some(Found::State(state)) if newest <= state.version => {
                self.full_state(&state);
                self.show(Event::State(state));
            }
            Some(Found::State(_)) => {}
            Some(Found::Nothing) => {
                self.ended(invitation);
                self.show(Event::Gone { invitation_id: invitation });
            }
            None => {
                self.unverified.push_back(invitation);
                self.question_failed = true;
            }
        }
    }

    /// Whether a question failed since this was called last, so that the next one is to wait.
    pub(crate) fn question_failed(&mut self) -> bool {
        std::mem::take(&mut self.question_failed)
    }

    /// The app got the result of its own invite.
    pub(crate) fn invited(&mut self, invitation: InvitationId, is_active: bool) {
        self.note_own(invitation, 1);
        if is_active {
            self.known.insert(invitation, 1);
        }
    }

    /// The app got the result of its own answer, cancel or modify; `ends` if the invitation is over
    /// for this user.
    pub(crate) fn done(&mut self, invitation: InvitationId, version: u64, ends: bool) {
        self.note_own(invitation, version);
        if ends {
            self.ended(invitation);
        } else {
            self.known.raise(invitation, version);
        }
    }

    fn note_own(&mut self, invitation: InvitationId, version: u64) {
        if self.own.len() == OWN_OPERATIONS {
            self.own.pop_front();
        }
        self.own.push_back((invitation, version));
    }
}

fn is_ring(view: &EventView<'_>) -> bool {
    view.name == "invitation.received" && view.invited == Some(true)
}
