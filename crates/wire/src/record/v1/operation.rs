//! One operation of an invitation's history.

use ringwire_signaling::{DeviceId, UnixMillis, UserId, operation};
use serde::{Deserialize, Serialize};

use super::word::Action;
use super::{device, names, shared, user, users};
use crate::codec::{DecodeError, list};

#[derive(Serialize, Deserialize)]
pub(crate) struct Operation<'a> {
    version: u64,
    at: u64,
    action: Action,
    by: Option<&'a str>,
    device: Option<&'a str>,
    #[serde(borrow, with = "list")]
    invitees: Vec<&'a str>,
    data: &'a str,
    reason: Option<&'a str>,
}

impl<'a> From<&'a operation::Operation> for Operation<'a> {
    fn from(operation: &'a operation::Operation) -> Self {
        Self {
            version: operation.version,
            at: operation.at.0,
            action: operation.action.into(),
            by: operation.by.as_ref().map(UserId::as_str),
            device: operation.device.as_ref().map(DeviceId::as_str),
            invitees: names(&operation.invitees),
            data: &operation.data,
            reason: operation.reason.as_deref(),
        }
    }
}

impl TryFrom<Operation<'_>> for operation::Operation {
    type Error = DecodeError;

    fn try_from(record: Operation<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            version: record.version,
            at: UnixMillis(record.at),
            action: record.action.into(),
            by: record.by.map(user).transpose()?,
            device: device(record.device)?,
            invitees: users(&record.invitees)?,
            data: record.data.into(),
            reason: shared(record.reason),
        })
    }
}
