//! Random bits for epochs and checks, fetched from the operating system in portions.

use std::cell::RefCell;

use crate::error::StoreError;

/// Bytes fetched at once, by each thread: some dozen commits.
const PORTION: usize = 512;

thread_local! {
    /// The bytes, and how many of them are used.
    static DICE: RefCell<([u8; PORTION], usize)> = const { RefCell::new(([0; PORTION], PORTION)) };
}

/// Random bits. `N` is far below a portion.
pub(super) fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    DICE.with_borrow_mut(|(bytes, used)| {
        if *used + N > PORTION {
            getrandom::fill(bytes).map_err(|error| StoreError::Unavailable(error.to_string()))?;
            *used = 0;
        }
        let mut taken = [0; N];
        taken.copy_from_slice(&bytes[*used..*used + N]);
        *used += N;
        Ok(taken)
    })
}
