//! Devices that users registered for pushes.

use redb::ReadableTable;
use ringwire_signaling::limits::REGISTERED_DEVICES_PER_USER;
use ringwire_signaling::{DeviceId, RegisteredDevice, UserId};
use ringwire_wire::record::{decode_device, encode_device};

use super::fault::Fault;
use super::keys;
use super::tables::{Bytes, rows_of};
use super::write::{Write, Written};

/// What the user has registered, by name.
pub(super) fn of<T: ReadableTable<Bytes, Bytes>>(table: &T, user: &UserId) -> Result<Vec<RegisteredDevice>, Fault> {
    let mut devices = Vec::new();
    for row in rows_of(table, &keys::user(user))? {
        devices.push(decode_device(row?.1.value()).map_err(|_| Fault::Damaged("a registered device"))?);
    }
    Ok(devices)
}

/// Registers a device, and makes room for it.
pub(super) fn put(write: &mut Write<'_>, user: &UserId, device: &RegisteredDevice) -> Written<()> {
    let others = of(write.tables.devices.table(), user)?.into_iter().filter(|other| other.device != device.device);
    let mut others: Vec<_> = others.collect();
    others.sort_by_key(|other| other.set_at);
    let over = (others.len() + 1).saturating_sub(REGISTERED_DEVICES_PER_USER);
    for oldest in others.into_iter().take(over) {
        write.tables.devices.remove(&keys::device(user, &oldest.device))?;
    }
    write.tables.devices.insert(&keys::device(user, &device.device), &encode_device(device))?;
    Ok(((), Vec::new()))
}

/// Forgets a device; whether there was one.
pub(super) fn remove(write: &mut Write<'_>, user: &UserId, device: &DeviceId) -> Written<bool> {
    Ok((write.tables.devices.remove(&keys::device(user, device))?, Vec::new()))
}
