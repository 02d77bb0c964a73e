//! File descriptors, of which every connection needs two: its socket, and the handle that can cut it.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors for everything but connections: the store, listeners, workers, operators' requests.
const OTHERS: u64 = 256;
const PER_CONNECTION: u64 = 2;

/// Raises the process's own limit as far as it may, and gives how many of the `wanted` connections it
/// then has descriptors for; 0 wants as many as that. Without the bound the operators' listener would
/// starve as well.
pub(crate) fn room_for(wanted: usize) -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::debug!(%error, "could not raise the limit of open files");
    }
    let wanted = if wanted == 0 { usize::MAX } else { wanted };
    let Some(limit) = getrlimit(Resource::Nofile).current else { return wanted };
    let room = usize::try_from(limit.saturating_sub(OTHERS) / PER_CONNECTION).unwrap_or(usize::MAX);
    if room < wanted && wanted < usize::MAX {
        tracing::warn!(limit, wanted, room, "too few file descriptors for http.max_connections: it is lowered");
    }
    room.min(wanted)
}
