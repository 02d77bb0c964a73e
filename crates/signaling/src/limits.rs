//! Every bound of the protocol, each with its reason. A node's own settings live in its configuration.

/// Bytes in a user, device or group id: room for a UUID, an e-mail address or a URN.
pub const ID_BYTES: usize = 128;
/// Characters in a request id: room for a UUID and a prefix.
pub const REQUEST_ID_CHARS: usize = 64;
/// Characters in the free-text reason of a rejection or a cancellation.
pub const REASON_CHARS: usize = 64;
/// Characters in the inviter's display name.
pub const INVITER_NAME_CHARS: usize = 128;
/// Invitees of one invitation: what the hosted services allow, and what one commit can notify.
pub const INVITEES: usize = 100;
/// Bytes of an operation's `data`, after JSON decoding: an SDP offer with many candidates fits.
pub const DATA_BYTES: usize = 12 * 1024;
/// Bytes of each opaque part of the push settings (`ext`, `vendor`): push services cap payloads at 4 KiB.
pub const PUSH_PART_BYTES: usize = 4 * 1024;
/// Bytes of each short text of the push settings.
pub const PUSH_TEXT_BYTES: usize = 1024;
/// Seconds of the longest ring: one day.
pub const TIMEOUT_S: u32 = 86_400;
/// Seconds of a ring whose inviter said nothing.
pub const DEFAULT_TIMEOUT_S: u32 = 30;
/// How often an inviter may replace the data of one invitation, so that history stays small.
pub const MODIFICATIONS: u8 = 32;
/// Invitations in which one user may be pending at once: bounds a snapshot and a flood of rings.
pub const PENDING_PER_USER: usize = 64;
/// Active invitations that one user may have sent.
pub const SENT_PER_USER: usize = 256;
/// Members of one group: bounds the audience of an invitation.
pub const GROUP_MEMBERS: usize = 500;
/// How long signals pass after an invitation settled: a hang-up of a call that was just answered.
pub const SIGNAL_GRACE_MS: u64 = 60 * 60 * 1000;
/// Events kept in one inbox.
pub const INBOX_EVENTS: usize = 256;
/// Bytes of events kept in one inbox.
pub const INBOX_BYTES: usize = 256 * 1024;
/// Age of the oldest event kept in an inbox.
pub const INBOX_AGE_MS: u64 = 24 * 60 * 60 * 1000;
/// How long the events of an online-only invitation stay in an inbox after it settled.
pub const EPHEMERAL_GRACE_MS: u64 = 60 * 1000;
/// Age of the oldest timer-less invitation that a snapshot rings.
pub const SNAPSHOT_TIMERLESS_MS: u64 = 5 * 60 * 1000;
/// Active invitations in one snapshot; `list_active` pages through the rest.
pub const SNAPSHOT_ACTIVE: usize = 64;
/// Missed invitations in one snapshot, and kept per user.
pub const SNAPSHOT_MISSED: usize = 50;
/// Age of the oldest missed invitation in a snapshot.
pub const MISSED_AGE_MS: u64 = 24 * 60 * 60 * 1000;
/// Live devices of one user; one more closes the longest-connected.
pub const DEVICES_PER_USER: usize = 10;
/// Bytes of one client frame: the largest request is an invite with 100 long ids, data and push settings.
pub const FRAME_BYTES: usize = 128 * 1024;
/// Recipients in one step of serving a group's audience, so that no commit holds the store for long.
pub const RELAY_BATCH: usize = 50;
/// Invitations that one connection remembers having been sent, for `add_invited`.
pub const SENT_RINGS_REMEMBERED: usize = 2 * PENDING_PER_USER;
/// Deliveries that a session holds while it fetches what is missing before them.
pub const SESSION_HELD: usize = 64;
/// Rows in one page of a listing.
pub const PAGE_ROWS: usize = 100;
/// Rows in one page of a listing whose caller did not say.
pub const DEFAULT_PAGE_ROWS: usize = 20;
/// Characters in the name of a device's platform.
pub const PLATFORM_CHARS: usize = 32;
/// Characters in the name of a push provider.
pub const PROVIDER_CHARS: usize = 32;
/// Push providers of one registered device: alert and call tokens of two services.
pub const PROVIDERS_PER_DEVICE: usize = 4;
/// Bytes of one push token: those of the large services have a few hundred, subscriptions of web push a few
/// thousand.
pub const PUSH_TOKEN_BYTES: usize = 4 * 1024;
/// Devices that one user may have registered for pushes; one more drops that which was set longest ago.
pub const REGISTERED_DEVICES_PER_USER: usize = 20;
/// Users whom one user may block.
pub const BLOCKED_PER_USER: usize = 1000;
/// In what time the rings of one user are counted.
pub const RINGS_WINDOW_MS: u64 = 60 * 1000;
/// The most rings in that time that an operator may allow: every ring reads and writes the times of the others.
pub const RINGS_PER_WINDOW: u32 = 1000;
