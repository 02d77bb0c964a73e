//! The scripts, with the limits written into them.

use std::sync::OnceLock;

use ringwire_signaling::limits::{
    DEVICES_PER_USER, INBOX_AGE_MS, INBOX_BYTES, INBOX_EVENTS, MISSED_AGE_MS, SNAPSHOT_MISSED,
};

use super::{Settings, envelope, next};
use crate::commit::STALE_AFTER_MS;
use crate::push::{DEAD_LETTERS, HELD, QUEUED_PUSHES};

const HOUR_MS: u64 = 60 * 60 * 1000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// How long an inbox outlives its last entry and its last device.
const USER_MS: u64 = 7 * DAY_MS;
/// How stale the expiry of a user's keys may get before it is set again.
const RENEW_MS: u64 = HOUR_MS;
/// Entries, and bytes of entries, that an inbox may hold beyond its bounds until it is trimmed.
/// Readers keep the bounds exactly.
const SLACK: usize = 32;
const SLACK_BYTES: usize = 32 * 1024;
/// How long a node process counts as alive after it last said so.
pub(super) const LEASE_MS: u64 = 5_000;
/// How long an event may wait for the node that committed it before others relay it.
const RELAY_AFTER_MS: u64 = 2_000;

/// How long dead letters outlive the newest of them.
const LETTER_MS: u64 = 30 * DAY_MS;

/// One script.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) source: String,
    /// What the server calls it, once it was loaded anywhere.
    pub(super) digest: OnceLock<String>,
}

/// All scripts.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) commit: Script,
    pub(super) post: Script,
    pub(super) relay: Script,
    pub(super) attach: Script,
    pub(super) detach: Script,
    pub(super) acknowledge: Script,
    pub(super) replace_epoch: Script,
    pub(super) lease: Script,
    pub(super) due: Script,
    pub(super) outbox: Script,
    pub(super) add_member: Script,
    pub(super) put_device: Script,
    pub(super) queue_push: Script,
    pub(super) queue_event: Script,
    pub(super) take_pushes: Script,
    pub(super) put_off_push: Script,
    pub(super) end_push: Script,
    pub(super) remove_letter: Script,
    pub(super) add_block: Script,
}

impl Scripts {
    /// `channel` is what stands before an incarnation in the name of its channel.
    pub(super) fn new(settings: &Settings, channel: &str) -> Self {
        let retention_ms = settings.retention_ms;
        // Longer names first: some begin with others.
        let mut limits = [
            ("$ENTRIES", INBOX_EVENTS as u64),
            ("$BYTES", INBOX_BYTES as u64),
            ("$AGE", INBOX_AGE_MS),
            ("$SLACK_BYTES", SLACK_BYTES as u64),
            ("$SLACK", SLACK as u64),
            ("$RENEW", RENEW_MS),
            // Lists of active invitations stand with the user.
            ("$USER_TTL", USER_MS.max(retention_ms) + DAY_MS),
            // No entry is lost before its age, however stale the expiry.
            ("$INBOX_TTL", INBOX_AGE_MS + 2 * RENEW_MS),
            // The longest ring, and an outage of everybody after it.
            ("$DUE_TTL", 8 * DAY_MS),
            // From the creation to the end of what was settled last.
            ("$HISTORY_TTL", 2 * retention_ms + DAY_MS),
            ("$NODES_TTL", HOUR_MS),
            ("$LEASE", LEASE_MS),
            ("$STALE", STALE_AFTER_MS),
            ("$RELAY_AFTER", RELAY_AFTER_MS),
            ("$MISSED_AGE", MISSED_AGE_MS),
            ("$MISSED", SNAPSHOT_MISSED as u64),
            ("$DEVICES", DEVICES_PER_USER as u64),
            ("$QUEUED", QUEUED_PUSHES as u64),
            ("$HELD", HELD.0),
            ("$LETTERS", DEAD_LETTERS as u64),
            ("$LETTER_TTL", LETTER_MS),
            ("$VERSION", u64::from(envelope::written())),
        ];
        limits.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        let added = if next::is_spoken() { "pack('<I8', now)" } else { "''" };
        // Last, so that nothing within it is taken for a limit.
        let channel = channel.bytes().fold(String::new(), |text, byte| text + &format!("\\{byte:03}"));
        let script = |parts: &[&str]| {
            let source =
                limits.iter().fold(parts.concat(), |source, (name, value)| source.replace(name, &value.to_string()));
            Script { source: source.replace("$ADDED", added).replace("$CHANNEL", &channel), digest: OnceLock::new() }
        };
        // Stages that several scripts share.
        let start = include_str!("scripts/start.lua");
        let (inboxes, doorbells) = (include_str!("scripts/inboxes.lua"), include_str!("scripts/doorbells.lua"));
        let letters = include_str!("scripts/letters.lua");
        Self {
            commit: script(&[
                start,
                include_str!("scripts/commit.lua"),
                include_str!("scripts/guards.lua"),
                include_str!("scripts/record.lua"),
                inboxes,
                doorbells,
            ]),
            post: script(&[start, include_str!("scripts/post.lua"), inboxes, doorbells]),
            relay: script(&[start, include_str!("scripts/relay.lua"), inboxes, doorbells]),
            attach: script(&[start, include_str!("scripts/attach.lua")]),
            detach: script(&[include_str!("scripts/detach.lua")]),
            acknowledge: script(&[include_str!("scripts/acknowledge.lua")]),
            replace_epoch: script(&[include_str!("scripts/replace_epoch.lua")]),
            lease: script(&[include_str!("scripts/lease.lua")]),
            due: script(&[include_str!("scripts/due.lua")]),
            outbox: script(&[include_str!("scripts/outbox.lua")]),
            add_member: script(&[include_str!("scripts/add_member.lua")]),
            put_device: script(&[include_str!("scripts/put_device.lua")]),
            queue_push: script(&[start, letters, include_str!("scripts/queue_push.lua")]),
            queue_event: script(&[start, letters, include_str!("scripts/queue_event.lua")]),
            take_pushes: script(&[start, letters, include_str!("scripts/take_pushes.lua")]),
            put_off_push: script(&[start, letters, include_str!("scripts/put_off_push.lua")]),
            end_push: script(&[start, letters, include_str!("scripts/end_push.lua")]),
            remove_letter: script(&[start, letters, include_str!("scripts/remove_letter.lua")]),
            add_block: script(&[include_str!("scripts/add_block.lua")]),
        }
    }

    pub(super) fn all(&self) -> [&Script; 19] {
        [
            &self.commit,
            &self.post,
            &self.relay,
            &self.attach,
            &self.detach,
            &self.acknowledge,
            &self.replace_epoch,
            &self.lease,
            &self.due,
            &self.outbox,
            &self.add_member,
            &self.put_device,
            &self.queue_push,
            &self.queue_event,
            &self.take_pushes,
            &self.put_off_push,
            &self.end_push,
            &self.remove_letter,
            &self.add_block,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_is_filled_in() {
        let scripts = Scripts::new(&Settings::new("redis://localhost"), "rw:node:");
        for script in scripts.all() {
            assert!(!script.source.contains('$'), "{}", script.source);
        }
    }
}
