//! Round trips to the server, counted by what they were for.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::Traffic;

/// What a round trip is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Commit,
    Post,
    Relay,
    Read,
    Attach,
    Detach,
    Acknowledge,
    Sweep,
    Groups,
    Devices,
    Blocks,
    Pulse,
    Push,
}

impl Purpose {
    const ALL: [Self; 13] = [
        Self::Commit,
        Self::Post,
        Self::Relay,
        Self::Read,
        Self::Attach,
        Self::Detach,
        Self::Acknowledge,
        Self::Sweep,
        Self::Groups,
        Self::Devices,
        Self::Blocks,
        Self::Pulse,
        Self::Push,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Post => "post",
            Self::Relay => "relay",
            Self::Read => "read",
            Self::Attach => "attach",
            Self::Detach => "detach",
            Self::Acknowledge => "acknowledge",
            Self::Sweep => "sweep",
            Self::Groups => "groups",
            Self::Devices => "devices",
            Self::Blocks => "blocks",
            Self::Pulse => "pulse",
            Self::Push => "push",
        }
    }
}

/// See the module.
#[derive(Default)]
pub(super) struct Meter([Count; Purpose::ALL.len()]);

#[derive(Default)]
struct Count {
    round_trips: AtomicU64,
    commands: AtomicU64,
}

impl Meter {
    /// Counts a round trip of so many commands; a script is one.
    pub(super) fn count(&self, purpose: Purpose, commands: usize) {
        let count = &self.0[purpose as usize];
        count.round_trips.fetch_add(1, Ordering::Relaxed);
        count.commands.fetch_add(commands as u64, Ordering::Relaxed);
    }

    /// Everything that was counted.
    pub(super) fn read(&self) -> Vec<Traffic> {
        let of = |purpose: Purpose| {
            let count = &self.0[purpose as usize];
            Traffic {
                purpose: purpose.name(),
                round_trips: count.round_trips.load(Ordering::Relaxed),
                commands: count.commands.load(Ordering::Relaxed),
            }
        };
        Purpose::ALL.map(of).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_purpose_is_counted_in_its_own_place() {
        let meter = Meter::default();
        for (index, purpose) in Purpose::ALL.into_iter().enumerate() {
            meter.count(purpose, index);
        }
        for (index, traffic) in meter.read().into_iter().enumerate() {
            assert_eq!((traffic.round_trips, traffic.commands), (1, index as u64), "{}", traffic.purpose);
        }
    }
}
