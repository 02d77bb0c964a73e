//! Who may open another WebSocket: how fast one address connects, and how many connections it has.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::HttpRequest;

use super::RETRY_AFTER_MS;
use crate::config::Config;
use crate::http::client;
use crate::metrics::Limit;
use crate::rate::Buckets;
use crate::shared::Shared;

/// What addresses have used of their allowance.
pub(crate) struct Door {
    handshakes: Buckets<IpAddr>,
    /// Live connections, if they are limited: as many entries as there are connections, at most.
    connections: Mutex<HashMap<IpAddr, u32>>,
    has_warned: AtomicBool,
}

impl Door {
    pub(crate) fn new(config: &Config) -> Self {
        let limits = &config.limits;
        Self {
            handshakes: Buckets::new(limits.handshakes_per_second_per_ip, limits.handshake_burst_per_ip),
            connections: Mutex::default(),
            has_warned: AtomicBool::new(false),
        }
    }

    fn connections(&self) -> std::sync::MutexGuard<'_, HashMap<IpAddr, u32>> {
        // Every change is one assignment or one removal.
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of the connections that an address may have; given back when dropped.
pub(super) struct Seat {
    shared: Arc<Shared>,
    address: Option<IpAddr>,
}

impl Seat {
    /// Lets a handshake in, if its address has not used up what it may.
    ///
    /// # Errors
    /// The milliseconds after which to try again.
    pub(super) fn take(shared: &Arc<Shared>, request: &HttpRequest) -> Result<Self, u64> {
        let trusted = &shared.config.http.trusted_proxies.0;
        let mut seat = Self { shared: Arc::clone(shared), address: None };
        let Some(address) = client::address(request, trusted).map(client::counted_as) else { return Ok(seat) };
        let refuse = |limit, retry_after_ms| {
            shared.metrics.limited(limit);
            if client::is_distrusted(request, trusted) && !shared.door.has_warned.swap(true, Ordering::Relaxed) {
                tracing::warn!(%address, "limited an address that sends X-Forwarded-For; if it is your proxy, name it in \
                    http.trusted_proxies, or all its clients count as one");
            }
            Err(retry_after_ms)
        };
        if let Err(retry_after_ms) = shared.door.handshakes.take(address) {
            return refuse(Limit::Handshakes, retry_after_ms);
        }
        let most = shared.config.limits.connections_per_ip;
        if most == 0 {
            return Ok(seat);
        }
        let mut connections = shared.door.connections();
        let taken = connections.get(&address).copied().unwrap_or(0);
        if taken >= most {
            return refuse(Limit::Connections, RETRY_AFTER_MS);
        }
        connections.insert(address, taken + 1);
        seat.address = Some(address);
        Ok(seat)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut connections = self.shared.door.connections();
        match connections.get(&address).copied() {
            Some(taken) if taken > 1 => {
                connections.insert(address, taken - 1);
            }
            Some(_) | None => {
                connections.remove(&address);
            }
        }
    }
}
