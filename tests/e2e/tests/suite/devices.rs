//! Devices that users register for pushes.

use ringwire_e2e::{Settings, has};
use serde_json::{Value, json};

fn ids(listed: &Value) -> Vec<&str> {
    listed["devices"].as_array().unwrap().iter().map(|one| one["device_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_registered_device_is_listed_without_its_tokens_until_it_is_removed() {
    let site = crate::site(Settings::new()).await;
    let mut phone = site.connect("alice", "phone").await;
    let mut web = site.connect("alice", "web").await;
    let mut bob = site.connect("bob", "phone").await;
    assert_eq!(phone.ok("devices", json!({ "action": "list" })).await, json!({ "devices": [] }));

    let tokens = json!({ "apns_voip": "a secret", "apns": "another" });
    let set = json!({ "action": "set", "platform": "ios", "tokens": tokens });
    assert_eq!(phone.ok("devices", set.clone()).await, json!({}));
    // For another device of the same user, as the app of a watch does on the phone.
    let watch = json!({ "action": "set", "device_id": "a watch", "platform": "watchos", "tokens": { "apns": "x" } });
    phone.ok("devices", watch).await;

    let listed = web.ok("devices", json!({ "action": "list" })).await;
    assert_eq!(ids(&listed), ["a watch", "phone"]);
    let entry = &listed["devices"][1];
    has(entry, json!({ "platform": "ios", "providers": ["apns", "apns_voip"] }));
    assert!(entry["set_at"].as_u64().unwrap() > 1_700_000_000_000, "{entry}");
    assert!(!listed.to_string().contains("secret"), "{listed}");
    assert_eq!(bob.ok("devices", json!({ "action": "list" })).await, json!({ "devices": [] }));

    // The same again replaces what was there.
    let other = json!({ "action": "set", "platform": "ipados", "tokens": { "fcm": "t" } });
    phone.ok("devices", other).await;
    let listed = phone.ok("devices", json!({ "action": "list" })).await;
    has(&listed["devices"][1], json!({ "platform": "ipados", "providers": ["fcm"] }));

    let remove = json!({ "action": "remove", "device_id": "a watch" });
    assert_eq!(web.ok("devices", remove.clone()).await, json!({}));
    assert_eq!(web.ok("devices", remove).await, json!({}));
    phone.ok("devices", json!({ "action": "remove" })).await;
    assert_eq!(web.ok("devices", json!({ "action": "list" })).await, json!({ "devices": [] }));
}

#[tokio::test]
async fn a_server_registers_devices_for_its_users() {
    let site = crate::site(Settings::new()).await;
    let (server, alice, bob) = (site.server().await, site.http("alice").await, site.http("bob").await);
    let body = json!({ "platform": "android", "tokens": { "fcm": "t" } });
    assert_eq!(server.put("/v1/devices/a%20phone?as=alice", body.clone()).await.status, 204);
    assert_eq!(alice.put("/v1/devices/web", body.clone()).await.status, 204);
    assert_eq!(ids(&alice.get("/v1/devices").await.expect(200)), ["a phone", "web"]);
    assert_eq!(ids(&server.get("/v1/devices?as=alice").await.expect(200)), ["a phone", "web"]);
    assert_eq!(ids(&bob.get("/v1/devices").await.expect(200)), Vec::<&str>::new());

    let _ = bob.put("/v1/devices/web?as=alice", body.clone()).await.problem(403, "forbidden");
    let _ = bob.get("/v1/devices?as=alice").await.problem(403, "forbidden");
    let _ = bob.delete("/v1/devices/web?as=alice").await.problem(403, "forbidden");
    let named = json!({ "platform": "ios", "tokens": { "fcm": "t" }, "device_id": "pad" });
    assert_eq!(alice.put("/v1/devices/web", named).await.problem(400, "invalid_params")["field"], "device_id");

    assert_eq!(alice.delete("/v1/devices/web").await.status, 204);
    assert_eq!(server.delete("/v1/devices/a%20phone?as=alice").await.status, 204);
    assert_eq!(server.delete("/v1/devices/a%20phone?as=alice").await.status, 204);
    assert_eq!(ids(&alice.get("/v1/devices").await.expect(200)), Vec::<&str>::new());
}

#[tokio::test]
async fn what_is_registered_is_checked() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    let set = |platform: &str, tokens: Value| json!({ "action": "set", "platform": platform, "tokens": tokens });
    alice.ok("devices", set(&"é".repeat(32), json!({ "a-1": "t".repeat(4096), "b": "t", "c": "t", "d": "t" }))).await;
    for (platform, tokens, field) in [
        ("", json!({ "fcm": "t" }), "platform"),
        ("ios", json!({}), "tokens"),
        ("ios", json!({ "FCM": "t" }), "tokens"),
        ("ios", json!({ "fcm": "" }), "tokens"),
        ("ios", json!({ "fcm": "a\nb" }), "tokens"),
        ("ios", json!({ "a": "t", "b": "t", "c": "t", "d": "t", "e": "t" }), "tokens"),
    ] {
        let refused = alice.refused("devices", set(platform, tokens), "invalid_params").await;
        has(&refused, json!({ "field": field }));
    }
    let large = set("ios", json!({ "fcm": "t".repeat(4097) }));
    has(&alice.refused("devices", large, "payload_too_large").await, json!({ "field": "tokens", "limit": 4096 }));
    let listed = alice.ok("devices", json!({ "action": "list" })).await;
    has(&listed["devices"][0], json!({ "providers": ["a-1", "b", "c", "d"] }));
}

#[tokio::test]
async fn a_user_has_at_most_twenty_registered_devices() {
    let site = crate::site(Settings::new()).await;
    let mut alice = site.connect("alice", "phone").await;
    for number in 0..21 {
        let device = format!("device-{number:02}");
        let set = json!({ "action": "set", "device_id": device, "platform": "web", "tokens": { "fcm": "t" } });
        alice.ok("devices", set).await;
    }
    let listed = alice.ok("devices", json!({ "action": "list" })).await;
    assert_eq!((ids(&listed).len(), ids(&listed)[0]), (20, "device-01"));
}
