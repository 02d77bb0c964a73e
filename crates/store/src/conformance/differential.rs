//! Two stores, the same random operations, and everything that they show compared.
//!
//! What a store rolls for itself (epochs, checks) is compared by what it must do: an epoch stands for
//! the same life in both, and checks form a chain.

mod dice;
mod view;

use ringwire_signaling::command::{Cancel, Command, Invite};
use ringwire_signaling::limits::{INBOX_AGE_MS, SNAPSHOT_TIMERLESS_MS};
use ringwire_signaling::policy::Busy;
use ringwire_signaling::step::{self, Verdict};
use ringwire_signaling::{ConnectionId, Guard, InvitationId};

use super::driver::{Driver, accept, by, device, group, invite, modify, reject, signal, text, user};
use super::fixture::Fixture;
use crate::commit::{Commit, CommitOutcome, PostCommit, Tag};
use crate::query::Attach;
use dice::Dice;
use view::{assert_same_attachment, assert_same_state};

/// Few, so that they meet.
const PEOPLE: [&str; 5] = ["ann", "bob", "cid", "dan", "eve"];
const GROUPS: [&str; 2] = ["team", "club"];

/// Plays `steps` random operations on both stores and compares all that they answer and show.
///
/// The same seed plays the same operations. With `days` time passes in large steps as well.
pub async fn differential(one: &Fixture, other: &Fixture, seed: u64, steps: usize, days: bool) {
    let mut play =
        Play { one, other, dice: Dice::new(seed), known: Vec::new(), sent: Vec::new(), log: Vec::new(), days };
    // Shown when the test fails.
    eprintln!("differential with seed {seed}");
    for name in GROUPS {
        play.put_group(name).await;
    }
    for number in 0..steps {
        play.step().await;
        if number % 10 == 9 {
            play.compare().await;
        }
    }
    play.compare().await;
}

struct Play<'a> {
    one: &'a Fixture,
    other: &'a Fixture,
    dice: Dice,
    /// Invitations that were created or tried.
    known: Vec<InvitationId>,
    /// Commits to send again.
    sent: Vec<Commit>,
    /// What was done, for whoever reads a failure.
    log: Vec<String>,
    days: bool,
}

impl Play<'_> {
    fn person(&mut self) -> &'static str {
        PEOPLE[self.dice.below(PEOPLE.len())]
    }

    fn invitation(&mut self) -> Option<InvitationId> {
        // Mostly a recent one, which may still ring.
        let back = if self.dice.one_in(4) { self.known.len() } else { self.known.len().min(6) };
        let from = self.known.len() - back;
        (back > 0).then(|| self.known[from + self.dice.below(back)])
    }

    fn note(&mut self, what: impl Into<String>) {
        self.log.push(what.into());
    }

    fn assert_same<T: PartialEq + std::fmt::Debug>(&self, what: &str, one: &T, other: &T) {
        assert!(
            one == other,
            "{what} differs:\n{one:#?}\n{other:#?}\nafter {:?}",
            &self.log[self.log.len().saturating_sub(40)..]
        );
    }

    async fn step(&mut self) {
        match self.dice.below(100) {
            0..24 => self.create().await,
            24..56 => self.transition().await,
            56..66 => self.post().await,
            66..72 => self.relay().await,
            72..76 => self.again().await,
            76..80 => self.groups().await,
            80..87 => self.attach().await,
            87..90 => self.detach().await,
            90..94 => self.acknowledge().await,
            94..95 => self.replace_epoch().await,
            _ => self.pass().await,
        }
    }

    async fn commit(&mut self, what: String, commit: Commit) -> CommitOutcome {
        let one = self.one.store.commit(commit.clone()).await.unwrap();
        let other = self.other.store.commit(commit.clone()).await.unwrap();
        self.note(format!("{what}: {}", view::outcome(&one)));
        self.assert_same("a commit's outcome", &one, &other);
        self.sent.push(commit);
        one
    }

    async fn create(&mut self) {
        let (inviter, first, second) = (self.person(), self.person(), self.person());
        let invitees: Vec<&str> = [first, second].into_iter().filter(|name| *name != inviter).collect();
        if invitees.is_empty() {
            return;
        }
        let mut driver = Driver::new(self.one);
        driver.policy.busy = if self.dice.one_in(5) { Busy::Reject } else { Busy::Allow };
        let group = self.dice.one_in(3).then(|| group(GROUPS[self.dice.below(GROUPS.len())]));
        let request = Invite {
            timeout_s: [0, 10, 30, 3_600][self.dice.below(4)],
            online_user_only: self.dice.one_in(6),
            data: text([0, 10, 5_000][self.dice.below(3)]),
            group,
            ..invite(inviter, &invitees)
        };
        let mut facts = driver.facts(&request).await;
        if request.group.is_some() && facts.members.is_none() {
            // The group was deleted: let the guard say so.
            facts.members = Some(PEOPLE.iter().map(|name| user(name)).collect());
        }
        let reuse = self.dice.one_in(12).then(|| self.invitation()).flatten();
        let id = reuse.unwrap_or_else(|| driver.id(&user(inviter)));
        self.known.push(id);
        for _ in 0..6 {
            let now = driver.now();
            if step::invite(&request, id, &facts, now, &driver.policy).is_err() {
                return;
            }
            let mut commit = driver.creation(id, &request, &facts);
            if self.dice.one_in(8) {
                let (user, role) = (user(invitees[0]), ringwire_signaling::guard::Role::Invitee);
                commit.step.guards.push(Guard::Below { user, role, limit: self.dice.below(4) });
            }
            match self.commit(format!("{inviter} invites {invitees:?}"), commit).await {
                CommitOutcome::Guarded(failures) => failures.into_iter().for_each(|failure| facts.learn(failure)),
                _ => return,
            }
        }
    }

    async fn transition(&mut self) {
        let Some(id) = self.invitation() else { return };
        let driver = Driver::new(self.one);
        let Some(stored) = driver.load(id).await else { return };
        let inviter = stored.invitation.terms.inviter.as_str().to_owned();
        let answering = stored.invitation.invitees[self.dice.below(stored.invitation.invitees.len())].user.clone();
        let command = match self.dice.below(8) {
            0..=2 => accept(answering.as_str()),
            3..=4 => reject(answering.as_str()),
            5 => {
                let invitees = self.dice.one_in(2).then(|| vec![answering]);
                Command::Cancel(Cancel { by: by(&inviter), data: "no".into(), invitees, request_id: None })
            }
            6 => modify(&inviter, "new"),
            _ => Command::Timeout,
        };
        // A node whose idea of the time is ahead fires early.
        let stepped_at = if self.dice.one_in(3) { driver.now().plus(1_000) } else { driver.now() };
        let Ok(Verdict::Step(step)) = step::step(&stored.invitation, &command, stepped_at) else { return };
        let mut commit = driver.commit(Some(&stored), *step);
        commit.sent_at = stepped_at;
        commit.not_before = stored.invitation.deadline().filter(|_| matches!(command, Command::Timeout));
        match self.dice.below(20) {
            0 => commit.sent_at = commit.sent_at.minus(5_000),
            1 => commit.built_on = None,
            2 => commit.built_on = commit.built_on.map(|stamp| crate::Stamp { tag: Tag(3), ..stamp }),
            _ => {}
        }
        self.commit(format!("{id} takes {command:?}"), commit).await;
    }

    async fn again(&mut self) {
        if self.sent.is_empty() {
            return;
        }
        let back = self.sent.len().min(5);
        let commit = self.sent[self.sent.len() - 1 - self.dice.below(back)].clone();
        self.commit(format!("{} again", commit.step.next.id), commit).await;
        self.sent.pop();
    }

    async fn post(&mut self) {
        let Some(id) = self.invitation() else { return };
        let driver = Driver::new(self.one);
        let Some(stored) = driver.load(id).await else { return };
        let (person, with) = (self.person(), ["phone", "tablet"][self.dice.below(2)]);
        let post = if self.dice.one_in(2) {
            step::receipt(&stored.invitation, &user(person), &device(with), driver.now())
        } else {
            let name = self.dice.one_in(2).then(|| ["r-1", "r-2"][self.dice.below(2)]);
            step::signal(&stored.invitation, &signal(person, with, name), driver.now()).ok()
        };
        let Some(post) = post else { return };
        let sent_at = if self.dice.one_in(10) { driver.now().minus(5_000) } else { driver.now() };
        let retained_until = driver.now().plus([60_000, 3_600_000][self.dice.below(2)]);
        let post = PostCommit { id, post, retained_until, sent_at, origin: driver.origin };
        let one = self.one.store.post(post.clone()).await.unwrap();
        let other = self.other.store.post(post).await.unwrap();
        self.note(format!("{person} posts to {id}: {one:?}"));
        self.assert_same("a post's outcome", &one, &other);
    }

    async fn relay(&mut self) {
        let Some(id) = self.invitation() else { return };
        let one = self.one.store.relay(id).await.unwrap();
        let other = self.other.store.relay(id).await.unwrap();
        self.note(format!("relay {id}: {one}"));
        self.assert_same("whether there is more to relay", &one, &other);
    }

    async fn put_group(&mut self, name: &str) {
        let members: Vec<&str> = PEOPLE.into_iter().filter(|_| !self.dice.one_in(4)).collect();
        Driver::new(self.one).group(name, &members).await;
        Driver::new(self.other).group(name, &members).await;
        self.note(format!("group {name} is {members:?}"));
    }

    async fn groups(&mut self) {
        let (name, person) = (GROUPS[self.dice.below(GROUPS.len())], self.person());
        let (one, other) = (&self.one.store, &self.other.store);
        match self.dice.below(6) {
            0 => self.assert_same(
                "whether a group was deleted",
                &one.delete_group(group(name)).await.unwrap(),
                &other.delete_group(group(name)).await.unwrap(),
            ),
            1..=2 => self.assert_same(
                "whether a member was added",
                &one.add_member(group(name), user(person)).await.unwrap(),
                &other.add_member(group(name), user(person)).await.unwrap(),
            ),
            3 => self.assert_same(
                "whether a member was removed",
                &one.remove_member(group(name), user(person)).await.unwrap(),
                &other.remove_member(group(name), user(person)).await.unwrap(),
            ),
            _ => self.put_group(name).await,
        }
        self.note(format!("group {name} changed for {person}"));
    }

    async fn attach(&mut self) {
        let person = self.person();
        let offsets_back = self.dice.below(6) as u64;
        let wrong = self.dice.one_in(8);
        let attach = |fixture: &Fixture, resume| {
            let store = std::sync::Arc::clone(&fixture.store);
            let connection = ConnectionId(1);
            let attach = Attach { user: user(person), device: device("phone"), incarnation: 7, connection, resume };
            async move { store.attach(attach).await.unwrap() }
        };
        let claims = [
            view::claim(self.one, person, offsets_back, wrong).await,
            view::claim(self.other, person, offsets_back, wrong).await,
        ];
        let one = attach(self.one, claims[0]).await;
        let other = attach(self.other, claims[1]).await;
        self.note(format!("{person} attaches from {offsets_back} back"));
        assert_same_attachment(&one, &other, &self.log);
    }

    async fn detach(&mut self) {
        let (person, connection) = (self.person(), ConnectionId(self.dice.below(3) as u64));
        for fixture in [self.one, self.other] {
            fixture.store.detach(user(person), device("phone"), connection).await.unwrap();
        }
        self.note(format!("{person} detaches {connection:?}"));
    }

    async fn acknowledge(&mut self) {
        let (person, back) = (self.person(), self.dice.below(8) as u64);
        for fixture in [self.one, self.other] {
            if let Some(position) = view::claim(fixture, person, back, false).await {
                fixture.store.acknowledge(user(person), position).await.unwrap();
            }
        }
        self.note(format!("{person} acknowledges up to {back} back"));
    }

    async fn replace_epoch(&mut self) {
        let person = self.person();
        for fixture in [self.one, self.other] {
            let epoch = fixture.store.stretch(user(person), 0).await.unwrap().position.epoch;
            fixture.store.replace_epoch(user(person), epoch).await.unwrap();
        }
        self.note(format!("{person} gets a new epoch"));
    }

    async fn pass(&mut self) {
        let long = self.days && self.dice.one_in(3);
        let milliseconds = if long {
            [SNAPSHOT_TIMERLESS_MS, INBOX_AGE_MS / 2, INBOX_AGE_MS, 5 * INBOX_AGE_MS][self.dice.below(4)]
        } else {
            [1, 500, 2_000, 15_000][self.dice.below(4)]
        };
        self.one.control.pass(milliseconds).await;
        self.other.control.pass(milliseconds).await;
        self.note(format!("{milliseconds} ms pass"));
    }

    async fn compare(&mut self) {
        self.known.sort_unstable();
        self.known.dedup();
        assert_same_state(self.one, self.other, &PEOPLE, &GROUPS, &self.known, &self.log).await;
        if self.known.len() > 60 {
            self.known.drain(..20);
        }
    }
}
