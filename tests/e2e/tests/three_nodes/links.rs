//! The connections between nodes and Redis are cut while rings are under way: every ring arrives, once.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use ringwire_e2e::{Device, Settings, Site, has, within};
use serde_json::{Value, json};

/// Rings under way at once, and how often that happens.
const RINGS: usize = 10;
const ROUNDS: usize = 6;

/// How late a ring may be whose doorbell was lost.
const HEALS_WITHIN: Duration = Duration::from_secs(4);

/// The answer to an invite, which is repeated until it is known, as an SDK does.
async fn answer(alice: &mut Device, request: i64, params: &Value) -> Value {
    let mut answer = alice.answer(request).await;
    within("the invitation to be made", async {
        loop {
            match answer {
                Ok(invited) => return invited["invitation_id"].clone(),
                Err(error) => assert_eq!(error["data"]["name"], "unavailable", "{error}"),
            }
            answer = alice.call("invite", params.clone()).await;
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
    for round in 0..ROUNDS {
        let invite = |number: usize| json!({ "invitees": ["bob"], "timeout_s": 600, "request_id": format!("r-{round}-{number}") });
        let mut requests = Vec::new();
        for number in 0..RINGS {
            requests.push(alice.send("invite", invite(number)).await);
            if number == RINGS / 2 {
                let cut = site.redis().ask(command);
                assert!(!cut.starts_with(":0"), "nothing was cut: {cut}");
            }
        }
        let mut invited = BTreeSet::new();
        for (number, request) in requests.into_iter().enumerate() {
            invited.insert(answer(&mut alice, request, &invite(number)).await.to_string());
        }
        let answered = Instant::now();
        for device in [&mut phone, &mut web] {
            let mut rung = BTreeSet::new();
            for number in 1..=RINGS {
                let ring = device.expect("invitation.received").await;
                // Each once, and none left out.
                has(&ring, json!({ "offset": round * RINGS + number }));
                rung.insert(ring["invitation_id"].to_string());
            }
            slowest = slowest.max(answered.elapsed());
            assert_eq!(rung, invited);
        }
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
