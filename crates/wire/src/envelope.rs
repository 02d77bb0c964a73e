//! Envelopes: what nodes send each other. Each is a version byte and a compact body.
//!
//! An envelope may be lost or unreadable without harm: whoever misses one reads the store.

mod v1;

use ringwire_signaling::inbox::Delivery;

use crate::codec::{self, DecodeError};

/// The version that is written.
const LATEST: u8 = 1;

/// Writes a doorbell: the deliveries of one commit to the users on one node.
///
/// An event that several users get is written once, if they share it.
#[must_use]
pub fn encode_doorbell(deliveries: &[Delivery]) -> Vec<u8> {
    codec::encode(LATEST, &v1::Doorbell::from(deliveries))
}

/// Reads a doorbell. Deliveries of the same event share it.
///
/// # Errors
/// The bytes are no doorbell, or a newer one.
pub fn decode_doorbell(bytes: &[u8]) -> Result<Vec<Delivery>, DecodeError> {
    match codec::split(bytes)? {
        (1, body) => codec::decode::<v1::Doorbell<'_>>(body)?.try_into(),
        (version, _) => Err(DecodeError::UnknownVersion(version)),
    }
}
