//! The rules of Ringwire: invitations, their inboxes and the sessions that read them.
//!
//! Everything here is pure. There is no I/O, no clock, no randomness and no serialization in this
//! crate, and it depends on `std` only: time and ids are arguments, and what has to be done comes
//! back as data. Actors, tasks and stores perform it. See `docs/protocol.md` for the behaviour that
//! these rules implement and ARCHITECTURE.md for who calls them.

#![deny(clippy::wildcard_enum_match_arm)]

pub mod apply;
pub mod block;
pub mod command;
pub mod device;
pub mod event;
pub mod guard;
pub mod id;
pub mod inbox;
pub mod info;
pub mod invitation;
pub mod limits;
pub mod operation;
pub mod partition;
pub mod policy;
pub mod push;
pub mod refusal;
pub mod relay;
pub mod session;
pub mod step;
pub mod sweep;
pub mod time;

pub use command::{Answer, AnswerKind, By, Cancel, Command, Invite, Modify, Signal};
pub use device::RegisteredDevice;
pub use event::{Event, EventBody};
pub use guard::{Facts, Guard, GuardFailure};
pub use id::{ConnectionId, DeviceId, GroupId, InvitationId, Origin, RequestId, UserId};
pub use inbox::{Check, Entry, Epoch, Position};
pub use invitation::{FailReason, Invitation, Invitee, InviteeState, Outcome, Settlement, Terms};
pub use operation::{Action, Operation};
pub use partition::Partition;
pub use policy::Policy;
pub use push::{PushChange, PushKind};
pub use refusal::Refusal;
pub use step::{Notice, Once, Post, Reply, Step, Verdict};
pub use time::UnixMillis;
