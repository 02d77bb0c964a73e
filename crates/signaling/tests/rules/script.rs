//! A script runs commands against one invitation and says in words everything that follows.
//!
//! What a test expects is the whole of it: who hears what, what history says, which lists change, on
//! which conditions, and what the caller is told. A line that is not expected fails the test.

mod commands;
mod words;

use ringwire_signaling::guard::{Facts, Role};
use ringwire_signaling::info::SignalingInfo;
use ringwire_signaling::policy::{Blocked, Busy};
use ringwire_signaling::{
    Action, Command, Event, GroupId, Invitation, InvitationId, Invite, Operation, Partition, Policy, PushChange,
    PushKind, Refusal, Signal, Step, UnixMillis, UserId, Verdict, step,
};

pub(crate) use commands::{InviteWords, accept, cancel, force_cancel, invite, modify, reject, signal, timeout};

/// The invitation that every script is about.
pub(crate) const ID: InvitationId = InvitationId { partition: Partition(7), bits: 42 };
/// Another one.
pub(crate) const OTHER: InvitationId = InvitationId { partition: Partition(9), bits: 99 };

pub(crate) fn user(name: &str) -> UserId {
    UserId::parse(name).expect("a user id")
}

pub(crate) fn users<const N: usize>(names: [&str; N]) -> Vec<UserId> {
    names.map(user).to_vec()
}

pub(crate) fn group(name: &str) -> GroupId {
    GroupId::parse(name).expect("a group id")
}

/// One invitation and the world around it.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) facts: Facts,
    pub(crate) policy: Policy,
    state: Option<Invitation>,
    pushes: Vec<PushChange>,
    operations: Vec<Operation>,
    /// The events that are to be told, in order.
    pub(crate) told: Vec<PushKind>,
}

/// Anything that can be asked of an invitation that exists or is created.
pub(crate) enum Asked {
    Invite(Invite),
    Command(Command),
    Signal(Signal),
}

/// What followed, in words.
#[must_use]
pub(crate) struct Told(String);

impl Script {
    /// A world in which nobody is connected or in a group, blocking is not consulted, and rings are not counted.
    pub(crate) fn new() -> Self {
        Self::default().with_blocked(Blocked::Ignore).with_rings_per_minute(0)
    }

    pub(crate) fn with_rings_per_minute(mut self, rings: u32) -> Self {
        self.policy.rings_per_minute = rings;
        self
    }

    pub(crate) fn with_blocked(mut self, blocked: Blocked) -> Self {
        self.policy.blocked = blocked;
        self
    }

    /// An invitation that was created at 1000.
    pub(crate) fn ringing(words: InviteWords) -> Self {
        let mut script = Self::new();
        script.at(1_000, words).happens();
        script
    }

    pub(crate) fn members<const N: usize>(mut self, names: [&str; N]) -> Self {
        self.facts.members = Some(users(names));
        self
    }

    pub(crate) fn online<const N: usize>(mut self, names: [&str; N]) -> Self {
        self.facts.online = users(names).into_iter().collect();
        self
    }

    pub(crate) fn blocking<const N: usize>(mut self, names: [&str; N]) -> Self {
        self.facts.blocking = users(names).into_iter().collect();
        self
    }

    pub(crate) fn pending_elsewhere<const N: usize>(mut self, names: [&str; N]) -> Self {
        self.facts.ringing = users(names).into_iter().collect();
        self
    }

    pub(crate) fn full(mut self, name: &str, role: Role, oldest_timerless: Option<InvitationId>) -> Self {
        self.facts.full.insert((user(name), role), oldest_timerless);
        self
    }

    pub(crate) fn crossed_by(mut self, invitation: InvitationId) -> Self {
        self.facts.crosses = Some(invitation);
        self
    }

    pub(crate) fn rejecting_busy(mut self) -> Self {
        self.policy.busy = Busy::Reject;
        self
    }

    pub(crate) fn state(&self) -> &Invitation {
        self.state.as_ref().expect("the script created the invitation")
    }

    /// Asks for something at `now`, commits what it leads to, and says what that was.
    pub(crate) fn at(&mut self, now: u64, asked: impl Into<Asked>) -> Told {
        let now = UnixMillis(now);
        let told = match asked.into() {
            Asked::Invite(invite) => match &self.state {
                Some(existing) => step::repeat_of(existing, &invite).map(|reply| words::repeat(&reply)),
                None => step::invite(&invite, ID, &self.facts, now, &self.policy).map(|step| self.commit(step, now)),
            },
            Asked::Command(command) => match step::step(self.state(), &command, now) {
                Ok(Verdict::Step(step)) => Ok(self.commit(*step, now)),
                Ok(Verdict::Repeat(reply)) => Ok(words::repeat(&reply)),
                Err(refusal) => Err(refusal),
            },
            Asked::Signal(signal) => step::signal(self.state(), &signal, now).map(|post| {
                self.check_events(post.notices.iter().map(|notice| &*notice.event), now);
                words::post(&post)
            }),
        };
        Told(told.unwrap_or_else(|refusal| words::refusal(&refusal)))
    }

    /// Everything that was done so far.
    pub(crate) fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// What the last step changed about pushes.
    pub(crate) fn pushes(&self) -> Told {
        let words = |change: &PushChange| match change {
            PushChange::Ring { user, patience_ms } => Some(format!("ring of {user} after {patience_ms}")),
            PushChange::End { user } => Some(format!("end of {user}")),
            PushChange::Created { .. } | PushChange::Settled { .. } => None,
        };
        Told(self.pushes.iter().filter_map(words).collect::<Vec<_>>().join("\n"))
    }

    /// A device of a user holds the ring.
    pub(crate) fn receipt(&self, now: u64, by: &str) -> Told {
        let by = commands::by(by);
        let device = by.device.expect("a receipt comes from a device");
        let Some(post) = step::receipt(self.state(), &by.user, &device, UnixMillis(now)) else {
            return Told("nothing".into());
        };
        self.check_events(post.notices.iter().map(|notice| &*notice.event), UnixMillis(now));
        Told(words::post(&post))
    }

    /// A device of a user asks for the ring by name.
    pub(crate) fn ring_again(&self, name: &str, already_sent: bool) -> Result<(), Refusal> {
        step::ring_again(self.state.as_ref(), &user(name), already_sent)
    }

    fn commit(&mut self, step: Step, now: UnixMillis) -> String {
        let version = self.state.as_ref().map_or(1, |state| state.version + 1);
        assert_eq!(step.next.version, version, "a transition counts one version");
        assert_eq!((step.operation.version, step.operation.at), (version, now));
        check_info(&step);
        let was_settled = self.state.as_ref().is_some_and(Invitation::is_settled);
        let created = (version == 1).then_some(PushKind::Created);
        let settled = (!was_settled && step.next.is_settled()).then_some(PushKind::Settled);
        let events = events(&step);
        assert_eq!(events, created.into_iter().chain(settled).collect::<Vec<_>>(), "each event is told once");
        self.told.extend(events);
        let told = words::step(&step, now);
        self.state = Some(step.next);
        self.pushes = step.pushes;
        self.operations.push(step.operation);
        let events = step.notices.iter().map(|notice| &*notice.event).chain(step.broadcast.as_deref());
        self.check_events(events, now);
        told
    }

    /// Every event carries what a UI needs, the same for everybody.
    fn check_events<'a>(&self, events: impl Iterator<Item = &'a Event>, now: UnixMillis) {
        let (state, terms) = (self.state(), &self.state().terms);
        for event in events {
            assert_eq!((event.invitation, event.version, event.at), (state.id, state.version, now));
            assert_eq!((&event.inviter, &event.group, event.kind), (&terms.inviter, &terms.group, terms.kind));
            assert_eq!((event.timeout_s, event.ephemeral), (terms.timeout_s, terms.online_user_only));
            assert_eq!(event.settled, state.is_settled());
        }
    }
}

/// The events of the invitation that a step has told.
fn events(step: &Step) -> Vec<PushKind> {
    let inviter = &step.next.terms.inviter;
    let kind = |change: &PushChange| match change {
        PushChange::Created { inviter: by } => (by == inviter).then_some(PushKind::Created),
        PushChange::Settled { inviter: by } => (by == inviter).then_some(PushKind::Settled),
        PushChange::Ring { .. } | PushChange::End { .. } => None,
    };
    step.pushes.iter().filter_map(kind).collect()
}

/// Whether an app reads an event or a message of history, it learns the same.
fn check_info(step: &Step) {
    let message = SignalingInfo::of_operation(&step.next, &step.operation);
    let events = step.notices.iter().map(|notice| &*notice.event).chain(step.broadcast.as_deref());
    for event in events {
        let info = SignalingInfo::of_event(event).expect("a transition can be read");
        // Except for what the server adds to an invite.
        let is_busy = info.action == Action::Reject && message.action == Action::Invite;
        assert!(info == message || is_busy, "{info:?} is not {message:?}");
    }
}

impl Told {
    /// Compares with all that is expected, ignoring indentation.
    #[track_caller]
    pub(crate) fn tells(self, expected: &str) {
        let lines = |text: &str| -> Vec<String> {
            text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
        };
        let (told, expected) = (lines(&self.0), lines(expected));
        assert!(told == expected, "it tells\n  {}\nand not\n  {}", told.join("\n  "), expected.join("\n  "));
    }

    /// It led to a transition; which is not this test's matter.
    #[track_caller]
    pub(crate) fn happens(self) {
        assert!(self.0.starts_with('v'), "no transition: {}", self.0);
    }
}
