//! Who is connected, as far as living node processes say so.

use std::collections::{BTreeMap, BTreeSet};

use ringwire_signaling::UserId;

use super::dice::random;
use super::fields::{Present, read_presence};
use super::link::Call;
use super::membership::{self, Local};
use super::reply;
use super::state::State;
use super::traffic::Purpose;
use crate::error::StoreError;

/// What a script that attaches is told: the connection, under which incarnation it stood before if
/// it comes back, the claimed epoch, and the offset to read after.
pub(super) struct Attaching<'a> {
    pub(super) user: &'a UserId,
    pub(super) local: Option<&'a Local>,
    pub(super) incarnation: u64,
    pub(super) is_return: bool,
    pub(super) epoch: Option<u64>,
    pub(super) after: Option<u64>,
}

pub(super) fn attach_call(state: &State, attaching: &Attaching<'_>) -> Result<Call, StoreError> {
    let mut call = Call::new(if attaching.local.is_some() { Purpose::Attach } else { Purpose::Read });
    call.key(&state.keys.user(attaching.user));
    call.key(&state.keys.inbox(attaching.user));
    let own = membership::name(attaching.incarnation);
    match attaching.local {
        Some((_, device, connection)) => {
            call.argument(device.as_str());
            call.argument(&own);
            call.argument(connection.0.to_le_bytes());
        }
        None => (0..3).for_each(|_| call.argument("")),
    }
    call.argument(if attaching.is_return { state.membership.names() } else { String::new() });
    call.argument(attaching.epoch.map(|epoch| epoch.to_le_bytes().to_vec()).unwrap_or_default());
    call.argument(attaching.after.map(|after| after.to_string()).unwrap_or_default());
    call.argument(attaching.user.as_str());
    call.argument(random::<8>()?);
    Ok(call)
}

/// Registers a connection again; `false` if its device has connected elsewhere since.
pub(super) async fn register(state: &State, local: &Local, incarnation: u64) -> Result<bool, StoreError> {
    let attaching =
        Attaching { user: &local.0, local: Some(local), incarnation, is_return: true, epoch: None, after: None };
    let mut parts = state.link.run_timed(&state.scripts.attach, &attach_call(state, &attaching)?).await?;
    Ok(reply::bytes(parts.next())? != b"taken")
}

/// Takes a connection of this process out.
pub(super) async fn detach(state: &State, (user, device, connection): &Local) -> Result<(), StoreError> {
    let mut call = Call::new(Purpose::Detach);
    call.key(&state.keys.user(user));
    call.argument(membership::name(state.membership.own()));
    call.argument(connection.0.to_le_bytes());
    call.argument(device.as_str());
    state.link.run(&state.scripts.detach, &call).await.map(|_| ())
}

/// Which of these users have a connection that a living process holds. What dead ones left is
/// cleared on the way.
pub(super) async fn among(state: &State, users: Vec<UserId>) -> Result<BTreeSet<UserId>, StoreError> {
    if users.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut pipeline = redis::pipe();
    for user in &users {
        pipeline.cmd("HGET").arg(state.keys.user(user)).arg("p");
    }
    let mut found: BTreeMap<UserId, Vec<Present>> = BTreeMap::new();
    for (user, value) in users.into_iter().zip(state.link.ask_all(Purpose::Read, &pipeline).await?) {
        if let Some(bytes) = reply::optional(value)?.filter(|bytes| !bytes.is_empty()) {
            found.insert(user, read_presence(&bytes)?);
        }
    }
    let named = found.values().flatten().map(|present| present.incarnation.clone()).collect();
    let dead = dead_among(state, named).await?;
    let mut live = BTreeSet::new();
    for (user, present) in found {
        let left: BTreeSet<&String> =
            present.iter().map(|present| &present.incarnation).filter(|name| dead.contains(*name)).collect();
        for incarnation in left {
            clear(state, &user, incarnation).await?;
        }
        if present.iter().any(|present| !dead.contains(&present.incarnation)) {
            live.insert(user);
        }
    }
    Ok(live)
}

/// Clears what dead processes left of users whose doorbells nobody heard.
pub(super) async fn clear_unheard(state: &State, users: Vec<UserId>, unheard: Vec<String>) -> Result<(), StoreError> {
    for incarnation in dead_among(state, unheard.into_iter().collect()).await? {
        for user in &users {
            clear(state, user, &incarnation).await?;
        }
    }
    Ok(())
}

/// Those that hold no lease. Asked of the store: a fresh incarnation is not yet in anybody's list.
pub(super) async fn dead_among(state: &State, names: BTreeSet<String>) -> Result<BTreeSet<String>, StoreError> {
    let known = if state.membership.is_fresh() { state.membership.live() } else { BTreeSet::new() };
    let doubtful: Vec<String> =
        names.into_iter().filter(|name| membership::parse(name).is_none_or(|name| !known.contains(&name))).collect();
    if doubtful.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut command = redis::cmd("ZMSCORE");
    command.arg(state.keys.nodes());
    for name in &doubtful {
        command.arg(name);
    }
    let ends = reply::array(state.link.ask(Purpose::Read, &command).await?)?;
    let now = state.link.now();
    let mut dead = BTreeSet::new();
    for (name, end) in doubtful.into_iter().zip(ends) {
        let end = reply::optional(end)?.and_then(|end| std::str::from_utf8(&end).ok()?.parse::<f64>().ok());
        // Milliseconds since the epoch are far below what a float can hold exactly.
        #[allow(clippy::cast_precision_loss)]
        let is_live = end.is_some_and(|end| end > now.0 as f64);
        if !is_live {
            dead.insert(name);
        }
    }
    Ok(dead)
}

async fn clear(state: &State, user: &UserId, incarnation: &str) -> Result<(), StoreError> {
    let mut call = Call::new(Purpose::Detach);
    call.key(&state.keys.user(user));
    call.argument(incarnation);
    call.argument("");
    call.argument("");
    state.link.run(&state.scripts.detach, &call).await.map(|_| ())
}
