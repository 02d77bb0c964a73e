//! The example of a push hook, which checks signatures with a library that is not ours.

use std::path::Path;
use std::process::{Command, Stdio};

use ringwire_e2e::hook::SECRETS;
use ringwire_e2e::{Node, PATIENCE, Settings, Targets, has};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

/// The example as a process; killed when this is dropped.
struct Example {
    _process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    url: String,
}

impl Example {
    async fn start(secret: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let made = Command::new(root.join("scripts/python")).stderr(Stdio::inherit()).output().unwrap();
        assert!(made.status.success(), "no Python with what the tests use");
        let python = String::from_utf8(made.stdout).unwrap();
        let mut process = tokio::process::Command::new(python.trim())
            .arg(root.join("examples/push-hook/hook.py"))
            .args(["--port", "0"])
            .env("HOOK_SECRET", secret)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let first = tokio::time::timeout(PATIENCE, log.next_line()).await.unwrap().unwrap().unwrap();
        let url = format!("{}push", first.strip_prefix("listening on ").unwrap());
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { _process: process, lines, url }
    }

    async fn says(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await.unwrap().unwrap().unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

/// With the secret that is replaced, and with the one that replaces it.
#[tokio::test]
async fn the_example_takes_pushes_and_knows_which_device_answered() {
    for secret in SECRETS {
        let mut example = Example::start(secret).await;
        let targets = Targets::new(&[("example", &example.url, &[])]);
        let node = Node::start(targets.of(Settings::new())).await;
        let mut alice = node.connect("alice", "phone").await;
        let mut bob = node.connect("bob", "phone").await;
        for (device, token) in [("phone", "token-1"), ("pad", "token-2")] {
            let tokens = json!({ "apns_voip": token });
            bob.ok("devices", json!({ "action": "set", "device_id": device, "platform": "ios", "tokens": tokens }))
                .await;
        }
        bob.close().await;
        let push = json!({ "title": "Alice", "desc": "is calling" });
        let invited = alice.ok("invite", json!({ "invitees": ["bob"], "push": push })).await;
        let id = &invited["invitation_id"];
        for token in ["token-2", "token-1"] {
            let told = json!({ "what": "ring", "provider": "apns_voip", "token": token, "title": "Alice" });
            has(&example.says().await, told);
        }
        let mut bob = node.connect("bob", "phone").await;
        bob.ok("accept", json!({ "invitation_id": id })).await;
        let told = json!({ "what": "cancel", "token": "token-2", "state": "accepted", "invitation_id": id });
        has(&example.says().await, told);
    }
}

/// What anybody else sends is refused, and becomes a dead letter here.
#[tokio::test]
async fn the_example_refuses_what_another_secret_signed() {
    let example = Example::start("whsec_bm90IHRoZSBzZWNyZXQgb2YgYW55IHRlc3QgaGVyZQ==").await;
    let targets = Targets::new(&[("example", &example.url, &[])]);
    let node = Node::start(targets.of(Settings::new())).await;
    let mut alice = node.connect("alice", "phone").await;
    alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 1 })).await;
    let dead = "ringwire_pushes_total{target=\"example\",kind=\"push.ring\",outcome=\"dead\"}";
    ringwire_e2e::until("the push to be refused", async || node.metric_if_any(dead).await).await;
}
