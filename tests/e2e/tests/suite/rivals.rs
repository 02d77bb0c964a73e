//! Races between devices of one user, and between an answer and the clock.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ringwire_e2e::{Device, Settings, has};
use serde_json::{Value, json};
use tokio::task::JoinSet;

const ROUNDS: usize = 40;
const BATCH: usize = 50;

async fn send_all(device: &mut Device, method: &str, all: &[Value]) -> Vec<i64> {
    let mut requests = Vec::with_capacity(all.len());
    for params in all {
        requests.push(device.send(method, params.clone()).await);
    }
    requests
}

async fn answers(device: &mut Device, requests: Vec<i64>) -> Vec<Result<Value, Value>> {
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        answers.push(device.answer(request).await);
    }
    answers
}

async fn invite_all(device: &mut Device, invite: &Value) -> Vec<Value> {
    let requests = send_all(device, "invite", &vec![invite.clone(); BATCH]).await;
    answers(device, requests).await.into_iter().map(Result::unwrap).collect()
}

fn about(invited: &[Value]) -> Vec<Value> {
    invited.iter().map(|one| json!({ "invitation_id": one["invitation_id"] })).collect()
}

#[tokio::test]
async fn of_two_devices_that_answer_at_once_one_wins_and_the_other_is_told_which() {
    let site = crate::site(Settings::new().without_rate_limit()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut phone = site.connect("bob", "phone").await;
    let mut web = site.connect("bob", "web").await;
    let mut wins = 0;
    for _ in 0..ROUNDS {
        let all = about(&invite_all(&mut alice, &json!({ "invitees": ["bob"] })).await);
        let (phones, webs) = tokio::join!(send_all(&mut phone, "accept", &all), send_all(&mut web, "reject", &all));
        let (phones, webs) = tokio::join!(answers(&mut phone, phones), answers(&mut web, webs));
        // The order among invitations is nobody's promise.
        let mut told = BTreeMap::new();
        for _ in 0..BATCH {
            let event = alice.event().await;
            assert!(told.insert(event["invitation_id"].to_string(), event.clone()).is_none(), "twice: {event}");
        }
        for ((one, accepted), rejected) in all.iter().zip(&phones).zip(&webs) {
            let (error, state, device) = match (accepted, rejected) {
                (Ok(_), Err(error)) => (error, "accepted", "phone"),
                (Err(error), Ok(_)) => (error, "rejected", "web"),
                both => panic!("exactly one wins: {both:?}"),
            };
            has(&error["data"], json!({ "name": "already_settled", "state": state, "device_id": device }));
            let wanted = json!({ "type": format!("invitation.{state}"), "device_id": device });
            has(&told[&one["invitation_id"].to_string()], wanted);
        }
        wins += phones.iter().filter(|answer| answer.is_ok()).count();
        // The loser's device hears of the winner's; both rang.
        for (device, answers) in [(&mut phone, &phones), (&mut web, &webs)] {
            let lost = answers.iter().filter(|answer| answer.is_err()).count();
            let mut elsewhere = 0;
            for _ in 0..BATCH + lost {
                elsewhere += usize::from(device.event().await["type"] == "invitation.answered_elsewhere");
            }
            assert_eq!(elsewhere, lost);
        }
    }
    assert!(wins > 0 && wins < ROUNDS * BATCH, "no race: the phone won {wins} times");
    site.nothing_for([&mut alice, &mut phone, &mut web]).await;
}

#[tokio::test]
async fn the_same_request_from_two_devices_at_once_invites_once() {
    let site = crate::site(Settings::new().without_rate_limit()).await;
    let mut phone = site.connect("alice", "phone").await;
    let mut desk = site.connect("alice", "desk").await;
    let mut bob = site.connect("bob", "phone").await;
    for round in 0..4 {
        let all: Vec<Value> = (0..BATCH)
            .map(|number| json!({ "invitees": ["bob"], "request_id": format!("r-{round}-{number}") }))
            .collect();
        let (phones, desks) = tokio::join!(send_all(&mut phone, "invite", &all), send_all(&mut desk, "invite", &all));
        let (phones, desks) = tokio::join!(answers(&mut phone, phones), answers(&mut desk, desks));
        assert_eq!(phones, desks);
        let invited: Vec<Value> = phones.into_iter().map(Result::unwrap).collect();
        let mut rung: Vec<String> = Vec::new();
        for _ in 0..BATCH {
            rung.push(bob.expect("invitation.received").await["invitation_id"].as_str().unwrap().to_owned());
        }
        let mut wanted: Vec<String> =
            invited.iter().map(|one| one["invitation_id"].as_str().unwrap().to_owned()).collect();
        rung.sort();
        wanted.sort();
        assert_eq!(rung, wanted);
        let cancelling = send_all(&mut phone, "cancel", &about(&invited)).await;
        answers(&mut phone, cancelling).await.into_iter().for_each(|answer| drop(answer.unwrap()));
        for _ in 0..BATCH {
            bob.expect("invitation.cancelled").await;
        }
    }
    site.nothing_for([&mut bob]).await;
}

#[tokio::test]
async fn an_answer_at_the_deadline_wins_or_loses_but_not_both() {
    let site = crate::site(Settings::new().without_rate_limit()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let invited = invite_all(&mut alice, &json!({ "invitees": ["bob"], "timeout_s": 1 })).await;
    for _ in 0..BATCH {
        bob.expect("invitation.received").await;
    }
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let middle = invited[BATCH / 2]["expires_at"].as_u64().unwrap();
    tokio::time::sleep(Duration::from_millis(middle.saturating_sub(now))).await;
    let requests = send_all(&mut bob, "accept", &about(&invited)).await;
    for (one, answer) in invited.iter().zip(answers(&mut bob, requests).await) {
        let state = match answer {
            Ok(_) => "accepted",
            Err(error) => {
                has(&error["data"], json!({ "name": "already_settled", "state": "timed_out" }));
                "timed_out"
            }
        };
        let seen = site.invitation("alice", one["invitation_id"].as_str().unwrap()).await;
        has(&seen, json!({ "version": 2, "state": "settled" }));
        has(&seen["invitees"][0], json!({ "state": state }));
    }
    for _ in 0..BATCH {
        alice.event().await;
    }
    site.nothing_for([&mut alice]).await;
}

#[tokio::test]
async fn of_many_connections_of_one_device_one_is_left() {
    const CONNECTIONS: usize = 20;
    let site = crate::site(Settings::new().without_rate_limit()).await;
    let token = site.token("bob", None).await;
    let mut connecting = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (url, token) = (site.url(), token.clone());
        connecting.spawn(async move {
            let mut device = Device::open(&url, None).await;
            device.ok("hello", json!({ "token": token, "device_id": "phone" })).await;
            device
        });
    }
    let devices = connecting.join_all().await;
    let mut alice = site.connect("alice", "phone").await;
    alice.ok("invite", json!({ "invitees": ["bob"] })).await;
    let mut left = 0;
    for mut device in devices {
        // A snapshot comes first, unless it was replaced before.
        let mut event = device.event().await;
        if event["type"] == "session.snapshot" {
            event = device.event().await;
        }
        match event["type"].as_str().unwrap() {
            "invitation.received" => left += 1,
            _ => {
                has(&event, json!({ "type": "session.closing", "reason": "replaced" }));
                assert_eq!(device.closed().await.0, 4100);
            }
        }
    }
    assert_eq!(left, 1);
}

#[tokio::test]
async fn what_one_device_asks_in_one_breath_is_judged_in_its_order() {
    let site = crate::site(Settings::new().without_rate_limit()).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    for _ in 0..20 {
        let id = alice.ok("invite", json!({ "invitees": ["bob"], "data": "0" })).await["invitation_id"].clone();
        bob.expect("invitation.received").await;
        let mut modified = Vec::new();
        for number in 1..=5 {
            let modify = json!({ "invitation_id": id, "data": number.to_string(), "version": number });
            modified.push(alice.send("modify", modify).await);
        }
        for (request, version) in modified.into_iter().zip(2..) {
            has(&alice.answer(request).await.unwrap(), json!({ "version": version }));
        }
        for number in 1..=5 {
            has(&bob.expect("invitation.modified").await, json!({ "data": number.to_string() }));
        }
        let accept = json!({ "invitation_id": id, "request_id": "once" });
        let first = bob.send("accept", accept.clone()).await;
        let again = bob.send("accept", accept).await;
        let reject = bob.send("reject", json!({ "invitation_id": id })).await;
        let accepted = bob.answer(first).await.unwrap();
        has(&accepted, json!({ "version": 7 }));
        assert_eq!(bob.answer(again).await.unwrap(), accepted);
        let refused = bob.answer(reject).await.unwrap_err();
        has(&refused["data"], json!({ "name": "already_settled", "state": "accepted" }));
        has(&alice.expect("invitation.accepted").await, json!({ "version": 7, "data": "" }));
    }
    site.nothing_for([&mut alice, &mut bob]).await;
}
