//! Requests of clients: JSON-RPC 2.0, read strictly.
//!
//! Whatever a client sends becomes a [`Request`] whose parameters have their types, or a
//! [`BadRequest`] that says what is wrong with it. Unknown members are refused by name, so that a
//! misspelt parameter is not silently ignored.

mod id;
mod object;

use serde_json::value::RawValue;

use crate::body;
use crate::error::ErrorBody;
use crate::params::{
    AcceptParams, AckParams, BlocksParams, CancelParams, DevicesParams, HelloParams, HistoryParams, InvitationParams,
    InviteParams, ListActiveParams, ModifyParams, PingParams, RefreshTokenParams, RejectParams, SignalParams,
};

pub use id::Id;
pub(crate) use object::{Object, ObjectProblem, without_location};

/// A request that can be performed.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What the response carries; none only for `ack`, which then gets no response.
    pub id: Option<Id>,
    /// What is asked.
    pub call: Call,
}

/// A frame that is no request, and what to answer.
#[derive(Clone, Debug, PartialEq)]
pub struct BadRequest {
    /// The id that the frame carried, if it had a valid one.
    pub id: Option<Id>,
    /// What is wrong.
    pub error: ErrorBody,
}

macro_rules! calls {
    ($($(#[$doc:meta])* $variant:ident($params:ty) = $name:literal;)*) => {
        /// What a client asks.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Call {
            $($(#[$doc])* $variant($params),)*
        }

        impl Call {
            /// The names of all methods.
            pub const METHODS: &[&str] = &[$($name,)*];

            /// The method's name in the protocol.
            #[must_use]
            pub fn method(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)* }
            }

            fn parse(method: &str, params: &str) -> Result<Self, ErrorBody> {
                match method {
                    $($name => body::parse_text::<$params>(params).map(Self::$variant),)*
                    _ => Err(ErrorBody::method_not_found(method)),
                }
            }
        }
    };
}

calls! {
    /// Start the session of this connection.
    Hello(HelloParams) = "hello";
    /// Create an invitation.
    Invite(Box<InviteParams>) = "invite";
    /// Withdraw it.
    Cancel(CancelParams) = "cancel";
    /// Accept it.
    Accept(AcceptParams) = "accept";
    /// Reject it.
    Reject(RejectParams) = "reject";
    /// Replace its data.
    Modify(ModifyParams) = "modify";
    /// Send data to its other participants.
    Signal(SignalParams) = "signal";
    /// Read it.
    Get(InvitationParams) = "get";
    /// List the user's active invitations.
    ListActive(ListActiveParams) = "list_active";
    /// List a conversation's messages.
    History(HistoryParams) = "history";
    /// Ring for the invitation that a push told of.
    AddInvited(InvitationParams) = "add_invited";
    /// Register devices for pushes.
    Devices(DevicesParams) = "devices";
    /// Block users, or read who is blocked.
    Blocks(BlocksParams) = "blocks";
    /// Say that the device holds every event up to an offset.
    Ack(AckParams) = "ack";
    /// Replace the token of this connection.
    RefreshToken(RefreshTokenParams) = "refresh_token";
    /// Ask for the server's time.
    Ping(PingParams) = "ping";
}

/// Reads one text frame of a client.
///
/// # Errors
/// What to answer instead, when the frame is no request of this protocol.
pub fn parse(text: &str) -> Result<Request, Box<BadRequest>> {
    let refuse = |id: Option<Id>, error: ErrorBody| Box::new(BadRequest { id, error });
    let object = Object::parse(text).map_err(|problem| refuse(None, outer_error(text, problem)))?;
    let id = match object.member("id").map(Id::parse).transpose() {
        Ok(id) => id,
        Err(problem) => return Err(refuse(None, ErrorBody::invalid_request(problem))),
    };
    match parse_members(&object, id.as_ref()) {
        Ok(call) => Ok(Request { id, call }),
        Err(error) => Err(refuse(id, error)),
    }
}

fn outer_error(text: &str, problem: ObjectProblem) -> ErrorBody {
    match problem {
        ObjectProblem::Syntax(problem) => ErrorBody::parse_error(problem),
        ObjectProblem::Shape(_) if text.trim_start().starts_with('[') => {
            ErrorBody::invalid_request("batches are not supported")
        }
        ObjectProblem::Shape(problem) => ErrorBody::invalid_request(problem),
    }
}

fn parse_members(object: &Object<'_>, id: Option<&Id>) -> Result<Call, ErrorBody> {
    if let Some(unknown) = object.unknown(&["jsonrpc", "id", "method", "params"]) {
        return Err(ErrorBody::invalid_request(format!("unknown member {unknown}")));
    }
    if object.text("jsonrpc").as_deref() != Some("2.0") {
        return Err(ErrorBody::invalid_request("jsonrpc must be \"2.0\""));
    }
    let Some(method) = object.text("method") else {
        return Err(ErrorBody::invalid_request("method must be a string"));
    };
    let call = Call::parse(&method, object.member("params").map_or("{}", RawValue::get))?;
    match call {
        Call::Ack(_) => Ok(call),
        _ if id.is_none() => Err(ErrorBody::invalid_request("an id is required, except for ack")),
        _ => Ok(call),
    }
}
