//! What an invitation costs the server, counted by the server itself.

use std::collections::BTreeMap;

use ringwire_signaling::{Facts, Policy, step};
use ringwire_test_redis::Server;

use super::fixtures::{Node, quiet};
use crate::Store;
use crate::commit::{CommitOutcome, PostOutcome};
use crate::conformance::driver::{Driver, accept, device, invite, user};
use crate::redis_store::RedisStore;

/// Commands by name, without those of the pulses that beat meanwhile and of counting itself.
fn commands(server: &Server) -> BTreeMap<String, u64> {
    let stats = server.ask("INFO commandstats");
    let calls = |line: &str| -> Option<(String, u64)> {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
    };
    let mut calls: BTreeMap<String, u64> = stats.lines().filter_map(calls).collect();
    let beats = calls.remove("zscore").unwrap_or_default();
    for name in ["evalsha", "time", "zadd", "hget", "publish", "zrangebyscore"] {
        *calls.entry(name.to_owned()).or_default() -= beats;
    }
    for name in ["info", "config|resetstat", "quit", "ping", "zrangebyscore"] {
        calls.remove(name);
    }
    calls.retain(|_, count| *count > 0);
    calls
}

fn round_trips(store: &RedisStore, purpose: &str) -> u64 {
    let found = store.counters().traffic.into_iter().find(|traffic| traffic.purpose == purpose);
    found.expect("the purpose is counted").round_trips
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_costs_so_many_commands_and_one_round_trip_each() {
    invitation_costs([false, false], [20, 9, 16]).await;
}

/// One command more for what becomes due, one to take it back with the receipt, two to know that nothing was pushed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hooks_cost_a_few_commands_more_and_no_round_trip() {
    invitation_costs([true, false], [22, 10, 18]).await;
}

/// One command more for the creation and one for the settlement, and one that keeps what is due from staying for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_cost_a_few_commands_more_and_no_round_trip() {
    invitation_costs([false, true], [22, 9, 18]).await;
}

/// The inviter on one node, the invitee on another, who rings and accepts.
async fn invitation_costs([pushes, events]: [bool; 2], [invite_limit, receipt_limit, accept_limit]: [u64; 3]) {
    let server = Server::start();
    let (one, other) = (Node::on(&server), Node::on(&server));
    let (mut ann, mut bob) = (Driver::new(&one.fixture), Driver::new(&other.fixture));
    (ann.pushes, bob.pushes) = (pushes, pushes);
    (ann.events, bob.events) = (events, events);
    ann.policy = Policy::default();
    ann.attach("ann", None).await;
    bob.attach("bob", None).await;
    // Keys that are there for longer have their expiry set already.
    let first = ann.invite(&invite("ann", &["bob"])).await;
    bob.act(first.id, &accept("bob")).await;

    let creation = ann.creation(ann.id(&user("ann")), &invite("ann", &["bob"]), &Facts::default());
    let created = creation.step.next.clone();
    server.ask("CONFIG RESETSTAT");
    let before = round_trips(&one.store, "commit");
    assert_eq!(ann.send(creation).await, CommitOutcome::Committed);
    let invited = commands(&server);
    assert_eq!(round_trips(&one.store, "commit") - before, 1, "an invite takes one round trip");

    let receipt = step::receipt(&created, &user("bob"), &device("phone"), bob.now()).unwrap();
    server.ask("CONFIG RESETSTAT");
    assert_eq!(bob.post(created.id, receipt).await, PostOutcome::Posted);
    let rung = commands(&server);

    let answer = bob.transition(created.id, &accept("bob")).await;
    server.ask("CONFIG RESETSTAT");
    let before = round_trips(&other.store, "commit");
    assert_eq!(bob.send(answer).await, CommitOutcome::Committed);
    let accepted = commands(&server);
    assert_eq!(round_trips(&other.store, "commit") - before, 1, "an accept takes one round trip");

    let total = |commands: &BTreeMap<String, u64>| commands.values().sum::<u64>();
    println!(
        "invite {} {invited:?}\nreceipt {} {rung:?}\naccept {} {accepted:?}",
        total(&invited),
        total(&rung),
        total(&accepted)
    );
    assert!(total(&invited) <= invite_limit, "an invite: {invited:?}");
    assert!(total(&rung) <= receipt_limit, "a receipt: {rung:?}");
    assert!(total(&accepted) <= accept_limit, "an accept: {accepted:?}");
    quiet(&one.store).await;
    quiet(&other.store).await;
    assert_eq!((one.heard("ann"), other.heard("bob")), (5, 4));
    assert_eq!(other.heard("ann"), 0, "doorbells go only where the user is");
}
