//! A client's frame: read, or answered with an error that can be written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringwire_wire::{frame, rpc};

fuzz_target!(|text: &str| {
    if let Err(bad) = rpc::parse(text) {
        let answer = frame::error(bad.id.as_ref(), &bad.error);
        assert!(frame::Incoming::parse(&answer).is_ok());
    }
});
