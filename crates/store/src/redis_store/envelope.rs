//! Messages on a node's channel, as the scripts write them.
//!
//! Each begins with a version and a kind. A doorbell then names its users, whatever the version: a
//! node that cannot read the rest tells their sessions to look at the store. Other kinds may only grow
//! at their end.

use std::sync::Arc;

use ringwire_signaling::inbox::Delivery;
use ringwire_signaling::session::CloseReason;
use ringwire_signaling::{ConnectionId, Entry, Event, Origin, UserId};
use ringwire_wire::record::decode_event;

use super::next;
use crate::bytes::Fields;
use crate::error::StoreError;

/// The version of this release.
const VERSION: u8 = 1;
const DOORBELL: u8 = 1;
const PROBE: u8 = 2;
const CLOSED: u8 = 3;
const DRAIN: u8 = 4;

/// Why a connection has to go, where scripts do not write it.
const KICKED: u8 = b'k';

/// What a node is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// Entries were committed. `number` counts the doorbells of this node.
    Doorbell { number: u64, content: Content },
    /// The node's own sign of life came all the way round; `rung` doorbells were sent before it.
    Probe { rung: u64, number: u64 },
    /// A connection has to go, because of what connected elsewhere or because an operator wants it.
    Closed { user: UserId, connection: ConnectionId, reason: CloseReason },
    /// An operator wants the node to stop.
    Drain,
    /// Of a newer release.
    Unknown,
}

/// What a doorbell carries.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// The entries themselves.
    Deliveries(Vec<Delivery>),
    /// Only whom it concerns: the rest is of a newer release.
    Users(Vec<UserId>),
}

/// The version that the scripts write.
pub(super) fn written() -> u8 {
    if next::is_spoken() { VERSION + 1 } else { VERSION }
}

/// Has a connection closed because an operator wants it.
pub(super) fn kicked(user: &UserId, connection: ConnectionId) -> Vec<u8> {
    let mut message = vec![written(), CLOSED, KICKED];
    message.extend_from_slice(&connection.0.to_le_bytes());
    // An id is at most 128 bytes.
    message.push(u8::try_from(user.as_str().len()).unwrap_or(u8::MAX));
    message.extend_from_slice(user.as_str().as_bytes());
    message
}

/// Has a node stop.
pub(super) fn drain() -> Vec<u8> {
    vec![written(), DRAIN]
}

/// Reads a message.
pub(super) fn read(bytes: &[u8]) -> Result<Message, StoreError> {
    let mut fields = Fields::of(bytes, "a message between nodes");
    let (version, kind) = (fields.byte()?, fields.byte()?);
    match kind {
        DOORBELL => {
            let number = fields.number()?;
            let count = fields.small()?;
            let users = (0..count).map(|_| fields.user()).collect::<Result<Vec<_>, _>>()?;
            let deliveries = match version {
                VERSION => deliveries(fields, &users)?,
                _ if version == written() => {
                    let _added = fields.number()?;
                    deliveries(fields, &users)?
                }
                _ => None,
            };
            let content = deliveries.map_or(Content::Users(users), Content::Deliveries);
            Ok(Message::Doorbell { number, content })
        }
        PROBE => Ok(Message::Probe { rung: fields.number()?, number: fields.number()? }),
        CLOSED => {
            let reason = match fields.byte()? {
                b'r' => CloseReason::Replaced,
                b'm' => CloseReason::TooManyDevices,
                KICKED => CloseReason::Kicked,
                _ => return Ok(Message::Unknown),
            };
            let connection = ConnectionId(fields.number()?);
            Ok(Message::Closed { user: fields.user()?, connection, reason })
        }
        DRAIN => Ok(Message::Drain),
        _ => Ok(Message::Unknown),
    }
}

/// None if an event is of a newer release.
fn deliveries(mut fields: Fields<'_>, users: &[UserId]) -> Result<Option<Vec<Delivery>>, StoreError> {
    let origin = match fields.byte()? {
        0 => None,
        _ => Some(Origin { incarnation: fields.number()?, connection: ConnectionId(fields.number()?) }),
    };
    let mut places = Vec::with_capacity(users.len());
    for _ in users {
        let (epoch, offset) = (fields.epoch()?, fields.number()?);
        let (check, previous) = (fields.check()?, fields.check()?);
        places.push((epoch, offset, check, previous, usize::from(fields.small()?)));
    }
    let mut events: Vec<Arc<Event>> = Vec::new();
    while !fields.is_at_end() {
        let length = usize::try_from(fields.short()?).map_err(|_| fields.damaged())?;
        match decode_event(fields.bytes(length)?) {
            Ok(event) => events.push(Arc::new(event)),
            Err(_) => return Ok(None),
        }
    }
    let damaged = fields.damaged();
    let deliveries = users.iter().zip(places).map(|(user, (epoch, offset, check, previous, event))| {
        let event = Arc::clone(events.get(event)?);
        Some(Delivery { user: user.clone(), epoch, entry: Entry { offset, check, previous, event }, origin })
    });
    deliveries.collect::<Option<Vec<_>>>().map(Some).ok_or_else(|| damaged.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doorbell(version: u8) -> Vec<u8> {
        let mut bytes = vec![version, DOORBELL];
        bytes.extend_from_slice(&7_u64.to_le_bytes());
        bytes.extend_from_slice(&1_u16.to_le_bytes());
        bytes.extend_from_slice(b"\x03bob");
        bytes
    }

    #[test]
    fn of_a_newer_doorbell_the_users_are_read() {
        let mut newer = doorbell(VERSION + 1);
        newer.extend_from_slice(b"one more field, and whatever follows");
        let users = vec![UserId::parse("bob").unwrap()];
        assert_eq!(read(&newer).unwrap(), Message::Doorbell { number: 7, content: Content::Users(users) });
    }

    #[test]
    fn an_event_of_a_newer_release_leaves_the_users() {
        let mut bytes = doorbell(VERSION);
        bytes.push(0);
        bytes.extend_from_slice(&[0; 24 + 2]);
        bytes.extend_from_slice(&2_u32.to_le_bytes());
        bytes.extend_from_slice(&[99, 0]);
        assert!(matches!(read(&bytes).unwrap(), Message::Doorbell { content: Content::Users(_), .. }));
    }

    #[test]
    fn what_operators_want_reads_back() {
        let (user, connection) = (UserId::parse(&"é".repeat(64)).unwrap(), ConnectionId(u64::MAX));
        let expected = Message::Closed { user: user.clone(), connection, reason: CloseReason::Kicked };
        assert_eq!(read(&kicked(&user, connection)).unwrap(), expected);
        assert_eq!(read(&drain()).unwrap(), Message::Drain);
    }

    #[test]
    fn a_kind_of_a_newer_release_is_unknown_and_a_short_message_damaged() {
        assert_eq!(read(&[2, 77, 1, 2, 3]).unwrap(), Message::Unknown);
        assert!(read(&[1]).is_err());
        assert!(read(&doorbell(VERSION)[..9]).is_err());
        assert!(read(&doorbell(VERSION)).is_err());
    }
}
