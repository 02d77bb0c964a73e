//! The next version of messages between nodes, as a later release could have it: one more field stands
//! where readers of this version do not expect it. Only for tests of rolling upgrades.

#[cfg(feature = "next-version")]
use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(feature = "next-version")]
static SPOKEN: AtomicBool = AtomicBool::new(false);

/// From now on this process writes the next version, and reads both. Called before a store is opened.
#[cfg(feature = "next-version")]
pub fn speak() {
    SPOKEN.store(true, Ordering::Relaxed);
}

/// Whether this process writes the next version.
#[cfg(feature = "next-version")]
pub(super) fn is_spoken() -> bool {
    SPOKEN.load(Ordering::Relaxed)
}

/// Whether this process writes the next version.
#[cfg(not(feature = "next-version"))]
pub(super) fn is_spoken() -> bool {
    false
}
