//! The keys of all tables, as bytes whose order is the order in which rows are read.
//!
//! Numbers are big-endian. Names end in a zero byte, which they cannot contain, so that no name's
//! rows mix with those of a longer one.

use std::ops::Bound;

use ringwire_signaling::guard::Role;
use ringwire_signaling::{DeviceId, GroupId, InvitationId, Partition, RequestId, UnixMillis, UserId};

use crate::push::{LetterCursor, PushId, PushJob};
use crate::query::{Conversation, Due, DueKind};

/// Bytes of an invitation's id in a key.
pub(super) const ID: usize = 17;
const NUMBER: usize = 8;

pub(super) fn invitation(id: InvitationId) -> [u8; ID] {
    let mut key = [0; ID];
    key[0] = id.partition.0;
    key[1..].copy_from_slice(&id.bits.to_be_bytes());
    key
}

/// Reads what [`invitation`] wrote at the start of `bytes`.
pub(super) fn read_invitation(bytes: &[u8]) -> Option<InvitationId> {
    let (partition, bits) = bytes.get(..ID)?.split_first()?;
    Some(InvitationId { partition: Partition(*partition), bits: u128::from_be_bytes(bits.try_into().ok()?) })
}

fn read_number(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(..NUMBER)?.try_into().ok()?))
}

/// An invitation's id and a number: operations by version, outbox entries by sequence.
pub(super) fn numbered(id: InvitationId, number: u64) -> [u8; ID + NUMBER] {
    let mut key = [0; ID + NUMBER];
    key[..ID].copy_from_slice(&invitation(id));
    key[ID..].copy_from_slice(&number.to_be_bytes());
    key
}

/// The number in what [`numbered`] wrote.
pub(super) fn read_numbered(key: &[u8]) -> Option<u64> {
    read_number(key.get(ID..)?)
}

fn name(text: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(text.len() + 1 + 1 + ID + NUMBER);
    key.extend_from_slice(text.as_bytes());
    key.push(0);
    key
}

pub(super) fn user(user: &UserId) -> Vec<u8> {
    name(user.as_str())
}

pub(super) fn group(group: &GroupId) -> Vec<u8> {
    name(group.as_str())
}

pub(super) fn member(of: &GroupId, user: &UserId) -> Vec<u8> {
    let mut key = group(of);
    key.extend_from_slice(user.as_str().as_bytes());
    key
}

/// A device that a user registered.
pub(super) fn device(of: &UserId, device: &DeviceId) -> Vec<u8> {
    let mut key = user(of);
    key.extend_from_slice(device.as_str().as_bytes());
    key
}

/// That a user blocks another.
pub(super) fn block(of: &UserId, blocked: &UserId) -> Vec<u8> {
    let mut key = user(of);
    key.extend_from_slice(blocked.as_str().as_bytes());
    key
}

/// An inbox entry.
pub(super) fn entry(of: &UserId, offset: u64) -> Vec<u8> {
    let mut key = user(of);
    key.extend_from_slice(&offset.to_be_bytes());
    key
}

/// A user's list of active invitations in one role.
pub(super) fn active_role(of: &UserId, role: Role) -> Vec<u8> {
    let mut key = user(of);
    key.push(match role {
        Role::Invitee => 0,
        Role::Inviter => 1,
    });
    key
}

pub(super) fn active(of: &UserId, role: Role, id: InvitationId) -> Vec<u8> {
    let mut key = active_role(of, role);
    key.extend_from_slice(&invitation(id));
    key
}

/// A missed invitation, by the offset of the event that ended it.
pub(super) fn missed(of: &UserId, offset: u64, id: InvitationId) -> Vec<u8> {
    let mut key = entry(of, offset);
    key.extend_from_slice(&invitation(id));
    key
}

/// The offset and the invitation in what [`missed`] wrote.
pub(super) fn read_missed(key: &[u8]) -> Option<(u64, InvitationId)> {
    let tail = key.get(key.len().checked_sub(NUMBER + ID)?..)?;
    Some((read_number(tail)?, read_invitation(&tail[NUMBER..])?))
}

/// The invitation at the end of an active or history key.
pub(super) fn last_invitation(key: &[u8]) -> Option<InvitationId> {
    read_invitation(key.get(key.len().checked_sub(ID)?..)?)
}

/// The note that a user's device rings.
pub(super) fn once_ring(id: InvitationId, user: &UserId) -> Vec<u8> {
    let mut key = once_rings(id);
    key.extend_from_slice(user.as_str().as_bytes());
    key
}

/// All notes that devices ring.
pub(super) fn once_rings(id: InvitationId) -> Vec<u8> {
    let mut key = invitation(id).to_vec();
    key.push(0);
    key
}

/// The note that a signal was posted.
pub(super) fn once_signal(id: InvitationId, user: &UserId, request: &RequestId) -> Vec<u8> {
    let mut key = invitation(id).to_vec();
    key.push(1);
    key.extend_from_slice(user.as_str().as_bytes());
    key.push(0);
    key.extend_from_slice(request.as_str().as_bytes());
    key
}

/// The note that a user's device gave a receipt.
pub(super) fn once_device(id: InvitationId, user: &UserId, device: &DeviceId) -> Vec<u8> {
    let mut key = once_devices(id);
    key.extend_from_slice(user.as_str().as_bytes());
    key.push(0);
    key.extend_from_slice(device.as_str().as_bytes());
    key
}

/// All notes that devices gave receipts.
pub(super) fn once_devices(id: InvitationId) -> Vec<u8> {
    let mut key = invitation(id).to_vec();
    key.push(2);
    key
}

/// Something due, in the order of [`Due`].
pub(super) fn due(due: &Due) -> Vec<u8> {
    let mut key = due.at.0.to_be_bytes().to_vec();
    key.extend_from_slice(&invitation(due.invitation));
    let (kind, user) = match &due.kind {
        DueKind::Deadline => (0, None),
        DueKind::Relay => (1, None),
        DueKind::Push(user) => (2, Some(user)),
        DueKind::PushEnd(user) => (3, Some(user)),
        DueKind::Created(inviter) => (4, Some(inviter)),
        DueKind::Settled(inviter) => (5, Some(inviter)),
    };
    key.push(kind);
    key.extend(user.into_iter().flat_map(|user| user.as_str().bytes()));
    key
}

/// Reads what [`due`] wrote.
pub(super) fn read_due(key: &[u8]) -> Option<Due> {
    let (kind, user) = key.get(NUMBER + ID..)?.split_first()?;
    let user = || UserId::parse(std::str::from_utf8(user).ok()?).ok();
    let kind = match kind {
        0 => DueKind::Deadline,
        1 => DueKind::Relay,
        2 => DueKind::Push(user()?),
        3 => DueKind::PushEnd(user()?),
        4 => DueKind::Created(user()?),
        5 => DueKind::Settled(user()?),
        _ => return None,
    };
    Some(Due { at: UnixMillis(read_number(key)?), invitation: read_invitation(&key[NUMBER..])?, kind })
}

/// What is noted of an invitee's pushes.
pub(super) fn pushed(id: InvitationId, user: &UserId) -> Vec<u8> {
    let mut key = invitation(id).to_vec();
    key.extend_from_slice(user.as_str().as_bytes());
    key
}

/// What is noted of an invitation's events. No user is named by a control character.
pub(super) fn events(id: InvitationId) -> Vec<u8> {
    let mut key = invitation(id).to_vec();
    key.push(0);
    key
}

/// The user in what [`pushed`] wrote.
pub(super) fn read_pushed(key: &[u8]) -> Option<UserId> {
    UserId::parse(std::str::from_utf8(key.get(ID..)?).ok()?).ok()
}

/// A target of pushes.
pub(super) fn target(target: &str) -> Vec<u8> {
    name(target)
}

/// A job of a target.
pub(super) fn job(of: &str, job: &PushJob) -> Vec<u8> {
    let mut key = target(of);
    key.extend_from_slice(&job.bytes());
    key
}

/// Where a target's jobs of a time begin.
pub(super) fn job_times(of: &str, at: UnixMillis) -> Vec<u8> {
    let mut key = target(of);
    key.extend_from_slice(&at.0.to_be_bytes());
    key
}

/// A job of a target by the time from which on it may be taken.
pub(super) fn job_time(of: &str, at: UnixMillis, job: &PushJob) -> Vec<u8> {
    let mut key = job_times(of, at);
    key.extend_from_slice(&job.bytes());
    key
}

/// The job in what [`job_time`] wrote.
pub(super) fn read_job_time(of: &str, key: &[u8]) -> Option<PushJob> {
    PushJob::read(key.get(of.len() + 1 + NUMBER..)?).ok()
}

/// The time in what [`job_time`] wrote.
pub(super) fn read_time_of_job(of: &str, key: &[u8]) -> Option<UnixMillis> {
    read_number(key.get(of.len() + 1..)?).map(UnixMillis)
}

/// A dead letter.
pub(super) fn letter(id: PushId) -> [u8; 16] {
    id.0.to_be_bytes()
}

/// A dead letter by its time.
pub(super) fn letter_time(cursor: LetterCursor) -> Vec<u8> {
    let mut key = cursor.at.0.to_be_bytes().to_vec();
    key.extend_from_slice(&letter(cursor.id));
    key
}

/// The letter in what [`letter_time`] wrote.
pub(super) fn read_letter_time(key: &[u8]) -> Option<PushId> {
    Some(PushId(u128::from_be_bytes(key.get(NUMBER..)?.try_into().ok()?)))
}

/// The history of a conversation.
pub(super) fn conversation(conversation: &Conversation) -> Vec<u8> {
    let mut key = Vec::new();
    match conversation {
        Conversation::Pair(one, other) => {
            key.push(0);
            key.extend_from_slice(&user(one.min(other)));
            key.extend_from_slice(&user(one.max(other)));
        }
        Conversation::Group(of) => {
            key.push(1);
            key.extend_from_slice(&group(of));
        }
    }
    key
}

/// An invitation in a conversation, by its creation.
pub(super) fn history(of: &Conversation, created_at: UnixMillis, id: InvitationId) -> Vec<u8> {
    let mut key = conversation(of);
    key.extend_from_slice(&created_at.0.to_be_bytes());
    key.extend_from_slice(&invitation(id));
    key
}

/// What passes away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mortal {
    /// An invitation with everything of its own.
    Invitation(InvitationId),
    /// Parts of a user's inbox, or all of it.
    Inbox(UserId),
    /// A note that something was posted to an invitation that the store does not hold.
    Once(Vec<u8>),
}

pub(super) fn expiry(at: UnixMillis, mortal: &Mortal) -> Vec<u8> {
    let mut key = at.0.to_be_bytes().to_vec();
    match mortal {
        Mortal::Invitation(id) => {
            key.push(0);
            key.extend_from_slice(&invitation(*id));
        }
        Mortal::Inbox(user) => {
            key.push(1);
            key.extend_from_slice(user.as_str().as_bytes());
        }
        Mortal::Once(note) => {
            key.push(2);
            key.extend_from_slice(note);
        }
    }
    key
}

/// Reads what [`expiry`] wrote.
pub(super) fn read_expiry(key: &[u8]) -> Option<(UnixMillis, Mortal)> {
    let at = UnixMillis(read_number(key)?);
    let (kind, rest) = key.get(NUMBER..)?.split_first()?;
    let mortal = match kind {
        0 => Mortal::Invitation(read_invitation(rest)?),
        1 => Mortal::Inbox(UserId::parse(std::str::from_utf8(rest).ok()?).ok()?),
        2 => Mortal::Once(rest.to_vec()),
        _ => return None,
    };
    Some((at, mortal))
}

/// The least key above all keys that begin with `prefix`.
pub(super) fn above(prefix: &[u8]) -> Bound<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return Bound::Excluded(end);
        }
    }
    Bound::Unbounded
}

#[cfg(test)]
mod tests {
    use ringwire_signaling::PushKind;

    use super::*;

    fn user(name: &str) -> UserId {
        UserId::parse(name).unwrap()
    }

    fn id(partition: u8, bits: u128) -> InvitationId {
        InvitationId { partition: Partition(partition), bits }
    }

    fn begins_with(key: &[u8], prefix: &[u8]) -> bool {
        let end = above(prefix);
        let below = match &end {
            Bound::Excluded(end) => key < end.as_slice(),
            Bound::Included(_) | Bound::Unbounded => true,
        };
        key >= prefix && below
    }

    #[test]
    fn keys_sort_as_what_they_name() {
        assert!(invitation(id(1, u128::MAX)) < invitation(id(2, 0)));
        assert!(numbered(id(1, 1), 255) < numbered(id(1, 1), 256));
        assert!(entry(&user("a"), 9) < entry(&user("a"), 10));
        assert!(missed(&user("a"), 1, id(9, 9)) < missed(&user("a"), 2, id(0, 0)));
        let earlier = Due { at: UnixMillis(255), invitation: id(9, 9), kind: DueKind::Relay };
        let later = Due { at: UnixMillis(256), invitation: id(0, 0), kind: DueKind::Deadline };
        assert!(earlier < later && due(&earlier) < due(&later));
        let same = Due { kind: DueKind::Deadline, ..earlier.clone() };
        assert!(same < earlier && due(&same) < due(&earlier));
        assert!(
            expiry(UnixMillis(255), &Mortal::Inbox(user("z"))) < expiry(UnixMillis(256), &Mortal::Invitation(id(0, 0)))
        );
    }

    #[test]
    fn no_users_rows_mix_with_those_of_a_longer_name() {
        let prefix = super::user(&user("ann"));
        assert!(begins_with(&entry(&user("ann"), u64::MAX), &prefix));
        assert!(!begins_with(&entry(&user("anna"), 0), &prefix));
        assert!(!begins_with(&entry(&user("an"), u64::MAX), &prefix));
        assert!(!begins_with(&entry(&user("ann é"), 0), &prefix));
        assert!(begins_with(&active(&user("ann"), Role::Inviter, id(255, u128::MAX)), &prefix));
        let pair = conversation(&Conversation::Pair(user("a"), user("b")));
        let other = Conversation::Pair(user("a"), user("bc"));
        assert!(!begins_with(&history(&other, UnixMillis(0), id(0, 0)), &pair));
    }

    #[test]
    fn a_pair_is_the_same_conversation_from_both_sides() {
        let (one, other) = (user("one"), user("other"));
        assert_eq!(
            conversation(&Conversation::Pair(one.clone(), other.clone())),
            conversation(&Conversation::Pair(other, one))
        );
    }

    #[test]
    fn keys_read_back() {
        let id = id(7, 8);
        assert_eq!(read_invitation(&invitation(id)), Some(id));
        assert_eq!(read_numbered(&numbered(id, 3)), Some(3));
        assert_eq!(read_missed(&missed(&user("a"), 5, id)), Some((5, id)));
        assert_eq!(last_invitation(&active(&user("a"), Role::Invitee, id)), Some(id));
        let pushes = [DueKind::Push(user("a")), DueKind::PushEnd(user("a"))];
        let happened = [DueKind::Created(user("a")), DueKind::Settled(user("a"))];
        for kind in [DueKind::Deadline, DueKind::Relay].into_iter().chain(pushes).chain(happened) {
            let entry = Due { at: UnixMillis(9), invitation: id, kind };
            assert_eq!(read_due(&due(&entry)), Some(entry));
        }
        let wake = PushJob { invitation: id, user: user("a"), kind: PushKind::End };
        let key = job_time("hook", UnixMillis(6), &wake);
        assert_eq!(read_job_time("hook", &key), Some(wake));
        assert_eq!(read_time_of_job("hook", &key), Some(UnixMillis(6)));
        assert_eq!(read_pushed(&pushed(id, &user("a"))), Some(user("a")));
        assert_eq!(read_pushed(&events(id)), None);
        for mortal in [Mortal::Invitation(id), Mortal::Inbox(user("a")), Mortal::Once(once_ring(id, &user("a")))] {
            assert_eq!(read_expiry(&expiry(UnixMillis(4), &mortal)), Some((UnixMillis(4), mortal)));
        }
        for damaged in [&[][..], &[0; 7], &[9; 12]] {
            assert_eq!(read_invitation(damaged), None);
            assert_eq!(read_missed(damaged), None);
            assert_eq!(read_due(damaged), None);
            assert_eq!(read_expiry(damaged), None);
        }
    }

    #[test]
    fn a_prefix_of_the_highest_bytes_has_no_end() {
        assert_eq!(above(&[0xff, 0xff]), Bound::Unbounded);
        assert_eq!(above(&[1, 0xff]), Bound::Excluded(vec![2]));
    }
}
