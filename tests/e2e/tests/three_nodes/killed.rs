//! A node that is killed: what it created is answered and runs out through others, and its users go on elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringwire_e2e::story::now_ms;
use ringwire_e2e::{Device, Node, Settings, Site, audit, has, until};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Invitations of the killed node.
const INVITATIONS: usize = 50;

/// Invitees; a user can be pending in 64 invitations.
const INVITEES: usize = 10;

/// An answer through a node that lives is not delayed.
const AT_ONCE: Duration = Duration::from_millis(500);

/// How late a deadline may be whose timer died with its node.
const TIMER_LATE_MS: u64 = 1_500;

/// How long a killed node is taken for alive: its lease, a beat until others look, and a slow machine.
const LEASE: Duration = Duration::from_secs(8);

/// Invites each invitee several times through the first node; the results of the requests.
async fn invite_all(alice: &mut Device, timeout_s: u64) -> Vec<Value> {
    let mut requests = Vec::new();
    for number in 0..INVITATIONS {
        let invite = json!({ "invitees": [format!("bob-{}", number % INVITEES)], "timeout_s": timeout_s });
        requests.push(alice.send("invite", invite).await);
    }
    let mut invited = Vec::new();
    for request in requests {
        invited.push(alice.answer(request).await.unwrap());
    }
    invited
}

/// Invitees on the nodes that live, each with all of its rings.
async fn invitees(site: &Site) -> Vec<Device> {
    let mut devices = Vec::new();
    for number in 0..INVITEES {
        devices.push(site.nodes()[1 + number % 2].connect(&format!("bob-{number}"), "phone").await);
    }
    devices
}

/// Alice on another node, and what she missed.
async fn elsewhere(site: &Site, position: &Value) -> (Device, Vec<Value>) {
    let node = &site.nodes()[1];
    let mut alice = Device::open(&node.url(), None).await;
    alice.resume(&node.token("alice", None).await, "phone", position).await;
    let missed = alice.backlog(position["offset"].as_u64().unwrap()).await;
    (alice, missed)
}

fn of_type<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["type"] == kind).collect()
}

#[tokio::test]
async fn what_a_killed_node_created_is_answered_at_once_through_others() {
    let mut site = Site::three_nodes(Settings::new().without_rate_limit()).await;
    let mut alice = site.nodes()[0].connect("alice", "phone").await;
    let mut bobs = invitees(&site).await;
    let invited = invite_all(&mut alice, 600).await;
    for bob in &mut bobs {
        for _ in 0..INVITATIONS / INVITEES {
            bob.expect("invitation.received").await;
        }
    }
    let last = alice.hello.clone();

    site.nodes_mut()[0].kill();
    let mut slowest = Duration::ZERO;
    for (number, one) in invited.iter().enumerate() {
        let started = Instant::now();
        let accept = json!({ "invitation_id": one["invitation_id"] });
        has(&bobs[number % INVITEES].ok("accept", accept).await, json!({ "version": 2 }));
        slowest = slowest.max(started.elapsed());
    }
    println!("the slowest answer took {slowest:?}");
    assert!(slowest <= AT_ONCE, "the slowest answer took {slowest:?}");

    let (mut alice, missed) = elsewhere(&site, &last).await;
    assert_eq!(of_type(&missed, "invitation.accepted").len(), INVITATIONS);
    for one in &invited {
        let id = one["invitation_id"].as_str().unwrap();
        has(&site.nodes()[2].invitation("alice", id).await, json!({ "state": "settled", "version": 2 }));
    }
    let [bob, other] = bobs.get_disjoint_mut([0, 1]).unwrap();
    site.nodes()[2].nothing_for([&mut alice, bob, other]).await;
}

#[tokio::test]
async fn unanswered_invitations_of_a_killed_node_time_out_once_for_everybody() {
    let mut site = Site::three_nodes(Settings::new().without_rate_limit()).await;
    let mut alice = site.nodes()[0].connect("alice", "phone").await;
    let mut desk = site.nodes()[2].connect("alice", "desk").await;
    let bobs = invitees(&site).await;
    let invited = invite_all(&mut alice, 3).await;
    let last = alice.hello.clone();
    site.nodes_mut()[0].kill();
    let deadline =
        |one: &Value| (one["invitation_id"].as_str().unwrap().to_owned(), one["expires_at"].as_u64().unwrap());
    let deadlines: Arc<BTreeMap<String, u64>> = Arc::new(invited.iter().map(deadline).collect());
    assert!(deadlines.values().all(|deadline| now_ms() < *deadline), "the node was killed too late");

    let mut hearing = JoinSet::new();
    for mut bob in bobs {
        let deadlines = Arc::clone(&deadlines);
        hearing.spawn(async move {
            for _ in 0..INVITATIONS / INVITEES {
                bob.expect("invitation.received").await;
            }
            let mut late = Vec::new();
            for _ in 0..INVITATIONS / INVITEES {
                late.push(lateness(&bob.expect("invitation.timed_out").await, &deadlines));
            }
            (bob, late)
        });
    }
    let mut late = Vec::new();
    for _ in 0..INVITATIONS {
        desk.expect("invitation.sent").await;
    }
    for _ in 0..INVITATIONS {
        late.push(lateness(&desk.expect("invitation.timed_out").await, &deadlines));
    }
    let (mut bobs, heard): (Vec<Device>, Vec<Vec<u64>>) = hearing.join_all().await.into_iter().unzip();
    late.extend(heard.into_iter().flatten());
    late.sort_unstable();
    println!("late by {:?} ms at the median, {:?} ms at most", late[late.len() / 2], late.last());
    assert!(*late.last().unwrap() <= TIMER_LATE_MS, "late by {late:?} ms");

    let (mut alice, missed) = elsewhere(&site, &last).await;
    assert_eq!(of_type(&missed, "invitation.timed_out").len(), INVITATIONS);
    let [bob, other] = bobs.get_disjoint_mut([0, 1]).unwrap();
    site.nodes()[2].nothing_for([&mut alice, &mut desk, bob, other]).await;
    // Exactly once, also in what no device looked at.
    let mut everybody = vec![(alice.user().to_owned(), alice.hello["epoch"].clone(), INVITATIONS)];
    everybody
        .extend(bobs.iter().map(|bob| (bob.user().to_owned(), bob.hello["epoch"].clone(), INVITATIONS / INVITEES)));
    for (user, epoch, invitations) in everybody {
        let inbox = site.nodes()[1].inbox(&user, epoch.as_str().unwrap()).await;
        let endings = audit::endings(&user, &inbox);
        assert_eq!(endings.values().filter(|outcome| **outcome == "timed_out").count(), invitations, "{user}");
    }
}

/// How long after its deadline a device learned of it, in milliseconds.
fn lateness(event: &Value, deadlines: &BTreeMap<String, u64>) -> u64 {
    let now = now_ms();
    let deadline = deadlines[event["invitation_id"].as_str().unwrap()];
    assert!(now >= deadline, "{event} came before its deadline");
    now - deadline
}

#[tokio::test]
async fn a_killed_node_leaves_the_list_of_nodes_with_its_lease() {
    const TOKEN: &str = "the-admin-token-of-the-tests-of-this-file";
    let mut site = Site::three_nodes(Settings::new().with("admin.token", TOKEN)).await;
    let gone = site.nodes()[0].public().to_string();
    let listed = async |node: &Node| {
        let nodes = node.operator().with_token(TOKEN).get("/v1/nodes").await.expect(200)["nodes"].clone();
        let nodes = nodes.as_array().unwrap().iter();
        nodes.map(|node| node["said"]["address"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    for node in site.nodes() {
        until("all nodes to have said how they are", async || {
            let known = listed(node).await;
            (known.len() == 3 && known.iter().all(Option::is_some)).then_some(())
        })
        .await;
    }
    site.nodes_mut()[0].kill();
    let killed = Instant::now();
    for node in &site.nodes()[1..] {
        until("the killed node to be gone", async || {
            let known = listed(node).await;
            (known.len() == 2 && !known.contains(&Some(gone.clone()))).then_some(())
        })
        .await;
    }
    assert!(killed.elapsed() < LEASE, "it took {:?}", killed.elapsed());
}
