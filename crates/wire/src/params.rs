//! The parameters of every operation, for JSON-RPC and HTTP alike, and the commands they become.
//!
//! Ids are checked here; sizes and rules are checked where the command is stepped. Clients write
//! these structs, servers read them.

mod answer;
mod blocks;
mod devices;
mod invite;
mod listing;
mod session;

pub use answer::{AcceptParams, CancelParams, InvitationParams, ModifyParams, RejectParams, SignalParams};
pub use blocks::{BlocksAction, BlocksParams};
pub use devices::{DeviceParams, DevicesAction, DevicesParams, PushTokens};
pub use invite::{InviteParams, PushParams};
pub use listing::{Conversation, GroupParams, HistoryParams, ListActiveParams};
pub use session::{AckParams, HelloParams, PingParams, RefreshTokenParams, Resume, Token};
