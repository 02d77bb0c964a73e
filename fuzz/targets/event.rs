//! An event's record: refused, or read and written back to the same value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringwire_wire::record::{decode_event, encode_event};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = decode_event(bytes) {
        assert_eq!(decode_event(&encode_event(&value)), Ok(value));
    }
});
