//! What holds whatever users ask for, in whatever order, however often and however late.
//!
//! A model beside the rules remembers what was committed. Commands also step from states that are
//! no longer present, as nodes do that lost a race; the store then refuses their commit.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use ringwire_signaling::guard::{Facts, Role};
use ringwire_signaling::policy::{Blocked, Busy};
use ringwire_signaling::step::{self, IndexChange, Verdict};
use ringwire_signaling::{
    Answer, AnswerKind, By, Cancel, Command, Event, Invitation, Invite, InviteeState, Modify, Notice, Outcome, Policy,
    Refusal, Reply, RequestId, Signal, Step, UnixMillis, UserId,
};

use crate::script::{ID, InviteWords, invite, user, users};

const INVITEES: [&str; 5] = ["bob", "carol", "dave", "erin", "frank"];
/// Alice invites; grace is in the group, mallory is nobody.
const EVERYBODY: [&str; 8] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "mallory"];

/// One thing that somebody asks for.
#[derive(Clone, Debug)]
struct Act {
    command: Asked,
    /// How long after the one before.
    after_ms: u64,
    /// How many versions the state was behind that it is first stepped from.
    stale: usize,
}

#[derive(Clone, Debug)]
enum Asked {
    Command(Command),
    Signal(Signal),
    Receipt(UserId),
}

fn name() -> impl Strategy<Value = UserId> {
    (0..EVERYBODY.len()).prop_map(|which| user(EVERYBODY[which]))
}

fn by() -> impl Strategy<Value = By> {
    let devices = prop_oneof![Just(None), Just(Some("phone")), Just(Some("web"))];
    (name(), devices)
        .prop_map(|(user, device)| By { user, device: device.map(|name| name.parse().expect("a device id")) })
}

/// The inviter mostly.
fn inviter() -> impl Strategy<Value = By> {
    prop_oneof![4 => Just(By { user: user("alice"), device: None }), 1 => by()]
}

fn request_id() -> impl Strategy<Value = Option<RequestId>> {
    prop::option::of((0..3).prop_map(|number| format!("r-{number}").parse().expect("a request id")))
}

fn data() -> impl Strategy<Value = std::sync::Arc<str>> {
    prop_oneof![Just("".into()), Just("x".into())]
}

fn some_users() -> impl Strategy<Value = Option<Vec<UserId>>> {
    prop::option::weighted(0.3, prop::collection::vec(name(), 0..3))
}

fn asked() -> impl Strategy<Value = Asked> {
    let answers = prop_oneof![
        2 => Just(AnswerKind::Accept),
        1 => Just(AnswerKind::Reject { reason: None }),
        1 => Just(AnswerKind::Reject { reason: Some("busy".into()) }),
    ];
    let command = |command: Command| Asked::Command(command);
    prop_oneof![
        4 => (by(), answers, data(), request_id()).prop_map(move |(by, kind, data, request_id)| {
            command(Command::Answer(Answer { by, kind, data, request_id }))
        }),
        2 => (inviter(), data(), some_users(), request_id()).prop_map(move |(by, data, invitees, request_id)| {
            command(Command::Cancel(Cancel { by, data, invitees, request_id }))
        }),
        2 => (inviter(), data(), prop::option::weighted(0.3, 0..5_u64), request_id()).prop_map(
            move |(by, data, version, request_id)| {
                command(Command::Modify(Modify { by, data, version, request_id }))
            },
        ),
        2 => Just(command(Command::Timeout)),
        1 => Just(command(Command::ForceCancel { reason: "maintenance".into() })),
        1 => (by(), data(), some_users(), request_id())
            .prop_map(|(by, data, to, request_id)| Asked::Signal(Signal { by, data, to, request_id })),
        1 => name().prop_map(Asked::Receipt),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let times = prop_oneof![3 => 0..2_000_u64, 1 => 0..40_000_u64];
    (asked(), times, 0..3_usize).prop_map(|(command, after_ms, stale)| Act { command, after_ms, stale })
}

fn invitation() -> impl Strategy<Value = (Invite, Facts, Policy)> {
    let subset = || prop::collection::btree_set((0..INVITEES.len()).prop_map(|which| user(INVITEES[which])), 0..3);
    let options = (prop::bool::ANY, prop::bool::ANY, prop::bool::weighted(0.3), prop::bool::ANY, prop::bool::ANY);
    let times = prop_oneof![Just(0_u32), 1..60_u32];
    (1..=INVITEES.len(), options, times, request_id(), subset(), subset(), subset()).prop_map(
        |(
            count,
            (grouped, heard, online_only, rejecting, silent),
            timeout_s,
            request_id,
            online,
            blocking,
            ringing,
        )| {
            let mut invite: InviteWords = invite("alice/phone", []).data("room").timeout_s(timeout_s);
            if grouped {
                invite = invite.in_group("team");
            }
            if !heard {
                invite = invite.only_invitees_hear();
            }
            if online_only {
                invite = invite.online_user_only();
            }
            let mut invite = invite.0;
            invite.invitees = INVITEES[..count].iter().map(|name| user(name)).collect();
            invite.request_id = request_id;
            let members = Some(users(["alice", "bob", "carol", "dave", "erin", "frank", "grace"]));
            let facts = Facts { online, members, ringing, blocking, ..Facts::default() };
            let busy = if rejecting { Busy::Reject } else { Busy::Allow };
            let blocked = if silent { Blocked::Silent } else { Blocked::Failed };
            (invite, facts, Policy { busy, blocked, ..Policy::default() })
        },
    )
}

/// What was committed, and what follows from it.
struct World {
    now: UnixMillis,
    history: Vec<Invitation>,
    lists: BTreeSet<(UserId, Role)>,
    /// The last request of each user that had a request id, with its answer.
    answered: BTreeMap<UserId, (Command, Reply)>,
}

impl World {
    fn begin(invite: &Invite, facts: &Facts, policy: &Policy) -> Self {
        let now = UnixMillis(1_000);
        let step = step::invite(invite, ID, facts, now, policy).expect("the invitation is allowed");
        let mut world = Self { now, history: Vec::new(), lists: BTreeSet::new(), answered: BTreeMap::new() };
        let first = step.reply.clone();
        world.commit(step);
        assert_eq!(step::repeat_of(world.state(), invite), Ok(first));
        world
    }

    fn state(&self) -> &Invitation {
        self.history.last().expect("it was created")
    }

    fn happen(&mut self, act: &Act) {
        self.now = self.now.plus(act.after_ms);
        let behind = self.history.len().saturating_sub(1 + act.stale);
        match &act.command {
            Asked::Command(command) => {
                // A node that is behind: its commit is refused, and it steps again.
                drop(step::step(&self.history[behind], command, self.now));
                self.step(command);
            }
            Asked::Signal(signal) => self.signal(signal),
            Asked::Receipt(user) => self.receipt(user),
        }
        self.check_repeats();
    }

    fn step(&mut self, command: &Command) {
        let before = self.state().clone();
        match step::step(&before, command, self.now) {
            Ok(Verdict::Step(step)) => {
                check_allowed(&before, command, self.now);
                if let Some((user, Some(_))) = request_of(command) {
                    self.answered.insert(user.clone(), (command.clone(), step.reply.clone()));
                }
                self.commit(*step);
            }
            Ok(Verdict::Repeat(reply)) => {
                let (user, _) = request_of(command).expect("a timer has no request id");
                assert_eq!(Some(&reply), self.answered.get(user).map(|(_, reply)| reply), "the first answer");
            }
            Err(refusal) => {
                let settled = matches!(refusal, Refusal::AlreadySettled { .. });
                assert!(settled || !matches!(command, Command::Timeout) || !is_due(&before, self.now));
            }
        }
    }

    fn commit(&mut self, step: Step) {
        let next = &step.next;
        if let Some(before) = self.history.last() {
            assert_eq!(next.version, before.version + 1);
            check_terminal(before, next, &step);
        } else {
            assert_eq!(next.version, 1);
        }
        assert_eq!((step.operation.version, step.operation.at), (next.version, self.now));
        assert_eq!(next.deadline().is_none(), next.is_settled() || next.terms.timeout_s == 0);
        assert_eq!(next.is_settled(), next.pending().next().is_none());
        assert_eq!(step.broadcast.is_some(), self.has_audience(next), "who hears does not change");
        for Notice { to, event } in &step.notices {
            check_addressee(next, to);
            check_event(next, event, self.now);
        }
        step.broadcast.iter().for_each(|event| check_event(next, event, self.now));
        self.replay(&step.index);
        let pending = next.alerted().map(|user| (user.clone(), Role::Invitee));
        let sent = (!next.is_settled()).then(|| (next.terms.inviter.clone(), Role::Inviter));
        assert_eq!(self.lists, pending.chain(sent).collect());
        self.history.push(step.next);
    }

    /// In a group with an audience it hears of everything, unless nobody was rung at all.
    fn has_audience(&self, next: &Invitation) -> bool {
        let first = self.history.first().unwrap_or(next);
        let heard = first.terms.audience == ringwire_signaling::invitation::Audience::Members;
        first.terms.group.is_some() && heard && first.pending().next().is_some()
    }

    fn replay(&mut self, index: &[IndexChange]) {
        for change in index {
            match change {
                IndexChange::Add { user, role } => assert!(self.lists.insert((user.clone(), *role)), "added twice"),
                IndexChange::Remove { user, role, missed } => {
                    assert!(self.lists.remove(&(user.clone(), *role)), "removed twice");
                    assert!(!missed || *role == Role::Invitee);
                }
                IndexChange::Drop { .. } => panic!("no list is full"),
            }
        }
    }

    fn signal(&mut self, signal: &Signal) {
        let Ok(post) = step::signal(self.state(), signal, self.now) else { return };
        for Notice { to, event } in &post.notices {
            assert_ne!(*to, signal.by.user);
            check_addressee(self.state(), to);
            check_event(self.state(), event, self.now);
        }
    }

    fn receipt(&mut self, user: &UserId) {
        let device = "phone".parse().expect("a device id");
        let post = step::receipt(self.state(), user, &device, self.now);
        assert_eq!(post.is_some(), self.state().alerted().any(|pending| pending == user));
        for Notice { to, event } in post.iter().flat_map(|post| &post.notices) {
            assert_eq!(*to, self.state().terms.inviter);
            check_event(self.state(), event, self.now);
        }
    }

    /// Whatever happened since, a repeat of somebody's last request gets its first answer.
    fn check_repeats(&self) {
        for (command, reply) in self.answered.values() {
            let verdict = step::step(self.state(), command, self.now.plus(1));
            assert_eq!(verdict, Ok(Verdict::Repeat(reply.clone())));
        }
    }
}

fn request_of(command: &Command) -> Option<(&UserId, Option<&RequestId>)> {
    match command {
        Command::Cancel(Cancel { by, request_id, .. })
        | Command::Answer(Answer { by, request_id, .. })
        | Command::Modify(Modify { by, request_id, .. }) => Some((&by.user, request_id.as_ref())),
        Command::ForceCancel { .. } | Command::Timeout => None,
    }
}

fn is_due(state: &Invitation, now: UnixMillis) -> bool {
    state.deadline().is_some_and(|deadline| now >= deadline)
}

/// Only who may do something does it, and only while it can be done.
fn check_allowed(before: &Invitation, command: &Command, now: UnixMillis) {
    assert!(!before.is_settled(), "a settled invitation stays as it is");
    match command {
        Command::Answer(answer) => {
            assert!(before.alerted().any(|user| *user == answer.by.user));
        }
        Command::Cancel(Cancel { by, .. }) | Command::Modify(Modify { by, .. }) => {
            assert_eq!(by.user, before.terms.inviter);
        }
        Command::ForceCancel { .. } => assert!(before.pending().next().is_some()),
        Command::Timeout => assert!(is_due(before, now)),
    }
}

/// Terminal states stay; whose ring ends hears of it, and history and the reply name them.
fn check_terminal(before: &Invitation, next: &Invitation, step: &Step) {
    assert_eq!(before.terms, next.terms);
    let mut settled = Vec::new();
    for (was, is) in before.invitees.iter().zip(&next.invitees) {
        assert_eq!(was.user, is.user);
        if was.state != InviteeState::Pending {
            assert_eq!(was.state, is.state, "{} settled twice", was.user);
        } else if let InviteeState::Settled(settlement) = &is.state {
            assert_eq!((settlement.version, settlement.at), (next.version, step.operation.at));
            let heard = step.notices.iter().filter(|notice| notice.to == is.user);
            let rang = usize::from(!is.hidden);
            assert_eq!(heard.filter(|notice| notice.event.ends_ring_of(&is.user)).count(), rang);
            let missed = IndexChange::Remove {
                user: is.user.clone(),
                role: Role::Invitee,
                missed: matches!(settlement.outcome, Outcome::Cancelled | Outcome::TimedOut),
            };
            assert_eq!(step.index.contains(&missed), !is.hidden);
            settled.push(is.user.clone());
        }
    }
    let Reply::Done { version, ref invitees, .. } = step.reply else { panic!("an unexpected reply") };
    assert_eq!((version, invitees), (next.version, &settled));
    assert!(settled.is_empty() || step.operation.invitees == settled);
}

/// Nobody but participants is told anything, and of those nobody who was not rung.
fn check_addressee(state: &Invitation, to: &UserId) {
    assert!(*to == state.terms.inviter || state.rung().any(|rung| rung == to), "{to} is told");
}

fn check_event(state: &Invitation, event: &Event, now: UnixMillis) {
    assert_eq!((event.invitation, event.version, event.at), (state.id, state.version, now));
    assert_eq!((event.settled, event.ephemeral), (state.is_settled(), state.terms.online_user_only));
}

/// What everybody but these users is told by an invite and what follows it, a line for each thing.
fn told_to_others(
    (invite, facts, policy): (&Invite, &Facts, &Policy),
    acts: &[Act],
    hidden: &BTreeSet<UserId>,
) -> Vec<String> {
    let first = step::invite(invite, ID, facts, UnixMillis(1_000), policy).expect("it is allowed");
    let (mut state, mut now, mut told) = (first.next.clone(), UnixMillis(1_000), Vec::new());
    let mut tell = |notices: &[Notice], rest: String| {
        let heard = notices.iter().filter(|notice| !hidden.contains(&notice.to));
        told.extend(heard.map(|notice| format!("{notice:?}")).chain([rest]));
    };
    tell(&first.notices, format!("{:?} {:?} {:?}", first.broadcast, first.operation, first.reply));
    for act in acts {
        now = now.plus(act.after_ms);
        match &act.command {
            Asked::Command(command) => match step::step(&state, command, now) {
                Ok(Verdict::Step(step)) => {
                    tell(&step.notices, format!("{:?} {:?} {:?}", step.broadcast, step.operation, step.reply));
                    state = step.next;
                }
                other => tell(&[], format!("{other:?}")),
            },
            Asked::Signal(signal) => match step::signal(&state, signal, now) {
                Ok(post) => tell(&post.notices, format!("{:?}", post.reply)),
                Err(refusal) => tell(&[], format!("{refusal:?}")),
            },
            Asked::Receipt(user) => {
                let post = step::receipt(&state, user, &"phone".parse().expect("a device id"), now);
                tell(&post.map(|post| post.notices).unwrap_or_default(), String::new());
            }
        }
    }
    told
}

fn is_by(act: &Act, users: &BTreeSet<UserId>) -> bool {
    match &act.command {
        Asked::Command(command) => request_of(command).is_some_and(|(user, _)| users.contains(user)),
        Asked::Signal(signal) => users.contains(&signal.by.user),
        Asked::Receipt(user) => users.contains(user),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn every_invitee_has_one_outcome_and_everybody_concerned_hears_of_it(
        (invite, facts, policy) in invitation(),
        acts in prop::collection::vec(act(), 0..40),
    ) {
        let mut world = World::begin(&invite, &facts, &policy);
        for act in &acts {
            world.happen(act);
        }
        // Whatever is left ends with the deadline.
        if let Some(deadline) = world.state().deadline() {
            world.now = world.now.max(deadline);
            world.step(&Command::Timeout);
            prop_assert!(world.state().is_settled());
        }
    }

    #[test]
    fn a_repeat_of_an_invite_gets_its_first_answer_whatever_happened_since(
        (invite, facts, policy) in invitation(),
        acts in prop::collection::vec(act(), 0..20),
    ) {
        let first = step::invite(&invite, ID, &facts, UnixMillis(1_000), &policy).expect("it is allowed").reply;
        let mut world = World::begin(&invite, &facts, &policy);
        for act in &acts {
            world.happen(act);
        }
        prop_assert_eq!(step::repeat_of(world.state(), &invite), Ok(first));
    }

    #[test]
    fn nobody_can_tell_a_silent_block_from_an_invitee_who_does_not_answer(
        (invite, mut facts, policy) in invitation(),
        mut acts in prop::collection::vec(act(), 0..40),
    ) {
        let hidden = std::mem::take(&mut facts.blocking);
        facts.ringing.retain(|user| !hidden.contains(user));
        acts.retain(|act| !is_by(act, &hidden));
        let unanswered = told_to_others((&invite, &facts, &policy), &acts, &hidden);
        facts.blocking.clone_from(&hidden);
        let policy = Policy { blocked: Blocked::Silent, ..policy };
        prop_assert_eq!(told_to_others((&invite, &facts, &policy), &acts, &hidden), unanswered);
    }
}
