//! One message of an invitation actor, from the state it found to the state it leaves.
//!
//! The rules decide, the store judges; this only carries between them and repeats what lost a race.

use std::sync::Arc;
use std::time::Duration;

use ringwire_signaling::guard::Facts;
use ringwire_signaling::invitation::Audience;
use ringwire_signaling::{
    GuardFailure, InvitationId, Invite, Origin, Post, Refusal, Reply, Signal, Step, UserId, step,
};
use ringwire_store::{Commit, CommitOutcome, PostCommit, PostOutcome, Stamp, Stored};

use crate::error::OperationError;
use crate::ids;
use crate::metrics::{Limit, Stage};
use crate::shared::Shared;

/// How often one message steps again after a lost race before its sender is told to repeat it: more
/// rivals than an invitation has invitees cannot keep winning.
pub(super) const ATTEMPTS: u32 = 128;
/// Pause before the second attempt; it grows with each, so that rivals drift apart.
const BACKOFF_US: u64 = 200;

type Ended<T> = (Option<Stored>, T);
pub(super) type Outcome = Result<Reply, OperationError>;

/// A commit that is to be asked for.
pub(super) struct Drafted {
    pub(super) commit: Commit,
    /// The state that it leaves if it is taken.
    pub(super) after: Stored,
}

/// A message under way.
pub(super) struct Transition {
    pub(super) shared: Arc<Shared>,
    pub(super) id: InvitationId,
    /// The last known state. It is left empty when the store's answer did not come, because then
    /// the outcome is not known.
    pub(super) state: Option<Stored>,
}

impl Transition {
    /// Creates the invitation, or gives the first answer again.
    pub(super) async fn create(mut self, command: Invite, origin: Option<Origin>) -> Ended<Outcome> {
        let outcome = self.try_create(&command, origin).await;
        self.shared.metrics.operation("invite", &outcome);
        (self.state, outcome)
    }

    async fn try_create(&mut self, command: &Invite, origin: Option<Origin>) -> Outcome {
        if let Some(existing) = &self.state {
            return Ok(step::repeat_of(&existing.invitation, command)?);
        }
        let mut facts = self.facts(command).await?;
        for attempt in 0..ATTEMPTS {
            pause(attempt).await;
            let step = step::invite(command, self.id, &facts, self.shared.clock.now(), &self.shared.policy)?;
            let audience = audience(&step, &facts);
            match self.commit(step.clone(), audience, origin).await? {
                CommitOutcome::Committed => return Ok(step.reply),
                CommitOutcome::Guarded(failures) => {
                    for failure in failures {
                        self.learn(&mut facts, failure);
                    }
                }
                CommitOutcome::Conflict(Some(existing)) => {
                    let reply = step::repeat_of(&existing.invitation, command);
                    self.state = Some(*existing);
                    return Ok(reply?);
                }
                CommitOutcome::Stale | CommitOutcome::TooEarly | CommitOutcome::Conflict(None) => {}
            }
        }
        Err(OperationError::Unavailable)
    }

    fn learn(&self, facts: &mut Facts, failure: GuardFailure) {
        if matches!(failure, GuardFailure::RungTooOften { .. }) {
            self.shared.metrics.limited(Limit::Rings);
        }
        facts.learn(failure);
    }

    /// Reads what an invite depends on beside the invitation itself.
    async fn facts(&self, command: &Invite) -> Result<Facts, OperationError> {
        let mut facts = Facts::default();
        if command.online_user_only {
            facts.online = self.shared.ask(self.shared.store.present(command.invitees.clone())).await?;
        }
        if let Some(group) = &command.group {
            facts.members = self.shared.ask(self.shared.store.members(group.clone())).await?;
        }
        Ok(facts)
    }

    /// Hands a signal to its addressees.
    pub(super) async fn tell(mut self, command: Signal, origin: Option<Origin>) -> Ended<Outcome> {
        let outcome = self.try_tell(&command, origin).await;
        self.shared.metrics.operation("signal", &outcome);
        (self.state, outcome)
    }

    async fn try_tell(&mut self, command: &Signal, origin: Option<Origin>) -> Outcome {
        for attempt in 0..ATTEMPTS {
            pause(attempt).await;
            let stored = self.current().await?.ok_or(Refusal::NotFound)?;
            let post = step::signal(&stored.invitation, command, self.shared.clock.now())?;
            let reply = post.reply.clone();
            if self.post(&stored, post, origin).await? != PostOutcome::Stale {
                return Ok(reply);
            }
        }
        Err(OperationError::Unavailable)
    }

    /// Only learns the state.
    pub(super) async fn known(mut self) -> Ended<()> {
        if let Err(error) = self.current().await {
            tracing::debug!(?error, invitation = %self.id, "invitation not loaded");
        }
        (self.state, ())
    }

    /// The last known state, loaded if there is none.
    pub(super) async fn current(&mut self) -> Result<Option<Stored>, OperationError> {
        if self.state.is_none() {
            let load = self.shared.ask(self.shared.store.load(self.id));
            self.state = self.shared.metrics.time(Stage::Load, load).await?;
        }
        Ok(self.state.clone())
    }

    /// Has the store judge a creation. Persisted before announced: only what the store says is committed
    /// becomes the known state, is answered and rings.
    async fn commit(
        &mut self,
        step: Step,
        audience: Vec<UserId>,
        origin: Option<Origin>,
    ) -> Result<CommitOutcome, OperationError> {
        let relays = step.broadcast.is_some();
        let Drafted { commit, after } = self.draft(None, step, audience, origin);
        let outcome = self.ask_to_commit(commit).await;
        match &outcome {
            Ok(CommitOutcome::Committed) => {
                self.state = Some(after);
                if relays {
                    self.relay();
                }
            }
            Ok(_) => {}
            Err(_) => self.state = None,
        }
        outcome
    }

    /// Makes a commit of a step, and the state that it leaves if it is taken.
    pub(super) fn draft(
        &self,
        built_on: Option<Stamp>,
        mut step: Step,
        audience: Vec<UserId>,
        origin: Option<Origin>,
    ) -> Drafted {
        let pushes = &self.shared.pushes;
        step.pushes.retain(|change| if change.is_event() { pushes.tells_events() } else { pushes.is_on() });
        let next = &step.next;
        let tag = ids::tag();
        let after = Stored { invitation: next.clone(), tag };
        let commit = Commit {
            built_on,
            tag,
            retained_until: self.shared.policy.retained_until(next.terms.created_at, next.deadline(), next.settled_at),
            audience,
            sent_at: self.shared.clock.now(),
            not_before: (step.operation.by.is_none()).then(|| next.terms.expires_at()).flatten(),
            origin,
            step,
        };
        Drafted { commit, after }
    }

    /// Asks the store; the answer can be waited for beside others.
    pub(super) fn ask_to_commit(
        &self,
        commit: Commit,
    ) -> impl Future<Output = Result<CommitOutcome, OperationError>> + use<> {
        let shared = Arc::clone(&self.shared);
        async move {
            let committing = shared.ask(shared.store.commit(commit));
            shared.metrics.time(Stage::Commit, committing).await
        }
    }

    /// Serves the audience beside the actor; what it does not finish, the sweeper does.
    pub(super) fn relay(&self) {
        let (shared, id) = (Arc::clone(&self.shared), self.id);
        actix::spawn(async move { while let Ok(true) = shared.ask(shared.store.relay(id)).await {} });
    }

    pub(super) async fn post(
        &self,
        stored: &Stored,
        mut post: Post,
        origin: Option<Origin>,
    ) -> Result<PostOutcome, OperationError> {
        post.ends_push = post.ends_push.filter(|_| self.shared.pushes.is_on());
        let invitation = &stored.invitation;
        let retained_until = self.shared.policy.retained_until(
            invitation.terms.created_at,
            invitation.deadline(),
            invitation.settled_at,
        );
        let sent_at = self.shared.clock.now();
        let post = PostCommit { id: self.id, post, retained_until, sent_at, origin };
        self.shared.metrics.time(Stage::Post, self.shared.ask(self.shared.store.post(post))).await
    }
}

/// The members of the group who hear of the invitation without being part of it.
fn audience(step: &Step, facts: &Facts) -> Vec<UserId> {
    let terms = &step.next.terms;
    match (&facts.members, terms.audience) {
        (Some(members), Audience::Members) if terms.group.is_some() => {
            members.iter().filter(|member| !step.next.is_named(member)).cloned().collect()
        }
        (_, Audience::Members | Audience::Invitees) => Vec::new(),
    }
}

pub(super) async fn pause(attempt: u32) {
    if attempt > 0 {
        let jitter = ids::random_u64() % BACKOFF_US;
        tokio::time::sleep(Duration::from_micros(u64::from(attempt.min(50)) * (BACKOFF_US + jitter))).await;
    }
}
