//! Whom users block.

use redb::ReadableTable;
use ringwire_signaling::UserId;
use ringwire_signaling::limits::BLOCKED_PER_USER;

use super::fault::Fault;
use super::keys;
use super::tables::{Bytes, rows_of};
use super::write::{Write, Written};

/// Whom the user blocks, by name. There are few enough to read all.
pub(super) fn of<T: ReadableTable<Bytes, Bytes>>(table: &T, user: &UserId) -> Result<Vec<UserId>, Fault> {
    let prefix = keys::user(user);
    let mut blocked = Vec::new();
    for row in rows_of(table, &prefix)? {
        let (key, _) = row?;
        let name = key.value().get(prefix.len()..).and_then(|name| std::str::from_utf8(name).ok());
        blocked.push(name.and_then(|name| UserId::parse(name).ok()).ok_or(Fault::Damaged("a blocked user"))?);
    }
    Ok(blocked)
}

/// Adds somebody, unless the list is full.
pub(super) fn add(write: &mut Write<'_>, user: &UserId, blocked: &UserId) -> Written<bool> {
    let key = keys::block(user, blocked);
    if write.tables.blocks.get(&key)?.is_some() {
        return Ok((true, Vec::new()));
    }
    if write.tables.blocks.all(&keys::user(user))?.count() >= BLOCKED_PER_USER {
        return Ok((false, Vec::new()));
    }
    write.tables.blocks.insert(&key, &[])?;
    Ok((true, Vec::new()))
}

/// Removes somebody; whether the user was on the list.
pub(super) fn remove(write: &mut Write<'_>, user: &UserId, blocked: &UserId) -> Written<bool> {
    Ok((write.tables.blocks.remove(&keys::block(user, blocked))?, Vec::new()))
}
