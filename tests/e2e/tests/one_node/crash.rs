//! Kill -9 in the middle of everything.

use std::time::Duration;

use ringwire_e2e::story::{Ledger, Party, Plot, Story, now_ms, settled};
use ringwire_e2e::{Device, Node, Settings, Witness, has, within};
use serde_json::json;
use tokio::task::JoinSet;

const INVITATIONS: usize = 200;
/// Inviters, and as many invitees.
const USERS: usize = 10;
/// Operations that are acknowledged before each crash.
const CRASHES: [usize; 2] = [100, 260];

const PLOTS: [Plot; 5] = [Plot::Accepted, Plot::Rejected, Plot::Cancelled, Plot::Contested, Plot::TimedOut];

#[tokio::test]
async fn a_crash_among_two_hundred_invitations_loses_nothing_that_was_acknowledged() {
    let mut node = Node::start(Settings::new().without_rate_limit()).await;
    let mut inviting = Vec::new();
    let mut invited = Vec::new();
    for number in 0..USERS {
        inviting.push(Witness::connect(&node, &format!("inviter-{number}"), "phone").await);
        invited.push(Witness::connect(&node, &format!("invitee-{number}"), "phone").await);
    }
    let ledger = Ledger::default();
    let mut stories = JoinSet::new();
    for number in 0..INVITATIONS {
        let mut invitees = vec![Party::from(&invited[number % USERS])];
        // Every third goes to two.
        if number % 3 == 0 {
            invitees.push(Party::from(&invited[(number + 3) % USERS]));
        }
        let story = Story {
            number,
            inviter: Party::from(&inviting[number / 20]),
            invitees,
            plot: PLOTS[number % PLOTS.len()],
            pause: Duration::ZERO,
            ledger: ledger.clone(),
        };
        stories.spawn(story.happens());
    }

    let mut overdue = Vec::new();
    for crash in CRASHES {
        ledger.reaches(crash).await;
        node.kill();
        // While the node is down the rings that were acknowledged so far run out.
        let ringing = ledger.running_out();
        let last = ringing.iter().filter_map(|entry| entry.runs_out_at).max().unwrap_or(0);
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
    let everybody: Vec<&Witness> = inviting.iter().chain(&invited).collect();
    assert_eq!(ledger.agrees(&node, everybody.iter().copied()).await, INVITATIONS);
    for witness in everybody {
        let [false, again @ ..] = &witness.connections()[..] else { panic!("the first connection resumes nothing") };
        assert!(!again.is_empty() && again.iter().all(|resumed| *resumed), "{} did not resume", witness.user);
    }
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
