//! The handle with which an app acts: one method per operation.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ringwire_signaling::{DeviceId, InvitationId, RequestId, UserId};
use ringwire_wire::error::ErrorCode;
use ringwire_wire::params::{
    AcceptParams, BlocksParams, CancelParams, DevicesParams, HistoryParams, InvitationParams, InviteParams,
    ListActiveParams, ModifyParams, PingParams, RefreshTokenParams, RejectParams, SignalParams, Token,
};
use ringwire_wire::view::{
    BlockPage, DeviceList, DoneResult, HistoryPage, InvitationPage, InvitationView, InviteResult, PingResult,
    PostedResult, RefreshTokenResult, SignalingInfoView,
};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout_at};

use crate::builder::Builder;
use crate::driver::{Command, Shared};
use crate::error::{ClientError, DisconnectReason};
use crate::request::{Caller, Note, Request};
use crate::token::TokenSource;

/// Pause before an operation is repeated, where the server names none.
const REPEAT_AFTER_MS: u64 = 200;

/// One device of one user. Cheap to clone; all clones share one connection.
///
/// Operations may be called while the client is not connected: they wait. Those that can be repeated
/// without harm (all but [`refresh_token`](Self::refresh_token)) are repeated over a lost connection
/// and while the server is unavailable, until their deadline. For that the SDK gives a request id to
/// every operation that changes something and has none. Dropping the future of an operation does not
/// undo it.
///
/// The connection lives until [`close`](Self::close), or until all clones and the
/// [`Events`](crate::Events) are dropped.
#[derive(Clone)]
pub struct Client {
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) tokens: TokenSource,
    pub(crate) device: DeviceId,
    pub(crate) request_timeout: Duration,
}

/// Gives the parameters a request id, if they have none.
macro_rules! with_request_id {
    ($params:ident) => {
        if $params.request_id.is_none() {
            $params.request_id = Some(random_request_id()?);
        }
    };
}

impl Client {
    /// Starts building a client for the server at `url`, such as `wss://example.com`; the path of the
    /// protocol is added if the URL has none.
    pub fn builder(url: impl Into<String>) -> Builder {
        Builder::new(url.into())
    }

    /// Whom the token names; none before the first connection.
    #[must_use]
    pub fn user(&self) -> Option<&UserId> {
        self.shared.user.get()
    }

    /// This device.
    #[must_use]
    pub fn device_id(&self) -> &DeviceId {
        &self.device
    }

    /// The invitation that was sent in the other direction while this one was active, for both of the
    /// two, as far as this client has heard of both. Clients that merge such a pair keep the smaller id.
    #[must_use]
    pub fn crosses(&self, invitation: InvitationId) -> Option<InvitationId> {
        self.shared.glare.other(invitation)
    }

    /// Why the client has ended, if it has.
    #[must_use]
    pub fn end_reason(&self) -> Option<&DisconnectReason> {
        self.shared.ended.get()
    }

    /// Invites users.
    ///
    /// # Errors
    /// As every operation, see [`ClientError`].
    pub async fn invite(&self, mut params: InviteParams) -> Result<InviteResult, ClientError> {
        with_request_id!(params);
        let invitees = params.invitees.len();
        let note: Note<InviteResult> = Arc::new(move |result, reader| {
            reader.invited(result.invitation_id, result.failed.len() < invitees);
        });
        let result = self.call("invite", &params, Some(note)).await?;
        self.shared.glare.note(result.invitation_id, result.crosses);
        Ok(result)
    }

    /// Withdraws an invitation, or a part of it.
    ///
    /// # Errors
    /// As every operation, see [`ClientError`].
    pub async fn cancel(&self, mut params: CancelParams) -> Result<DoneResult, ClientError> {
        with_request_id!(params);
        let ends = params.invitees.is_none();
        self.call("cancel", &params, Some(note_done(ends))).await
    }

    /// Accepts an invitation.
    ///
    /// # Errors
    /// As every operation, see [`ClientError`].
    pub async fn accept(&self, mut params: AcceptParams) -> Result<DoneResult, ClientError> {
        with_request_id!(params);
        self.call("accept", &params, Some(note_done(true))).await
    }

    /// Rejects an invitation.
    ///
    /// # Errors
    /// As every operation, see [`ClientError`].
    pub async fn reject(&self, mut params: RejectParams) -> Result<DoneResult, ClientError> {
        with_request_id!(params);
        self.call("reject", &params, Some(note_done(true))).await
    }

    /// Replaces the data of an active invitation.
    ///
    /// # Errors
    /// As every operation, see [`ClientError`].
    pub async fn modify(&self, mut params: ModifyParams) -> Result<DoneResult, ClientError> {
        with_request_id!(params);
        self.call("modify", &params, Some(note_done(false))).await
    }

    /// Sends data to other participants. Signals of one sender arrive in the order in which they were
    /// answered.
    ///
    /// # Errors
    /// As every operation, see [`ClientError`].
    pub async fn signal(&self, mut params: SignalParams) -> Result<PostedResult, ClientError> {
        with_request_id!(params);
        self.call("signal", &params, None).await
    }

    /// Reads an invitation with every invitee's state. Events that it outdates are not shown any more.
    ///
    /// # Errors
    /// As every operation, see [`ClientError`].
    pub async fn get(&self, invitation_id: InvitationId) -> Result<InvitationView, ClientError> {
        let note: Note<InvitationView> = Arc::new(|state, reader| reader.full_state(state));
        self.call("get", &InvitationParams { invitation_id }, Some(note)).await
    }

    /// Lists the invitations in which the user is inviter or pending invitee.
    ///
    /// # Errors
    /// As every operation, see [`ClientError`].
    pub async fn list_active(&self, params: ListActiveParams) -> Result<InvitationPage, ClientError> {
        self.call("list_active", &params, None).await
    }

    /// Lists the messages of a conversation, newest invitation first.
    ///
    /// # Errors
    /// As every operation, see [`ClientError`].
    pub async fn history(&self, params: HistoryParams) -> Result<HistoryPage, ClientError> {
        self.call("history", &params, None).await
    }

    /// Blocks a user: invites of that user fail or stay unheard, as the operator chose. A ring that is pending goes on.
    ///
    /// # Errors
    /// As every operation, see [`ClientError`].
    pub async fn block(&self, user: UserId) -> Result<(), ClientError> {
        self.call::<IgnoredAny>("blocks", &BlocksParams::add(user), None).await.map(drop)
    }

    /// Blocks a user no longer.
    ///
    /// # Errors
    /// As every operation, see [`ClientError`].
    pub async fn unblock(&self, user: UserId) -> Result<(), ClientError> {
        self.call::<IgnoredAny>("blocks", &BlocksParams::remove(user), None).await.map(drop)
    }

    /// Lists a page of those whom the user blocks, from where the page before ended.
    ///
    /// # Errors
    /// As every operation, see [`ClientError`].
    pub async fn blocks(&self, cursor: Option<String>) -> Result<BlockPage, ClientError> {
        self.call("blocks", &BlocksParams::list(None, cursor), None).await
    }

    /// Registers this device for pushes, with its tokens by provider (`apns`, `apns_voip`, `fcm`, `hms` or any other
    /// name), or replaces what is registered of it.
    ///
    /// # Errors
    /// As every operation, see [`ClientError`].
    pub async fn set_device(&self, platform: &str, tokens: BTreeMap<String, String>) -> Result<(), ClientError> {
        let params = DevicesParams::set(None, platform, tokens);
        self.call::<IgnoredAny>("devices", &params, None).await.map(drop)
    }

    /// Lists the devices that the user has registered for pushes.
    ///
    /// # Errors
    /// As every operation, see [`ClientError`].
    pub async fn devices(&self) -> Result<DeviceList, ClientError> {
        self.call("devices", &DevicesParams::list(), None).await
    }

    /// Forgets a device that is registered for pushes; none is this one. To be called before the user logs out.
    ///
    /// # Errors
    /// As every operation, see [`ClientError`].
    pub async fn remove_device(&self, device_id: Option<DeviceId>) -> Result<(), ClientError> {
        self.call::<IgnoredAny>("devices", &DevicesParams::remove(device_id), None).await.map(drop)
    }

    /// Rings for an invitation that a push told of: its state, which the app shows as a ring; none if
    /// this connection was sent the ring already.
    ///
    /// # Errors
    /// `already_settled` or `expired` when it rings no more; else as every operation.
    pub async fn add_invited(&self, info: &SignalingInfoView) -> Result<Option<InvitationView>, ClientError> {
        self.add_invited_id(info.invitation_id).await
    }

    /// [`add_invited`](Self::add_invited) for an app that kept only the id.
    ///
    /// # Errors
    /// As [`add_invited`](Self::add_invited).
    pub async fn add_invited_id(&self, invitation_id: InvitationId) -> Result<Option<InvitationView>, ClientError> {
        #[derive(Deserialize)]
        struct Ring {
            #[serde(default)]
            invitation: Option<InvitationView>,
        }
        let note: Note<Ring> = Arc::new(|ring, reader| {
            ring.invitation.iter().for_each(|state| reader.full_state(state));
        });
        match self.call("add_invited", &InvitationParams { invitation_id }, Some(note)).await {
            Ok(ring) => Ok(ring.invitation),
            Err(error) if error.code() == Some(ErrorCode::AlreadyExists) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Says that this device holds every event up to `offset`. Only for apps that turned
    /// [`auto_receipts`](Builder::auto_receipts) off.
    ///
    /// # Errors
    /// The client has ended.
    pub async fn ack(&self, offset: u64) -> Result<(), ClientError> {
        self.commands.send(Command::Ack(offset)).await.map_err(|_| self.ended())
    }

    /// Replaces the token of the live connection, and of later ones.
    ///
    /// # Errors
    /// As every operation, see [`ClientError`].
    pub async fn refresh_token(&self, token: impl Into<String>) -> Result<RefreshTokenResult, ClientError> {
        let token = Token(token.into());
        let params = RefreshTokenParams { token: token.clone() };
        let attempt = self.attempt("refresh_token", &params, false, None);
        let result = timeout_at(self.deadline(), attempt).await.unwrap_or(Err(ClientError::Timeout))?;
        self.tokens.replace(token);
        Ok(result)
    }

    /// Asks for the server's time.
    ///
    /// # Errors
    /// As every operation, see [`ClientError`].
    pub async fn ping(&self) -> Result<PingResult, ClientError> {
        self.call("ping", &PingParams {}, None).await
    }

    /// Says goodbye to the server. All clones end; the events end with the reason `ByApp`.
    pub async fn close(&self) {
        // If it has ended already, there is nothing to close.
        if self.commands.send(Command::Close).await.is_ok() {
            self.commands.closed().await;
        }
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.request_timeout
    }

    /// Performs an operation that may be repeated, until its deadline.
    async fn call<T: DeserializeOwned + Send + 'static>(
        &self,
        method: &'static str,
        params: &(impl Serialize + Sync),
        note: Option<Note<T>>,
    ) -> Result<T, ClientError> {
        let deadline = self.deadline();
        let mut last = ClientError::Timeout;
        loop {
            let attempt = self.attempt(method, params, true, note.clone());
            let error = match timeout_at(deadline, attempt).await {
                Ok(Ok(result)) => return Ok(result),
                Ok(Err(error)) if error.code() == Some(ErrorCode::Unavailable) => error,
                Ok(Err(error)) => return Err(error),
                Err(_) => return Err(last),
            };
            let pause = Duration::from_millis(retry_after_ms(&error));
            if Instant::now() + pause >= deadline {
                return Err(error);
            }
            sleep(pause).await;
            last = error;
        }
    }

    async fn attempt<T: DeserializeOwned + Send + 'static>(
        &self,
        method: &'static str,
        params: &(impl Serialize + Sync),
        repeatable: bool,
        note: Option<Note<T>>,
    ) -> Result<T, ClientError> {
        let (sender, receiver) = oneshot::channel();
        let request = Request::new(method, params, repeatable, Caller { sender, note })?;
        self.commands.send(Command::Request(request)).await.map_err(|_| self.ended())?;
        receiver.await.unwrap_or_else(|_| Err(self.ended()))
    }

    pub(crate) fn ended(&self) -> ClientError {
        let died = || DisconnectReason::Lost("the client's task is gone".to_owned());
        ClientError::Closed(self.shared.ended.get().cloned().unwrap_or_else(died))
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Client")
            .field("user", &self.shared.user)
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}

fn note_done(ends: bool) -> Note<DoneResult> {
    Arc::new(move |result, reader| reader.done(result.invitation_id, result.version, ends))
}

fn retry_after_ms(error: &ClientError) -> u64 {
    match error {
        ClientError::Server(body) => body.data.retry_after_ms.unwrap_or(REPEAT_AFTER_MS).max(1),
        ClientError::Disconnected
        | ClientError::Timeout
        | ClientError::Closed(_)
        | ClientError::Invalid(_)
        | ClientError::Unreadable(_) => REPEAT_AFTER_MS,
    }
}

/// A name for one request that no other has.
fn random_request_id() -> Result<RequestId, ClientError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| ClientError::Invalid(format!("no randomness: {error}")))?;
    let text = format!("{:032x}", u128::from_ne_bytes(bytes));
    RequestId::parse(&text).map_err(|problem| ClientError::Invalid(format!("request_id {problem}")))
}
