//! Devices that are registered for pushes, as their user and operators see them: without tokens.

use ringwire_signaling::{DeviceId, RegisteredDevice};
use serde::{Deserialize, Serialize};

use crate::text;

/// Result of `devices` with the action `list`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceList {
    /// All that the user has registered, at most 20, by their ids.
    pub devices: Vec<DeviceView>,
}

/// A device that is registered for pushes.
///
/// Its tokens are not shown: the app has them, and whoever holds the user's access token for a moment should not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceView {
    /// Which device.
    #[serde(with = "text")]
    #[cfg_attr(feature = "openapi", schema(value_type = crate::openapi::DeviceId))]
    pub device_id: DeviceId,
    /// As the app said.
    pub platform: String,
    /// Of which push providers there is a token.
    pub providers: Vec<String>,
    /// When it was registered last.
    pub set_at: u64,
}

impl From<&RegisteredDevice> for DeviceView {
    fn from(registered: &RegisteredDevice) -> Self {
        Self {
            device_id: registered.device.clone(),
            platform: registered.platform.clone(),
            providers: registered.tokens.keys().cloned().collect(),
            set_at: registered.set_at.0,
        }
    }
}
