//! Kill -9 in the middle of everything.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ringwire_client::params::{AcceptParams, CancelParams, InviteParams, RejectParams};
use ringwire_client::{Client, ClientError, ErrorCode, InvitationId, UserId};
use ringwire_e2e::{Device, Node, Settings, Witness, audit, has, until, within};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

const INVITATIONS: usize = 200;
/// Inviters, and as many invitees.
const USERS: usize = 10;
/// Operations that are acknowledged before each crash.
const CRASHES: [usize; 2] = [100, 260];

/// What the server acknowledged: the invitation, and for whom it said what.
#[derive(Clone, Debug)]
struct Acknowledged {
    id: InvitationId,
    inviter: usize,
    ended: Vec<(UserId, &'static str)>,
    expires_at: Option<u64>,
}

#[derive(Clone)]
struct Ledger {
    entries: Arc<Mutex<Vec<Acknowledged>>>,
    count: Arc<watch::Sender<usize>>,
}

impl Ledger {
    fn note(&self, entry: Acknowledged) {
        self.entries.lock().unwrap().push(entry);
        self.count.send_modify(|count| *count += 1);
    }

    fn entries(&self) -> Vec<Acknowledged> {
        self.entries.lock().unwrap().clone()
    }

    async fn reaches(&self, wanted: usize) {
        let mut count = self.count.subscribe();
        within("operations to be acknowledged", count.wait_for(|count| *count >= wanted)).await.unwrap();
    }
}

/// One invitation and what becomes of it.
struct Story {
    number: usize,
    inviter: usize,
    inviting: Client,
    invited: Vec<(UserId, Client)>,
    ledger: Ledger,
}

impl Story {
    async fn happens(self) {
        let mut params = InviteParams::new(self.invited.iter().map(|(user, _)| user.clone()).collect());
        params.data = format!("story {}", self.number).into();
        params.timeout_s = if self.number % 5 == 4 { 1 } else { 120 };
        let result = self.inviting.invite(params).await.unwrap();
        let id = result.invitation_id;
        let expires_at = result.expires_at.filter(|_| self.number % 5 == 4);
        self.ledger.note(Acknowledged { id, inviter: self.inviter, ended: Vec::new(), expires_at });
        match self.number % 5 {
            0 => self.answered(id, "accepted").await,
            1 => self.answered(id, "rejected").await,
            2 => self.cancelled(id).await,
            3 => drop(tokio::join!(self.answered(id, "accepted"), self.cancelled(id))),
            _ => {}
        }
    }

    async fn answered(&self, id: InvitationId, outcome: &'static str) {
        for (user, client) in &self.invited {
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
        match self.inviting.cancel(CancelParams::new(id)).await {
            Ok(done) => self.note(id, done.invitees.into_iter().map(|user| (user, "cancelled")).collect()),
            Err(error) => self.lost_the_race(&error),
        }
    }

    fn note(&self, id: InvitationId, ended: Vec<(UserId, &'static str)>) {
        self.ledger.note(Acknowledged { id, inviter: self.inviter, ended, expires_at: None });
    }

    fn lost_the_race(&self, error: &ClientError) {
        assert_eq!(self.number % 5, 3, "only these race: {error}");
        assert_eq!(error.code(), Some(ErrorCode::AlreadySettled), "{error}");
    }
}

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

#[tokio::test]
async fn a_crash_among_two_hundred_invitations_loses_nothing_that_was_acknowledged() {
    let mut node = Node::start(Settings::new().without_rate_limit()).await;
    let mut inviting = Vec::new();
    let mut invited = Vec::new();
    for number in 0..USERS {
        inviting.push(Witness::connect(&node, &format!("inviter-{number}"), "phone").await);
        invited.push(Witness::connect(&node, &format!("invitee-{number}"), "phone").await);
    }
    let ledger = Ledger { entries: Arc::default(), count: Arc::new(watch::Sender::new(0)) };
    let mut stories = JoinSet::new();
    for number in 0..INVITATIONS {
        let mut whom = vec![number % USERS];
        // Every third goes to two.
        if number % 3 == 0 {
            whom.push((number + 3) % USERS);
        }
        let who = |at: usize| (UserId::parse(&invited[at].user).unwrap(), invited[at].client.clone());
        let story = Story {
            number,
            inviter: number / 20,
            inviting: inviting[number / 20].client.clone(),
            invited: whom.into_iter().map(who).collect(),
            ledger: ledger.clone(),
        };
        stories.spawn(story.happens());
    }

    let mut overdue = Vec::new();
    for crash in CRASHES {
        ledger.reaches(crash).await;
        node.kill();
        // While the node is down the rings that were acknowledged so far run out.
        let ringing = ledger.entries().into_iter().filter(|entry| entry.expires_at.is_some_and(|at| at > now_ms()));
        let ringing: Vec<Acknowledged> = ringing.collect();
        let last = ringing.iter().filter_map(|entry| entry.expires_at).max().unwrap_or(0);
        tokio::time::sleep(Duration::from_millis(last.saturating_sub(now_ms()))).await;
        node.restart().await;
        overdue.extend(ringing.into_iter().map(|entry| (entry, node.ready_at_ms())));
    }
    while let Some(story) = within("the stories to end", stories.join_next()).await {
        story.unwrap();
    }

    assert!(!overdue.is_empty(), "the first crash comes while rings run");
    for (entry, ready_at_ms) in overdue {
        let seen = settled(&node, &entry).await;
        let late = seen["settled_at"].as_u64().unwrap().saturating_sub(ready_at_ms);
        assert!(late <= 1_000, "{} timed out {late} ms after the start", entry.id);
    }
    for entry in ledger.entries() {
        let seen = settled(&node, &entry).await;
        for (user, outcome) in &entry.ended {
            let found = seen["invitees"].as_array().unwrap().iter().find(|found| found["user"] == user.as_str());
            has(found.unwrap(), json!({ "state": outcome }));
        }
    }
    let mut ended = std::collections::BTreeMap::new();
    for witness in inviting.iter().chain(&invited) {
        // Whoever waits for an answer is connected; some came back only after the second crash.
        witness.client.ping().await.unwrap();
        let [false, again @ ..] = &witness.connections()[..] else { panic!("the first connection resumes nothing") };
        assert!(!again.is_empty() && again.iter().all(|resumed| *resumed), "{} did not resume", witness.user);
        let inbox = audit::is_gap_free(&node, witness).await;
        for (who, outcome) in audit::endings(&witness.user, &inbox) {
            let known = ended.insert(who.clone(), outcome);
            assert!(known.is_none_or(|known| known == outcome), "{who:?} ended as {known:?} and {outcome}");
        }
    }
    // Every invitation ended for each of its invitees, and all who were told agree with the record.
    let mut invitations = std::collections::BTreeSet::new();
    for entry in ledger.entries() {
        invitations.insert(entry.id);
        for invitee in settled(&node, &entry).await["invitees"].as_array().unwrap() {
            let who = (entry.id.to_string(), invitee["user"].as_str().unwrap().to_owned());
            assert_eq!(ended.get(&who).copied(), invitee["state"].as_str(), "{who:?}");
        }
    }
    assert_eq!(invitations.len(), INVITATIONS);
}

#[tokio::test]
async fn rings_that_ran_out_while_the_node_was_down_end_within_a_second_of_its_start() {
    let mut node = Node::start(Settings::new().without_rate_limit()).await;
    let token = node.token("bob-0", None).await;
    let mut alice = node.connect("alice", "phone").await;
    let mut bob = node.connect("bob-0", "phone").await;
    let mut requests = Vec::new();
    for number in 0..INVITATIONS {
        let invite = json!({ "invitees": [format!("bob-{}", number % 4)], "timeout_s": 1 });
        requests.push(alice.send("invite", invite).await);
    }
    let mut last = 0;
    for request in requests {
        last = alice.answer(request).await.unwrap()["expires_at"].as_u64().unwrap().max(last);
    }
    let ring = bob.expect("invitation.received").await;
    node.kill();
    tokio::time::sleep(Duration::from_millis(last.saturating_sub(now_ms()))).await;
    node.restart().await;
    let mut bob = Device::open(&node.url(), None).await;
    bob.resume(&token, "phone", &ring).await;
    let mut ended = 0;
    while ended < INVITATIONS / 4 {
        let event = bob.event().await;
        if event["type"] == "invitation.timed_out" {
            ended += 1;
            let late = event["at"].as_u64().unwrap().saturating_sub(node.ready_at_ms());
            assert!(late <= 1_000, "{event} came {late} ms after the start");
        }
    }
    let alice = node.connect("alice", "phone").await;
    has(&alice.snapshot, json!({ "active": [] }));
}

#[tokio::test]
async fn a_ring_that_outlives_a_crash_ends_at_its_deadline() {
    let mut node = Node::new().await;
    let token = node.token("bob", None).await;
    let mut alice = node.connect("alice", "phone").await;
    let mut bob = node.connect("bob", "phone").await;
    let invited = alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 3 })).await;
    let ring = bob.expect("invitation.received").await;
    node.kill();
    node.restart().await;
    let mut bob = Device::open(&node.url(), None).await;
    bob.resume(&token, "phone", &ring).await;
    let ended = bob.expect("invitation.timed_out").await;
    let (at, deadline) = (ended["at"].as_u64().unwrap(), invited["expires_at"].as_u64().unwrap());
    assert!((deadline..=deadline + 1_000).contains(&at), "it ended {} ms after its deadline", at.abs_diff(deadline));
}

/// The invitation, once it is settled.
async fn settled(node: &Node, entry: &Acknowledged) -> serde_json::Value {
    let server = node.server().await;
    let path = format!("/v1/invitations/{}?as=inviter-{}", entry.id, entry.inviter);
    until("the invitation to be settled", async || {
        let seen = server.get(&path).await.expect(200);
        (seen["state"] == "settled").then_some(seen)
    })
    .await
}
