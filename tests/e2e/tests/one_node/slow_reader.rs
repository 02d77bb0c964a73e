//! A client that stops reading is cut, and nobody else notices.

use std::time::{Duration, Instant};

use ringwire_e2e::tls::CertificateFiles;
use ringwire_e2e::{Device, Mute, Node, Settings, has, until};
use serde_json::{Value, json};

/// Signals of 12 KiB in one go.
const BURST: usize = 50;

/// How much a node may grow for it: its queue of 1 MiB, the store's cache, and what the allocator holds in huge pages,
/// which differs by more than ten mebibytes from run to run.
const GROWN_KIB: u64 = 32 * 1024;

/// Sends bursts of large signals, all of which the attentive device gets.
async fn flood(from: &mut Device, to: &mut Device, id: &Value, bursts: usize) {
    let data = "x".repeat(12 * 1024 - 8);
    for burst in 0..bursts {
        let mut requests = Vec::with_capacity(BURST);
        let text = |number: usize| format!("{:>8}{data}", burst * BURST + number);
        for number in 0..BURST {
            let signal = json!({ "invitation_id": id, "data": text(number) });
            requests.push(from.send("signal", signal).await);
        }
        for number in 0..BURST {
            assert_eq!(to.expect("signal").await["data"], text(number));
        }
        for request in requests {
            from.answer(request).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_client_whose_queue_overflows_is_cut_and_resumes_later() {
    let settings = Settings::new().without_rate_limit().with("store.cache_mib", 4);
    let mut node = Node::start(settings).await;
    let mut alice = node.connect("alice", "phone").await;
    let mut carol = node.connect("carol", "phone").await;
    let mut slow = node.connect("slow", "phone").await;
    let invite = json!({ "invitees": ["slow", "carol"], "timeout_s": 600 });
    let id = alice.ok("invite", invite).await["invitation_id"].clone();
    carol.expect("invitation.received").await;
    let ring = slow.expect("invitation.received").await;
    slow.close().await;
    flood(&mut alice, &mut carol, &id, 1).await;
    let before = node.process().resident_kib();

    // The queue of a connection holds 1 MiB by default; this is several times as much.
    let started = Instant::now();
    let _mute = Mute::connect(&node, "slow", "phone").await;
    flood(&mut alice, &mut carol, &id, 8).await;
    until("the slow one to be cut", async || (node.metric("ringwire_slow_consumers_total").await > 0.5).then_some(()))
        .await;
    assert!(started.elapsed() <= Duration::from_secs(10), "{:?}", started.elapsed());
    is_gone(&node).await;
    let grown = node.process().resident_kib().saturating_sub(before);
    assert!(grown < GROWN_KIB, "the node grew by {grown} KiB");

    node.nothing_for([&mut alice, &mut carol]).await;
    let mut slow = Device::open(&node.url(), None).await;
    slow.resume(&node.token("slow", None).await, "phone", &ring).await;
    has(&slow.hello, json!({ "resumed": false }));
    has(&slow.expect("session.snapshot").await["active"][0], json!({ "invitation_id": id }));
    slow.ok("accept", json!({ "invitation_id": id })).await;
    alice.expect("invitation.accepted").await;
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_cut_within_ten_seconds() {
    is_cut_in_time(Settings::new()).await;
}

#[tokio::test]
async fn a_client_that_reads_nothing_under_tls_is_cut_within_ten_seconds() {
    let files = CertificateFiles::new();
    is_cut_in_time(files.of(Settings::new())).await;
}

async fn is_cut_in_time(settings: Settings) {
    // A queue so large that only time cuts.
    let settings = settings.without_rate_limit().with("connection.outbound_kib", 64 * 1024);
    let node = Node::start(settings).await;
    let mut alice = node.connect("alice", "phone").await;
    let mut carol = node.connect("carol", "phone").await;
    let _mute = Mute::connect(&node, "slow", "phone").await;
    let invite = json!({ "invitees": ["slow", "carol"], "timeout_s": 600 });
    let id = alice.ok("invite", invite).await["invitation_id"].clone();
    carol.expect("invitation.received").await;
    let started = Instant::now();
    flood(&mut alice, &mut carol, &id, 2).await;
    is_gone(&node).await;
    assert!(started.elapsed() <= Duration::from_secs(10), "it took {:?}", started.elapsed());
    node.nothing_for([&mut alice, &mut carol]).await;
}

/// Waits until only two of three connections are left.
async fn is_gone(node: &Node) {
    until("the slow one to be gone", async || (node.metric("ringwire_connections").await < 2.5).then_some(())).await;
}
