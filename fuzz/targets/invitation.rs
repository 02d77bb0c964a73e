//! An invitation's record: refused, or read and written back to the same value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringwire_wire::record::{decode_invitation, encode_invitation};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = decode_invitation(bytes) {
        assert_eq!(decode_invitation(&encode_invitation(&value)), Ok(value));
    }
});
