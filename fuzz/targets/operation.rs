//! An operation's record: refused, or read and written back to the same value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringwire_wire::record::{decode_operation, encode_operation};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = decode_operation(bytes) {
        assert_eq!(decode_operation(&encode_operation(&value)), Ok(value));
    }
});
