//! One event, as an inbox keeps it and a doorbell carries it.

use ringwire_signaling::{DeviceId, GroupId, UnixMillis, event};
use serde::{Deserialize, Serialize};

use super::word::{Audience, FailReason, Outcome};
use super::{Id, device, group, names, shared, user, users};
use crate::codec::{DecodeError, list};

#[derive(Serialize, Deserialize)]
pub(crate) struct Event<'a> {
    invitation: Id,
    version: u64,
    at: u64,
    inviter: &'a str,
    group: Option<&'a str>,
    kind: Option<i64>,
    timeout_s: u32,
    settled: bool,
    ephemeral: bool,
    #[serde(borrow)]
    body: Body<'a>,
}

#[derive(Serialize, Deserialize)]
enum Body<'a> {
    Received(#[serde(borrow)] Ring<'a>),
    Sent {
        #[serde(borrow)]
        ring: Ring<'a>,
        device: Option<&'a str>,
        #[serde(borrow, with = "list")]
        failed: Vec<(&'a str, FailReason)>,
    },
    Ringing {
        invitee: &'a str,
        device: &'a str,
    },
    Accepted {
        invitee: &'a str,
        device: Option<&'a str>,
        data: &'a str,
    },
    Rejected {
        invitee: &'a str,
        device: Option<&'a str>,
        data: &'a str,
        reason: &'a str,
    },
    AnsweredElsewhere {
        invitee: &'a str,
        outcome: Outcome,
        device: Option<&'a str>,
        data: &'a str,
        reason: Option<&'a str>,
    },
    Cancelled {
        #[serde(borrow, with = "list")]
        invitees: Vec<&'a str>,
        device: Option<&'a str>,
        data: &'a str,
        reason: Option<&'a str>,
    },
    TimedOut {
        #[serde(borrow, with = "list")]
        invitees: Vec<&'a str>,
        data: &'a str,
    },
    Modified {
        #[serde(borrow, with = "list")]
        invitees: Vec<&'a str>,
        device: Option<&'a str>,
        data: &'a str,
    },
    Signal {
        from: &'a str,
        device: Option<&'a str>,
        data: &'a str,
    },
}

#[derive(Serialize, Deserialize)]
struct Ring<'a> {
    #[serde(borrow, with = "list")]
    invitees: Vec<&'a str>,
    inviter_name: Option<&'a str>,
    audience: Audience,
    data: &'a str,
    expires_at: Option<u64>,
    invited: bool,
    crosses: Option<Id>,
}

impl<'a> From<&'a event::Event> for Event<'a> {
    fn from(event: &'a event::Event) -> Self {
        Self {
            invitation: event.invitation.into(),
            version: event.version,
            at: event.at.0,
            inviter: event.inviter.as_str(),
            group: event.group.as_ref().map(GroupId::as_str),
            kind: event.kind,
            timeout_s: event.timeout_s,
            settled: event.settled,
            ephemeral: event.ephemeral,
            body: Body::from(&event.body),
        }
    }
}

impl TryFrom<Event<'_>> for event::Event {
    type Error = DecodeError;

    fn try_from(record: Event<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            invitation: record.invitation.into(),
            version: record.version,
            at: UnixMillis(record.at),
            inviter: user(record.inviter)?,
            group: group(record.group)?,
            kind: record.kind,
            timeout_s: record.timeout_s,
            settled: record.settled,
            ephemeral: record.ephemeral,
            body: record.body.try_into()?,
        })
    }
}

impl<'a> From<&'a event::EventBody> for Body<'a> {
    fn from(body: &'a event::EventBody) -> Self {
        match body {
            event::EventBody::Received(ring) => Self::Received(ring.into()),
            event::EventBody::Sent { ring, device, failed } => Self::Sent {
                ring: ring.into(),
                device: id(device.as_ref()),
                failed: failed.iter().map(|(user, reason)| (user.as_str(), (*reason).into())).collect(),
            },
            event::EventBody::Ringing { invitee, device } => {
                Self::Ringing { invitee: invitee.as_str(), device: device.as_str() }
            }
            event::EventBody::Accepted { invitee, device, data } => {
                Self::Accepted { invitee: invitee.as_str(), device: id(device.as_ref()), data }
            }
            event::EventBody::Rejected { invitee, device, data, reason } => {
                Self::Rejected { invitee: invitee.as_str(), device: id(device.as_ref()), data, reason }
            }
            event::EventBody::AnsweredElsewhere { invitee, outcome, device, data, reason } => Self::AnsweredElsewhere {
                invitee: invitee.as_str(),
                outcome: (*outcome).into(),
                device: id(device.as_ref()),
                data,
                reason: reason.as_deref(),
            },
            event::EventBody::Cancelled { invitees, device, data, reason } => Self::Cancelled {
                invitees: names(invitees),
                device: id(device.as_ref()),
                data,
                reason: reason.as_deref(),
            },
            event::EventBody::TimedOut { invitees, data } => Self::TimedOut { invitees: names(invitees), data },
            event::EventBody::Modified { invitees, device, data } => {
                Self::Modified { invitees: names(invitees), device: id(device.as_ref()), data }
            }
            event::EventBody::Signal { from, device, data } => {
                Self::Signal { from: from.as_str(), device: id(device.as_ref()), data }
            }
        }
    }
}

impl TryFrom<Body<'_>> for event::EventBody {
    type Error = DecodeError;

    fn try_from(record: Body<'_>) -> Result<Self, DecodeError> {
        Ok(match record {
            Body::Received(ring) => Self::Received(ring.try_into()?),
            Body::Sent { ring, device: by, failed } => Self::Sent {
                ring: ring.try_into()?,
                device: device(by)?,
                failed: failed.into_iter().map(|(name, reason)| Ok((user(name)?, reason.into()))).collect::<Result<
                    _,
                    DecodeError,
                >>(
                )?,
            },
            Body::Ringing { invitee, device } => Self::Ringing {
                invitee: user(invitee)?,
                device: DeviceId::parse(device).map_err(DecodeError::malformed)?,
            },
            Body::Accepted { invitee, device: by, data } => {
                Self::Accepted { invitee: user(invitee)?, device: device(by)?, data: data.into() }
            }
            Body::Rejected { invitee, device: by, data, reason } => Self::Rejected {
                invitee: user(invitee)?,
                device: device(by)?,
                data: data.into(),
                reason: reason.into(),
            },
            Body::AnsweredElsewhere { invitee, outcome, device: by, data, reason } => Self::AnsweredElsewhere {
                invitee: user(invitee)?,
                outcome: outcome.into(),
                device: device(by)?,
                data: data.into(),
                reason: shared(reason),
            },
            Body::Cancelled { invitees, device: by, data, reason } => Self::Cancelled {
                invitees: users(&invitees)?,
                device: device(by)?,
                data: data.into(),
                reason: shared(reason),
            },
            Body::TimedOut { invitees, data } => Self::TimedOut { invitees: users(&invitees)?, data: data.into() },
            Body::Modified { invitees, device: by, data } => {
                Self::Modified { invitees: users(&invitees)?, device: device(by)?, data: data.into() }
            }
            Body::Signal { from, device: by, data } => {
                Self::Signal { from: user(from)?, device: device(by)?, data: data.into() }
            }
        })
    }
}

impl<'a> From<&'a event::Ring> for Ring<'a> {
    fn from(ring: &'a event::Ring) -> Self {
        Self {
            invitees: names(&ring.invitees),
            inviter_name: ring.inviter_name.as_deref(),
            audience: ring.audience.into(),
            data: &ring.data,
            expires_at: ring.expires_at.map(|at| at.0),
            invited: ring.invited,
            crosses: ring.crosses.map(Id::from),
        }
    }
}

impl TryFrom<Ring<'_>> for event::Ring {
    type Error = DecodeError;

    fn try_from(record: Ring<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            invitees: users(&record.invitees)?,
            inviter_name: shared(record.inviter_name),
            audience: record.audience.into(),
            data: record.data.into(),
            expires_at: record.expires_at.map(UnixMillis),
            invited: record.invited,
            crosses: record.crosses.map(Into::into),
        })
    }
}

fn id(device: Option<&DeviceId>) -> Option<&str> {
    device.map(DeviceId::as_str)
}
