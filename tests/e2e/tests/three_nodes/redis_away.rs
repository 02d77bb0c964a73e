//! Redis is frozen, or dies and comes back with everything or with nothing: connections stay, nothing is announced that
//! was not committed, and no node needs a restart.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use ringwire_e2e::story::now_ms;
use ringwire_e2e::{Device, Node, Settings, Site, has, until, within};
use ringwire_test_redis::Server as Redis;
use serde_json::{Value, json};

/// What fails because Redis is away fails within a second; the rest is for a loaded machine.
const FAILS_WITHIN: Duration = Duration::from_millis(1_000 + 500);

/// Within how long of Redis's return due timers fire.
const FIRES_WITHIN_MS: u64 = 2_000;

/// How late a ring may be whose doorbell was lost.
const HEALS_WITHIN: Duration = Duration::from_secs(4);

/// Invitations that are under way when Redis dies.
const INVITATIONS: usize = 80;

/// Invitees of these; a user can be pending in 64.
const INVITEES: usize = 4;

/// A request is refused because the store is away, in time.
async fn is_unavailable(device: &mut Device, method: &str, params: &Value) {
    let started = Instant::now();
    let refused = device.refused(method, params.clone(), "unavailable").await;
    assert!(refused["retry_after_ms"].as_u64().unwrap() > 0, "{refused}");
    assert!(started.elapsed() <= FAILS_WITHIN, "{method} failed after {:?}", started.elapsed());
}

/// Repeats a request until the store is back, as an SDK does.
async fn repeated(device: &mut Device, method: &str, params: &Value) -> Value {
    within("the store to be back", async {
        loop {
            match device.call(method, params.clone()).await {
                Ok(result) => return result,
                Err(error) => assert_eq!(error["data"]["name"], "unavailable", "{error}"),
            }
        }
    })
    .await
}

/// A node lives and takes no traffic.
async fn is_unready(node: &Node) {
    assert_eq!(node.operator().get("/healthz").await.status, 200);
    until("the node to be unready", async || (!node.is_ready().await).then_some(())).await;
}

/// What a device was told is what its inbox holds.
async fn is_committed(site: &Site, device: &Device, told: &[Value]) {
    let inbox = site.node().inbox(device.user(), device.hello["epoch"].as_str().unwrap()).await;
    for event in told {
        let at = usize::try_from(event["offset"].as_u64().unwrap()).unwrap() - 1;
        has(&inbox[at], json!({ "offset": event["offset"], "check": event["check"], "type": event["type"] }));
    }
}

#[tokio::test]
async fn a_redis_that_is_frozen_for_half_a_minute_costs_nobody_their_connection() {
    let mut site = Site::three_nodes(Settings::new().without_rate_limit()).await;
    let mut alice = site.nodes()[0].connect("alice", "phone").await;
    let mut bob = site.nodes()[1].connect("bob", "phone").await;
    let mut carol = site.nodes()[2].connect("carol", "phone").await;
    let due = alice.ok("invite", json!({ "invitees": ["bob", "carol"], "timeout_s": 5 })).await;
    let standing = alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 600 })).await;
    let mut bob_was_told = vec![bob.expect("invitation.received").await, bob.expect("invitation.received").await];
    carol.expect("invitation.received").await;

    site.redis().freeze(true);
    let frozen = Instant::now();
    let accept = json!({ "invitation_id": standing["invitation_id"], "request_id": "accept-1" });
    let invite = json!({ "invitees": ["carol"], "timeout_s": 600, "request_id": "invite-1" });
    for second in [0, 1, 6, 15, 25] {
        tokio::time::sleep(Duration::from_secs(second).saturating_sub(frozen.elapsed())).await;
        is_unavailable(&mut bob, "accept", &accept).await;
        is_unavailable(&mut alice, "invite", &invite).await;
        is_unavailable(&mut carol, "list_active", &json!({})).await;
        carol.ok("ping", json!({})).await;
    }
    join_all(site.nodes().iter().map(is_unready)).await;
    tokio::time::sleep(Duration::from_secs(30).saturating_sub(frozen.elapsed())).await;

    let thawed_at = now_ms();
    site.redis().freeze(false);
    for device in [&mut alice, &mut bob, &mut carol] {
        device.may_hear_of_itself();
    }
    for device in [&mut alice, &mut carol] {
        has(&device.expect("invitation.timed_out").await, json!({ "invitation_id": due["invitation_id"] }));
        let late = now_ms() - thawed_at;
        println!("{} heard of the timeout {late} ms after the thaw", device.user());
        assert!(late <= FIRES_WITHIN_MS, "late by {late} ms");
    }
    // What was sent while it was frozen was not done behind everybody's back, and repeating it does it once.
    let accepted = repeated(&mut bob, "accept", &accept).await;
    has(&accepted, json!({ "version": 2 }));
    assert_eq!(bob.ok("accept", accept).await, accepted);
    let invited = repeated(&mut alice, "invite", &invite).await;
    assert_eq!(alice.ok("invite", invite).await, invited);
    bob_was_told.push(bob.expect("invitation.timed_out").await);
    has(&alice.expect("invitation.accepted").await, json!({ "invitation_id": standing["invitation_id"] }));
    has(&carol.expect("invitation.received").await, json!({ "invitation_id": invited["invitation_id"] }));
    carol.ok("reject", json!({ "invitation_id": invited["invitation_id"] })).await;
    alice.expect("invitation.rejected").await;
    site.nothing_for([&mut alice, &mut bob, &mut carol]).await;
    is_committed(&site, &bob, &bob_was_told).await;
    for node in site.nodes() {
        until("the node to be ready", async || node.is_ready().await.then_some(())).await;
    }
}

/// Redis dies while many invitations are made, stays away, and comes back with what it had on its disk.
async fn killed_and_restarted(away: Duration) {
    let settings = Settings::new().without_rate_limit();
    let mut site = Site::three_nodes_on(Redis::durable(), settings).await;
    let mut alice = site.nodes()[0].connect("alice", "phone").await;
    let mut bobs = Vec::new();
    for number in 0..INVITEES {
        bobs.push(site.nodes()[1 + number % 2].connect(&format!("bob-{number}"), "phone").await);
    }
    let mut dave = site.nodes()[2].connect("dave", "phone").await;
    let due = alice.ok("invite", json!({ "invitees": ["dave"], "timeout_s": 2 })).await;
    dave.expect("invitation.received").await;

    let invite = |number: usize| {
        let invitee = format!("bob-{}", number % INVITEES);
        json!({ "invitees": [invitee], "timeout_s": 600, "request_id": format!("r-{number}") })
    };
    // When Redis dies, the first of them are done, others are under way, and the last are not yet sent.
    let (mut requests, mut acknowledged) = (VecDeque::new(), Vec::new());
    for number in 0..INVITATIONS / 2 {
        requests.push_back(alice.send("invite", invite(number)).await);
    }
    for request in requests.drain(..INVITATIONS / 4) {
        acknowledged.push(Some(alice.answer(request).await.unwrap()));
    }
    site.redis().kill();
    let killed = Instant::now();
    for number in INVITATIONS / 2..INVITATIONS {
        requests.push_back(alice.send("invite", invite(number)).await);
    }
    for request in requests {
        let answer = alice.answer(request).await;
        if let Err(error) = &answer {
            assert_eq!(error["data"]["name"], "unavailable", "{error}");
        }
        acknowledged.push(answer.ok());
    }
    let done = acknowledged.iter().flatten().count();
    println!("{done} of {INVITATIONS} were acknowledged");
    assert!(done < INVITATIONS, "Redis died too late");
    while killed.elapsed() < away {
        is_unavailable(&mut dave, "accept", &json!({ "invitation_id": due["invitation_id"] })).await;
        for bob in &mut bobs {
            bob.ok("ping", json!({})).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    site.redis().restart();
    let back_at = now_ms();
    alice.may_hear_of_itself();
    has(&dave.expect("invitation.timed_out").await, json!({ "invitation_id": due["invitation_id"] }));
    let late = now_ms() - back_at.max(due["expires_at"].as_u64().unwrap());
    println!("the timeout came {late} ms late");
    assert!(late <= FIRES_WITHIN_MS, "late by {late} ms");
    alice.expect("invitation.timed_out").await;

    // What was acknowledged stands, what was not is learned or done by repeating it, and all of it once.
    let mut ids = BTreeSet::new();
    for (number, known) in acknowledged.iter().enumerate() {
        let invited = repeated(&mut alice, "invite", &invite(number)).await;
        assert!(known.as_ref().is_none_or(|known| *known == invited), "{invited} was {known:?}");
        let id = invited["invitation_id"].as_str().unwrap().to_owned();
        has(&site.invitation("alice", &id).await, json!({ "state": "active", "version": 1 }));
        assert!(ids.insert(id));
    }
    let mut rung = BTreeSet::new();
    for bob in &mut bobs {
        for offset in 1..=INVITATIONS / INVITEES {
            let ring = bob.expect("invitation.received").await;
            // The connection and the inbox are the same as ever.
            has(&ring, json!({ "epoch": bob.hello["epoch"], "offset": offset }));
            rung.insert(ring["invitation_id"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(rung, ids);
    let [bob, other] = bobs.get_disjoint_mut([0, 1]).unwrap();
    site.nothing_for([&mut alice, &mut dave, bob, other]).await;
}

#[tokio::test]
async fn a_redis_that_was_killed_and_comes_back_with_everything_is_used_again() {
    killed_and_restarted(Duration::from_secs(4)).await;
}

#[tokio::test]
async fn a_redis_that_is_away_for_a_minute_is_used_again_without_a_restart_of_any_node() {
    killed_and_restarted(Duration::from_mins(1)).await;
}

#[tokio::test]
async fn a_redis_that_comes_back_with_nothing_gets_new_inboxes_and_devices_are_told() {
    let mut site = Site::three_nodes(Settings::new().without_rate_limit()).await;
    let mut alice = site.nodes()[0].connect("alice", "phone").await;
    let mut bob = site.nodes()[1].connect("bob", "phone").await;
    let mut idle = site.nodes()[2].connect("idle", "phone").await;
    alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 600 })).await;
    bob.expect("invitation.received").await;

    site.redis().kill();
    site.redis().restart();
    let back = Instant::now();
    for device in [&mut alice, &mut bob, &mut idle] {
        device.may_hear_of_itself();
        let snapshot = device.expect("session.snapshot").await;
        println!("{} was told after {:?}", device.user(), back.elapsed());
        has(&snapshot, json!({ "reset": true, "active": [], "missed": [] }));
        assert_ne!(snapshot["epoch"], device.hello["epoch"], "the inbox is another one");
    }
    // Their nodes are about to say again who is connected: a ring that comes before is not lost.
    let asked = Instant::now();
    let invited = repeated(&mut alice, "invite", &json!({ "invitees": ["bob", "idle"] })).await;
    for device in [&mut bob, &mut idle] {
        has(&device.expect("invitation.received").await, json!({ "invitation_id": invited["invitation_id"] }));
        println!("{} rang after {:?}", device.user(), asked.elapsed());
        assert!(asked.elapsed() <= HEALS_WITHIN, "{} rang after {:?}", device.user(), asked.elapsed());
    }
    bob.ok("accept", json!({ "invitation_id": invited["invitation_id"] })).await;
    for device in [&mut alice, &mut idle] {
        has(&device.expect("invitation.accepted").await, json!({ "invitee": "bob" }));
    }
    site.nothing_for([&mut alice, &mut bob, &mut idle]).await;
    let online = json!({ "invitees": ["bob", "idle"], "online_user_only": true });
    has(&alice.ok("invite", online).await, json!({ "failed": {} }));
}

#[tokio::test]
async fn a_redis_that_is_full_takes_nothing_and_loses_nothing() {
    let mut site = Site::three_nodes(Settings::new().without_rate_limit()).await;
    let mut alice = site.nodes()[0].connect("alice", "phone").await;
    let mut bob = site.nodes()[1].connect("bob", "phone").await;
    let standing = alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 600 })).await;
    let due = alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 2 })).await;
    for _ in 0..2 {
        bob.expect("invitation.received").await;
    }
    assert!(site.redis().ask("CONFIG SET maxmemory 1").starts_with("+OK"));
    let accept = json!({ "invitation_id": standing["invitation_id"], "request_id": "accept-1" });
    let invite = json!({ "invitees": ["bob"], "timeout_s": 600, "request_id": "invite-1" });
    while now_ms() < due["expires_at"].as_u64().unwrap() {
        is_unavailable(&mut bob, "accept", &accept).await;
        is_unavailable(&mut alice, "invite", &invite).await;
        bob.ok("ping", json!({})).await;
    }
    assert!(site.redis().ask("CONFIG SET maxmemory 0").starts_with("+OK"));
    let room_at = now_ms();
    for device in [&mut alice, &mut bob] {
        device.may_hear_of_itself();
        has(&device.expect("invitation.timed_out").await, json!({ "invitation_id": due["invitation_id"] }));
        let late = now_ms() - room_at;
        assert!(late <= FIRES_WITHIN_MS, "late by {late} ms");
    }
    has(&repeated(&mut bob, "accept", &accept).await, json!({ "version": 2 }));
    has(&alice.expect("invitation.accepted").await, json!({ "invitation_id": standing["invitation_id"] }));
    let invited = repeated(&mut alice, "invite", &invite).await;
    has(&bob.expect("invitation.received").await, json!({ "invitation_id": invited["invitation_id"] }));
    site.nothing_for([&mut alice, &mut bob]).await;
}
