//! Whom users block: a set of names.

use std::collections::BTreeSet;

use ringwire_signaling::UserId;
use ringwire_signaling::limits::BLOCKED_PER_USER;

use super::link::Call;
use super::reply;
use super::state::State;
use super::traffic::Purpose;
use crate::error::StoreError;
use crate::query::BlockPage;

/// Part of the list. There are few enough to read all.
pub(super) async fn page(
    state: &State,
    user: &UserId,
    after: Option<&UserId>,
    limit: usize,
) -> Result<BlockPage, StoreError> {
    let mut command = redis::cmd("SMEMBERS");
    command.arg(state.keys.blocks(user));
    let names = reply::list(state.link.ask(Purpose::Blocks, &command).await?)?;
    let damaged = || StoreError::Damaged("a blocked user".to_owned());
    let parse = |name: &Vec<u8>| std::str::from_utf8(name).ok().and_then(|name| UserId::parse(name).ok());
    let all: BTreeSet<UserId> = names.iter().map(|name| parse(name).ok_or_else(damaged)).collect::<Result<_, _>>()?;
    Ok(BlockPage::of(all.into_iter().collect(), after, limit))
}

/// Adds somebody; `false` if the list is full.
pub(super) async fn add(state: &State, user: &UserId, blocked: &UserId) -> Result<bool, StoreError> {
    let mut call = Call::new(Purpose::Blocks);
    call.key(&state.keys.blocks(user));
    call.argument(blocked.as_str());
    call.number(BLOCKED_PER_USER);
    Ok(reply::integer(&state.link.run(&state.scripts.add_block, &call).await?)? == 1)
}

/// Removes somebody; whether the user was on the list.
pub(super) async fn remove(state: &State, user: &UserId, blocked: &UserId) -> Result<bool, StoreError> {
    let mut command = redis::cmd("SREM");
    command.arg(state.keys.blocks(user)).arg(blocked.as_str());
    Ok(reply::integer(&state.link.ask(Purpose::Blocks, &command).await?)? == 1)
}
