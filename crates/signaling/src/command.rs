//! What users ask for. Sizes and shapes are checked by [`crate::step`], not by whoever built the command.

use std::sync::Arc;

use crate::id::{DeviceId, GroupId, RequestId, UserId};
use crate::invitation::Audience;

/// Who acts, and with which device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// The acting user.
    pub user: UserId,
    /// The acting device; none when a server acts for the user.
    pub device: Option<DeviceId>,
}

/// Create an invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// The inviter.
    pub by: By,
    /// Whom to invite; repeated names count once.
    pub invitees: Vec<UserId>,
    /// Opaque, handed on byte for byte.
    pub data: Arc<str>,
    /// How long it rings; 0 is no timer.
    pub timeout_s: u32,
    /// Ring only who is connected.
    pub online_user_only: bool,
    /// The group whose members the inviter and all invitees must be.
    pub group: Option<GroupId>,
    /// Who in the group hears of it.
    pub audience: Audience,
    /// Offline push settings.
    pub push: Option<Push>,
    /// The application's kind, handed on.
    pub kind: Option<i64>,
    /// A display name, handed on.
    pub inviter_name: Option<Arc<str>>,
    /// Whether the inviter hears that devices ring.
    pub receipts: bool,
    /// Makes a repeat harmless.
    pub request_id: Option<RequestId>,
}

/// What an offline push hook shows and hands to push services.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Push {
    /// No push for this invitation.
    pub disable: bool,
    /// Which devices get a push.
    pub when: PushWhen,
    /// Title of the notification.
    pub title: Arc<str>,
    /// Text of the notification; required unless disabled.
    pub desc: Arc<str>,
    /// Opaque, at most 4 KiB.
    pub ext: Arc<str>,
    /// The resource that push services know the texts and sounds by.
    pub resource_id: Arc<str>,
    /// Ask for a `VoIP` push where the platform has one.
    pub voip: bool,
    /// A JSON object of vendor fields, handed on untouched, at most 4 KiB.
    pub vendor: Arc<str>,
}

/// Which devices of an invitee get a push.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PushWhen {
    /// When no device gave a receipt.
    #[default]
    NoReceipt,
    /// Every registered device that gave no receipt.
    EachDevice,
    /// Always.
    Always,
}

/// Withdraw an invitation from all or some of its pending invitees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancel {
    /// The inviter.
    pub by: By,
    /// Opaque, handed on.
    pub data: Arc<str>,
    /// Whom; none is everybody still pending.
    pub invitees: Option<Vec<UserId>>,
    /// Makes a repeat harmless.
    pub request_id: Option<RequestId>,
}

/// Accept or reject an invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The invitee.
    pub by: By,
    /// Which answer.
    pub kind: AnswerKind,
    /// Opaque, handed on.
    pub data: Arc<str>,
    /// Makes a repeat harmless.
    pub request_id: Option<RequestId>,
}

/// The two answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerKind {
    /// The invitee takes part.
    Accept,
    /// The invitee does not, with a reason of at most 64 characters; `declined` if none is given.
    Reject {
        /// `declined`, `busy`, or free text.
        reason: Option<Arc<str>>,
    },
}

/// Replace the invitation's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modify {
    /// The inviter.
    pub by: By,
    /// The new data.
    pub data: Arc<str>,
    /// Only if the invitation is at this version.
    pub version: Option<u64>,
    /// Makes a repeat harmless.
    pub request_id: Option<RequestId>,
}

/// Send data to other participants without changing the invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// The inviter, or a pending or accepted invitee.
    pub by: By,
    /// Opaque, handed on.
    pub data: Arc<str>,
    /// Which participants; none is all others.
    pub to: Option<Vec<UserId>>,
    /// Makes a repeat harmless.
    pub request_id: Option<RequestId>,
}

/// Everything that can be asked of an existing invitation and changes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// See [`Cancel`].
    Cancel(Cancel),
    /// See [`Answer`].
    Answer(Answer),
    /// See [`Modify`].
    Modify(Modify),
    /// Withdraw the invitation in the inviter's name from everybody still pending: an administrator's.
    ForceCancel {
        /// Told to everybody concerned; 1–64 characters.
        reason: Arc<str>,
    },
    /// The deadline passed: a timer or a sweep found so.
    Timeout,
}
