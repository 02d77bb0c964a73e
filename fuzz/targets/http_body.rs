//! An HTTP body whose path names the invitation, and one whose path does not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ringwire_wire::body::{parse_http_body, parse_http_query};
use ringwire_wire::params::{HistoryParams, InviteParams, RejectParams};

fuzz_target!(|bytes: &[u8]| {
    let id = "0a-0123456789abcdef0123456789abcdef".parse().ok();
    let _ = parse_http_body::<RejectParams>(bytes, id);
    let _ = parse_http_body::<InviteParams>(bytes, None);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        let _ = parse_http_query::<HistoryParams>(pairs);
    }
});
