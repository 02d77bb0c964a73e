//! Who is connected. Kept in memory: connections end with the process that holds them.

use std::collections::{BTreeMap, BTreeSet};

use ringwire_signaling::{ConnectionId, DeviceId, Origin, UserId};

use crate::query::Connected;

/// The live connection of every device.
#[derive(Debug, Default)]
pub(super) struct Presence {
    devices_by_user: BTreeMap<UserId, BTreeMap<DeviceId, Origin>>,
}

impl Presence {
    /// A device connected. Replaces its older connection.
    pub(super) fn attach(&mut self, user: UserId, device: DeviceId, connection: Origin) {
        self.devices_by_user.entry(user).or_default().insert(device, connection);
    }

    /// A connection ended. Does nothing if the device has another one.
    pub(super) fn detach(&mut self, user: &UserId, device: &DeviceId, connection: ConnectionId) {
        if let Some(devices) = self.devices_by_user.get_mut(user) {
            if devices.get(device).is_some_and(|origin| origin.connection == connection) {
                devices.remove(device);
            }
            if devices.is_empty() {
                self.devices_by_user.remove(user);
            }
        }
    }

    /// The user's live connections.
    pub(super) fn of(&self, user: &UserId) -> Vec<Connected> {
        let connected = |(device, origin): (&DeviceId, &Origin)| Connected {
            device: device.clone(),
            node: origin.incarnation,
            connection: origin.connection,
        };
        self.devices_by_user.get(user).into_iter().flatten().map(connected).collect()
    }

    /// Whether the user has a live connection.
    pub(super) fn contains(&self, user: &UserId) -> bool {
        self.devices_by_user.contains_key(user)
    }

    /// Those of `users` who have one.
    pub(super) fn among(&self, users: Vec<UserId>) -> BTreeSet<UserId> {
        users.into_iter().filter(|user| self.contains(user)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_detach_leaves_the_newer_connection() {
        let (user, device) = (UserId::parse("ann").unwrap(), DeviceId::parse("phone").unwrap());
        let origin = |connection| Origin { incarnation: 1, connection: ConnectionId(connection) };
        let mut presence = Presence::default();
        presence.attach(user.clone(), device.clone(), origin(1));
        presence.attach(user.clone(), device.clone(), origin(2));
        presence.detach(&user, &device, ConnectionId(1));
        assert!(presence.contains(&user));
        presence.detach(&user, &device, ConnectionId(2));
        assert!(!presence.contains(&user));
        assert!(presence.devices_by_user.is_empty());
    }
}
