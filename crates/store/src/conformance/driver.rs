//! What a node does between a request and the store, in its simplest form: load, step, commit, and
//! on a refusal of the store learn and step again.

use std::collections::BTreeSet;
use std::sync::Arc;

use ringwire_signaling::command::{Answer, AnswerKind, By, Cancel, Command, Invite, Modify, Signal};
use ringwire_signaling::inbox::{Attachment, Entry, Position, Stretch};
use ringwire_signaling::invitation::Audience;
use ringwire_signaling::step::{self, Step, Verdict};
use ringwire_signaling::{
    ConnectionId, DeviceId, Facts, GroupId, Invitation, InvitationId, Origin, Policy, RequestId, UnixMillis, UserId,
};

use super::fixture::Fixture;
use crate::commit::{Commit, CommitOutcome, PostCommit, PostOutcome, Stored, Tag};
use crate::query::Attach;

/// How often a creation learns from guards before the suite calls it endless.
const ATTEMPTS: usize = 50;
/// How long the note of a post holds.
const NOTE_MS: u64 = 60 * 60 * 1000;

/// The user of that name.
#[must_use]
pub fn user(name: &str) -> UserId {
    UserId::parse(name).expect("a user's name")
}

/// The device of that name.
#[must_use]
pub fn device(name: &str) -> DeviceId {
    DeviceId::parse(name).expect("a device's name")
}

/// The group of that name.
#[must_use]
pub fn group(name: &str) -> GroupId {
    GroupId::parse(name).expect("a group's name")
}

/// An invite with all defaults, from the user's device `phone`.
#[must_use]
pub fn invite(inviter: &str, invitees: &[&str]) -> Invite {
    Invite {
        by: by(inviter),
        invitees: invitees.iter().map(|name| user(name)).collect(),
        data: "data".into(),
        timeout_s: 30,
        online_user_only: false,
        group: None,
        audience: Audience::Members,
        push: None,
        kind: None,
        inviter_name: None,
        receipts: true,
        request_id: None,
    }
}

/// An invite without a timer.
#[must_use]
pub fn invite_without_timer(inviter: &str, invitees: &[&str]) -> Invite {
    Invite { timeout_s: 0, ..invite(inviter, invitees) }
}

/// An invite in a group.
#[must_use]
pub fn invite_in_group(of: &str, inviter: &str, invitees: &[&str]) -> Invite {
    Invite { group: Some(group(of)), ..invite(inviter, invitees) }
}

/// The user and the device `phone`.
#[must_use]
pub fn by(name: &str) -> By {
    By { user: user(name), device: Some(device("phone")) }
}

/// An accept.
#[must_use]
pub fn accept(name: &str) -> Command {
    Command::Answer(Answer { by: by(name), kind: AnswerKind::Accept, data: "yes".into(), request_id: None })
}

/// A rejection.
#[must_use]
pub fn reject(name: &str) -> Command {
    let kind = AnswerKind::Reject { reason: None };
    Command::Answer(Answer { by: by(name), kind, data: "no".into(), request_id: None })
}

/// A cancellation for all.
#[must_use]
pub fn cancel(name: &str) -> Command {
    Command::Cancel(Cancel { by: by(name), data: "never mind".into(), invitees: None, request_id: None })
}

/// A replacement of the data.
#[must_use]
pub fn modify(name: &str, data: &str) -> Command {
    Command::Modify(Modify { by: by(name), data: data.into(), version: None, request_id: None })
}

/// A signal to all others.
#[must_use]
pub fn signal(name: &str, data: &str, request_id: Option<&str>) -> Signal {
    let request_id = request_id.map(|id| RequestId::parse(id).expect("a request id"));
    Signal { by: by(name), data: data.into(), to: None, request_id }
}

/// Drives one store.
pub struct Driver<'a> {
    fixture: &'a Fixture,
    /// The operator's choices.
    pub policy: Policy,
    /// Which connection asks.
    pub origin: Option<Origin>,
    /// Whether there are hooks to push to.
    pub pushes: bool,
    /// Whether there are hooks to tell events.
    pub events: bool,
}

impl<'a> Driver<'a> {
    /// Drives the fixture's store with the default policy.
    #[must_use]
    pub fn new(fixture: &'a Fixture) -> Self {
        let origin = Some(Origin { incarnation: 7, connection: ConnectionId(9) });
        Self {
            fixture,
            policy: Policy { rings_per_minute: 0, ..Policy::default() },
            origin,
            pushes: false,
            events: false,
        }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        self.fixture.clock.now()
    }

    /// Lets time pass.
    pub async fn pass(&self, milliseconds: u64) {
        self.fixture.control.pass(milliseconds).await;
    }

    /// A new id in the inviter's partition.
    #[must_use]
    pub fn id(&self, inviter: &UserId) -> InvitationId {
        InvitationId { partition: inviter.partition(), bits: random() }
    }

    /// A commit of `step` from now.
    #[must_use]
    pub fn commit(&self, built_on: Option<&Stored>, mut step: Step) -> Commit {
        step.pushes.retain(|change| if change.is_event() { self.events } else { self.pushes });
        let next = &step.next;
        let retained_until = self.policy.retained_until(next.terms.created_at, next.deadline(), next.settled_at);
        Commit {
            built_on: built_on.map(Stored::stamp),
            tag: Tag(random()),
            retained_until,
            audience: Vec::new(),
            sent_at: self.now(),
            not_before: None,
            origin: self.origin,
            step,
        }
    }

    /// What a node knows before it steps an invite.
    pub async fn facts(&self, invite: &Invite) -> Facts {
        let store = &self.fixture.store;
        let mut facts = Facts::default();
        if let Some(group) = &invite.group {
            facts.members = store.members(group.clone()).await.expect("the members are read");
        }
        if invite.online_user_only {
            facts.online = store.present(invite.invitees.clone()).await.expect("presence is read");
        }
        facts
    }

    /// The commit of an invite with the given facts.
    #[must_use]
    pub fn creation(&self, id: InvitationId, invite: &Invite, facts: &Facts) -> Commit {
        let step = step::invite(invite, id, facts, self.now(), &self.policy).expect("the rules accept the invite");
        let audience = match (&facts.members, invite.audience) {
            (Some(members), Audience::Members) => {
                members.iter().filter(|member| !step.next.is_named(member)).cloned().collect()
            }
            (Some(_), Audience::Invitees) | (None, _) => Vec::new(),
        };
        Commit { audience, ..self.commit(None, step) }
    }

    /// Invites, and learns from guards until it is committed.
    pub async fn invite(&self, invite: &Invite) -> Invitation {
        let id = self.id(&invite.by.user);
        let mut facts = self.facts(invite).await;
        for _ in 0..ATTEMPTS {
            let commit = self.creation(id, invite, &facts);
            let next = commit.step.next.clone();
            match self.send(commit).await {
                CommitOutcome::Committed => return next,
                CommitOutcome::Guarded(failures) => failures.into_iter().for_each(|failure| facts.learn(failure)),
                other => panic!("an invite came to {other:?}"),
            }
        }
        panic!("the guards of an invite never held");
    }

    /// The commit of a command on the state that the store holds.
    pub async fn transition(&self, id: InvitationId, command: &Command) -> Commit {
        let stored = self.load(id).await.expect("the invitation is there");
        let verdict = step::step(&stored.invitation, command, self.now()).expect("the rules accept the command");
        let Verdict::Step(step) = verdict else { panic!("the command was a repeat") };
        let is_timer = matches!(command, Command::Timeout);
        let not_before = stored.invitation.deadline().filter(|_| is_timer);
        Commit { not_before, ..self.commit(Some(&stored), *step) }
    }

    /// Commits a command.
    pub async fn act(&self, id: InvitationId, command: &Command) -> Invitation {
        let commit = self.transition(id, command).await;
        let next = commit.step.next.clone();
        assert_eq!(self.send(commit).await, CommitOutcome::Committed);
        next
    }

    /// Sends a commit.
    pub async fn send(&self, commit: Commit) -> CommitOutcome {
        self.fixture.store.commit(commit).await.expect("the store takes a commit")
    }

    /// Posts a signal.
    pub async fn signal(&self, id: InvitationId, signal: &Signal) -> PostOutcome {
        let stored = self.load(id).await.expect("the invitation is there");
        let post = step::signal(&stored.invitation, signal, self.now()).expect("the rules accept the signal");
        self.post(id, post).await
    }

    /// Posts a receipt.
    pub async fn receipt(&self, id: InvitationId, name: &str, with: &str) -> PostOutcome {
        let stored = self.load(id).await.expect("the invitation is there");
        let post = step::receipt(&stored.invitation, &user(name), &device(with), self.now());
        self.post(id, post.expect("a receipt is of use")).await
    }

    /// Sends a post.
    pub async fn post(&self, id: InvitationId, mut post: step::Post) -> PostOutcome {
        post.ends_push = post.ends_push.filter(|_| self.pushes);
        let (sent_at, origin) = (self.now(), self.origin);
        let post = PostCommit { id, post, retained_until: sent_at.plus(NOTE_MS), sent_at, origin };
        self.fixture.store.post(post).await.expect("the store takes a post")
    }

    /// Reads an invitation.
    pub async fn load(&self, id: InvitationId) -> Option<Stored> {
        self.fixture.store.load(id).await.expect("an invitation is read")
    }

    /// Makes a group.
    pub async fn group(&self, of: &str, members: &[&str]) {
        let members: BTreeSet<UserId> = members.iter().map(|name| user(name)).collect();
        self.fixture.store.put_group(group(of), members).await.expect("the store takes a group");
    }

    /// Connects the user's device `phone`.
    pub async fn attach(&self, name: &str, resume: Option<Position>) -> Attachment {
        let attach =
            Attach { user: user(name), device: device("phone"), incarnation: 7, connection: ConnectionId(1), resume };
        self.fixture.store.attach(attach).await.expect("a device attaches")
    }

    /// Connects a device `ear` of each user, so that the store rings here for them.
    pub async fn listen(&self, names: &[&str]) {
        for name in names {
            let (device, connection) = (device("ear"), ConnectionId(77));
            let attach = Attach { user: user(name), device, incarnation: 7, connection, resume: None };
            self.fixture.store.attach(attach).await.expect("a device attaches");
        }
    }

    /// Reads a user's whole inbox.
    pub async fn inbox(&self, name: &str) -> Stretch {
        self.fixture.store.stretch(user(name), 0).await.expect("an inbox is read")
    }

    /// The names of the events in a user's inbox.
    pub async fn events(&self, name: &str) -> Vec<&'static str> {
        names(&self.inbox(name).await.entries)
    }

    /// Relays until there is nothing more; how often it took.
    pub async fn relay_all(&self, id: InvitationId) -> usize {
        let mut rounds = 1;
        while self.fixture.store.relay(id).await.expect("a broadcast is relayed") {
            rounds += 1;
        }
        rounds
    }
}

/// The names of events in order.
#[must_use]
pub fn names(entries: &[Entry]) -> Vec<&'static str> {
    entries.iter().map(|entry| entry.event.name()).collect()
}

/// Asserts that entries follow one another without a gap, each with the check of the one before.
pub fn assert_chain(entries: &[Entry]) {
    for pair in entries.windows(2) {
        assert_eq!(pair[1].offset, pair[0].offset + 1, "offsets have a gap");
        assert_eq!(pair[1].previous, pair[0].check, "the chain of checks is broken");
    }
}

/// A text of that many bytes.
#[must_use]
pub fn text(bytes: usize) -> Arc<str> {
    "x".repeat(bytes).into()
}

fn random() -> u128 {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system has random numbers");
    u128::from_le_bytes(bytes)
}
