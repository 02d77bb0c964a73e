//! Groups and their members: a set with the empty name in it, so that a group without members exists.

use std::collections::BTreeSet;

use ringwire_signaling::limits::GROUP_MEMBERS;
use ringwire_signaling::{GroupId, UserId};

use super::link::Call;
use super::reply;
use super::state::State;
use super::traffic::Purpose;
use crate::error::StoreError;

pub(super) async fn members(state: &State, group: &GroupId) -> Result<Option<Vec<UserId>>, StoreError> {
    let mut command = redis::cmd("SMEMBERS");
    command.arg(state.keys.group(group));
    let names = reply::list(state.link.ask(Purpose::Groups, &command).await?)?;
    if names.is_empty() {
        return Ok(None);
    }
    let damaged = || StoreError::Damaged("a group's member".to_owned());
    let parse = |name: &Vec<u8>| std::str::from_utf8(name).ok().and_then(|name| UserId::parse(name).ok());
    let members = names.iter().filter(|name| !name.is_empty()).map(|name| parse(name).ok_or_else(damaged));
    let members: BTreeSet<UserId> = members.collect::<Result<_, _>>()?;
    Ok(Some(members.into_iter().collect()))
}

pub(super) async fn put(state: &State, group: &GroupId, members: &BTreeSet<UserId>) -> Result<(), StoreError> {
    let key = state.keys.group(group);
    let mut pipeline = redis::pipe();
    pipeline.atomic().cmd("DEL").arg(&key).cmd("SADD").arg(&key).arg("");
    for member in members {
        pipeline.arg(member.as_str());
    }
    state.link.ask_all(Purpose::Groups, &pipeline).await.map(|_| ())
}

pub(super) async fn delete(state: &State, group: &GroupId) -> Result<bool, StoreError> {
    let mut command = redis::cmd("DEL");
    command.arg(state.keys.group(group));
    Ok(reply::integer(&state.link.ask(Purpose::Groups, &command).await?)? == 1)
}

/// None if there is no such group, `Some(false)` if it is full.
pub(super) async fn add(state: &State, group: &GroupId, user: &UserId) -> Result<Option<bool>, StoreError> {
    let mut call = Call::new(Purpose::Groups);
    call.key(&state.keys.group(group));
    call.argument(user.as_str());
    call.number(GROUP_MEMBERS);
    let said = reply::integer(&state.link.run(&state.scripts.add_member, &call).await?)?;
    Ok((said >= 0).then_some(said == 1))
}

pub(super) async fn remove(state: &State, group: &GroupId, user: &UserId) -> Result<bool, StoreError> {
    let key = state.keys.group(group);
    let mut pipeline = redis::pipe();
    pipeline.atomic().cmd("SREM").arg(&key).arg(user.as_str()).cmd("EXISTS").arg(&key);
    let said = state.link.ask_all(Purpose::Groups, &pipeline).await?;
    Ok(reply::integer(said.last().ok_or_else(reply::unexpected)?)? == 1)
}
