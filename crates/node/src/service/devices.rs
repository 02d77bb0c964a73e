//! Devices that a user registers for pushes.

use ringwire_signaling::{DeviceId, RegisteredDevice, UserId, device};
use ringwire_wire::params::PushTokens;
use ringwire_wire::view::DeviceList;

use super::{Outcome, Service};

impl Service {
    /// Registers a device, or replaces what is registered of it.
    pub(crate) async fn put_device(
        &self,
        user: UserId,
        device: DeviceId,
        platform: String,
        PushTokens(tokens): PushTokens,
    ) -> Outcome<()> {
        device::check(&platform, &tokens)?;
        let registered = RegisteredDevice { device, platform, tokens, set_at: self.shared.clock.now() };
        self.shared.ask(self.shared.store.put_device(user, registered)).await
    }

    /// What the user has registered.
    pub(crate) async fn devices(&self, user: UserId) -> Outcome<DeviceList> {
        let devices = self.shared.ask(self.shared.store.devices(user)).await?;
        Ok(DeviceList { devices: devices.iter().map(Into::into).collect() })
    }

    /// Forgets a device. That there was none is no error: it is what was asked for.
    pub(crate) async fn remove_device(&self, user: UserId, device: DeviceId) -> Outcome<()> {
        self.shared.ask(self.shared.store.remove_device(user, device)).await.map(drop)
    }
}
