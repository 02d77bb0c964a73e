//! Offline pushes in the admin API: what waits for targets, and what they did not take.

use std::collections::BTreeSet;

use ringwire_e2e::{Behaviour, Device, Hook, Http, Node, Settings, Site, Targets, has, until};
use serde_json::{Value, json};

const TOKEN: &str = "the-admin-token-of-the-tests-of-this-file";
const LETTERS: &str = "/v1/push/dead_letters";
/// The hook wants nothing of this kind: the push is a dead letter at once.
const GONE: Behaviour = Behaviour::Status(410);

async fn site(targets: &Targets) -> Site {
    crate::site(targets.of(Settings::new().with("admin.token", TOKEN))).await
}

fn operator(node: &Node) -> Http {
    node.operator().with_token(TOKEN)
}

fn text(value: &Value) -> &str {
    value.as_str().expect("it is a text")
}

async fn ring(alice: &mut Device, invitees: &[&str]) -> Value {
    alice.ok("invite", json!({ "invitees": invitees, "timeout_s": 0 })).await["invitation_id"].clone()
}

/// The list of dead letters, once there are so many.
async fn letters(client: &Http, count: usize) -> Vec<Value> {
    until("the dead letters", async || {
        let letters = client.get(LETTERS).await.expect(200)["dead_letters"].as_array()?.clone();
        (letters.len() == count).then_some(letters)
    })
    .await
}

/// The only dead letter, once it is there: its id.
async fn letter(client: &Http, kind: &str) -> String {
    let letter = letters(client, 1).await.remove(0);
    has(&letter, json!({ "type": kind, "attempts": 1, "error": "the target answered 410" }));
    text(&letter["id"]).to_owned()
}

#[tokio::test]
async fn targets_are_shown_with_what_waits_for_them() {
    let hook = Hook::new().await;
    // A port where nobody listens: it was free a moment ago.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{nobody}/push");
    let targets = Targets::new(&[("apns", &format!("{url}?key=a-secret"), &[]), ("fcm", &hook.url, &["android"])]);
    let site = site(&targets).await;
    let seen = operator(site.node()).get("/v1/push/targets").await.expect(200);
    let idle = json!({ "waiting": 0, "in_flight": 0, "state": "up" });
    let apns = json!({ "name": "apns", "url": url, "platforms": [] });
    let fcm = json!({ "name": "fcm", "url": hook.url, "platforms": ["android"] });
    for (target, members) in seen["targets"].as_array().unwrap().iter().zip([apns, fcm]) {
        has(target, members);
        has(target, idle.clone());
        assert!(target.get("next_at").is_none() && target.get("down_for_ms").is_none(), "{target}");
    }

    let mut alice = site.connect("alice", "phone").await;
    let invitees: Vec<String> = (0..12).map(|number| format!("user {number}")).collect();
    alice.ok("invite", json!({ "invitees": invitees })).await;
    // Whichever node asks the target most finds it down first.
    let down = until("a node to find the target down", async || {
        let seen = operator(site.node()).get("/v1/push/targets").await.expect(200);
        assert_eq!(seen["targets"][1]["waiting"], 0, "nobody has such a device");
        (seen["targets"][0]["state"] == "down").then(|| seen["targets"][0].clone())
    })
    .await;
    has(&down, json!({ "name": "apns", "waiting": 12 }));
    assert!(down["down_for_ms"].as_u64().unwrap() > 0 && down["next_at"].is_u64(), "{down}");
}

#[tokio::test]
async fn dead_letters_are_listed_in_pages_read_and_removed() {
    let hook = Hook::new().await;
    hook.always(GONE);
    let targets = Targets::all_to(&hook);
    let site = site(&targets).await;
    let mut alice = site.connect("alice", "phone").await;
    let id = ring(&mut alice, &["bob", "carol", "dan", "erin"]).await;
    let client = operator(site.node());
    let all = letters(&client, 4).await;
    let times: Vec<u64> = all.iter().map(|letter| letter["at"].as_u64().unwrap()).collect();
    assert!(times.is_sorted_by(|one, next| one >= next), "newest first: {times:?}");
    for letter in &all {
        has(letter, json!({ "target": "hook", "type": "push.ring", "invitation_id": id, "attempts": 1 }));
        let path = format!("{LETTERS}/{}", text(&letter["id"]));
        assert_eq!(operator(site.node()).get(&path).await.expect(200), *letter);
    }
    let users: BTreeSet<&str> = all.iter().map(|letter| text(&letter["user"])).collect();
    assert_eq!(users, BTreeSet::from(["bob", "carol", "dan", "erin"]));

    for limit in 1..=3 {
        let (mut found, mut query) = (Vec::new(), format!("{LETTERS}?target=hook&limit={limit}"));
        loop {
            let page = operator(site.node()).get(&query).await.expect(200);
            let letters = page["dead_letters"].as_array().unwrap();
            assert!(!letters.is_empty() && letters.len() <= limit, "{page}");
            found.extend(letters.iter().cloned());
            let Some(cursor) = page["cursor"].as_str() else { break };
            query = format!("{LETTERS}?target=hook&limit={limit}&cursor={cursor}");
        }
        assert_eq!(found, all);
    }
    assert_eq!(client.get(&format!("{LETTERS}?target=other")).await.expect(200), json!({ "dead_letters": [] }));

    let gone = text(&all[1]["id"]);
    assert_eq!(client.delete(&format!("{LETTERS}/{gone}")).await.status, 204);
    let _ = client.delete(&format!("{LETTERS}/{gone}")).await.problem(404, "not_found");
    let left = letters(&operator(site.node()), 3).await;
    assert!(left.iter().all(|letter| letter["id"] != gone), "{left:?}");
}

#[tokio::test]
async fn what_names_no_dead_letter_or_page_is_refused() {
    let hook = Hook::new().await;
    let targets = Targets::all_to(&hook);
    let site = site(&targets).await;
    let node = site.node();
    let client = operator(node);
    let unknown = format!("psh_{}", "0".repeat(32));
    for id in [unknown.as_str(), "psh_0", "nonsense", "%00"] {
        let path = format!("{LETTERS}/{id}");
        let _ = client.get(&path).await.problem(404, "not_found");
        let _ = client.delete(&path).await.problem(404, "not_found");
        let _ = client.post(&format!("{path}/replay"), json!({})).await.problem(404, "not_found");
    }
    let forged = format!("cursor=18446744073709551616.{unknown}");
    for (query, field) in [
        ("cursor=forged", "cursor"),
        ("cursor=", "cursor"),
        ("cursor=17.psh_0", "cursor"),
        (forged.as_str(), "cursor"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("colour=red", "colour"),
        ("as=bob", "as"),
    ] {
        let problem = client.get(&format!("{LETTERS}?{query}")).await.problem(400, "invalid_params");
        assert_eq!(problem["field"], field, "{query}");
    }
    // A place that never was is a place.
    for at in ["0", "18446744073709551615"] {
        let page = client.get(&format!("{LETTERS}?cursor={at}.{unknown}")).await.expect(200);
        assert_eq!(page, json!({ "dead_letters": [] }));
    }
    let many = format!("{LETTERS}/replay");
    for (body, field) in [
        (json!({ "target": "hook" }), "limit"),
        (json!({ "target": "hook", "limit": 0 }), "limit"),
        (json!({ "target": "hook", "limit": 1001 }), "limit"),
        (json!({ "limit": 1 }), "target"),
        (json!({ "target": "unknown", "limit": 1 }), "target"),
        (json!({ "target": "hook", "limit": 1, "reason": "x".repeat(65) }), "reason"),
    ] {
        let problem = client.post(&many, body.clone()).await.problem(400, "invalid_params");
        assert_eq!(problem["field"], field, "{body}");
    }
    for path in ["/v1/push/targets", LETTERS, &format!("{LETTERS}/{unknown}")] {
        let _ = node.operator().get(path).await.problem(401, "unauthenticated");
    }
    let _ = node.operator().post(&many, json!({})).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_replayed_ring_rings_while_it_is_pending_and_is_missed_after_that() {
    let mut hook = Hook::new().await;
    let targets = Targets::all_to(&hook);
    let site = site(&targets).await;
    let node = site.node();
    let client = operator(node);
    let mut alice = site.connect("alice", "phone").await;

    hook.then([GONE]);
    let pending = ring(&mut alice, &["bob"]).await;
    let first = hook.expect("push.ring", "bob").await;
    let id = letter(&client, "push.ring").await;
    assert_eq!(first.id, id);
    let path = format!("{LETTERS}/{id}/replay");
    let replayed = client.post(&path, json!({ "reason": "works again" })).await.expect(200);
    assert_eq!(replayed, json!({ "id": id, "target": "hook", "type": "push.ring" }));
    let again = hook.expect("push.ring", "bob").await;
    assert_eq!(again.id, id);
    assert_eq!(again.body["data"]["invitation_id"], pending);
    let _ = client.post(&path, json!({})).await.problem(404, "not_found");

    hook.then([GONE]);
    alice.ok("cancel", json!({ "invitation_id": pending })).await;
    let first = hook.expect("push.cancel", "bob").await;
    let id = letter(&client, "push.cancel").await;
    let replayed = client.request("POST", &format!("{LETTERS}/{id}/replay"), "").await.expect(200);
    assert_eq!(replayed, json!({ "id": first.id, "target": "hook", "type": "push.cancel" }));
    assert_eq!(hook.expect("push.cancel", "bob").await.id, first.id);

    hook.then([GONE]);
    let over = ring(&mut alice, &["dan"]).await;
    hook.expect("push.ring", "dan").await;
    let id = letter(&client, "push.ring").await;
    alice.ok("cancel", json!({ "invitation_id": over, "data": "too late" })).await;
    hook.expect("push.cancel", "dan").await;
    let replayed = operator(site.node()).post(&format!("{LETTERS}/{id}/replay"), json!({})).await.expect(200);
    has(&replayed, json!({ "target": "hook", "type": "push.missed" }));
    let missed = hook.expect("push.missed", "dan").await;
    assert_eq!(replayed["id"], missed.id);
    assert_ne!(missed.id, id);
    has(&missed.body["data"], json!({ "invitation_id": over, "state": "cancelled", "data": "too late" }));
    assert!(letters(&client, 0).await.is_empty());

    let record = node.log().find("the record", |line| {
        line.fields["operation"] == "POST /v1/push/dead_letters/{id}/replay" && line.fields["outcome"] == "ok"
    });
    let line = record.await.unwrap();
    has(&line.fields, json!({ "subject": again.id, "reason": "works again", "level": "INFO" }));
}

#[tokio::test]
async fn the_newest_letters_of_a_target_are_replayed_together() {
    let mut hook = Hook::new().await;
    let targets = Targets::all_to(&hook);
    let site = site(&targets).await;
    let client = operator(site.node());
    let mut alice = site.connect("alice", "phone").await;
    let mut oldest = None;
    for (count, user) in ["bob", "carol", "dan"].into_iter().enumerate() {
        hook.then([GONE]);
        ring(&mut alice, &[user]).await;
        hook.expect("push.ring", user).await;
        let newest = letters(&client, count + 1).await.remove(0);
        oldest.get_or_insert(newest);
    }
    let many = format!("{LETTERS}/replay");
    let outcome =
        client.post(&many, json!({ "target": "hook", "limit": 2, "reason": "works again" })).await.expect(200);
    assert_eq!(outcome, json!({ "replayed": 2, "left": 0, "more": true }));
    let rung = [hook.pushed().await, hook.pushed().await].map(|pushed| text(&pushed.body["data"]["user"]).to_owned());
    assert_eq!(BTreeSet::from(rung), BTreeSet::from(["carol".to_owned(), "dan".to_owned()]));
    assert_eq!(letters(&client, 1).await.first(), oldest.as_ref());
    for replayed in [1, 0] {
        let outcome = client.post(&many, json!({ "target": "hook", "limit": 1000 })).await.expect(200);
        assert_eq!(outcome, json!({ "replayed": replayed, "left": 0, "more": false }));
    }
    hook.expect("push.ring", "bob").await;
}
