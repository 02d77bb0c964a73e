//! What came at the same moment, carried out in one go.
//!
//! Each command steps from what the one before it would leave, and all commits are on their way at
//! once. The store takes them one after the other, each only if the one before it was taken: those
//! that were not step again. So a hundred answers cost little more time than one.

use std::sync::Arc;

use futures_util::future::join_all;
use ringwire_signaling::{Command, DeviceId, Origin, Refusal, Reply, UserId, Verdict, step};
use ringwire_store::{CommitOutcome, Stored};
use tokio::sync::oneshot;

use super::transition::{ATTEMPTS, Drafted, Outcome, Transition, pause};
use crate::error::OperationError;
use crate::metrics::Metrics;

/// Events for users that one invitation has on their way at once: some ten milliseconds of a store's time, so that a
/// crowd here keeps nobody elsewhere waiting.
const NOTICES_IN_FLIGHT: usize = 1_000;

/// A command, and who waits for what becomes of it.
pub(super) struct Asked {
    pub(super) command: Command,
    pub(super) origin: Option<Origin>,
    pub(super) reply: oneshot::Sender<Outcome>,
}

impl Asked {
    fn answer(self, outcome: Outcome, metrics: &Metrics) {
        metrics.operation(name(&self.command), &outcome);
        // Whoever asked may have stopped waiting.
        let _ = self.reply.send(outcome);
    }
}

/// A device that holds the ring.
pub(super) struct Receipt {
    pub(super) user: UserId,
    pub(super) device: DeviceId,
    /// No device of the user gave one here before.
    pub(super) is_first: bool,
}

/// A command whose commit is on its way.
struct Sent {
    place: usize,
    asked: Asked,
    reply: Reply,
    after: Stored,
    relays: bool,
}

impl Transition {
    /// Carries out commands in their order, and answers each.
    pub(super) async fn act(&mut self, asked: Vec<Asked>) {
        let mut waiting: Vec<(usize, Asked)> = asked.into_iter().enumerate().collect();
        let mut may_be_old = self.state.is_some();
        let mut in_vain = 0;
        while !waiting.is_empty() && in_vain < ATTEMPTS {
            pause(in_vain).await;
            let before = waiting.len();
            waiting = self.round(waiting, &mut may_be_old).await;
            waiting.sort_unstable_by_key(|(place, _)| *place);
            in_vain = if waiting.len() < before { 0 } else { in_vain + 1 };
        }
        for (_, asked) in waiting {
            asked.answer(Err(OperationError::Unavailable), &self.shared.metrics);
        }
    }

    /// Steps and commits what can be; what is left has to be tried again.
    async fn round(&mut self, waiting: Vec<(usize, Asked)>, may_be_old: &mut bool) -> Vec<(usize, Asked)> {
        let metrics = Arc::clone(&self.shared.metrics);
        let stored = match self.current().await.and_then(|stored| stored.ok_or_else(|| Refusal::NotFound.into())) {
            Ok(stored) => stored,
            Err(error) => {
                for (_, asked) in waiting {
                    asked.answer(Err(error.clone()), &metrics);
                }
                return Vec::new();
            }
        };
        let now = self.shared.clock.now();
        let room = (NOTICES_IN_FLIGHT / stored.invitation.invitees.len().max(1)).max(1);
        let mut base = stored;
        let (mut left, mut sent, mut commits) = (Vec::new(), Vec::new(), Vec::new());
        for (place, asked) in waiting {
            if commits.len() == room {
                left.push((place, asked));
                continue;
            }
            match step::step(&base.invitation, &asked.command, now) {
                Ok(Verdict::Step(step)) => {
                    let (reply, relays) = (step.reply.clone(), step.broadcast.is_some());
                    let Drafted { commit, after } = self.draft(Some(base.stamp()), *step, Vec::new(), asked.origin);
                    base = after.clone();
                    commits.push(self.ask_to_commit(commit));
                    sent.push(Sent { place, asked, reply, after, relays });
                }
                // Nothing is said on account of what is not committed yet.
                _ if !commits.is_empty() => left.push((place, asked)),
                Ok(Verdict::Repeat(reply)) => asked.answer(Ok(reply), &metrics),
                // Another node may have gone on: only what the store has refuses. A settled one is final.
                Err(_) if *may_be_old && !base.invitation.is_settled() => left.push((place, asked)),
                Err(refusal) => asked.answer(Err(refusal.into()), &metrics),
            }
        }
        let outcomes = join_all(commits).await;
        if outcomes.is_empty() && !left.is_empty() {
            self.state = None;
            *may_be_old = false;
        }
        let is_told = |outcome: &_| matches!(outcome, Ok(CommitOutcome::Committed | CommitOutcome::Conflict(_)));
        *may_be_old &= !outcomes.iter().any(is_told);
        let relays = self.take_in(sent, outcomes, &mut left);
        if relays {
            self.relay();
        }
        left
    }

    /// Takes in what the store says of commits, in their order; whether something is to be relayed.
    /// Persisted before announced: only what is committed becomes the known state and is answered.
    fn take_in(
        &mut self,
        sent: Vec<Sent>,
        outcomes: Vec<Result<CommitOutcome, OperationError>>,
        left: &mut Vec<(usize, Asked)>,
    ) -> bool {
        let metrics = Arc::clone(&self.shared.metrics);
        let mut to_relay = false;
        for (Sent { place, asked, reply, after, relays }, outcome) in sent.into_iter().zip(outcomes) {
            match outcome {
                Ok(CommitOutcome::Committed) => {
                    self.state = Some(after);
                    to_relay |= relays;
                    asked.answer(Ok(reply), &metrics);
                }
                Ok(CommitOutcome::Conflict(Some(winner))) => {
                    metrics.conflicts.inc();
                    // Each is asked after the one before it, so the last one knows best.
                    self.state = Some(*winner);
                    left.push((place, asked));
                }
                Ok(CommitOutcome::Conflict(None)) => {
                    self.state = None;
                    asked.answer(Err(Refusal::NotFound.into()), &metrics);
                }
                Ok(CommitOutcome::TooEarly) => {
                    let refusal = Refusal::Conflict { problem: "the deadline has not passed", version: None };
                    asked.answer(Err(refusal.into()), &metrics);
                }
                Ok(CommitOutcome::Guarded(_) | CommitOutcome::Stale) => left.push((place, asked)),
                // The outcome is not known, and so neither is the state.
                Err(error) => {
                    self.state = None;
                    asked.answer(Err(error), &metrics);
                }
            }
        }
        to_relay
    }

    /// Notes that devices ring. A receipt that fails is not repeated: the device's next
    /// acknowledgement does not bring it again, and the inviter only misses a `ringing`.
    pub(super) async fn receipts(&mut self, receipts: Vec<Receipt>) {
        if receipts.is_empty() {
            return;
        }
        let Ok(Some(stored)) = self.current().await else { return };
        let now = self.shared.clock.now();
        let posts = receipts
            .iter()
            .flat_map(|Receipt { user, device, is_first }| {
                let state = &stored.invitation;
                let first = is_first.then(|| step::receipt(state, user, device, now)).flatten();
                [first, step::device_receipt(state, user, device, now)]
            })
            .flatten()
            .map(|post| self.post(&stored, post, None));
        for outcome in join_all(posts).await {
            if let Err(error) = outcome {
                tracing::debug!(?error, invitation = %self.id, "receipt not stored");
            }
        }
    }
}

fn name(command: &Command) -> &'static str {
    use ringwire_signaling::AnswerKind;
    match command {
        Command::Cancel(_) => "cancel",
        Command::Answer(answer) => match answer.kind {
            AnswerKind::Accept => "accept",
            AnswerKind::Reject { .. } => "reject",
        },
        Command::Modify(_) => "modify",
        Command::ForceCancel { .. } => "force_cancel",
        Command::Timeout => "timeout",
    }
}
