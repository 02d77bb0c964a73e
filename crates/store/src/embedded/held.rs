//! A file that nothing is written to until it is known to be ours.
//!
//! Opening a redb file writes to it, so that refusing a foreign one would leave it changed. This
//! backend keeps every write in memory at first, and shows redb the file as it would be. Once the
//! file has proved to be a Ringwire store, [`Held::release`] performs the writes in their order,
//! with the syncs between them, and from then on hands everything through.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{BackendError, StorageBackend};

/// The unit in which held bytes are kept.
const BLOCK: usize = 4096;

/// Hands on to `inner`, after [`Held::release`].
#[derive(Clone, Debug)]
pub(super) struct Held(Arc<State>);

#[derive(Debug)]
struct State {
    inner: Box<dyn StorageBackend>,
    released: AtomicBool,
    held: Mutex<Writes>,
}

/// What was not written yet.
#[derive(Debug, Default)]
struct Writes {
    steps: Vec<Step>,
    /// The file's length, if it was changed.
    length: Option<u64>,
    /// The blocks that differ from the file, by number.
    blocks: BTreeMap<u64, Vec<u8>>,
}

#[derive(Debug)]
enum Step {
    Length(u64),
    Write(u64, Vec<u8>),
    Sync,
}

impl Held {
    pub(super) fn new(inner: impl StorageBackend) -> Self {
        Self(Arc::new(State { inner: Box::new(inner), released: AtomicBool::new(false), held: Mutex::default() }))
    }

    /// Performs what was held back.
    ///
    /// # Errors
    /// Those of the file. Like a crash at that point, it leaves a file that opens again.
    pub(super) fn release(&self) -> io::Result<()> {
        let mut held = self.held();
        for step in std::mem::take(&mut *held).steps {
            match step {
                Step::Length(length) => self.0.inner.set_len(length)?,
                Step::Write(offset, data) => self.0.inner.write(offset, &data)?,
                Step::Sync => self.0.inner.sync_data()?,
            }
        }
        self.0.released.store(true, Ordering::Release);
        Ok(())
    }

    fn held(&self) -> MutexGuard<'_, Writes> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_released(&self) -> bool {
        self.0.released.load(Ordering::Acquire)
    }
}

impl Writes {
    fn len(&self, inner: &dyn StorageBackend) -> io::Result<u64> {
        self.length.map_or_else(|| inner.len(), Ok)
    }

    /// The block as redb should see it; zeros beyond the file's end.
    fn block(&self, inner: &dyn StorageBackend, number: u64) -> io::Result<Vec<u8>> {
        if let Some(block) = self.blocks.get(&number) {
            return Ok(block.clone());
        }
        let mut block = vec![0; BLOCK];
        let start = number * BLOCK as u64;
        let there = inner.len()?.saturating_sub(start).min(BLOCK as u64);
        let there = usize::try_from(there).unwrap_or(BLOCK);
        if there > 0 {
            inner.read(start, &mut block[..there])?;
        }
        Ok(block)
    }

    /// Calls `touch` with each block in reach, its part that is, and the matching part of the range.
    fn each_block(
        offset: u64,
        length: usize,
        mut touch: impl FnMut(u64, std::ops::Range<usize>, std::ops::Range<usize>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut done = 0;
        while done < length {
            let at = offset + done as u64;
            let within = usize::try_from(at % BLOCK as u64).unwrap_or(0);
            let count = (BLOCK - within).min(length - done);
            touch(at / BLOCK as u64, within..within + count, done..done + count)?;
            done += count;
        }
        Ok(())
    }
}

impl StorageBackend for Held {
    fn len(&self) -> io::Result<u64> {
        if self.is_released() { self.0.inner.len() } else { self.held().len(&*self.0.inner) }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if self.is_released() {
            return self.0.inner.read(offset, out);
        }
        let held = self.held();
        if offset + out.len() as u64 > held.len(&*self.0.inner)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Writes::each_block(offset, out.len(), |number, within, part| {
            out[part].copy_from_slice(&held.block(&*self.0.inner, number)?[within]);
            Ok(())
        })
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        if self.is_released() {
            return self.0.inner.set_len(length);
        }
        let mut held = self.held();
        // What is cut off reads as zeros if the file grows again.
        let inner = &*self.0.inner;
        let end = held.len(inner)?;
        if length < end {
            let cut = usize::try_from(end - length).map_err(|_| io::ErrorKind::InvalidInput)?;
            Writes::each_block(length, cut, |number, within, _| {
                let mut block = held.block(inner, number)?;
                block[within].fill(0);
                held.blocks.insert(number, block);
                Ok(())
            })?;
        }
        held.length = Some(length);
        held.steps.push(Step::Length(length));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.is_released() {
            return self.0.inner.sync_data();
        }
        self.held().steps.push(Step::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if self.is_released() {
            return self.0.inner.write(offset, data);
        }
        let mut held = self.held();
        Writes::each_block(offset, data.len(), |number, within, part| {
            let mut block = held.block(&*self.0.inner, number)?;
            block[within].copy_from_slice(&data[part]);
            held.blocks.insert(number, block);
            Ok(())
        })?;
        held.steps.push(Step::Write(offset, data.to_vec()));
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.0.inner.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.inner.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.inner.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.inner.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.inner.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.inner.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.inner.query_lock_range(start, end)
    }
}

#[cfg(test)]
mod tests {
    use redb::backends::InMemoryBackend;

    use super::*;

    fn all(backend: &dyn StorageBackend) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(backend.len().unwrap()).unwrap()];
        backend.read(0, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn held_writes_show_and_are_performed_on_release() {
        let inner = InMemoryBackend::new();
        inner.set_len(5_000).unwrap();
        inner.write(0, &[7; 5_000]).unwrap();
        let held = Held::new(inner);
        held.write(4_090, &[1; 20]).unwrap();
        held.set_len(4_100).unwrap();
        held.sync_data().unwrap();
        held.set_len(9_000).unwrap();
        held.write(8_999, &[9]).unwrap();
        let shown = all(&held);
        assert_eq!(shown.len(), 9_000);
        assert_eq!((shown[4_089], shown[4_090], shown[4_099], shown[4_100]), (7, 1, 1, 0));
        assert_eq!((shown[4_999], shown[8_998], shown[8_999]), (0, 0, 9));
        assert_eq!(all(&*held.0.inner), [7; 5_000]);
        assert!(held.read(8_999, &mut [0; 2]).is_err());
        held.release().unwrap();
        assert_eq!(all(&*held.0.inner), shown);
        assert_eq!(all(&held), shown);
    }
}
