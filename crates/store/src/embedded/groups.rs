//! Groups and their members.

use std::collections::BTreeSet;

use redb::ReadableTable;
use ringwire_signaling::limits::GROUP_MEMBERS;
use ringwire_signaling::{GroupId, UserId};

use super::fault::Fault;
use super::keys;
use super::tables::{Bytes, rows_of};
use super::write::{Write, Written};

/// The members of a group that exists, by name.
pub(super) fn members<T: ReadableTable<Bytes, Bytes>>(table: &T, group: &GroupId) -> Result<Vec<UserId>, Fault> {
    let prefix = keys::group(group);
    let mut members = Vec::new();
    for row in rows_of(table, &prefix)? {
        let (key, _) = row?;
        let name = key.value().get(prefix.len()..).and_then(|name| std::str::from_utf8(name).ok());
        members.push(name.and_then(|name| UserId::parse(name).ok()).ok_or(Fault::Damaged("a group's member"))?);
    }
    Ok(members)
}

/// Creates a group or replaces its members.
pub(super) fn put(write: &mut Write<'_>, group: &GroupId, members: &BTreeSet<UserId>) -> Written<()> {
    write.tables.members.remove_every(&keys::group(group))?;
    write.tables.groups.insert(&keys::group(group), &[])?;
    for member in members {
        write.tables.members.insert(&keys::member(group, member), &[])?;
    }
    Ok(((), Vec::new()))
}

/// Deletes a group; whether there was one.
pub(super) fn delete(write: &mut Write<'_>, group: &GroupId) -> Written<bool> {
    write.tables.members.remove_every(&keys::group(group))?;
    Ok((write.tables.groups.remove(&keys::group(group))?, Vec::new()))
}

/// Adds a member, unless there is no group or no room.
pub(super) fn add(write: &mut Write<'_>, group: &GroupId, user: &UserId) -> Written<Option<bool>> {
    if write.tables.groups.get(&keys::group(group))?.is_none() {
        return Ok((None, Vec::new()));
    }
    let key = keys::member(group, user);
    if write.tables.members.get(&key)?.is_some() {
        return Ok((Some(true), Vec::new()));
    }
    if write.tables.members.all(&keys::group(group))?.count() >= GROUP_MEMBERS {
        return Ok((Some(false), Vec::new()));
    }
    write.tables.members.insert(&key, &[])?;
    Ok((Some(true), Vec::new()))
}

/// Removes a member; whether there is such a group.
pub(super) fn remove(write: &mut Write<'_>, group: &GroupId, user: &UserId) -> Written<bool> {
    write.tables.members.remove(&keys::member(group, user))?;
    Ok((write.tables.groups.get(&keys::group(group))?.is_some(), Vec::new()))
}
