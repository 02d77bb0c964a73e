//! The client protocol's page says what the code does: every name stands in it, every recorded frame reads.

use ringwire_wire::frame::Incoming;
use ringwire_wire::rpc::Call;
use ringwire_wire::view::{CloseReason, EventView};
use ringwire_wire::{ErrorCode, rpc};

fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/protocol.md");
    std::fs::read_to_string(path).expect("the page is in the repository")
}

#[test]
fn every_method_and_event_has_a_section() {
    let page = page();
    let names = Call::METHODS.iter().chain(EventView::NAMES).chain(&["session.snapshot", "session.closing"]);
    let missing: Vec<&&str> = names.filter(|name| !page.contains(&format!("\n### `{name}`"))).collect();
    assert!(missing.is_empty(), "no section: {missing:?}");
}

#[test]
fn every_error_stands_with_its_code_and_name() {
    let page = page().replace('\u{2212}', "-");
    let missing: Vec<&str> = ErrorCode::ALL
        .iter()
        .filter(|code| {
            let (number, name) = (code.code().to_string(), format!("`{}`", code.name()));
            !page.lines().any(|line| line.starts_with('|') && line.contains(&number) && line.contains(&name))
        })
        .map(|code| code.name())
        .collect();
    assert!(missing.is_empty(), "no row: {missing:?}");
}

#[test]
fn every_close_reason_stands_with_its_code() {
    let page = page();
    for name in
        ["draining", "replaced", "kicked", "token_expired", "slow_consumer", "too_many_devices", "hello_timeout"]
    {
        let code = CloseReason::from_name(name).expect("a known reason").close_code().to_string();
        assert!(page.lines().any(|line| line.contains(name) && line.contains(&code)), "{name} {code}");
    }
}

#[test]
fn every_recorded_frame_reads() {
    let page = page();
    let (mut requests, mut frames) = (0, 0);
    for line in page.lines() {
        if let Some((_, text)) = line.split_once("→ {") {
            // Requests that the page shows because they are refused need not be requests.
            requests += usize::from(rpc::parse(&format!("{{{text}")).is_ok());
        } else if let Some((_, text)) = line.split_once("← {\"jsonrpc\"") {
            let frame = format!("{{\"jsonrpc\"{text}");
            assert!(Incoming::parse(&frame).is_ok(), "{frame}");
            frames += 1;
        }
    }
    assert!(requests > 50 && frames > 100, "{requests} requests and {frames} frames were recognized");
    assert!(!page.contains("eyJ"), "a token stands in the page");
}
