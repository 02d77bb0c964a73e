//! A user's connections on all nodes, and what operators want to be said to the nodes that hold them.

use ringwire_signaling::{DeviceId, UserId};

use super::envelope;
use super::fields::read_presence;
use super::membership;
use super::presence::dead_among;
use super::reply;
use super::state::State;
use super::traffic::Purpose;
use crate::error::StoreError;
use crate::query::Connected;

/// Those that living processes hold, the longest connected first.
pub(super) async fn of(state: &State, user: &UserId) -> Result<Vec<Connected>, StoreError> {
    let mut command = redis::cmd("HGET");
    command.arg(state.keys.user(user)).arg("p");
    let value = state.link.ask(Purpose::Read, &command).await?;
    let present = read_presence(&reply::optional(value)?.unwrap_or_default())?;
    let dead = dead_among(state, present.iter().map(|present| present.incarnation.clone()).collect()).await?;
    let living = present.into_iter().filter(|present| !dead.contains(&present.incarnation));
    let connected = living.filter_map(|present| {
        let node = membership::parse(&present.incarnation)?;
        Some(Connected { device: present.device, node, connection: present.connection })
    });
    Ok(connected.collect())
}

/// Has connections closed; those whose node heard of it.
pub(super) async fn kick(
    state: &State,
    user: &UserId,
    device: Option<&DeviceId>,
) -> Result<Vec<Connected>, StoreError> {
    let mut told = Vec::new();
    let connections = of(state, user).await?.into_iter();
    for connected in connections.filter(|connected| device.is_none_or(|device| *device == connected.device)) {
        if tell(state, connected.node, &envelope::kicked(user, connected.connection)).await? {
            told.push(connected);
        }
    }
    Ok(told)
}

/// Has a node stop; whether it heard.
pub(super) async fn drain(state: &State, node: u64) -> Result<bool, StoreError> {
    tell(state, node, &envelope::drain()).await
}

async fn tell(state: &State, node: u64, message: &[u8]) -> Result<bool, StoreError> {
    let mut command = redis::cmd("PUBLISH");
    command.arg(state.channel(node)).arg(message);
    Ok(reply::integer(&state.link.ask(Purpose::Pulse, &command).await?)? > 0)
}
