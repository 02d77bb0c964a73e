//! A disk that fails on command, and that loses what was not synced when the power goes.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use redb::StorageBackend;

/// The unit that a real disk writes whole.
const SECTOR: usize = 512;

/// The disk. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
struct State {
    /// What readers see.
    bytes: Vec<u8>,
    /// What the last sync made durable.
    durable: Vec<u8>,
    fails: Fails,
    /// Writes and syncs until it fails.
    countdown: Option<usize>,
    writes: usize,
    syncs: usize,
    /// Syncs wait while it is set.
    held: bool,
}

/// What a disk refuses to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Fails {
    #[default]
    Nothing,
    /// It is full.
    Growing,
    Writing,
    Everything,
}

impl Disk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap()
    }

    pub(super) fn is_blank(&self) -> bool {
        self.state().bytes.is_empty()
    }

    /// A file on the disk, as one that opens it has it.
    pub(super) fn open(&self) -> impl StorageBackend + use<> {
        File(self.clone())
    }

    pub(super) fn fail(&self, fails: Fails) {
        self.state().fails = fails;
    }

    /// Fails all writing after so many more writes and syncs.
    pub(super) fn fail_after(&self, operations: usize) {
        self.state().countdown = Some(operations);
    }

    /// Works again.
    pub(super) fn heal(&self) {
        let mut state = self.state();
        state.fails = Fails::Nothing;
        state.countdown = None;
    }

    pub(super) fn is_failing(&self) -> bool {
        self.state().fails != Fails::Nothing
    }

    /// How often it was made to sync.
    pub(super) fn syncs(&self) -> usize {
        self.state().syncs
    }

    /// How often it was written to.
    pub(super) fn writes(&self) -> usize {
        self.state().writes
    }

    /// Lets syncs wait, or go on.
    pub(super) fn hold(&self, held: bool) {
        self.state().held = held;
        self.0.1.notify_all();
    }

    /// The power went: of what was not synced, only the sectors that `kept` chooses were written.
    pub(super) fn lose_power(&self, mut kept: impl FnMut(usize) -> bool) {
        let mut state = self.state();
        let (bytes, mut durable) = (std::mem::take(&mut state.bytes), std::mem::take(&mut state.durable));
        durable.resize(bytes.len(), 0);
        for (number, (after, before)) in bytes.chunks(SECTOR).zip(durable.chunks_mut(SECTOR)).enumerate() {
            if after != before && kept(number) {
                before.copy_from_slice(after);
            }
        }
        state.bytes.clone_from(&durable);
        state.durable = durable;
    }

    fn change(&self, growing: bool, change: impl FnOnce(&mut State)) -> io::Result<()> {
        let mut state = self.state();
        if let Some(left) = state.countdown {
            match left.checked_sub(1) {
                Some(left) => state.countdown = Some(left),
                None => state.fails = Fails::Writing,
            }
        }
        match state.fails {
            Fails::Growing if growing => return Err(io::ErrorKind::StorageFull.into()),
            Fails::Writing | Fails::Everything => return Err(io::Error::other("the disk fails")),
            Fails::Nothing | Fails::Growing => {}
        }
        change(&mut state);
        Ok(())
    }
}

#[derive(Debug)]
struct File(Disk);

impl StorageBackend for File {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.state().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.0.state();
        if state.fails == Fails::Everything {
            return Err(io::Error::other("the disk fails"));
        }
        let start = usize::try_from(offset).unwrap();
        let bytes = state.bytes.get(start..start + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).unwrap();
        let growing = len > self.0.state().bytes.len();
        self.0.change(growing, |state| state.bytes.resize(len, 0))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.0.state();
        while state.held {
            state = self.0.0.1.wait(state).unwrap();
        }
        drop(state);
        self.0.change(false, |state| {
            state.syncs += 1;
            state.durable.clone_from(&state.bytes);
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.change(false, |state| {
            state.writes += 1;
            let start = usize::try_from(offset).unwrap();
            state.bytes[start..start + data.len()].copy_from_slice(data);
        })
    }
}
