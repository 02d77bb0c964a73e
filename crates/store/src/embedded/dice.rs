//! Random numbers, fetched from the operating system in portions.

use ringwire_signaling::inbox::{Check, Epoch};

use super::fault::Fault;

/// Bytes fetched at once: the checks of a commit that notifies a hundred users.
const PORTION: usize = 512;

/// A source of random numbers.
#[derive(Debug)]
pub(super) struct Dice {
    bytes: [u8; PORTION],
    used: usize,
}

impl Dice {
    pub(super) fn new() -> Self {
        Self { bytes: [0; PORTION], used: PORTION }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        if self.used + N > PORTION {
            getrandom::fill(&mut self.bytes).map_err(|error| Fault::Storage(error.to_string()))?;
            self.used = 0;
        }
        let mut taken = [0; N];
        taken.copy_from_slice(&self.bytes[self.used..self.used + N]);
        self.used += N;
        Ok(taken)
    }

    /// Random bits for an inbox entry.
    pub(super) fn check(&mut self) -> Result<Check, Fault> {
        self.take().map(u32::from_le_bytes).map(Check)
    }

    /// A new life for an inbox.
    pub(super) fn epoch(&mut self) -> Result<Epoch, Fault> {
        self.take().map(u64::from_le_bytes).map(Epoch)
    }
}
