//! Devices that users registered for pushes: a hash by device, each behind the time at which it was set, so that the
//! script that makes room reads no record.

use ringwire_signaling::limits::REGISTERED_DEVICES_PER_USER;
use ringwire_signaling::{DeviceId, RegisteredDevice, UserId};
use ringwire_wire::record::{decode_device, encode_device};

use super::link::Call;
use super::reply;
use super::state::State;
use super::traffic::Purpose;
use crate::error::StoreError;

/// Bytes of the time.
const TIME: usize = 8;

pub(super) async fn of(state: &State, user: &UserId) -> Result<Vec<RegisteredDevice>, StoreError> {
    let mut command = redis::cmd("HVALS");
    command.arg(state.keys.devices(user));
    let damaged = || StoreError::Damaged("a registered device".to_owned());
    let rows = reply::list(state.link.ask(Purpose::Devices, &command).await?)?;
    let read = |row: &Vec<u8>| decode_device(row.get(TIME..).ok_or_else(damaged)?).map_err(|_| damaged());
    let mut devices = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    devices.sort_by(|one, other| one.device.cmp(&other.device));
    Ok(devices)
}

pub(super) async fn put(state: &State, user: &UserId, device: &RegisteredDevice) -> Result<(), StoreError> {
    let mut row = device.set_at.0.to_be_bytes().to_vec();
    row.extend(encode_device(device));
    let mut call = Call::new(Purpose::Devices);
    call.key(&state.keys.devices(user));
    call.argument(device.device.as_str());
    call.argument(row);
    call.number(REGISTERED_DEVICES_PER_USER);
    state.link.run(&state.scripts.put_device, &call).await.map(|_| ())
}

pub(super) async fn remove(state: &State, user: &UserId, device: &DeviceId) -> Result<bool, StoreError> {
    let mut command = redis::cmd("HDEL");
    command.arg(state.keys.devices(user)).arg(device.as_str());
    Ok(reply::integer(&state.link.ask(Purpose::Devices, &command).await?)? == 1)
}
