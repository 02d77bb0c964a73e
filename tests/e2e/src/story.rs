//! Invitations that live through trouble, what the server acknowledged of them, and whether it kept its word.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ringwire_client::params::{AcceptParams, CancelParams, InviteParams, RejectParams};
use ringwire_client::{Client, ClientError, ErrorCode, InvitationId, UserId};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{Node, Witness, audit, has, until, within};

/// What becomes of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plot {
    /// All invitees accept.
    Accepted,
    /// All invitees reject.
    Rejected,
    /// The inviter cancels.
    Cancelled,
    /// The invitees accept while the inviter cancels.
    Contested,
    /// Nobody does anything for a second.
    TimedOut,
}

/// Somebody in a story.
#[derive(Clone)]
pub struct Party {
    user: UserId,
    client: Client,
}

/// One invitation and what becomes of it.
pub struct Story {
    /// Tells it from others.
    pub number: usize,
    /// Who invites.
    pub inviter: Party,
    /// Who is invited.
    pub invitees: Vec<Party>,
    /// What becomes of it.
    pub plot: Plot,
    /// How long it rings before somebody acts.
    pub pause: Duration,
    /// Where acknowledgements are noted.
    pub ledger: Ledger,
}

/// What the server acknowledged: the invitation, and for whom it said what.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    /// The invitation.
    pub id: InvitationId,
    /// Who invited.
    pub inviter: UserId,
    /// Who ended with this acknowledgement, and how.
    pub ended: Vec<(UserId, &'static str)>,
    /// The deadline of one that nobody answers.
    pub runs_out_at: Option<u64>,
}

/// All acknowledgements, shared by the stories.
#[derive(Clone)]
pub struct Ledger {
    entries: Arc<Mutex<Vec<Acknowledged>>>,
    count: Arc<watch::Sender<usize>>,
}

impl From<&Witness> for Party {
    fn from(witness: &Witness) -> Self {
        let user = UserId::parse(&witness.user).expect("the test names users well");
        Self { user, client: witness.client.clone() }
    }
}

impl Story {
    /// Lets it happen.
    ///
    /// # Panics
    /// When the server refuses what it must not.
    pub async fn happens(self) {
        let mut params = InviteParams::new(self.invitees.iter().map(|invitee| invitee.user.clone()).collect());
        params.data = format!("story {}", self.number).into();
        params.timeout_s = if self.plot == Plot::TimedOut { 1 } else { 120 };
        let invited = self.inviter.client.invite(params).await.expect("the client repeats until it succeeds");
        let id = invited.invitation_id;
        let runs_out_at = invited.expires_at.filter(|_| self.plot == Plot::TimedOut);
        self.ledger.note(Acknowledged { id, inviter: self.inviter.user.clone(), ended: Vec::new(), runs_out_at });
        tokio::time::sleep(self.pause).await;
        match self.plot {
            Plot::Accepted => self.answered(id, "accepted").await,
            Plot::Rejected => self.answered(id, "rejected").await,
            Plot::Cancelled => self.cancelled(id).await,
            Plot::Contested => drop(tokio::join!(self.answered(id, "accepted"), self.cancelled(id))),
            Plot::TimedOut => {}
        }
    }

    async fn answered(&self, id: InvitationId, outcome: &'static str) {
        for Party { user, client } in &self.invitees {
            let result = match outcome {
                "accepted" => client.accept(AcceptParams::new(id)).await,
                _ => client.reject(RejectParams::new(id)).await,
            };
            match result {
                Ok(_) => self.note(id, vec![(user.clone(), outcome)]),
                Err(error) => self.lost_the_race(&error),
            }
        }
    }

    async fn cancelled(&self, id: InvitationId) {
        match self.inviter.client.cancel(CancelParams::new(id)).await {
            Ok(done) => self.note(id, done.invitees.into_iter().map(|user| (user, "cancelled")).collect()),
            Err(error) => self.lost_the_race(&error),
        }
    }

    fn note(&self, id: InvitationId, ended: Vec<(UserId, &'static str)>) {
        self.ledger.note(Acknowledged { id, inviter: self.inviter.user.clone(), ended, runs_out_at: None });
    }

    fn lost_the_race(&self, error: &ClientError) {
        assert_eq!(self.plot, Plot::Contested, "only these race: {error}");
        assert_eq!(error.code(), Some(ErrorCode::AlreadySettled), "{error}");
    }
}

impl Default for Ledger {
    fn default() -> Self {
        Self { entries: Arc::default(), count: Arc::new(watch::Sender::new(0)) }
    }
}

impl Ledger {
    fn note(&self, entry: Acknowledged) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
        self.count.send_modify(|count| *count += 1);
    }

    /// What was acknowledged so far.
    #[must_use]
    pub fn entries(&self) -> Vec<Acknowledged> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Those that nobody answers and that still run.
    #[must_use]
    pub fn running_out(&self) -> Vec<Acknowledged> {
        let now = now_ms();
        self.entries().into_iter().filter(|entry| entry.runs_out_at.is_some_and(|at| at > now)).collect()
    }

    /// Waits until so many operations were acknowledged.
    ///
    /// # Panics
    /// When they are not in time.
    pub async fn reaches(&self, wanted: usize) {
        let mut count = self.count.subscribe();
        let reached = within("operations to be acknowledged", count.wait_for(|count| *count >= wanted)).await;
        drop(reached.expect("the ledger counts"));
    }

    /// Compares what was acknowledged with the record, and the record with what every device was told: each operation
    /// is there, each invitee ended once, each inbox is gap-free and of one epoch. The number of invitations.
    ///
    /// # Panics
    /// When something does not agree.
    pub async fn agrees(&self, node: &Node, witnesses: impl IntoIterator<Item = &Witness>) -> usize {
        let mut records: BTreeMap<InvitationId, Value> = BTreeMap::new();
        for entry in self.entries() {
            let record = match records.entry(entry.id) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(settled(node, &entry).await),
            };
            for (user, outcome) in &entry.ended {
                let mut invitees = record["invitees"].as_array().into_iter().flatten();
                let found = invitees.find(|one| one["user"] == user.as_str());
                has(found.unwrap_or_else(|| panic!("{user} is not in {record}")), json!({ "state": outcome }));
            }
        }
        let mut ended = BTreeMap::new();
        for witness in witnesses {
            // Whoever waits for an answer is connected.
            witness.client.ping().await.expect("the client connects again");
            let inbox = audit::is_gap_free(node, witness).await;
            for (who, outcome) in audit::endings(&witness.user, &inbox) {
                let known = ended.insert(who.clone(), outcome);
                assert!(known.is_none_or(|known| known == outcome), "{who:?} ended as {known:?} and {outcome}");
            }
        }
        let known: BTreeSet<String> = records.keys().map(ToString::to_string).collect();
        for (id, record) in &records {
            for invitee in record["invitees"].as_array().into_iter().flatten() {
                let who = (id.to_string(), invitee["user"].as_str().unwrap_or_default().to_owned());
                assert_eq!(ended.get(&who).copied(), invitee["state"].as_str(), "{who:?}");
            }
        }
        let unknown = ended.keys().find(|(id, _)| !known.contains(id));
        assert_eq!(unknown, None, "somebody was told of an invitation that its inviter does not know");
        records.len()
    }
}

/// The invitation, once it is settled.
pub async fn settled(node: &Node, entry: &Acknowledged) -> Value {
    let server = node.server().await;
    let path = format!("/v1/invitations/{}?as={}", entry.id, entry.inviter);
    until("the invitation to be settled", async || {
        let reply = server.get(&path).await;
        // A store that was away, or is slow on a loaded machine, is asked again.
        let seen = if reply.status == 503 { return None } else { reply.expect(200) };
        (seen["state"] == "settled").then_some(seen)
    })
    .await
}

/// The wall clock, which is the server's on this machine, in Unix milliseconds.
#[must_use]
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
