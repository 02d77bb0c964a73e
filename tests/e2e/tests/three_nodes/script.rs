//! `scripts/cluster`, as somebody who tries it.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use ringwire_e2e::{Device, binary, has, within};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

/// How long the script may take to start everything, or to stop it.
const PATIENCE: Duration = Duration::from_secs(20);

/// The ports that the script takes, from its first one on.
const PORTS: [u16; 7] = [0, 1, 2, 10, 11, 12, 20];

/// The script, which is stopped with this.
struct Cluster {
    child: Child,
    lines: mpsc::Receiver<String>,
    port: u16,
}

impl Cluster {
    fn start() -> Self {
        let port = free_ports();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/cluster");
        let mut child = Command::new(script)
            .args(["--port", &port.to_string()])
            .env("RINGWIRE_BIN", binary::path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        // It ends with the script's output. Nobody may listen any more.
        std::thread::spawn(move || output.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        Self { child, lines, port }
    }

    /// Everything that it says up to a line that begins like this.
    fn up_to(&self, beginning: &str) -> Vec<String> {
        let mut seen: Vec<String> = Vec::new();
        while !seen.last().is_some_and(|line| line.starts_with(beginning)) {
            let line = self.lines.recv_timeout(PATIENCE);
            seen.push(line.unwrap_or_else(|error| panic!("{error}; no {beginning:?} in:\n{}", seen.join("\n"))));
        }
        seen
    }

    fn url(&self, node: u16) -> String {
        format!("ws://127.0.0.1:{}/v1/connect", self.port + node)
    }

    /// Ctrl-C; how it ends.
    fn interrupt(&mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // It fails when the script has ended, which is what is wanted.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

/// The first of ports that are free, together with all that the script takes.
fn free_ports() -> u16 {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    // Below the ports that the system gives away by itself, at a place that differs between runs.
    let start = 10_000 + u16::try_from(std::process::id() % 20_000).unwrap();
    (start..32_000).step_by(32).find(|first| PORTS.iter().all(|port| free(first + port))).unwrap()
}

fn token(lines: &[String], at: usize) -> String {
    let mut tokens = lines.iter().filter_map(|line| line.trim().strip_prefix("RINGWIRE_TOKEN="));
    tokens.nth(at).unwrap().trim_end_matches('\\').trim().to_owned()
}

#[tokio::test]
async fn the_script_starts_a_cluster_says_how_to_ring_and_stops_everything() {
    let mut cluster = Cluster::start();
    let lines = cluster.up_to("Try also");
    let mut bob = Device::open(&cluster.url(1), None).await;
    bob.greet(&token(&lines, 0), "phone").await;
    let mut tablet = Device::open(&cluster.url(2), None).await;
    tablet.greet(&token(&lines, 1), "tablet").await;
    let mut alice = Device::open(&cluster.url(0), None).await;
    alice.greet(&token(&lines, 2), "ring").await;

    let id = alice.ok("invite", json!({ "invitees": ["bob"] })).await["invitation_id"].clone();
    bob.expect("invitation.received").await;
    tablet.expect("invitation.received").await;
    bob.ok("accept", json!({ "invitation_id": id })).await;
    has(&alice.expect("invitation.accepted").await, json!({ "invitee": "bob", "device_id": "phone" }));
    tablet.expect("invitation.answered_elsewhere").await;

    let port = cluster.port;
    let ending =
        tokio::task::spawn_blocking(move || (cluster.interrupt(), cluster.up_to("everything is stopped").len()));
    for device in [&mut alice, &mut bob, &mut tablet] {
        has(&device.expect("session.closing").await, json!({ "reason": "draining" }));
    }
    let (code, _) = within("the script to stop", ending).await.unwrap();
    assert_eq!(code, Some(0));
    for offset in PORTS {
        let address = SocketAddr::from(([127, 0, 0, 1], port + offset));
        assert!(TcpStream::connect(address).is_err(), "something still listens at {address}");
    }
}
