//! This node process among the others: its incarnation, who lives, and the connections it holds.
//!
//! Presence in the store counts while the incarnation that wrote it holds its lease. A process that
//! failed to renew takes a fresh incarnation and registers its connections again, because others may
//! have cleared what the old one wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use ringwire_signaling::{ConnectionId, DeviceId, UserId};
use tokio::sync::{Notify, watch};

/// Ends of connections that the store could not be told. More are forgotten, and show users as
/// connected until the incarnation ends.
const UNTOLD: usize = 65_536;

/// Past incarnations that are remembered. What older ones registered was registered again since.
const PAST: usize = 16;
/// How old what is known of the living may be. Beats come each second, and one may be late.
const FRESH: Duration = Duration::from_millis(2_500);

/// A connection that this process holds, or held.
pub(super) type Local = (UserId, DeviceId, ConnectionId);

/// See the module.
pub(super) struct Membership {
    /// The incarnation whose lease is held, or was last; zero before the first.
    own: watch::Sender<u64>,
    /// The incarnations under which this process went, the last one last.
    past: Mutex<Vec<u64>>,
    /// The incarnation whose channel should be subscribed to; zero before the first.
    pub(super) wanted: watch::Sender<u64>,
    /// The incarnation whose channel is subscribed to.
    pub(super) subscribed: watch::Sender<Option<u64>>,
    /// Something is wrong with the subscription.
    pub(super) resubscribe: Notify,
    /// Who lived when the lease was last renewed.
    live: RwLock<(BTreeSet<u64>, Option<Instant>)>,
    connections: Mutex<BTreeMap<UserId, BTreeMap<DeviceId, ConnectionId>>>,
    untold: Mutex<Vec<Local>>,
    /// What this process says of itself; empty if it says nothing.
    description: Mutex<String>,
    /// The last probe that was sent, and that came round.
    pub(super) probe_sent: AtomicU64,
    pub(super) probe_seen: AtomicU64,
    /// The number of the last doorbell that was heard.
    pub(super) heard: AtomicU64,
}

impl Membership {
    pub(super) fn new() -> Self {
        Self {
            own: watch::Sender::new(0),
            past: Mutex::default(),
            wanted: watch::Sender::new(0),
            subscribed: watch::Sender::new(None),
            resubscribe: Notify::new(),
            live: RwLock::default(),
            connections: Mutex::default(),
            untold: Mutex::default(),
            description: Mutex::default(),
            probe_sent: AtomicU64::new(0),
            probe_seen: AtomicU64::new(0),
            heard: AtomicU64::new(0),
        }
    }

    pub(super) fn own(&self) -> u64 {
        *self.own.borrow()
    }

    /// All incarnations under which the store may hold connections of this process, as one text.
    pub(super) fn names(&self) -> String {
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        past.iter().map(|incarnation| name(*incarnation)).collect::<Vec<_>>().join(",")
    }

    pub(super) fn set_own(&self, incarnation: u64) {
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        past.push(incarnation);
        let surplus = past.len().saturating_sub(PAST);
        past.drain(..surplus);
        drop(past);
        self.own.send_replace(incarnation);
    }

    /// Waits for the first lease.
    pub(super) async fn joined(&self) {
        // The sender lives as long as `self`.
        let _ = self.own.subscribe().wait_for(|own| *own != 0).await;
    }

    /// The subscription carried a message lately.
    pub(super) fn hears(&self) -> bool {
        self.subscribed.borrow().is_some()
            && self.probe_sent.load(Ordering::Relaxed) <= self.probe_seen.load(Ordering::Relaxed) + 2
    }

    /// Notes which channel is listened to. Probes from before are not waited for.
    pub(super) fn listens_to(&self, incarnation: u64) {
        self.probe_seen.fetch_max(self.probe_sent.load(Ordering::Relaxed), Ordering::Relaxed);
        self.subscribed.send_replace(Some(incarnation));
    }

    pub(super) fn set_live(&self, live: BTreeSet<u64>) {
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = (live, Some(Instant::now()));
    }

    /// Whether the lease was renewed lately, so that what is known of others is no older than that.
    pub(super) fn is_fresh(&self) -> bool {
        let renewed = self.live.read().unwrap_or_else(PoisonError::into_inner).1;
        renewed.is_some_and(|renewed| renewed.elapsed() < FRESH)
    }

    pub(super) fn live(&self) -> BTreeSet<u64> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    fn connections(&self) -> MutexGuard<'_, BTreeMap<UserId, BTreeMap<DeviceId, ConnectionId>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a connection. Replaces the device's older one.
    pub(super) fn hold(&self, (user, device, connection): Local) {
        self.connections().entry(user).or_default().insert(device, connection);
    }

    /// Forgets a connection, unless the device has another.
    pub(super) fn release(&self, (user, device, connection): &Local) {
        let mut connections = self.connections();
        if let Some(devices) = connections.get_mut(user) {
            if devices.get(device) == Some(connection) {
                devices.remove(device);
            }
            if devices.is_empty() {
                connections.remove(user);
            }
        }
    }

    pub(super) fn holds(&self, (user, device, connection): &Local) -> bool {
        self.connections().get(user).and_then(|devices| devices.get(device)) == Some(connection)
    }

    /// Everything that is held.
    pub(super) fn held(&self) -> Vec<Local> {
        let connections = self.connections();
        let of_user = |(user, devices): (&UserId, &BTreeMap<DeviceId, ConnectionId>)| -> Vec<Local> {
            devices.iter().map(|(device, connection)| (user.clone(), device.clone(), *connection)).collect()
        };
        connections.iter().flat_map(of_user).collect()
    }

    /// Notes an end that the store has to be told later.
    pub(super) fn tell_later(&self, local: Local) {
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        if untold.len() < UNTOLD {
            untold.push(local);
        }
    }

    /// Has the process say this of itself from the next beat on.
    pub(super) fn describe(&self, description: String) {
        *self.description.lock().unwrap_or_else(PoisonError::into_inner) = description;
    }

    pub(super) fn description(&self) -> String {
        self.description.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn take_untold(&self) -> Vec<Local> {
        std::mem::take(&mut *self.untold.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An incarnation as it stands in keys and channels.
pub(super) fn name(incarnation: u64) -> String {
    format!("{incarnation:016x}")
}

/// Reads what [`name`] wrote.
pub(super) fn parse(name: &str) -> Option<u64> {
    u64::from_str_radix(name, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_end_leaves_the_newer_connection() {
        let local = |connection| -> Local {
            (UserId::parse("ann").unwrap(), DeviceId::parse("phone").unwrap(), ConnectionId(connection))
        };
        let membership = Membership::new();
        membership.hold(local(1));
        membership.hold(local(2));
        membership.release(&local(1));
        assert_eq!(membership.held(), [local(2)]);
        membership.release(&local(2));
        assert!(membership.held().is_empty() && membership.connections().is_empty());
    }
}
