//! What clients are shown: invitations, events, results and pages, as JSON.
//!
//! Servers build these from the rules' types, clients read them back. A reader ignores members that
//! it does not know, and takes names of states and reasons as text, so that a newer server does not
//! break it. Times are Unix milliseconds of the server's clock.

mod authorization;
mod device;
mod event;
mod event_message;
mod info;
mod invitation;
mod push;
mod result;
mod session;

pub use authorization::{AuthorizationData, AuthorizationMessage};
pub use device::{DeviceList, DeviceView};
pub use event::EventView;
pub use event_message::EventMessage;
pub use info::{HistoryMessage, SignalingInfoView, signaling_info};
pub use invitation::{InvitationView, InviteeView, Ringing};
pub use push::{PushData, PushDevice, PushMessage, PushTexts};
pub use result::{
    BlockPage, DoneResult, GroupView, HelloResult, HistoryPage, InvitationPage, InviteResult, PingResult, PostedResult,
    RefreshTokenResult, ReplyView,
};
pub use session::{CloseReason, ClosingView, SnapshotView};
