//! No input whatever makes a reader panic, and none is read as what it is not.

use proptest::collection::vec;
use proptest::prelude::*;
use ringwire_wire::body::{parse_body, parse_http_body};
use ringwire_wire::params::{AcceptParams, InviteParams};
use ringwire_wire::view::signaling_info;
use ringwire_wire::{DecodeError, Incoming, frame, record, rpc};

use crate::generated as any_of;
use crate::samples::{self, EPOCH, ID};

/// One change to valid bytes.
#[derive(Clone, Debug)]
enum Mutation {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index),
}

fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let place = any::<prop::sample::Index>;
    let mutation = prop_oneof![
        4 => (place(), any::<u8>()).prop_map(|(at, byte)| Mutation::Flip(at, byte)),
        1 => place().prop_map(Mutation::Cut),
        1 => (place(), vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        1 => place().prop_map(Mutation::Remove),
    ];
    vec(mutation, 1..4)
}

fn mutated(mut bytes: Vec<u8>, mutations: &[Mutation]) -> Vec<u8> {
    for mutation in mutations {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        match mutation {
            Mutation::Flip(at, byte) => bytes[at.index(length)] ^= byte,
            Mutation::Cut(at) => bytes.truncate(at.index(length)),
            Mutation::Insert(at, more) => {
                let at = at.index(length);
                bytes.splice(at..at, more.iter().copied());
            }
            Mutation::Remove(at) => {
                bytes.remove(at.index(length));
            }
        }
    }
    bytes
}

/// Hands bytes to every reader. What a reader takes must be writable again.
fn read_by_all(bytes: &[u8]) {
    if let Ok(invitation) = record::decode_invitation(bytes) {
        assert_eq!(record::decode_invitation(&record::encode_invitation(&invitation)).as_ref(), Ok(&invitation));
    }
    if let Ok(device) = record::decode_device(bytes) {
        assert_eq!(record::decode_device(&record::encode_device(&device)).as_ref(), Ok(&device));
    }
    if let Ok(event) = record::decode_event(bytes) {
        assert_eq!(record::decode_event(&record::encode_event(&event)).as_ref(), Ok(&event));
    }
    if let Ok(operation) = record::decode_operation(bytes) {
        assert_eq!(record::decode_operation(&record::encode_operation(&operation)).as_ref(), Ok(&operation));
    }
    let _ = parse_body::<InviteParams>(bytes);
    let _ = parse_http_body::<AcceptParams>(bytes, Some(ID));
    let text = String::from_utf8_lossy(bytes);
    let _ = Incoming::parse(&text);
    if let Err(bad) = rpc::parse(&text) {
        let _ = frame::error(bad.id.as_ref(), &bad.error);
    }
    if let Ok(value) = serde_json::from_str(&text) {
        let _ = signaling_info(&value);
    }
}

fn with_version(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.insert(0, 1);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn random_bytes(bytes in vec(any::<u8>(), 0..300)) {
        read_by_all(&bytes);
        read_by_all(&with_version(bytes));
    }

    #[test]
    fn almost_an_invitation(invitation in any_of::invitation(), mutations in mutations()) {
        read_by_all(&mutated(record::encode_invitation(&invitation), &mutations));
    }

    #[test]
    fn almost_an_event(entry in any_of::entry(), mutations in mutations()) {
        read_by_all(&mutated(record::encode_event(&entry.event), &mutations));
        read_by_all(&mutated(frame::event(&entry, EPOCH).into_bytes(), &mutations));
    }

    #[test]
    fn almost_an_operation(operation in any_of::operation(), mutations in mutations()) {
        read_by_all(&mutated(record::encode_operation(&operation), &mutations));
    }

    #[test]
    fn almost_a_registered_device(mutations in mutations()) {
        read_by_all(&mutated(record::encode_device(&samples::registered_device()), &mutations));
    }

    #[test]
    fn almost_a_request(push in any_of::push(), data in any_of::text(), mutations in mutations()) {
        let mut params = InviteParams::new(vec![samples::user("bob")]);
        params.push = Some((&push).into());
        params.data = data;
        let request = frame::request(Some(&1.into()), "invite", &params).unwrap();
        read_by_all(&mutated(request.into_bytes(), &mutations));
    }
}

#[test]
fn every_beginning_of_a_record_is_malformed() {
    let bytes = record::encode_invitation(&samples::invitation_in_a_group());
    assert_eq!(record::decode_invitation(&[]), Err(DecodeError::Empty));
    for end in 1..bytes.len() {
        let read = record::decode_invitation(&bytes[..end]);
        assert!(matches!(read, Err(DecodeError::Malformed(_))), "{end}: {read:?}");
    }
}

#[test]
fn more_than_a_body_is_refused() {
    let mut bytes = record::encode_operation(&samples::operation());
    bytes.push(0);
    assert_eq!(record::decode_operation(&bytes), Err(DecodeError::TrailingBytes));
}

#[test]
fn an_unknown_version_is_told_apart() {
    for version in [0, 2, 255] {
        let bytes = [version, 1, 2, 3];
        assert_eq!(record::decode_invitation(&bytes), Err(DecodeError::UnknownVersion(version)));
        assert_eq!(record::decode_event(&bytes), Err(DecodeError::UnknownVersion(version)));
        assert_eq!(record::decode_operation(&bytes), Err(DecodeError::UnknownVersion(version)));
        assert_eq!(record::decode_device(&bytes), Err(DecodeError::UnknownVersion(version)));
    }
}

#[test]
fn ids_in_records_are_checked_again() {
    let bytes = record::encode_operation(&samples::operation());
    let at = bytes.windows(3).position(|window| window == b"bob").unwrap();
    let mut control = bytes;
    control[at] = b'\n';
    assert!(
        matches!(record::decode_operation(&control), Err(DecodeError::Malformed(problem)) if problem.contains("control"))
    );
}

#[test]
fn a_claimed_length_reserves_no_memory() {
    // At every place, 2^64 - 1 of whatever stands there: whoever reserves room for them ends here.
    const CLAIM: [u8; 9] = [253, 255, 255, 255, 255, 255, 255, 255, 255];
    let bytes = record::encode_invitation(&samples::invitation_in_a_group());
    for end in 1..bytes.len() {
        read_by_all(&[&bytes[..end], &CLAIM].concat());
    }
}
