//! The tables, and opening all of them for one write transaction.

use std::ops::Bound;

use redb::{AccessGuard, Range, ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};

use super::fault::Fault;
use super::keys;

/// Keys and values are bytes: [`keys`] and [`super::rows`] give them their form.
pub(super) type Bytes = &'static [u8];
/// A table's name.
pub(super) type Name = TableDefinition<'static, Bytes, Bytes>;

/// What identifies the file: name → number.
pub(super) const META: TableDefinition<'static, &'static str, u32> = TableDefinition::new("ringwire");
/// Invitation → head and state.
pub(super) const INVITATIONS: Name = TableDefinition::new("invitations");
/// Invitation, version → operation.
pub(super) const OPERATIONS: Name = TableDefinition::new("operations");
/// Invitation, what was posted → until when that is remembered, device.
pub(super) const ONCE: Name = TableDefinition::new("once");
/// Invitation → the users who get its broadcasts.
pub(super) const AUDIENCES: Name = TableDefinition::new("audiences");
/// Invitation, sequence → an event on its way to the audience.
pub(super) const OUTBOX: Name = TableDefinition::new("outbox");
/// Time, invitation, kind → nothing.
pub(super) const DUE: Name = TableDefinition::new("due");
/// User → state of the inbox.
pub(super) const HEADS: Name = TableDefinition::new("heads");
/// User, offset → event.
pub(super) const ENTRIES: Name = TableDefinition::new("entries");
/// User, role, invitation → what guards ask of it.
pub(super) const ACTIVE: Name = TableDefinition::new("active");
/// User, offset, invitation → when it ended.
pub(super) const MISSED: Name = TableDefinition::new("missed");
/// Conversation, creation, invitation → nothing.
pub(super) const HISTORY: Name = TableDefinition::new("history");
/// Group → nothing.
pub(super) const GROUPS: Name = TableDefinition::new("groups");
/// Group, user → nothing.
pub(super) const MEMBERS: Name = TableDefinition::new("members");
/// User, device → what is registered of it.
pub(super) const DEVICES: Name = TableDefinition::new("devices");
/// Invitation, user → what is noted of the pushes.
pub(super) const PUSHED: Name = TableDefinition::new("pushed");
/// Target, push → when it may be taken, and how often it was.
pub(super) const JOBS: Name = TableDefinition::new("jobs");
/// Target, time, push → nothing.
pub(super) const JOB_TIMES: Name = TableDefinition::new("job times");
/// Id → dead letter.
pub(super) const LETTERS: Name = TableDefinition::new("letters");
/// Time, id → nothing.
pub(super) const LETTER_TIMES: Name = TableDefinition::new("letter times");
/// User, blocked user → nothing.
pub(super) const BLOCKS: Name = TableDefinition::new("blocks");
/// Time, what passes away → nothing.
pub(super) const EXPIRY: Name = TableDefinition::new("expiry");

/// One row that readiness rewrites, because only a durable write proves that writes work.
pub(super) const PROBE: Name = TableDefinition::new("probe");

/// All but [`META`].
pub(super) const ALL: [Name; 22] = [
    INVITATIONS,
    OPERATIONS,
    ONCE,
    AUDIENCES,
    OUTBOX,
    DUE,
    HEADS,
    ENTRIES,
    ACTIVE,
    MISSED,
    HISTORY,
    GROUPS,
    MEMBERS,
    DEVICES,
    BLOCKS,
    EXPIRY,
    PUSHED,
    JOBS,
    JOB_TIMES,
    LETTERS,
    LETTER_TIMES,
    PROBE,
];

/// A table in a write transaction. Remembers in the transaction's stead whether anything changed.
pub(super) struct Rows<'txn> {
    table: Table<'txn, Bytes, Bytes>,
    changed: bool,
    /// Bytes that were inserted.
    bytes: usize,
}

impl<'txn> Rows<'txn> {
    fn open(transaction: &'txn WriteTransaction, name: Name) -> Result<Self, Fault> {
        Ok(Self { table: transaction.open_table(name)?, changed: false, bytes: 0 })
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<AccessGuard<'_, Bytes>>, Fault> {
        Ok(self.table.get(key)?)
    }

    pub(super) fn insert(&mut self, key: &[u8], value: &[u8]) -> Result<(), Fault> {
        self.changed = true;
        self.bytes += key.len() + value.len();
        self.table.insert(key, value)?;
        Ok(())
    }

    /// Removes a row; whether there was one.
    pub(super) fn remove(&mut self, key: &[u8]) -> Result<bool, Fault> {
        let found = self.table.remove(key)?.is_some();
        self.changed |= found;
        Ok(found)
    }

    /// Removes the rows whose keys begin with `prefix`, at most `budget`, which it lowers.
    pub(super) fn remove_all(&mut self, prefix: &[u8], budget: &mut usize) -> Result<(), Fault> {
        while *budget > 0 {
            let first = match rows_of(&self.table, prefix)?.next() {
                Some(row) => row?.0.value().to_vec(),
                None => return Ok(()),
            };
            self.remove(&first)?;
            *budget -= 1;
        }
        Ok(())
    }

    /// Removes the rows whose keys begin with `prefix`; how many there were.
    pub(super) fn remove_every(&mut self, prefix: &[u8]) -> Result<usize, Fault> {
        let mut left = usize::MAX;
        self.remove_all(prefix, &mut left)?;
        Ok(usize::MAX - left)
    }

    /// The rows whose keys begin with `prefix`.
    pub(super) fn all(&self, prefix: &[u8]) -> Result<Range<'_, Bytes, Bytes>, Fault> {
        rows_of(&self.table, prefix)
    }

    pub(super) fn table(&self) -> &Table<'txn, Bytes, Bytes> {
        &self.table
    }
}

/// The rows of `table` whose keys begin with `prefix`.
pub(super) fn rows_of<'a, T: ReadableTable<Bytes, Bytes>>(
    table: &'a T,
    prefix: &[u8],
) -> Result<Range<'a, Bytes, Bytes>, Fault> {
    let end = keys::above(prefix);
    rows_between(table, Bound::Included(prefix), end.as_ref().map(Vec::as_slice))
}

/// The rows of `table` between two keys.
pub(super) fn rows_between<'a, T: ReadableTable<Bytes, Bytes>>(
    table: &'a T,
    from: Bound<&[u8]>,
    to: Bound<&[u8]>,
) -> Result<Range<'a, Bytes, Bytes>, Fault> {
    Ok(table.range::<&[u8]>((from, to))?)
}

/// A table in a read transaction.
pub(super) fn read(transaction: &ReadTransaction, name: Name) -> Result<redb::ReadOnlyTable<Bytes, Bytes>, Fault> {
    Ok(transaction.open_table(name)?)
}

/// All tables, open in one write transaction.
pub(super) struct Tables<'txn> {
    pub(super) invitations: Rows<'txn>,
    pub(super) operations: Rows<'txn>,
    pub(super) once: Rows<'txn>,
    pub(super) audiences: Rows<'txn>,
    pub(super) outbox: Rows<'txn>,
    pub(super) due: Rows<'txn>,
    pub(super) heads: Rows<'txn>,
    pub(super) entries: Rows<'txn>,
    pub(super) active: Rows<'txn>,
    pub(super) missed: Rows<'txn>,
    pub(super) history: Rows<'txn>,
    pub(super) groups: Rows<'txn>,
    pub(super) members: Rows<'txn>,
    pub(super) devices: Rows<'txn>,
    pub(super) pushed: Rows<'txn>,
    pub(super) jobs: Rows<'txn>,
    pub(super) job_times: Rows<'txn>,
    pub(super) letters: Rows<'txn>,
    pub(super) letter_times: Rows<'txn>,
    pub(super) blocks: Rows<'txn>,
    pub(super) expiry: Rows<'txn>,
    pub(super) probe: Rows<'txn>,
}

impl<'txn> Tables<'txn> {
    pub(super) fn open(transaction: &'txn WriteTransaction) -> Result<Self, Fault> {
        Ok(Self {
            invitations: Rows::open(transaction, INVITATIONS)?,
            operations: Rows::open(transaction, OPERATIONS)?,
            once: Rows::open(transaction, ONCE)?,
            audiences: Rows::open(transaction, AUDIENCES)?,
            outbox: Rows::open(transaction, OUTBOX)?,
            due: Rows::open(transaction, DUE)?,
            heads: Rows::open(transaction, HEADS)?,
            entries: Rows::open(transaction, ENTRIES)?,
            active: Rows::open(transaction, ACTIVE)?,
            missed: Rows::open(transaction, MISSED)?,
            history: Rows::open(transaction, HISTORY)?,
            groups: Rows::open(transaction, GROUPS)?,
            members: Rows::open(transaction, MEMBERS)?,
            devices: Rows::open(transaction, DEVICES)?,
            pushed: Rows::open(transaction, PUSHED)?,
            jobs: Rows::open(transaction, JOBS)?,
            job_times: Rows::open(transaction, JOB_TIMES)?,
            letters: Rows::open(transaction, LETTERS)?,
            letter_times: Rows::open(transaction, LETTER_TIMES)?,
            blocks: Rows::open(transaction, BLOCKS)?,
            expiry: Rows::open(transaction, EXPIRY)?,
            probe: Rows::open(transaction, PROBE)?,
        })
    }

    /// Whether a commit of the transaction would change anything.
    pub(super) fn changed(&self) -> bool {
        self.all().iter().any(|rows| rows.changed)
    }

    /// Bytes that a commit of the transaction would write, roughly.
    pub(super) fn bytes(&self) -> usize {
        self.all().iter().map(|rows| rows.bytes).sum()
    }

    fn all(&self) -> [&Rows<'txn>; ALL.len()] {
        [
            &self.invitations,
            &self.operations,
            &self.once,
            &self.audiences,
            &self.outbox,
            &self.due,
            &self.heads,
            &self.entries,
            &self.active,
            &self.missed,
            &self.history,
            &self.groups,
            &self.members,
            &self.devices,
            &self.pushed,
            &self.jobs,
            &self.job_times,
            &self.letters,
            &self.letter_times,
            &self.blocks,
            &self.expiry,
            &self.probe,
        ]
    }
}
