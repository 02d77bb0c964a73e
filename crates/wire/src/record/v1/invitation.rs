//! An invitation's state.

use std::sync::Arc;

use ringwire_signaling::{DeviceId, GroupId, UnixMillis, command, invitation};
use serde::{Deserialize, Serialize};

use super::word::{Audience, FailReason, Outcome, PushWhen};
use super::{Id, device, group, shared, user};
use crate::codec::{DecodeError, list};

#[derive(Serialize, Deserialize)]
pub(crate) struct Invitation<'a> {
    id: Id,
    version: u64,
    #[serde(borrow)]
    terms: Terms<'a>,
    data: &'a str,
    modifications: u8,
    #[serde(borrow, with = "list")]
    invitees: Vec<Invitee<'a>>,
    settled_at: Option<u64>,
    inviter_mark: Option<Mark>,
}

#[derive(Serialize, Deserialize)]
struct Terms<'a> {
    inviter: &'a str,
    inviter_name: Option<&'a str>,
    group: Option<&'a str>,
    audience: Audience,
    kind: Option<i64>,
    timeout_s: u32,
    online_user_only: bool,
    receipts: bool,
    #[serde(borrow)]
    push: Option<Push<'a>>,
    created_at: u64,
    crosses: Option<Id>,
    fingerprint: [u8; 8],
}

#[derive(Serialize, Deserialize)]
struct Push<'a> {
    disable: bool,
    when: PushWhen,
    title: &'a str,
    desc: &'a str,
    ext: &'a str,
    resource_id: &'a str,
    voip: bool,
    vendor: &'a str,
}

#[derive(Serialize, Deserialize)]
struct Invitee<'a> {
    user: &'a str,
    #[serde(borrow)]
    state: State<'a>,
    mark: Option<Mark>,
    hidden: bool,
}

#[derive(Serialize, Deserialize)]
enum State<'a> {
    Pending,
    Settled(#[serde(borrow)] Settlement<'a>),
    Failed(FailReason),
}

#[derive(Serialize, Deserialize)]
struct Settlement<'a> {
    outcome: Outcome,
    at: u64,
    version: u64,
    device: Option<&'a str>,
    reason: Option<&'a str>,
}

#[derive(Serialize, Deserialize)]
struct Mark {
    request: [u8; 8],
    fingerprint: [u8; 8],
    version: u64,
    at: u64,
}

impl<'a> From<&'a invitation::Invitation> for Invitation<'a> {
    fn from(state: &'a invitation::Invitation) -> Self {
        Self {
            id: state.id.into(),
            version: state.version,
            terms: Terms::from(&*state.terms),
            data: &state.data,
            modifications: state.modifications,
            invitees: state.invitees.iter().map(Invitee::from).collect(),
            settled_at: state.settled_at.map(|at| at.0),
            inviter_mark: state.inviter_mark.map(Mark::from),
        }
    }
}

impl TryFrom<Invitation<'_>> for invitation::Invitation {
    type Error = DecodeError;

    fn try_from(record: Invitation<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            id: record.id.into(),
            version: record.version,
            terms: Arc::new(record.terms.try_into()?),
            data: record.data.into(),
            modifications: record.modifications,
            invitees: record.invitees.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            settled_at: record.settled_at.map(UnixMillis),
            inviter_mark: record.inviter_mark.map(Into::into),
        })
    }
}

impl<'a> From<&'a invitation::Terms> for Terms<'a> {
    fn from(terms: &'a invitation::Terms) -> Self {
        Self {
            inviter: terms.inviter.as_str(),
            inviter_name: terms.inviter_name.as_deref(),
            group: terms.group.as_ref().map(GroupId::as_str),
            audience: terms.audience.into(),
            kind: terms.kind,
            timeout_s: terms.timeout_s,
            online_user_only: terms.online_user_only,
            receipts: terms.receipts,
            push: terms.push.as_ref().map(Push::from),
            created_at: terms.created_at.0,
            crosses: terms.crosses.map(Id::from),
            fingerprint: terms.fingerprint.to_be_bytes(),
        }
    }
}

impl TryFrom<Terms<'_>> for invitation::Terms {
    type Error = DecodeError;

    fn try_from(record: Terms<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            inviter: user(record.inviter)?,
            inviter_name: shared(record.inviter_name),
            group: group(record.group)?,
            audience: record.audience.into(),
            kind: record.kind,
            timeout_s: record.timeout_s,
            online_user_only: record.online_user_only,
            receipts: record.receipts,
            push: record.push.map(Into::into),
            created_at: UnixMillis(record.created_at),
            crosses: record.crosses.map(Into::into),
            fingerprint: u64::from_be_bytes(record.fingerprint),
        })
    }
}

impl<'a> From<&'a command::Push> for Push<'a> {
    fn from(push: &'a command::Push) -> Self {
        Self {
            disable: push.disable,
            when: push.when.into(),
            title: &push.title,
            desc: &push.desc,
            ext: &push.ext,
            resource_id: &push.resource_id,
            voip: push.voip,
            vendor: &push.vendor,
        }
    }
}

impl From<Push<'_>> for command::Push {
    fn from(record: Push<'_>) -> Self {
        Self {
            disable: record.disable,
            when: record.when.into(),
            title: record.title.into(),
            desc: record.desc.into(),
            ext: record.ext.into(),
            resource_id: record.resource_id.into(),
            voip: record.voip,
            vendor: record.vendor.into(),
        }
    }
}

impl<'a> From<&'a invitation::Invitee> for Invitee<'a> {
    fn from(invitee: &'a invitation::Invitee) -> Self {
        let state = match &invitee.state {
            invitation::InviteeState::Pending => State::Pending,
            invitation::InviteeState::Failed(reason) => State::Failed((*reason).into()),
            invitation::InviteeState::Settled(settlement) => State::Settled(Settlement {
                outcome: settlement.outcome.into(),
                at: settlement.at.0,
                version: settlement.version,
                device: settlement.device.as_ref().map(DeviceId::as_str),
                reason: settlement.reason.as_deref(),
            }),
        };
        Self { user: invitee.user.as_str(), state, mark: invitee.mark.map(Mark::from), hidden: invitee.hidden }
    }
}

impl TryFrom<Invitee<'_>> for invitation::Invitee {
    type Error = DecodeError;

    fn try_from(record: Invitee<'_>) -> Result<Self, DecodeError> {
        let state = match record.state {
            State::Pending => invitation::InviteeState::Pending,
            State::Failed(reason) => invitation::InviteeState::Failed(reason.into()),
            State::Settled(settlement) => invitation::InviteeState::Settled(invitation::Settlement {
                outcome: settlement.outcome.into(),
                at: UnixMillis(settlement.at),
                version: settlement.version,
                device: device(settlement.device)?,
                reason: shared(settlement.reason),
            }),
        };
        Ok(Self { user: user(record.user)?, state, mark: record.mark.map(Into::into), hidden: record.hidden })
    }
}

impl From<invitation::Mark> for Mark {
    fn from(mark: invitation::Mark) -> Self {
        Self {
            request: mark.request.to_be_bytes(),
            fingerprint: mark.fingerprint.to_be_bytes(),
            version: mark.version,
            at: mark.at.0,
        }
    }
}

impl From<Mark> for invitation::Mark {
    fn from(record: Mark) -> Self {
        Self {
            request: u64::from_be_bytes(record.request),
            fingerprint: u64::from_be_bytes(record.fingerprint),
            version: record.version,
            at: UnixMillis(record.at),
        }
    }
}
