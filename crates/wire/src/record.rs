//! Records: what a store keeps. Each is a version byte and a compact body.
//!
//! Reading checks every id again, so that what comes out of a store is as good as what came out of a
//! request.

pub(crate) mod v1;

use ringwire_signaling::{Event, Invitation, Operation, RegisteredDevice};

use crate::codec::{self, DecodeError};

/// The version that is written.
const LATEST: u8 = 1;

/// Writes the record of an invitation.
#[must_use]
pub fn encode_invitation(invitation: &Invitation) -> Vec<u8> {
    codec::encode(LATEST, &v1::Invitation::from(invitation))
}

/// Reads the record of an invitation.
///
/// # Errors
/// The bytes are no such record, or a newer one.
pub fn decode_invitation(bytes: &[u8]) -> Result<Invitation, DecodeError> {
    match codec::split(bytes)? {
        (1, body) => codec::decode::<v1::Invitation<'_>>(body)?.try_into(),
        (version, _) => Err(DecodeError::UnknownVersion(version)),
    }
}

/// Writes an event of an inbox.
#[must_use]
pub fn encode_event(event: &Event) -> Vec<u8> {
    codec::encode(LATEST, &v1::Event::from(event))
}

/// Reads an event of an inbox.
///
/// # Errors
/// The bytes are no such record, or a newer one.
pub fn decode_event(bytes: &[u8]) -> Result<Event, DecodeError> {
    match codec::split(bytes)? {
        (1, body) => codec::decode::<v1::Event<'_>>(body)?.try_into(),
        (version, _) => Err(DecodeError::UnknownVersion(version)),
    }
}

/// Writes one operation of an invitation's history.
#[must_use]
pub fn encode_operation(operation: &Operation) -> Vec<u8> {
    codec::encode(LATEST, &v1::Operation::from(operation))
}

/// Reads one operation of an invitation's history.
///
/// # Errors
/// The bytes are no such record, or a newer one.
pub fn decode_operation(bytes: &[u8]) -> Result<Operation, DecodeError> {
    match codec::split(bytes)? {
        (1, body) => codec::decode::<v1::Operation<'_>>(body)?.try_into(),
        (version, _) => Err(DecodeError::UnknownVersion(version)),
    }
}

/// Writes a device that is registered for pushes.
#[must_use]
pub fn encode_device(device: &RegisteredDevice) -> Vec<u8> {
    codec::encode(LATEST, &v1::Device::from(device))
}

/// Reads a device that is registered for pushes.
///
/// # Errors
/// The bytes are no such record, or a newer one.
pub fn decode_device(bytes: &[u8]) -> Result<RegisteredDevice, DecodeError> {
    match codec::split(bytes)? {
        (1, body) => codec::decode::<v1::Device<'_>>(body)?.try_into(),
        (version, _) => Err(DecodeError::UnknownVersion(version)),
    }
}
