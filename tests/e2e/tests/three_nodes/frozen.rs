//! A node that is frozen for longer than its lease: others go on without it, and it does no harm when it wakes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ringwire_e2e::story::now_ms;
use ringwire_e2e::{Device, Settings, Site, audit, has, until};
use serde_json::{Value, json};

/// How long users of a node that fell silent may be taken for connected: its lease, and a second to see that it ended.
/// The half second is for a loaded machine.
const OFFLINE_WITHIN: Duration = Duration::from_millis(6_000 + 500);

/// How late a deadline may be whose timer sleeps with its node.
const TIMER_LATE_MS: u64 = 1_500;

/// Between two looks at who is connected.
const POLL: Duration = Duration::from_millis(200);

/// How long the node sleeps: its lease is five seconds.
const ASLEEP: Duration = Duration::from_secs(7);

/// Whether an invitation that only rings who is connected reaches a user.
async fn is_online(inviter: &mut Device, user: &str) -> bool {
    let invited = inviter.ok("invite", json!({ "invitees": [user], "online_user_only": true, "timeout_s": 1 })).await;
    invited["failed"][user] != "offline"
}

async fn resume(site: &Site, node: usize, before: &Device) -> (Device, Vec<Value>) {
    let node = &site.nodes()[node];
    let mut device = Device::open(&node.url(), None).await;
    device.resume(&node.token(before.user(), None).await, "phone", &before.hello).await;
    let missed = device.backlog(before.hello["offset"].as_u64().unwrap()).await;
    (device, missed)
}

#[tokio::test]
async fn a_node_that_was_frozen_wakes_into_a_cluster_that_went_on() {
    let site = Site::three_nodes(Settings::new().without_rate_limit()).await;
    let frozen = &site.nodes()[0];
    let mut alice_before = frozen.connect("alice", "phone").await;
    let mut bob_before = frozen.connect("bob", "phone").await;
    let mut dave = frozen.connect("dave", "phone").await;
    let erin = frozen.connect("erin", "phone").await;
    let mut carol = site.nodes()[1].connect("carol", "phone").await;
    let mut observer = site.nodes()[2].connect("observer", "phone").await;
    assert!(is_online(&mut observer, "erin").await);

    // Its timers sleep with it: one is due while it sleeps, one after it wakes.
    let invite = |timeout_s: u64| json!({ "invitees": ["bob"], "timeout_s": timeout_s });
    let due_asleep = alice_before.ok("invite", invite(3)).await;
    let due_awake = alice_before.ok("invite", invite(12)).await;
    let answered = alice_before.ok("invite", invite(600)).await;
    for _ in 0..3 {
        bob_before.expect("invitation.received").await;
    }
    let asleep = Instant::now();
    frozen.freeze(true);
    // Asked of a node that sleeps: what it does with that when it wakes comes too late.
    let cancelling = alice_before.send("cancel", json!({ "invitation_id": answered["invitation_id"] })).await;

    let (mut alice, missed) = resume(&site, 1, &alice_before).await;
    assert!(missed.len() == 3 && missed.iter().all(|event| event["type"] == "invitation.sent"), "{missed:?}");
    let (mut bob, missed) = resume(&site, 2, &bob_before).await;
    assert!(missed.len() == 3 && missed.iter().all(|event| event["type"] == "invitation.received"), "{missed:?}");
    bob.ok("accept", json!({ "invitation_id": answered["invitation_id"] })).await;
    has(&alice.expect("invitation.accepted").await, json!({ "invitation_id": answered["invitation_id"] }));
    for device in [&mut alice, &mut bob] {
        let ended = device.expect("invitation.timed_out").await;
        has(&ended, json!({ "invitation_id": due_asleep["invitation_id"] }));
        let late = now_ms().saturating_sub(due_asleep["expires_at"].as_u64().unwrap());
        println!("the timeout came {late} ms late");
        assert!(late <= TIMER_LATE_MS, "late by {late} ms");
    }

    // Erin and dave stay where they are, and nobody takes them for connected.
    while is_online(&mut observer, "erin").await {
        assert!(asleep.elapsed() <= OFFLINE_WITHIN, "erin was connected after {:?}", asleep.elapsed());
        tokio::time::sleep(POLL).await;
    }
    println!("erin was offline after {:?}", asleep.elapsed());
    let missed = carol.ok("invite", json!({ "invitees": ["dave"], "timeout_s": 600, "data": "are you there?" })).await;

    tokio::time::sleep(ASLEEP.saturating_sub(asleep.elapsed())).await;
    dave.may_hear_of_itself();
    frozen.freeze(false);
    // What it was asked while it slept does no harm, and who went elsewhere is closed.
    if let Some(answer) = alice_before.answer_or_end(cancelling).await {
        let error = answer.unwrap_err();
        assert!(error["data"]["name"] == "already_settled" || error["data"]["name"] == "unavailable", "{error}");
    }
    for mut device in [alice_before, bob_before] {
        assert_eq!(device.closed().await, (4100, "replaced".to_owned()));
    }
    // Who stayed is connected again, and gets what came meanwhile.
    has(&dave.expect("invitation.received").await, json!({ "data": "are you there?" }));
    dave.ok("accept", json!({ "invitation_id": missed["invitation_id"] })).await;
    carol.expect("invitation.accepted").await;
    until("erin to be online", async || {
        tokio::time::sleep(POLL).await;
        is_online(&mut observer, "erin").await.then_some(())
    })
    .await;

    for device in [&mut alice, &mut bob] {
        let ended = device.expect("invitation.timed_out").await;
        has(&ended, json!({ "invitation_id": due_awake["invitation_id"] }));
    }
    site.nothing_for([&mut alice, &mut bob, &mut carol, &mut dave]).await;
    let mut ended = BTreeMap::new();
    for device in [&alice, &bob, &carol, &dave] {
        let inbox = site.node().inbox(device.user(), device.hello["epoch"].as_str().unwrap()).await;
        for (who, outcome) in audit::endings(device.user(), &inbox) {
            let known = ended.insert(who.clone(), outcome);
            assert!(known.is_none_or(|known| known == outcome), "{who:?} ended as {known:?} and {outcome}");
        }
    }
    drop(erin);
    for (one, inviter, state) in [
        (due_asleep, "alice", "timed_out"),
        (due_awake, "alice", "timed_out"),
        (answered, "alice", "accepted"),
        (missed, "carol", "accepted"),
    ] {
        let seen = site.invitation(inviter, one["invitation_id"].as_str().unwrap()).await;
        has(&seen["invitees"][0], json!({ "state": state }));
    }
}
