//! Conditions that a commit carries, and what their failure teaches.
//!
//! A guard is checked in the same atomic store operation as the commit. When it fails nothing is
//! written and the store returns facts; the rules step again with them. The store never decides.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{GroupId, InvitationId, UserId};

/// A condition on other keys than the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The user has fewer than `limit` active invitations in that role.
    Below {
        /// Whose list.
        user: UserId,
        /// Which part of it.
        role: Role,
        /// How many are too many.
        limit: usize,
    },
    /// The user is not pending in an active invitation by any of `inviters` (glare).
    NotInvitedBy {
        /// Whose list.
        user: UserId,
        /// By whom.
        inviters: Vec<UserId>,
    },
    /// The user is not pending in an invitation that has a timer (busy).
    NotRinging {
        /// Whose list.
        user: UserId,
    },
    /// The user does not block the inviter.
    NotBlocked {
        /// Whose list of blocked users.
        user: UserId,
        /// Who must not be on it.
        inviter: UserId,
    },
    /// The user was rung fewer than `limit` times in the time before. A commit that is taken counts as a ring.
    RingsBelow {
        /// Who is rung.
        user: UserId,
        /// How many rings are too many.
        limit: u32,
        /// In what time.
        window_ms: u64,
    },
    /// All of these are members of the group.
    Members {
        /// Which group.
        group: GroupId,
        /// Who.
        users: Vec<UserId>,
    },
}

/// In what way a user takes part in an active invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The user sent it.
    Inviter,
    /// The user is pending in it.
    Invitee,
}

/// What a failed guard says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuardFailure {
    /// The list is full. `oldest_timerless` could make room.
    Full {
        /// Whose list.
        user: UserId,
        /// Which part of it.
        role: Role,
        /// Its oldest invitation without a timer.
        oldest_timerless: Option<InvitationId>,
    },
    /// The user is pending in this invitation by one of those inviters.
    Crossed {
        /// The smallest such id, so that every node names the same.
        invitation: InvitationId,
    },
    /// The user is pending in an invitation with a timer.
    Ringing {
        /// Who.
        user: UserId,
    },
    /// The user blocks the inviter.
    Blocked {
        /// Who.
        user: UserId,
    },
    /// The user was rung too often in the time before.
    RungTooOften {
        /// Who.
        user: UserId,
    },
    /// The group exists, these users are not in it.
    NotMembers {
        /// Who.
        users: Vec<UserId>,
    },
    /// There is no such group.
    GroupMissing,
}

/// What is known about the world outside the invitation when an invite is stepped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// For `online_user_only`: who is connected.
    pub online: BTreeSet<UserId>,
    /// For a group: its members, or none if there is no such group.
    pub members: Option<Vec<UserId>>,
    /// An active invitation in the other direction.
    pub crosses: Option<InvitationId>,
    /// Who is pending in an invitation with a timer.
    pub ringing: BTreeSet<UserId>,
    /// Whose lists are full, with what may be dropped from them to make room.
    pub full: BTreeMap<(UserId, Role), Option<InvitationId>>,
    /// Who blocks the inviter, as far as the policy has it asked.
    pub blocking: BTreeSet<UserId>,
    /// Who was rung too often in the time before.
    pub rung_too_often: BTreeSet<UserId>,
}

impl Facts {
    /// Takes in what a failed guard said, so that the next step decides with it.
    pub fn learn(&mut self, failure: GuardFailure) {
        match failure {
            GuardFailure::Full { user, role, oldest_timerless } => {
                self.full.insert((user, role), oldest_timerless);
            }
            GuardFailure::Crossed { invitation } => self.crosses = Some(invitation),
            GuardFailure::Ringing { user } => {
                self.ringing.insert(user);
            }
            GuardFailure::Blocked { user } => {
                self.blocking.insert(user);
            }
            GuardFailure::RungTooOften { user } => {
                self.rung_too_often.insert(user);
            }
            GuardFailure::NotMembers { users } => {
                if let Some(members) = &mut self.members {
                    members.retain(|member| !users.contains(member));
                }
            }
            GuardFailure::GroupMissing => self.members = None,
        }
    }
}
