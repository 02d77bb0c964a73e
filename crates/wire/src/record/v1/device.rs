//! A device that is registered for pushes.

use ringwire_signaling::{DeviceId, RegisteredDevice, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::codec::{DecodeError, list};

#[derive(Serialize, Deserialize)]
pub(crate) struct Device<'a> {
    id: &'a str,
    platform: &'a str,
    /// Provider and token, by provider.
    #[serde(borrow, with = "list")]
    tokens: Vec<(&'a str, &'a str)>,
    set_at: u64,
}

impl<'a> From<&'a RegisteredDevice> for Device<'a> {
    fn from(registered: &'a RegisteredDevice) -> Self {
        Self {
            id: registered.device.as_str(),
            platform: &registered.platform,
            tokens: registered.tokens.iter().map(|(provider, token)| (provider.as_str(), token.as_str())).collect(),
            set_at: registered.set_at.0,
        }
    }
}

impl TryFrom<Device<'_>> for RegisteredDevice {
    type Error = DecodeError;

    fn try_from(record: Device<'_>) -> Result<Self, DecodeError> {
        let tokens = record.tokens.into_iter();
        Ok(Self {
            device: DeviceId::parse(record.id).map_err(DecodeError::malformed)?,
            platform: record.platform.to_owned(),
            tokens: tokens.map(|(provider, token)| (provider.to_owned(), token.to_owned())).collect(),
            set_at: UnixMillis(record.set_at),
        })
    }
}
