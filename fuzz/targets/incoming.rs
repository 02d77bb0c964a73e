//! A server's frame, as a client reads it, and `signaling_info` of any JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringwire_wire::Incoming;
use ringwire_wire::view::signaling_info;

fuzz_target!(|text: &str| {
    let _ = Incoming::parse(text);
    if let Ok(value) = serde_json::from_str(text) {
        let _ = signaling_info(&value);
    }
});
