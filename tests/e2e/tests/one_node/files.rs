//! Data directories and configurations that a node must not start with.

use std::fs;
use std::path::Path;

use ringwire_e2e::{Exit, Node, Settings};
use serde_json::json;

/// A directory with what a node left after it stopped, and the settings to start on it again.
async fn stopped() -> (Node, Settings) {
    let mut node = Node::new().await;
    let mut alice = node.connect("alice", "phone").await;
    for _ in 0..20 {
        alice.ok("invite", json!({ "invitees": ["bob"], "timeout_s": 0, "data": "x".repeat(1000) })).await;
    }
    alice.close().await;
    assert_eq!(node.terminate().await.0, Some(0));
    let settings = node.settings().clone();
    (node, settings)
}

/// Starting fails and says so about `path`; returns what it says.
async fn refused(settings: &Settings, path: &Path) -> String {
    let before = fs::read(path).unwrap();
    let listing = |path: &Path| -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(path.parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    let files = listing(path);
    let exit = Exit::of(settings, &["serve"]).await;
    assert_ne!(exit.code, Some(0));
    assert!(exit.code.is_some(), "a signal ended it");
    assert!(exit.log.contains(path.to_str().unwrap()), "it does not name the file: {}", exit.log);
    assert!(fs::read(path).unwrap() == before, "the file was changed");
    assert_eq!(listing(path), files, "files were made or removed");
    exit.log
}

#[tokio::test]
async fn a_file_of_another_program_is_left_alone() {
    let (node, settings) = stopped().await;
    let path = node.data().join("store.redb");
    let text = b"-- not a database, but somebody's notes\n".repeat(100);
    let mut zip = b"PK\x03\x04".to_vec();
    zip.resize(100_000, 7);
    for foreign in [b"x".to_vec(), text, zip, vec![0; 4096]] {
        fs::write(&path, &foreign).unwrap();
        let message = refused(&settings, &path).await;
        assert!(message.contains("no readable Ringwire store"), "{message}");
    }
}

#[tokio::test]
async fn a_damaged_file_is_left_alone() {
    let (node, settings) = stopped().await;
    let path = node.data().join("store.redb");
    let intact = fs::read(&path).unwrap();
    let zeroed = |range: std::ops::Range<usize>| {
        let mut bytes = intact.clone();
        bytes[range].fill(0);
        bytes
    };
    for (what, damaged) in [
        ("half of it", intact[..intact.len() / 2].to_vec()),
        ("its first kilobyte", intact[..1024].to_vec()),
        ("a header of zeroes", zeroed(9..320)),
        ("a start of zeroes", zeroed(9..4096)),
        ("only a header", {
            let end = intact.len();
            zeroed(4096..end)
        }),
    ] {
        fs::write(&path, &damaged).unwrap();
        let message = refused(&settings, &path).await;
        // On some damage redb panics. The store makes a refusal of it, which comes last.
        let panics = message.lines().filter(|line| line.contains("panicked at"));
        assert!(panics.into_iter().all(|line| line.contains("redb")), "{what}: {message}");
        assert!(message.trim_end().ends_with("it was left as it is"), "{what}: {message}");
    }
    // Put back, it is as good as before.
    fs::write(&path, &intact).unwrap();
    let mut node = node;
    node.restart().await;
    let mut bob = node.connect("bob", "phone").await;
    let listed = bob.ok("list_active", json!({ "limit": 100 })).await;
    assert_eq!(listed["invitations"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn a_second_node_on_the_same_data_is_refused() {
    let node = Node::new().await;
    let other = node.settings().clone().with("http.bind", "127.0.0.1:0").with("admin.bind", "127.0.0.1:0");
    let exit = Exit::of(&other, &["serve"]).await;
    assert_eq!(exit.code, Some(1));
    assert!(exit.log.contains("in use by another process"), "{}", exit.log);
    // Nor is one on the same port.
    let elsewhere = node.data().with_file_name("elsewhere");
    let exit = Exit::of(&node.settings().clone().on(&elsewhere), &["serve"]).await;
    assert_eq!(exit.code, Some(1));
    assert!(exit.log.contains(&node.public().to_string()), "{}", exit.log);
    assert!(!elsewhere.exists(), "it left something behind");
    let mut alice = node.connect("alice", "phone").await;
    node.nothing_for([&mut alice]).await;
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "x").unwrap();
    for path in [&file, &file.join("below")] {
        let exit = Exit::of(&Settings::new().on(path), &["serve"]).await;
        assert_eq!(exit.code, Some(1));
        assert!(exit.log.contains(file.to_str().unwrap()), "{}", exit.log);
    }
    assert_eq!(fs::read(&file).unwrap(), b"x");
}

#[tokio::test]
async fn a_configuration_with_a_mistake_is_refused_by_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let settings = Settings::new().on(&data);
    for (key, value, named) in [
        ("auth.hs256_secret", "short", "auth.hs256_secret: needs at least 32 bytes, has 5"),
        ("http.bnid", "127.0.0.1:0", "bnid"),
        ("htpp.bind", "127.0.0.1:0", "htpp"),
        ("http.bind", "nonsense", "http.bind"),
        ("store.kind", "mysql", "store.kind"),
        ("connection.heartbeat_s", "often", "connection.heartbeat_s"),
        ("connection.requests_per_second", "0", "connection.requests_per_second"),
        ("connection.outbound_kib", "1", "connection.outbound_kib"),
        ("log.filter", "[", "log.filter"),
    ] {
        let exit = Exit::of(&settings.clone().with(key, value), &["serve"]).await;
        assert_eq!(exit.code, Some(1), "{key}");
        assert!(exit.log.contains(named), "{key}: {}", exit.log);
        assert!(!data.exists(), "{key}: it left something behind");
    }
    let file = directory.path().join("ringwire.toml");
    for (text, named) in [("[http]\nbnid = 1\n", "bnid"), ("[auth]\nhs256_secret = \"x\"\n", "32 bytes"), ("x", "toml")]
    {
        fs::write(&file, text).unwrap();
        let exit = Exit::of(&settings, &["--config", file.to_str().unwrap(), "serve"]).await;
        assert_eq!(exit.code, Some(1), "{text}");
        assert!(exit.log.contains(named), "{text}: {}", exit.log);
    }
    let exit = Exit::of(&settings, &["--config", "/nowhere/ringwire.toml"]).await;
    assert!(exit.code == Some(1) && exit.log.contains("/nowhere/ringwire.toml"), "{}", exit.log);
}

#[tokio::test]
async fn a_configuration_is_checked_and_shown_without_secrets_while_its_node_runs() {
    let secret = "a secret that nobody should ever see";
    let node = Node::start(Settings::new().with("auth.hs256_secret", secret)).await;
    let exit = Exit::of(node.settings(), &["check-config"]).await;
    assert_eq!(exit.code, Some(0), "{}", exit.log);
    let shown: serde_json::Value = serde_json::from_str(&exit.output).unwrap();
    assert_eq!(shown["auth"]["hs256_secret"], "***");
    assert_eq!(shown["http"]["bind"], node.public().to_string());
    assert!(!exit.output.contains(secret) && !exit.log.contains(secret));
    let exit = Exit::of(&node.settings().clone().with("http.bnid", 1), &["check-config"]).await;
    assert!(exit.code == Some(1) && exit.log.contains("bnid"), "{}", exit.log);
    let mut alice = node.connect("alice", "phone").await;
    node.nothing_for([&mut alice]).await;
    assert!(node.log().lines().iter().all(|line| !line.text.contains(secret)));
}

#[tokio::test]
async fn the_first_start_makes_a_key_that_only_its_owner_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let (mut node, _) = stopped().await;
    let key = node.data().join("hs256.key");
    let metadata = fs::metadata(&key).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    assert!(metadata.len() >= 32);
    // Tokens outlive the process.
    let token = node.token("alice", None).await;
    node.restart().await;
    let alice = ringwire_e2e::Http::new(node.public()).with_token(&token);
    let _ = alice.get("/v1/invitations").await.expect(200);
    assert_eq!(node.terminate().await.0, Some(0));
    fs::write(&key, "short").unwrap();
    let exit = Exit::of(node.settings(), &["serve"]).await;
    assert!(exit.code == Some(1) && exit.log.contains("hs256.key"), "{}", exit.log);
}

#[tokio::test]
async fn a_command_line_with_a_mistake_says_which() {
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings::new().on(&directory.path().join("data"));
    for (arguments, named) in [
        (&["dance"][..], "dance"),
        (&["token"], "USER"),
        (&["token", ""], "must not be empty"),
        (&["token", "a\nb"], "control characters"),
        (&["token", "bob", "--role", "admin"], "admin"),
        (&["token", "bob", "--ttl", "soon"], "soon"),
    ] {
        let exit = Exit::of(&settings, arguments).await;
        assert_eq!(exit.code, Some(2), "{arguments:?}");
        assert!(exit.log.contains(named) && exit.output.is_empty(), "{arguments:?}: {}", exit.log);
    }
    let exit = Exit::of(&settings, &["--version"]).await;
    assert_eq!((exit.code, exit.output.starts_with("ringwire ")), (Some(0), true));
}
