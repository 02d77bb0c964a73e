//! What a store looks at before it begins, and what it leaves behind.

use std::sync::Arc;

use ringwire_test_redis::{Server, tls_file};

use super::fixtures::Node;
use crate::clock::Clock;
use crate::conformance::Recorder;
use crate::conformance::driver::{Driver, accept, cancel, invite, invite_in_group, signal};
use crate::error::OpenError;
use crate::redis_store::{RedisStore, Settings, Tls};

fn refusal(settings: &Settings) -> String {
    let opened = RedisStore::open(settings, Arc::new(Clock::real()), Arc::new(Recorder::default()));
    match opened {
        Err(OpenError::Server { address, reason }) => format!("{address}: {reason}"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was opened"),
    }
}

#[test]
fn data_of_another_layout_is_refused_and_left() {
    let server = Server::start();
    server.ask("SET rw:schema \"2 64\"");
    let message = refusal(&Settings::new(&server.url()));
    assert!(message.contains("\"2 64\"") && message.contains("\"2 256\""), "{message}");
    assert!(server.ask("GET rw:schema").contains("2 64"));
    assert!(server.ask("DBSIZE").starts_with(":1\r\n"));
}

#[test]
fn another_prefix_is_another_cluster() {
    let server = Server::start();
    server.ask("SET rw:schema \"2 64\"");
    let settings = Settings { prefix: "other:".to_owned(), ..Settings::new(&server.url()) };
    RedisStore::open(&settings, Arc::new(Clock::real()), Arc::new(Recorder::default())).unwrap();
}

#[test]
fn a_server_that_is_not_there_is_named_without_the_password() {
    let mut server = Server::start();
    let url = server.url().replace("redis://", "redis://user:secret@");
    server.kill();
    let message = refusal(&Settings::new(&url));
    assert!(message.contains("127.0.0.1") && !message.contains("secret"), "{message}");
}

#[test]
fn a_prefix_with_braces_and_a_url_of_something_else_are_refused() {
    let server = Server::start();
    let settings = Settings { prefix: "a{b}".to_owned(), ..Settings::new(&server.url()) };
    assert!(refusal(&settings).contains("braces"));
    refusal(&Settings::new("http://localhost"));
}

#[test]
fn tls_needs_an_authority_that_is_trusted_and_the_certificate_that_the_server_asks_for() {
    let server = Server::with_tls();
    let with = |ca: Option<&str>, identity: Option<(&str, &str)>| Settings {
        tls: Tls {
            ca_file: ca.map(tls_file),
            identity: identity.map(|(certificate, key)| (tls_file(certificate), tls_file(key))),
        },
        ..Settings::new(&server.tls_url())
    };
    let own = Some(("client.pem", "client.key"));
    assert!(refusal(&with(None, own)).contains("UnknownIssuer"));
    refusal(&with(Some("ca.pem"), None));
    assert!(refusal(&with(Some("missing.pem"), own)).contains("missing.pem"));
    RedisStore::open(&with(Some("ca.pem"), own), Arc::new(Clock::real()), Arc::new(Recorder::default())).unwrap();
}

/// The rights that docs/operations.md names are enough.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_with_few_rights_is_enough() {
    let server = Server::start();
    let reply = server.ask("ACL SETUSER ringwire on >secret ~rw:* &rw:* +@all -@admin -@dangerous +info +config|get");
    assert!(reply.starts_with("+OK"), "{reply}");
    let node = Node::at(&Settings::new(&server.url().replace("redis://", "redis://ringwire:secret@")));
    let driver = Driver::new(&node.fixture);
    driver.attach("ann", None).await;
    driver.group("team", &["ann", "bob"]).await;
    let created = driver.invite(&invite_in_group("team", "ann", &["bob"])).await;
    driver.act(created.id, &accept("bob")).await;
    super::fixtures::quiet(&node.store).await;
    assert_eq!(node.heard("ann"), 2);
    assert!(server.ask("ACL LOG").starts_with("*0\r\n"), "{}", server.ask("ACL LOG"));
}

/// Nothing stays for ever but groups and the schema.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_expires_but_groups_and_the_schema() {
    let server = Server::start();
    let node = Node::on(&server);
    let driver = Driver::new(&node.fixture);
    driver.group("team", &["ann", "bob", "cid", "dan"]).await;
    driver.attach("eve", None).await;
    let settled = driver.invite(&invite("ann", &["bob", "cid"])).await;
    driver.receipt(settled.id, "bob", "phone").await;
    driver.signal(settled.id, &signal("ann", "hello", Some("r-1"))).await;
    driver.act(settled.id, &accept("bob")).await;
    driver.act(settled.id, &cancel("ann")).await;
    let waiting = driver.invite(&invite_in_group("team", "ann", &["bob"])).await;
    driver.relay_all(waiting.id).await;
    driver.invite(&invite_in_group("team", "bob", &["ann"])).await;
    let mut gone = settled.clone();
    gone.id = driver.id(&super::fixtures::user("ann"));
    let orphan = ringwire_signaling::step::signal(&gone, &signal("ann", "x", Some("r")), driver.now()).unwrap();
    driver.post(gone.id, orphan).await;
    driver.invite(&ringwire_signaling::command::Invite { online_user_only: true, ..invite("ann", &["eve"]) }).await;
    let forever = super::fixtures::keys_without_expiry(&node.store).await;
    let kinds: Vec<&str> = forever.iter().map(|key| key.rsplit(':').nth(1).unwrap_or("")).collect();
    assert_eq!(forever.len(), 2, "{forever:?}");
    assert!(forever.iter().any(|key| key == "rw:schema") && kinds.contains(&"g"), "{forever:?}");
}
