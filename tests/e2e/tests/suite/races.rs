//! Races: cancel against accept, and a crowd that answers at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use ringwire_e2e::audit::ended;
use ringwire_e2e::{Device, Settings, has, within};
use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::{CROWD_ANSWERS_MS, RACES};

/// Races at once: a user can be pending in 64 invitations.
const BATCH: usize = 50;

/// Asks for the same of several invitations at once; whether each succeeded.
async fn ask(device: &mut Device, method: &str, ids: &[Value]) -> Vec<bool> {
    let mut requests = Vec::with_capacity(ids.len());
    for id in ids {
        requests.push(device.send(method, json!({ "invitation_id": id })).await);
    }
    let mut outcomes = Vec::with_capacity(ids.len());
    for request in requests {
        let answer = device.answer(request).await;
        if let Err(error) = &answer {
            assert_eq!(error["data"]["name"], "already_settled", "{method}: {error}");
        }
        outcomes.push(answer.is_ok());
    }
    outcomes
}

/// How a device was told that each invitation ended; it hears of all that it did not end itself.
async fn outcomes(device: &mut Device, count: usize) -> BTreeMap<String, &'static str> {
    let mut outcomes = BTreeMap::new();
    while outcomes.len() < count {
        let event = device.event().await;
        for (_, outcome) in ended(&event) {
            let id = event["invitation_id"].as_str().unwrap().to_owned();
            assert_eq!(outcomes.insert(id, outcome), None, "told twice: {event}");
        }
    }
    outcomes
}

#[tokio::test]
async fn of_cancel_and_accept_exactly_one_wins_every_time() {
    let site = crate::site(Settings::new().without_rate_limit()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let mut web = site.connect("bob", "web").await;
    let mut accepted_in_all = 0;
    for batch in 0..RACES / BATCH {
        let mut requests = Vec::with_capacity(BATCH);
        for _ in 0..BATCH {
            requests.push(alice.send("invite", json!({ "invitees": ["bob"] })).await);
        }
        let mut ids = Vec::with_capacity(BATCH);
        for request in requests {
            ids.push(alice.answer(request).await.unwrap()["invitation_id"].clone());
        }
        for device in [&mut bob, &mut web] {
            for _ in 0..BATCH {
                device.expect("invitation.received").await;
            }
        }
        // Each side is ahead in every other batch.
        let (cancelled, accepted) = if batch % 2 == 0 {
            tokio::join!(ask(&mut alice, "cancel", &ids), ask(&mut bob, "accept", &ids))
        } else {
            let (accepted, cancelled) = tokio::join!(ask(&mut bob, "accept", &ids), ask(&mut alice, "cancel", &ids));
            (cancelled, accepted)
        };
        let mut results: BTreeMap<String, &str> = BTreeMap::new();
        for (at, id) in ids.iter().enumerate() {
            assert_ne!(cancelled[at], accepted[at], "both or neither succeeded for {id}");
            results.insert(id.as_str().unwrap().to_owned(), if accepted[at] { "accepted" } else { "cancelled" });
        }
        let only = |outcome: &str| -> BTreeMap<String, &str> {
            results.iter().filter(|(_, known)| **known == outcome).map(|(id, known)| (id.clone(), *known)).collect()
        };
        let (won, lost) = (only("accepted"), only("cancelled"));
        assert_eq!(outcomes(&mut alice, won.len()).await, won, "alice hears of what she did not do");
        assert_eq!(outcomes(&mut bob, lost.len()).await, lost, "bob hears of what he did not do");
        assert_eq!(outcomes(&mut web, BATCH).await, results, "bob's other device hears of everything");
        let mut requests = Vec::with_capacity(BATCH);
        for id in &ids {
            requests.push(web.send("get", json!({ "invitation_id": id })).await);
        }
        for (id, request) in ids.iter().zip(requests) {
            let seen = web.answer(request).await.unwrap();
            has(&seen, json!({ "invitation_id": id, "state": "settled", "version": 2 }));
            has(&seen["invitees"][0], json!({ "state": results[id.as_str().unwrap()] }));
        }
        accepted_in_all += won.len();
    }
    assert!((RACES / 100..=RACES - RACES / 100).contains(&accepted_in_all), "no race: {accepted_in_all} accepted");
    site.nothing_for([&mut alice, &mut bob, &mut web]).await;
}

#[tokio::test]
async fn a_hundred_invitees_of_a_group_accept_at_once() {
    const CROWD: usize = 100;
    let site = crate::site(Settings::new().without_rate_limit()).await;
    let users: Vec<String> = (0..CROWD).map(|number| format!("user-{number}")).collect();
    let mut members: Vec<&str> = users.iter().map(String::as_str).collect();
    members.extend(["alice", "watcher"]);
    site.group("stadium", &members).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut watcher = site.connect("watcher", "phone").await;
    let mut crowd = Vec::new();
    for user in &users {
        crowd.push(site.connect(user, "phone").await);
    }
    let invited = alice.ok("invite", json!({ "invitees": users, "group_id": "stadium" })).await;
    let id = invited["invitation_id"].clone();

    let mut answers = JoinSet::new();
    let everybody_rings = Arc::new(Barrier::new(CROWD));
    for mut device in crowd {
        let (id, everybody_rings) = (id.clone(), Arc::clone(&everybody_rings));
        answers.spawn(async move {
            device.expect("invitation.received").await;
            everybody_rings.wait().await;
            let sent = Instant::now();
            let accepted = accept(&mut device, &id).await;
            let answered = Instant::now();
            // It hears of all the others, once each.
            let others = outcomes_by_user(&mut device, CROWD - 1).await;
            assert_eq!(others.len(), CROWD - 1);
            (accepted["version"].as_u64().unwrap(), sent, answered)
        });
    }
    let answers = answers.join_all().await;
    let mut versions: Vec<u64> = answers.iter().map(|(version, ..)| *version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (2..=CROWD as u64 + 1).collect::<Vec<_>>());
    let first = answers.iter().map(|(_, sent, _)| *sent).min().unwrap();
    let last = answers.iter().map(|(.., answered)| *answered).max().unwrap();
    let took = last.duration_since(first).as_millis();
    println!("a hundred answered within {took} ms");
    assert!(took <= CROWD_ANSWERS_MS, "it took {took} ms");
    for device in [&mut alice, &mut watcher] {
        let heard = outcomes_by_user(device, CROWD).await;
        assert_eq!(heard.len(), CROWD);
    }
    let seen = site.invitation("watcher", id.as_str().unwrap()).await;
    has(&seen, json!({ "state": "settled", "version": CROWD + 1 }));
}

/// Accepts as an SDK does: while the outcome is not known, because a hundred commits to one
/// invitation take their time, it asks again.
async fn accept(device: &mut Device, id: &Value) -> Value {
    let params = json!({ "invitation_id": id, "request_id": "once" });
    within("the answer to be known", async {
        loop {
            match device.call("accept", params.clone()).await {
                Ok(accepted) => return accepted,
                Err(error) => assert_eq!(error["data"]["name"], "unavailable", "{error}"),
            }
        }
    })
    .await
}

/// The versions in which a device was told that each invitee of one invitation accepted, in order.
async fn outcomes_by_user(device: &mut Device, count: usize) -> BTreeMap<String, u64> {
    let mut accepted = BTreeMap::new();
    let mut last = 0;
    while accepted.len() < count {
        let event = device.event().await;
        if event["type"] == "invitation.accepted" {
            let version = event["version"].as_u64().unwrap();
            assert!(version > last, "{event} came after version {last}");
            last = version;
            let twice = accepted.insert(event["invitee"].as_str().unwrap().to_owned(), version);
            assert_eq!(twice, None, "{event}");
        }
    }
    accepted
}
