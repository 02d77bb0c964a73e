//! Version 1 of the envelopes. Nothing here changes once it was released.

use std::sync::Arc;

use ringwire_signaling::inbox::Delivery;
use ringwire_signaling::{Check, ConnectionId, Entry, Epoch, Event, Origin};
use serde::{Deserialize, Serialize};

use crate::codec::{DecodeError, list};
use crate::record::v1;

#[derive(Serialize, Deserialize)]
pub(super) struct Doorbell<'a> {
    #[serde(borrow, with = "list")]
    events: Vec<v1::Event<'a>>,
    #[serde(borrow, with = "list")]
    addressees: Vec<Addressee<'a>>,
}

#[derive(Serialize, Deserialize)]
struct Addressee<'a> {
    user: &'a str,
    epoch: [u8; 8],
    offset: u64,
    check: [u8; 4],
    previous: [u8; 4],
    /// Index of the event.
    event: usize,
    /// Incarnation and connection.
    origin: Option<([u8; 8], u64)>,
}

impl<'a> From<&'a [Delivery]> for Doorbell<'a> {
    fn from(deliveries: &'a [Delivery]) -> Self {
        let mut events: Vec<&Arc<Event>> = Vec::new();
        let mut addressees = Vec::with_capacity(deliveries.len());
        for Delivery { user, epoch, entry, origin } in deliveries {
            // Deliveries of one event mostly follow each other.
            let known = events.iter().rposition(|event| Arc::ptr_eq(event, &entry.event));
            let event = known.unwrap_or_else(|| {
                events.push(&entry.event);
                events.len() - 1
            });
            addressees.push(Addressee {
                user: user.as_str(),
                epoch: epoch.0.to_be_bytes(),
                offset: entry.offset,
                check: entry.check.0.to_be_bytes(),
                previous: entry.previous.0.to_be_bytes(),
                event,
                origin: origin.map(|origin| (origin.incarnation.to_be_bytes(), origin.connection.0)),
            });
        }
        Self { events: events.into_iter().map(|event| v1::Event::from(&**event)).collect(), addressees }
    }
}

impl TryFrom<Doorbell<'_>> for Vec<Delivery> {
    type Error = DecodeError;

    fn try_from(doorbell: Doorbell<'_>) -> Result<Self, DecodeError> {
        let events = doorbell
            .events
            .into_iter()
            .map(|event| Event::try_from(event).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        doorbell
            .addressees
            .into_iter()
            .map(|addressee| {
                let event = events.get(addressee.event).ok_or_else(|| DecodeError::malformed("no such event"))?;
                Ok(Delivery {
                    user: v1::user(addressee.user)?,
                    epoch: Epoch(u64::from_be_bytes(addressee.epoch)),
                    entry: Entry {
                        offset: addressee.offset,
                        check: Check(u32::from_be_bytes(addressee.check)),
                        previous: Check(u32::from_be_bytes(addressee.previous)),
                        event: Arc::clone(event),
                    },
                    origin: addressee.origin.map(|(incarnation, connection)| Origin {
                        incarnation: u64::from_be_bytes(incarnation),
                        connection: ConnectionId(connection),
                    }),
                })
            })
            .collect()
    }
}
