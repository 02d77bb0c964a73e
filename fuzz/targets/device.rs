//! A registered device's record: refused, or read and written back to the same value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringwire_wire::record::{decode_device, encode_device};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = decode_device(bytes) {
        assert_eq!(decode_device(&encode_device(&value)), Ok(value));
    }
});
