//! Packed values as the scripts and this crate share them. Numbers are little-endian.

use ringwire_signaling::inbox::{Check, Epoch, Position};
use ringwire_signaling::{ConnectionId, DeviceId, InvitationId, UnixMillis, UserId};

use crate::bytes::{Damaged, Fields};
use crate::query::DueKind;

/// Bytes of an invitation's id.
pub(super) const ID: usize = 17;
/// Stands before an id in a list of active invitations. A control character, which no name contains.
const MARK: u8 = 0x7f;
/// No deadline.
pub(super) const NEVER: u64 = u64::MAX;

/// An id as the scripts compare it; its order is that of ids.
pub(super) fn id_bytes(id: InvitationId) -> [u8; ID] {
    let mut bytes = [0; ID];
    bytes[0] = id.partition.0;
    bytes[1..].copy_from_slice(&id.bits.to_be_bytes());
    bytes
}

/// Something due, as it stands in a partition's list.
pub(super) fn member(id: InvitationId, kind: &DueKind) -> Vec<u8> {
    let mut member = id_bytes(id).to_vec();
    let (mark, user) = match kind {
        DueKind::Deadline => (b'D', None),
        DueKind::Relay => (b'R', None),
        DueKind::Push(user) => (b'P', Some(user)),
        DueKind::PushEnd(user) => (b'E', Some(user)),
        DueKind::Created(inviter) => (b'C', Some(inviter)),
        DueKind::Settled(inviter) => (b'S', Some(inviter)),
    };
    member.push(mark);
    member.extend(user.into_iter().flat_map(|user| user.as_str().bytes()));
    member
}

/// Reads what [`member`] wrote.
pub(super) fn read_member(bytes: &[u8]) -> Result<(InvitationId, DueKind), Damaged> {
    let mut fields = Fields::of(bytes, "a row of what is due");
    let (id, mark) = (fields.invitation()?, fields.byte()?);
    let damaged = fields.damaged();
    let user = std::str::from_utf8(fields.rest()).map_err(|_| damaged)?;
    let user = || UserId::parse(user).map_err(|_| damaged);
    let kind = match mark {
        b'D' => DueKind::Deadline,
        b'R' => DueKind::Relay,
        b'P' => DueKind::Push(user()?),
        b'E' => DueKind::PushEnd(user()?),
        b'C' => DueKind::Created(user()?),
        b'S' => DueKind::Settled(user()?),
        _ => return Err(damaged),
    };
    Ok((id, kind))
}

/// An id as it stands in a list of active invitations: nothing else in the list is equal to it.
pub(super) fn marked(id: InvitationId) -> [u8; ID + 1] {
    let mut bytes = [MARK; ID + 1];
    bytes[1..].copy_from_slice(&id_bytes(id));
    bytes
}

/// The state of a user's inbox. What its list holds is known from the list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) epoch: Epoch,
    pub(super) offset: u64,
    pub(super) check: Check,
    pub(super) acknowledged: u64,
}

impl Head {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Damaged> {
        let mut fields = Fields::of(bytes, "an inbox's head");
        let (epoch, offset, check) = (fields.epoch()?, fields.number()?, fields.check()?);
        let (_bytes, _oldest_at) = (fields.number()?, fields.number()?);
        Ok(Self { epoch, offset, check, acknowledged: fields.number()? })
    }

    pub(super) fn position(self) -> Position {
        Position { epoch: self.epoch, offset: self.offset, check: self.check }
    }
}

/// One connection in a user's presence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Present {
    /// The node process, as it stands in the set of nodes.
    pub(super) incarnation: String,
    pub(super) connection: ConnectionId,
    pub(super) device: DeviceId,
}

/// Reads a user's presence.
pub(super) fn read_presence(bytes: &[u8]) -> Result<Vec<Present>, Damaged> {
    let mut fields = Fields::of(bytes, "a user's presence");
    let mut present = Vec::new();
    while !fields.is_at_end() {
        let incarnation = std::str::from_utf8(fields.bytes(16)?).map_err(|_| fields.damaged())?.to_owned();
        let connection = ConnectionId(fields.number()?);
        present.push(Present { incarnation, connection, device: fields.device()? });
    }
    Ok(present)
}

/// One invitation in a list of active ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Active {
    pub(super) id: InvitationId,
    pub(super) created_at: UnixMillis,
    pub(super) retained_until: UnixMillis,
    pub(super) has_timer: bool,
}

/// Reads a list of active invitations.
pub(super) fn read_active(bytes: &[u8]) -> Result<Vec<Active>, Damaged> {
    let mut fields = Fields::of(bytes, "a list of active invitations");
    let mut list = Vec::new();
    while !fields.is_at_end() {
        let _mark = fields.byte()?;
        let (id, created_at, retained_until) = (fields.invitation()?, fields.time()?, fields.time()?);
        let has_timer = fields.byte()? != 0;
        fields.text()?;
        list.push(Active { id, created_at, retained_until, has_timer });
    }
    Ok(list)
}

/// Reads the list of missed invitations, oldest first.
pub(super) fn read_missed(bytes: &[u8]) -> Result<Vec<(u64, InvitationId, UnixMillis)>, Damaged> {
    let mut fields = Fields::of(bytes, "a list of missed invitations");
    let mut list = Vec::new();
    while !fields.is_at_end() {
        list.push((fields.number()?, fields.invitation()?, fields.time()?));
    }
    Ok(list)
}

/// An audience.
pub(super) fn read_users(bytes: &[u8]) -> Result<Vec<UserId>, Damaged> {
    let mut fields = Fields::of(bytes, "an audience");
    let mut users = Vec::new();
    while !fields.is_at_end() {
        users.push(fields.user()?);
    }
    Ok(users)
}
