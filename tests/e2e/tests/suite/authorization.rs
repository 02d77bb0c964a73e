//! The hook that is asked before an invitation is created: what it is told, what its answers do, and what happens without.

use std::time::{Duration, Instant};

use ringwire_e2e::{Behaviour, Device, Hook, Settings, Site, has, until};
use serde_json::{Value, json};

/// What the hook may take, in all.
const DEADLINE: Duration = Duration::from_secs(1);
/// What a machine that is busy with other tests may take in addition.
const SLACK: Duration = Duration::from_secs(1);

fn answer(body: &Value) -> Behaviour {
    Behaviour::Body(200, body.to_string())
}

async fn site(hook: &Hook) -> Site {
    crate::site(hook.authorizes(Settings::new())).await
}

async fn asked(hook: &mut Hook) -> Value {
    let question = hook.pushed().await;
    assert!(question.id.starts_with("authorize_"), "{}", question.id);
    assert_eq!(question.body["type"], "invitation.authorize");
    question.body["data"].clone()
}

async fn outcomes(site: &Site, outcome: &str) -> f64 {
    site.metric(&format!("ringwire_authorizations_total{{outcome=\"{outcome}\"}}")).await
}

/// Sends an invite that fails because the hook did; what its inviter is told.
async fn not_created(alice: &mut Device, params: Value) -> Value {
    let error = alice.call("invite", params).await.unwrap_err();
    assert_eq!((&error["code"], &error["data"]["name"]), (&json!(5003), &json!("unavailable")), "{error}");
    assert!(error["message"].as_str().unwrap().contains("was not created"), "{error}");
    assert!(error["data"]["retry_after_ms"].as_u64().unwrap() >= 500, "{error}");
    error["data"].clone()
}

#[tokio::test]
async fn the_hook_is_told_what_is_asked_and_what_it_allows_rings() {
    let mut hook = Hook::new().await;
    let site = site(&hook).await;
    site.group("crew", &["alice", "bob", "carol"]).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    hook.then([answer(&json!({ "allow": true }))]);
    let params = json!({
        "invitees": ["bob", "carol", "bob"], "data": "{\"room\":7}", "timeout_s": 40, "kind": 1, "inviter_name": "Alice A.",
        "group_id": "crew", "request_id": "r-1", "push": { "desc": "is calling" },
    });
    let invited = alice.ok("invite", params).await;
    let question = asked(&mut hook).await;
    let told = json!({
        "invitation_id": invited["invitation_id"], "inviter": "alice", "inviter_name": "Alice A.", "device_id": "phone",
        "invitees": ["bob", "carol"], "group_id": "crew", "kind": 1, "data": "{\"room\":7}", "timeout_s": 40,
        "online_user_only": false, "request_id": "r-1",
    });
    assert_eq!(question, told);
    has(&bob.expect("invitation.received").await, json!({ "invitation_id": invited["invitation_id"] }));

    // Silence means yes if it comes with a success.
    for behaviour in [Behaviour::Status(204), Behaviour::Body(200, " \n".to_owned())] {
        hook.then([behaviour]);
        alice.ok("invite", json!({ "invitees": ["bob"] })).await;
        bob.expect("invitation.received").await;
        let told = json!({ "inviter": "alice", "invitees": ["bob"], "data": "", "timeout_s": 30 });
        has(&asked(&mut hook).await, told);
    }
    assert!(outcomes(&site, "allowed").await >= 3.0);
    let mut timed = false;
    for node in site.nodes() {
        let text = node.operator().get("/metrics").await.text;
        timed |= text.contains("ringwire_stage_seconds_count{stage=\"authorize\"}");
    }
    assert!(timed, "no node says how long it took");
}

#[tokio::test]
async fn what_the_hook_denies_is_forbidden_with_its_reason_and_rings_nobody() {
    let mut hook = Hook::new().await;
    let site = site(&hook).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let denial = answer(&json!({ "allow": false, "reason": "no credit" }));
    let (invite, reason) = (json!({ "invitees": ["bob"] }), json!("no credit"));
    hook.always(denial.clone());
    let error = alice.call("invite", invite.clone()).await.unwrap_err();
    assert_eq!(error, json!({ "code": 4011, "message": reason, "data": { "name": "forbidden" } }));
    let problem = site.http("alice").await.post("/v1/invitations", invite.clone()).await.problem(403, "forbidden");
    assert_eq!(problem["detail"], reason);
    // Servers that act for a user are asked about like the user.
    let by_server = json!({ "as": "alice", "invitees": ["bob"], "device_id": "desk" });
    let problem = site.server().await.post("/v1/invitations", by_server).await.problem(403, "forbidden");
    assert_eq!(problem["detail"], reason);
    for device in [json!("phone"), Value::Null, json!("desk")] {
        has(&asked(&mut hook).await, json!({ "inviter": "alice", "device_id": device }));
    }
    for behaviour in
        [Behaviour::Status(403), answer(&json!({ "allow": false })), Behaviour::Body(403, "<p>".to_owned())]
    {
        hook.then([behaviour]);
        let error = alice.call("invite", invite.clone()).await.unwrap_err();
        assert_eq!((&error["code"], &error["message"]), (&json!(4011), &json!("the invitation is not allowed")));
    }
    assert!(outcomes(&site, "denied").await >= 6.0);
    hook.always(Behaviour::Status(204));
    site.nothing_for([&mut alice, &mut bob]).await;
}

#[tokio::test]
async fn a_slow_hook_holds_up_the_invite_for_a_second_and_nothing_else() {
    let hook = Hook::new().await;
    let site = site(&hook).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        ids.push(alice.ok("invite", json!({ "invitees": ["bob"] })).await["invitation_id"].clone());
        bob.expect("invitation.received").await;
    }
    hook.then([Behaviour::Silence]);
    let started = Instant::now();
    let slow = alice.send("invite", json!({ "invitees": ["bob"], "request_id": "slow" })).await;
    bob.ok("accept", json!({ "invitation_id": ids[0] })).await;
    alice.expect("invitation.accepted").await;
    alice.ok("cancel", json!({ "invitation_id": ids[1] })).await;
    bob.expect("invitation.cancelled").await;
    assert!(started.elapsed() < DEADLINE, "others took {:?}", started.elapsed());

    let error = alice.answer(slow).await.unwrap_err();
    let took = started.elapsed();
    assert!((DEADLINE..DEADLINE + SLACK).contains(&took), "it took {took:?}");
    assert_eq!(error["data"]["name"], "unavailable");
    site.nothing_for([&mut bob]).await;
    // It was not created, and a repeat creates it.
    alice.ok("invite", json!({ "invitees": ["bob"], "request_id": "slow" })).await;
    bob.expect("invitation.received").await;
}

#[tokio::test]
async fn what_a_slow_hook_did_not_decide_goes_on_if_the_operator_wants_that() {
    let hook = Hook::new().await;
    let site = crate::site(hook.authorizes(Settings::new()).with("authorization.on_failure", "allow")).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    hook.then([Behaviour::Silence]);
    let started = Instant::now();
    alice.ok("invite", json!({ "invitees": ["bob"] })).await;
    let took = started.elapsed();
    assert!((DEADLINE..DEADLINE + SLACK).contains(&took), "it took {took:?}");
    bob.expect("invitation.received").await;
    assert!(outcomes(&site, "failed").await >= 1.0);
    // What it denies is denied.
    hook.then([Behaviour::Status(403)]);
    alice.refused("invite", json!({ "invitees": ["bob"] }), "forbidden").await;
}

#[tokio::test]
async fn without_the_hook_nothing_is_created_unless_the_operator_wants_that() {
    let hook = Hook::new().await;
    let gone = hook.authorizes(Settings::new()).with("authorization.url", "http://127.0.0.1:9/push");
    for (on_failure, rings) in [("deny", false), ("allow", true)] {
        let site = crate::site(gone.clone().with("authorization.on_failure", on_failure)).await;
        let mut alice = site.connect("alice", "phone").await;
        let mut bob = site.connect("bob", "phone").await;
        // Enough that the hook counts as down.
        for _ in 0..8 {
            if rings {
                alice.ok("invite", json!({ "invitees": ["bob"] })).await;
                bob.expect("invitation.received").await;
            } else {
                not_created(&mut alice, json!({ "invitees": ["bob"] })).await;
            }
        }
        if rings {
            site.nothing_for([&mut alice, &mut bob]).await;
        } else {
            has(&bob.ok("list_active", json!({})).await, json!({ "invitations": [] }));
        }
    }
}

#[tokio::test]
async fn an_answer_that_says_nothing_is_none() {
    let mut hook = Hook::new().await;
    let mut elsewhere = Hook::new().await;
    let site = site(&hook).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    for behaviour in [
        Behaviour::Body(200, "yes".to_owned()),
        answer(&json!({})),
        answer(&json!({ "allow": "true" })),
        Behaviour::Redirect(elsewhere.url.clone()),
        Behaviour::Huge,
        Behaviour::Status(404),
        Behaviour::Body(500, "{\"allow\":true}".to_owned()),
    ] {
        hook.then([behaviour]);
        not_created(&mut alice, json!({ "invitees": ["bob"] })).await;
        asked(&mut hook).await;
    }
    assert!(elsewhere.rest().is_empty(), "redirects are not followed");
    site.nothing_for([&mut alice, &mut bob]).await;
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_without_a_question_whatever_the_hook_says_by_then() {
    let mut hook = Hook::new().await;
    let site = site(&hook).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut pad = site.connect("alice", "pad").await;
    let invite = json!({ "invitees": ["bob"], "request_id": "r-1" });
    hook.then([Behaviour::Status(403), Behaviour::Status(500), Behaviour::Status(200)]);
    // What was denied or not decided is asked about anew.
    alice.refused("invite", invite.clone(), "forbidden").await;
    not_created(&mut pad, invite.clone()).await;
    let invited = alice.ok("invite", invite.clone()).await;
    let mut questions = Vec::new();
    for _ in 0..3 {
        let question = hook.pushed().await;
        assert!(!questions.contains(&question.id), "each question has a name of its own");
        assert_eq!(question.body["data"]["invitation_id"], invited["invitation_id"]);
        questions.push(question.id);
    }
    hook.always(Behaviour::Status(403));
    assert_eq!(alice.ok("invite", invite.clone()).await, invited);
    assert_eq!(pad.ok("invite", invite).await, invited);
    pad.refused("invite", json!({ "invitees": ["carol"], "request_id": "r-1" }), "conflict").await;
    assert!(hook.rest().is_empty(), "it was not asked about repeats");
}

#[tokio::test]
async fn what_breaks_the_rules_or_comes_too_often_is_not_asked_about() {
    let mut hook = Hook::new().await;
    let settings = Settings::new().with("limits.invites_per_second", 1).with("limits.invite_burst", 4);
    let site = crate::site(hook.authorizes(settings)).await;
    let mut alice = site.connect("alice", "phone").await;
    hook.always(Behaviour::Status(403));
    for broken in
        [json!({ "invitees": [] }), json!({ "invitees": ["alice"] }), json!({ "invitees": ["b"], "push": {} })]
    {
        alice.refused("invite", broken, "invalid_params").await;
    }
    assert!(hook.rest().is_empty(), "it was asked about what cannot be");
    // Denied ones count, too.
    let mut denied = 0;
    until("the rate to be used up", async || {
        let error = alice.call("invite", json!({ "invitees": ["bob"] })).await.unwrap_err();
        denied += usize::from(error["data"]["name"] == "forbidden");
        (error["data"]["name"] == "rate_limited").then_some(())
    })
    .await;
    assert_eq!(hook.rest().len(), denied);
}

#[tokio::test]
async fn a_hook_that_is_dead_is_not_waited_for_until_it_works_again() {
    let mut hook = Hook::new().await;
    let site = crate::site(hook.authorizes(Settings::new()).with("authorization.timeout_ms", 200)).await;
    let mut alice = site.connect("alice", "phone").await;
    let mut bob = site.connect("bob", "phone").await;
    hook.always(Behaviour::Silence);
    // Together, so that none of them finds it down already.
    let mut requests = Vec::new();
    for _ in 0..5 {
        requests.push(alice.send("invite", json!({ "invitees": ["bob"] })).await);
    }
    for request in requests {
        assert_eq!(alice.answer(request).await.unwrap_err()["data"]["name"], "unavailable");
    }
    assert_eq!(hook.rest().len(), 5);
    not_created(&mut alice, json!({ "invitees": ["bob"] })).await;
    assert!(hook.rest().is_empty(), "it was asked although it is down");
    assert!(outcomes(&site, "failed").await >= 6.0);

    hook.always(Behaviour::Status(200));
    until("the hook to be asked again", async || alice.call("invite", json!({ "invitees": ["bob"] })).await.ok()).await;
    bob.expect("invitation.received").await;
    alice.ok("invite", json!({ "invitees": ["bob"] })).await;
    bob.expect("invitation.received").await;
}

#[tokio::test]
async fn questions_beyond_those_that_may_be_under_way_fail_at_once() {
    let mut hook = Hook::new().await;
    let site = crate::site(hook.authorizes(Settings::new()).with("authorization.max_in_flight", 1)).await;
    let mut alice = site.connect("alice", "phone").await;
    hook.then([Behaviour::Silence]);
    let slow = alice.send("invite", json!({ "invitees": ["bob"] })).await;
    asked(&mut hook).await;
    let started = Instant::now();
    not_created(&mut alice, json!({ "invitees": ["bob"] })).await;
    assert!(started.elapsed() < DEADLINE / 2, "it took {:?}", started.elapsed());
    assert!(alice.answer(slow).await.is_err());
    assert!(hook.rest().is_empty());
    alice.ok("invite", json!({ "invitees": ["bob"] })).await;
}
