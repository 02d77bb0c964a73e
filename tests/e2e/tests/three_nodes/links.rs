//! The connections between nodes and Redis are cut while rings are under way: every ring arrives, once.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use ringwire_e2e::{Device, Settings, Site, has, within};
use serde_json::{Value, json};

/// Rings in each test.
const RINGS: usize = 60;

/// After so many rings the connections are cut again.
const RINGS_PER_CUT: usize = 10;

/// How late a ring may be whose doorbell was lost.
const HEALS_WITHIN: Duration = Duration::from_secs(4);

/// Invites until the answer is known, as an SDK does.
async fn invite(alice: &mut Device, number: usize) -> Value {
    let params = json!({ "invitees": ["bob"], "timeout_s": 600, "request_id": format!("r-{number}") });
    within("the invitation to be made", async {
        loop {
            match alice.call("invite", params.clone()).await {
                Ok(invited) => return invited,
                Err(error) => assert_eq!(error["data"]["name"], "unavailable", "{error}"),
            }
        }
    })
    .await
}

/// Rings again and again while connections are cut by this command.
async fn rings_while_cut_by(command: &str) {
    let mut site = Site::three_nodes(Settings::new().without_rate_limit()).await;
    let mut alice = site.nodes()[0].connect("alice", "phone").await;
    let mut phone = site.nodes()[1].connect("bob", "phone").await;
    let mut web = site.nodes()[2].connect("bob", "web").await;
    alice.may_hear_of_itself();
    let mut slowest = Duration::ZERO;
    let mut rung = BTreeSet::new();
    for number in 0..RINGS {
        if number % RINGS_PER_CUT == RINGS_PER_CUT / 2 {
            let cut = site.redis().ask(command);
            assert!(!cut.starts_with(":0"), "nothing was cut: {cut}");
        }
        let invited = invite(&mut alice, number).await;
        let answered = Instant::now();
        for device in [&mut phone, &mut web] {
            let ring = device.expect("invitation.received").await;
            slowest = slowest.max(answered.elapsed());
            has(&ring, json!({ "invitation_id": invited["invitation_id"], "offset": number + 1 }));
        }
        assert!(rung.insert(invited["invitation_id"].to_string()));
    }
    println!("the slowest ring took {slowest:?} after {command}");
    assert!(slowest <= HEALS_WITHIN, "the slowest ring took {slowest:?}");
}

#[tokio::test]
async fn every_ring_arrives_while_data_links_are_cut() {
    rings_while_cut_by("CLIENT KILL TYPE normal").await;
}

#[tokio::test]
async fn every_ring_arrives_while_subscriptions_are_cut() {
    rings_while_cut_by("CLIENT KILL TYPE pubsub").await;
}

#[tokio::test]
async fn a_redis_that_forgot_the_scripts_is_given_them_again() {
    let mut site = Site::three_nodes(Settings::new().without_rate_limit()).await;
    let mut alice = site.nodes()[0].connect("alice", "phone").await;
    let mut bob = site.nodes()[1].connect("bob", "phone").await;
    for _ in 0..3 {
        assert!(site.redis().ask("SCRIPT FLUSH").starts_with("+OK"));
        let invited = alice.ok("invite", json!({ "invitees": ["bob"] })).await;
        bob.expect("invitation.received").await;
        assert!(site.redis().ask("SCRIPT FLUSH").starts_with("+OK"));
        bob.ok("accept", json!({ "invitation_id": invited["invitation_id"] })).await;
        alice.expect("invitation.accepted").await;
        assert!(site.redis().ask("SCRIPT FLUSH").starts_with("+OK"));
        site.connect("carol", "phone").await.close().await;
        site.nothing_for([&mut alice, &mut bob]).await;
    }
}
