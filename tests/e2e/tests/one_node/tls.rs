//! TLS of the node's own listeners, without a proxy: who gets in, and what happens when the certificate is replaced.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use ringwire_client::raw::Raw;
use ringwire_client::{Client, ClientError};
use ringwire_e2e::tls::{Certificate, CertificateFiles, authority, shown_at};
use ringwire_e2e::{Device, Exit, Http, Node, Settings, has, until, within};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than a test: files are looked at only when somebody asks.
const NEVER: u64 = 3_600;

const REFUSED: &str = "the certificate cannot be replaced";

async fn node(files: &CertificateFiles, reload_s: u64) -> Node {
    Node::start(files.of(Settings::new()).with("tls.reload_s", reload_s)).await
}

async fn reloads(node: &Node, listener: &str, outcome: &str) -> f64 {
    node.metric(&format!("ringwire_tls_reloads_total{{listener=\"{listener}\",outcome=\"{outcome}\"}}")).await
}

async fn expires_at(node: &Node, listener: &str) -> f64 {
    node.metric(&format!("ringwire_tls_certificate_expiry_seconds{{listener=\"{listener}\"}}")).await
}

/// Waits until both listeners show this one.
async fn is_shown(node: &Node, certificate: Certificate) {
    for listener in [node.public(), node.admin()] {
        until("the certificate", async || (shown_at(listener).await == certificate).then_some(())).await;
    }
}

/// Shows that two connections carry events.
async fn ring(alice: &mut Device, bob: &mut Device) {
    let id = alice.ok("invite", json!({ "invitees": ["bob"] })).await["invitation_id"].clone();
    has(&bob.expect("invitation.received").await, json!({ "invitation_id": id }));
    bob.ok("accept", json!({ "invitation_id": id })).await;
    alice.expect("invitation.accepted").await;
}

/// What a connection is sent until it ends, after this was written to it.
async fn answer(node: std::net::SocketAddr, written: &[u8]) -> Vec<u8> {
    within("the end of the connection", async {
        let mut stream = TcpStream::connect(node).await.unwrap();
        stream.write_all(written).await.unwrap();
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer).await {
            Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
            Ok(_) | Err(_) => answer,
        }
    })
    .await
}

#[tokio::test]
async fn websocket_and_http_work_over_tls_on_both_listeners() {
    let files = CertificateFiles::new();
    let node = node(&files, NEVER).await;
    assert!(node.url().starts_with("wss://"));
    let mut alice = node.connect("alice", "phone").await;
    let mut bob = node.connect("bob", "phone").await;
    ring(&mut alice, &mut bob).await;
    let _ = node.http("alice").await.get("/v1/invitations").await.expect(200);
    assert!(node.is_ready().await);
    for listener in ["public", "admin"] {
        assert!((expires_at(&node, listener).await - Certificate::First.expires_at()).abs() < 0.5);
    }

    let token = node.token("carol", None).await;
    let client = Client::builder(node.url()).token(token).device_id("phone");
    let stranger = client.clone().connect().await;
    assert!(matches!(stranger, Err(ClientError::Closed(_))), "a client that does not know the authority went on");
    let (client, _events) = client.root_certificates(authority()).connect().await.unwrap();
    client.close().await;
}

#[tokio::test]
async fn limits_count_the_address_under_tls_and_what_a_trusted_proxy_says() {
    let files = CertificateFiles::new();
    let settings = Settings::new()
        .with("limits.connections_per_ip", 1)
        .with("limits.handshakes_per_second_per_ip", 1)
        .with("limits.handshake_burst_per_ip", 2)
        .with("http.trusted_proxies", "127.0.0.1");
    let node = Node::start(files.of(settings)).await;
    let _alice = node.connect("alice", "phone").await;
    let refused = Raw::connect_trusting(&authority(), &node.url(), None).await;
    assert!(matches!(refused, Err(ClientError::Server(error)) if error.data.name == "rate_limited"));
    // A handshake that is none counts as one.
    let knock = async |client: &str| {
        let http = Http::secured(node.public()).with_header("X-Forwarded-For", client);
        http.get("/v1/connect").await.status
    };
    until("the limit", async || (knock("198.51.100.1").await == 429).then_some(())).await;
    assert_eq!(knock("198.51.100.2").await, 400);
}

#[tokio::test]
async fn plain_http_at_a_listener_with_tls_is_cut_and_harms_nobody() {
    let files = CertificateFiles::new();
    let node = node(&files, NEVER).await;
    let mut alice = node.connect("alice", "phone").await;
    for listener in [node.public(), node.admin()] {
        let answer = answer(listener, b"GET /v1/connect HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        // At most an alert, which is a record of type 21.
        assert!(answer.first().is_none_or(|kind| *kind == 21), "{answer:?}");
    }
    node.nothing_for([&mut alice]).await;
}

#[tokio::test]
async fn a_client_that_goes_silent_in_its_handshake_is_cut() {
    let files = CertificateFiles::new();
    let node = node(&files, NEVER).await;
    let started = Instant::now();
    // The head of a record that announces a hello of 512 bytes.
    let silent = async |listener| answer(listener, &[22, 3, 1, 2, 0]).await;
    let served = async {
        let mut alice = node.connect("alice", "phone").await;
        let mut bob = node.connect("bob", "phone").await;
        ring(&mut alice, &mut bob).await;
    };
    tokio::join!(silent(node.public()), silent(node.admin()), served);
    assert!(started.elapsed() >= Duration::from_secs(4), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_certificate_that_is_replaced_is_shown_to_new_connections_while_others_go_on() {
    let files = CertificateFiles::new();
    let node = node(&files, 1).await;
    let mut alice = node.connect("alice", "phone").await;
    let mut bob = node.connect("bob", "phone").await;
    is_shown(&node, Certificate::First).await;
    files.replace(Certificate::Second, Certificate::Second);
    is_shown(&node, Certificate::Second).await;
    ring(&mut alice, &mut bob).await;
    for listener in ["public", "admin"] {
        until("the count", async || (reloads(&node, listener, "ok").await > 0.5).then_some(())).await;
        assert!((expires_at(&node, listener).await - Certificate::Second.expires_at()).abs() < 0.5);
        assert!(reloads(&node, listener, "failed").await < 0.5);
    }
}

#[tokio::test]
async fn a_hangup_reads_the_certificate_again_at_once() {
    let files = CertificateFiles::new();
    let mut node = node(&files, NEVER).await;
    let mut alice = node.connect("alice", "phone").await;
    files.replace(Certificate::Second, Certificate::Second);
    node.process().hang_up();
    is_shown(&node, Certificate::Second).await;
    node.nothing_for([&mut alice]).await;
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_refused_and_counted_and_the_old_one_stays() {
    let files = CertificateFiles::new();
    let node = node(&files, 1).await;
    node.log().forgive(REFUSED);
    let mut alice = node.connect("alice", "phone").await;
    files.replace(Certificate::Second, Certificate::First);
    for listener in ["public", "admin"] {
        until("the refusal", async || (reloads(&node, listener, "failed").await > 0.5).then_some(())).await;
    }
    let line = node.log().find("the reason", |line| line.text.contains(REFUSED)).await.unwrap();
    let problem = line.fields["problem"].as_str().unwrap();
    assert!(problem.contains("node.key: is not the key of"), "{problem}");
    is_shown(&node, Certificate::First).await;
    node.nothing_for([&mut alice]).await;
    files.replace(Certificate::Second, Certificate::Second);
    is_shown(&node, Certificate::Second).await;
}

#[tokio::test]
async fn a_node_does_not_start_with_a_key_that_is_not_the_certificates() {
    let files = CertificateFiles::new();
    files.replace(Certificate::First, Certificate::Second);
    for command in ["serve", "check-config"] {
        let directory = tempfile::tempdir().unwrap();
        let exit = Exit::of(&files.of(Settings::new()).on(directory.path()), &[command]).await;
        assert_eq!(exit.code, Some(1), "{}", exit.log);
        assert!(exit.log.contains("http.cert_file: ") && exit.log.contains("is not the key of"), "{}", exit.log);
    }
}
