//! A doorbell: refused, or read and written back to the same deliveries.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringwire_wire::envelope::{decode_doorbell, encode_doorbell};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = decode_doorbell(bytes) {
        assert_eq!(decode_doorbell(&encode_doorbell(&value)), Ok(value));
    }
});
