//! Version 1 of the records: mirrors of the rules' types, in the order in which they are stored.
//!
//! Nothing here changes once it was released: fields have no names in the bytes, only an order. A
//! change is a new version beside this one, and readers keep both.

mod device;
mod event;
mod invitation;
mod operation;
mod word;

pub(crate) use device::Device;
pub(crate) use event::Event;
pub(crate) use invitation::Invitation;
pub(crate) use operation::Operation;

use std::sync::Arc;

use ringwire_signaling::{DeviceId, GroupId, InvitationId, Partition, UserId};
use serde::{Deserialize, Serialize};

use crate::codec::DecodeError;

/// An invitation's id: its bits are random, so they are not worth a variable length.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Id {
    partition: u8,
    bits: [u8; 16],
}

impl From<InvitationId> for Id {
    fn from(id: InvitationId) -> Self {
        Self { partition: id.partition.0, bits: id.bits.to_be_bytes() }
    }
}

impl From<Id> for InvitationId {
    fn from(id: Id) -> Self {
        Self { partition: Partition(id.partition), bits: u128::from_be_bytes(id.bits) }
    }
}

pub(crate) fn user(text: &str) -> Result<UserId, DecodeError> {
    UserId::parse(text).map_err(DecodeError::malformed)
}

fn users(texts: &[&str]) -> Result<Vec<UserId>, DecodeError> {
    texts.iter().map(|text| user(text)).collect()
}

fn names(users: &[UserId]) -> Vec<&str> {
    users.iter().map(UserId::as_str).collect()
}

fn device(text: Option<&str>) -> Result<Option<DeviceId>, DecodeError> {
    text.map(DeviceId::parse).transpose().map_err(DecodeError::malformed)
}

fn group(text: Option<&str>) -> Result<Option<GroupId>, DecodeError> {
    text.map(GroupId::parse).transpose().map_err(DecodeError::malformed)
}

fn shared(text: Option<&str>) -> Option<Arc<str>> {
    text.map(Arc::from)
}
