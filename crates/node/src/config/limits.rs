//! What one address and one user may do at a node.

use ringwire_signaling::limits::RINGS_PER_WINDOW;
use serde::{Deserialize, Serialize};

/// See `[limits]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Sustained rate of WebSocket handshakes of one address; 0 is no limit.
    pub handshakes_per_second_per_ip: u32,
    /// Handshakes at once after a pause.
    pub handshake_burst_per_ip: u32,
    /// Live connections of one address; 0 is no limit.
    pub connections_per_ip: u32,
    /// Sustained rate of one user's invites; 0 is no limit.
    pub invites_per_second: u32,
    /// Invites at once after a pause.
    pub invite_burst: u32,
    /// Invitations that may ring one user in a minute, from all nodes; 0 is no limit.
    pub rings_per_minute: u32,
}

impl Limits {
    /// The first setting that makes no sense, and why.
    pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
        let nobody = |per_second, burst| per_second > 0 && burst == 0;
        if nobody(self.handshakes_per_second_per_ip, self.handshake_burst_per_ip) {
            return Some(("limits.handshake_burst_per_ip", "must be at least 1, or nobody could connect"));
        }
        if nobody(self.invites_per_second, self.invite_burst) {
            return Some(("limits.invite_burst", "must be at least 1, or nobody could invite"));
        }
        if self.rings_per_minute > RINGS_PER_WINDOW {
            return Some(("limits.rings_per_minute", "must be at most 1000"));
        }
        None
    }
}
