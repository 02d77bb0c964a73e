//! Devices that a user registers for pushes.

use std::collections::BTreeMap;
use std::fmt;

use ringwire_signaling::DeviceId;
use serde::{Deserialize, Serialize};

use crate::body::Params;
use crate::text;

/// Parameters of `devices`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DevicesParams {
    /// What to do.
    pub action: DevicesAction,
    /// Which device; that of the connection if left out. Not of `list`.
    #[serde(default, with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
    /// `ios`, `android`, `web` or anything else; only of `set`, and required there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Tokens by provider; only of `set`, and required there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<PushTokens>,
}

/// What `devices` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DevicesAction {
    /// Register a device, or replace what is registered of it.
    Set,
    /// Read what is registered.
    List,
    /// Forget a device.
    Remove,
}

/// The HTTP body that registers a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DeviceParams {
    /// `ios`, `android`, `web` or anything else.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 32))]
    pub platform: String,
    /// The device's tokens by provider, such as `apns`, `apns_voip`, `fcm`, `hms`: names of 1–32 of a-z, 0-9, _ and -,
    /// tokens of 1–4096 bytes without control characters; of 1–4 providers.
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, String>))]
    pub tokens: PushTokens,
}

/// Push tokens by provider. Not shown by `Debug`, so that they get into no log.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PushTokens(pub BTreeMap<String, String>);

impl fmt::Debug for PushTokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("PushTokens").field(&self.0.keys()).finish()
    }
}

impl DevicesParams {
    /// Registers a device with its tokens by provider; none is that of the connection.
    #[must_use]
    pub fn set(device_id: Option<DeviceId>, platform: &str, tokens: BTreeMap<String, String>) -> Self {
        let (platform, tokens) = (Some(platform.to_owned()), Some(PushTokens(tokens)));
        Self { action: DevicesAction::Set, device_id, platform, tokens }
    }

    /// Reads what is registered.
    #[must_use]
    pub fn list() -> Self {
        Self { action: DevicesAction::List, device_id: None, platform: None, tokens: None }
    }

    /// Forgets a device; none is that of the connection.
    #[must_use]
    pub fn remove(device_id: Option<DeviceId>) -> Self {
        Self { action: DevicesAction::Remove, device_id, platform: None, tokens: None }
    }
}

impl Params for DevicesParams {
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        match self.action {
            DevicesAction::Set if self.platform.is_none() => Err(("platform", "is required")),
            DevicesAction::Set if self.tokens.is_none() => Err(("tokens", "is required")),
            DevicesAction::List if self.device_id.is_some() => Err(("device_id", "is not a parameter of list")),
            DevicesAction::List | DevicesAction::Remove if self.platform.is_some() => {
                Err(("platform", "is only a parameter of set"))
            }
            DevicesAction::List | DevicesAction::Remove if self.tokens.is_some() => {
                Err(("tokens", "is only a parameter of set"))
            }
            DevicesAction::Set | DevicesAction::List | DevicesAction::Remove => Ok(()),
        }
    }
}

impl Params for DeviceParams {}
