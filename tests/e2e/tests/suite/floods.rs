//! Who is turned away before anything of theirs is done: pages of foreign origins.

use ringwire_e2e::{Http, Knock, Settings, has};
use serde_json::json;

const PAGE: &str = "https://app.example";

#[tokio::test]
async fn pages_of_other_origins_are_refused_where_the_operator_lists_some() {
    let site =
        crate::site(Settings::new().with("http.allowed_origins", "https://App.example, http://localhost:3000")).await;
    for allowed in [PAGE, "HTTPS://APP.EXAMPLE", "http://localhost:3000"] {
        let knock = Knock::at(site.public(), &[("Origin", allowed)]).await;
        assert_eq!(knock.status, 101, "{allowed}: {}", knock.body);
    }
    for foreign in ["https://evil.example", "http://app.example", "https://app.example.evil.example", "null"] {
        let knock = Knock::at(site.public(), &[("Origin", foreign)]).await;
        assert_eq!((knock.status, &knock.body["name"]), (403, &json!("forbidden")), "{foreign}");
        let reply = site.http("alice").await.with_header("Origin", foreign).get("/v1/invitations").await;
        assert!(!reply.headers.contains_key("access-control-allow-origin"), "{foreign}");
        let _ = reply.problem(403, "forbidden");
    }
    // Programs are no pages.
    assert_eq!(Knock::at(site.public(), &[]).await.status, 101);
    site.connect("bob", "phone").await.ok("ping", json!({})).await;
    let refused = site.metric("ringwire_limited_total{limit=\"origin\"}").await;
    assert!((refused - 8.0).abs() < 0.5, "{refused}");
}

#[tokio::test]
async fn browsers_of_allowed_origins_can_use_http() {
    let site = crate::site(Settings::new().with("http.allowed_origins", PAGE)).await;
    let page = Http::new(site.public()).with_header("Origin", PAGE);
    let asking = page.clone().with_header("Access-Control-Request-Method", "POST");
    let asking = asking.with_header("Access-Control-Request-Headers", "authorization,idempotency-key");
    let preflight = asking.request("OPTIONS", "/v1/invitations", "").await;
    assert_eq!(preflight.status, 204);
    for (name, value) in [
        ("access-control-allow-origin", PAGE),
        ("access-control-allow-methods", "GET, POST, PUT, DELETE"),
        ("access-control-allow-headers", "authorization, content-type, idempotency-key"),
        ("vary", "origin, access-control-request-method, access-control-request-headers"),
    ] {
        assert_eq!(preflight.headers[name], value);
    }
    let token = site.token("alice", None).await;
    let reply = page.clone().with_token(&token).post("/v1/invitations", json!({ "invitees": ["bob"] })).await;
    assert_eq!(reply.headers["access-control-allow-origin"], PAGE);
    assert_eq!(reply.headers["vary"], "origin");
    has(&reply.expect(201), json!({ "failed": {} }));
    // A page has to be able to read what is wrong.
    let refused = page.get("/v1/invitations").await;
    assert_eq!(refused.headers["access-control-allow-origin"], PAGE);
    let _ = refused.problem(401, "unauthenticated");
    let program = site.http("alice").await.get("/v1/invitations").await;
    assert!(!program.headers.contains_key("access-control-allow-origin"));
    assert_eq!(program.headers["vary"], "origin");
}

#[tokio::test]
async fn without_a_list_every_page_may_connect_and_nothing_is_said_of_origins() {
    let site = crate::site(Settings::new()).await;
    assert_eq!(Knock::at(site.public(), &[("Origin", PAGE)]).await.status, 101);
    let reply = site.http("alice").await.with_header("Origin", PAGE).get("/v1/invitations").await;
    assert!(!reply.headers.contains_key("access-control-allow-origin") && !reply.headers.contains_key("vary"));
    let _ = reply.expect(200);
    let preflight =
        Http::new(site.public()).with_header("Origin", PAGE).request("OPTIONS", "/v1/invitations", "").await;
    let _ = preflight.problem(405, "method_not_found");
}
