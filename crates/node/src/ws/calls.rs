//! What each request of a connection does.

use std::sync::Arc;

use ringwire_signaling::limits::DEFAULT_PAGE_ROWS;
use ringwire_signaling::{Command, DeviceId, InvitationId, Origin, Position, Refusal, Reply, UserId, step};
use ringwire_wire::error::ErrorBody;
use ringwire_wire::frame;
use ringwire_wire::params::{AckParams, BlocksAction, BlocksParams, DevicesAction, DevicesParams, HelloParams};
use ringwire_wire::rpc::{Call, Id, Request};
use ringwire_wire::view::{InvitationView, PingResult, RefreshTokenResult, ReplyView};
use serde::Serialize;

use super::connection::{Connection, Done, Party, Pending, ready};
use crate::auth::Identity;
use crate::error::OperationError;
use crate::invitation::NoteReceipt;
use crate::metrics::Limit;
use crate::registry::Invitations;
use crate::service::{Service, by};
use crate::session::{Acknowledge, Hello, RingByName};
use crate::shared::Shared;

/// How often hello meets a session that is just ending.
const HELLO_ATTEMPTS: usize = 4;

impl Connection {
    /// Starts a request; what it returns, if anything, ends with the answer.
    pub(super) async fn dispatch<E>(&mut self, request: Request) -> Result<Option<Pending>, E> {
        let admitted = self.admit();
        let Some(id) = request.id else {
            // An acknowledgement is cheap and says what was received: it is never refused.
            if let Call::Ack(ack) = request.call {
                self.acknowledge(ack);
            }
            return Ok(None);
        };
        let refuse = |error: ErrorBody| Ok(Some(ready(frame::error(Some(&id), &error))));
        if let Err(retry_after_ms) = admitted {
            self.shared.metrics.limited(Limit::Requests);
            return refuse(ErrorBody::rate_limited(retry_after_ms));
        }
        let party = match (&self.user, &request.call) {
            (None, Call::Hello(_)) => None,
            (None, _) => return refuse(ErrorBody::unauthenticated("say hello first")),
            (Some(_), Call::Hello(_)) => return refuse(ErrorBody::invalid_request("hello was said before")),
            (Some(party), call) => {
                let expired = party.token_expires_at <= self.shared.clock.now();
                if expired && !matches!(call, Call::RefreshToken(_) | Call::Ack(_)) {
                    return refuse(ErrorBody::unauthenticated("the token has expired; refresh it"));
                }
                Some(party.clone())
            }
        };
        match (party, request.call) {
            (_, Call::Hello(hello)) => Ok(match self.hello(id.clone(), hello).await {
                Ok(()) => None,
                Err(error) => Some(ready(frame::error(Some(&id), &error))),
            }),
            (_, Call::RefreshToken(params)) => {
                // Beside other work: events go on while an issuer's keys are looked for.
                let shared = Arc::clone(&self.shared);
                Ok(Some(Box::pin(async move {
                    let identity = shared.authenticator.verify(&params.token.0, shared.clock.now()).await;
                    Done::Verified(id, identity.map_err(ErrorBody::from))
                })))
            }
            (_, Call::Ack(ack)) => {
                self.acknowledge(ack);
                Ok(Some(ready(frame::result(&id, &serde_json::json!({})))))
            }
            (Some(party), call) => {
                let work = Work {
                    service: Service { shared: Arc::clone(&self.shared) },
                    user: party.user,
                    device: party.device,
                    origin: Origin { incarnation: self.shared.incarnation, connection: self.id },
                };
                Ok(Some(Box::pin(async move { Done::Answer(work.perform(&id, call).await.into()) })))
            }
            (None, _) => refuse(ErrorBody::unauthenticated("say hello first")),
        }
    }

    fn acknowledge(&self, ack: AckParams) {
        if let Some(party) = &self.user
            && let Some(session) = self.shared.sessions.address(&party.user)
        {
            // A full mailbox loses this one; the next acknowledgement covers it.
            drop(session.try_send(Acknowledge { connection: self.id, offset: ack.offset }));
        }
    }

    async fn hello(&mut self, request: Id, hello: HelloParams) -> Result<(), ErrorBody> {
        let given = hello.token.map(|token| token.0).or_else(|| self.handshake_token.clone());
        let token = given.ok_or_else(|| ErrorBody::unauthenticated("a token is required"))?;
        let identity = self.shared.authenticator.verify(&token, self.shared.clock.now()).await?;
        let device = hello.device_id;
        let message = || Hello {
            connection: self.id,
            device: device.clone(),
            resume: hello.resume.map(Position::from),
            request: request.clone(),
            outbound: self.outbound.clone(),
        };
        for _ in 0..HELLO_ATTEMPTS {
            let session = self.shared.sessions.address(&identity.user).ok_or_else(unavailable)?;
            match session.send(message()).await {
                Ok(outcome) => {
                    outcome?;
                    self.handshake_token = None;
                    self.greeted(Party {
                        user: identity.user,
                        device,
                        token_expires_at: identity.expires_at,
                        warned: false,
                    });
                    return Ok(());
                }
                // The session ended as this arrived; the next address starts a fresh one.
                Err(_) => tokio::task::yield_now().await,
            }
        }
        Err(unavailable())
    }

    /// Takes over what a new token says; the answer to whoever sent it.
    pub(super) fn refreshed(&mut self, request: &Id, identity: Result<Identity, ErrorBody>) -> String {
        answer(request, &identity.and_then(|identity| self.refresh(&identity)))
    }

    fn refresh(&mut self, identity: &Identity) -> Result<RefreshTokenResult, ErrorBody> {
        match &mut self.user {
            Some(party) if party.user == identity.user => {
                party.token_expires_at = identity.expires_at;
                party.warned = false;
                Ok(RefreshTokenResult { expires_at: identity.expires_at.0 })
            }
            Some(_) | None => Err(ErrorBody::forbidden("the token is of another user")),
        }
    }
}

/// A request of a user that needs the node.
struct Work {
    service: Service,
    user: UserId,
    device: DeviceId,
    origin: Origin,
}

impl Work {
    async fn perform(self, id: &Id, call: Call) -> String {
        let origin = Some(self.origin);
        let by = by(&self.user, Some(&self.device));
        let act = |invitation: InvitationId, command: Command| self.service.act(invitation, command, origin);
        match call {
            Call::Invite(params) => answer_reply(id, self.service.invite(params.into_command(by), origin).await),
            Call::Cancel(params) => {
                answer_reply(id, act(params.invitation_id, Command::Cancel(params.into_command(by))).await)
            }
            Call::Accept(params) => {
                answer_reply(id, act(params.invitation_id, Command::Answer(params.into_command(by))).await)
            }
            Call::Reject(params) => {
                answer_reply(id, act(params.invitation_id, Command::Answer(params.into_command(by))).await)
            }
            Call::Modify(params) => {
                answer_reply(id, act(params.invitation_id, Command::Modify(params.into_command(by))).await)
            }
            Call::Signal(params) => {
                let invitation = params.invitation_id;
                answer_reply(id, self.service.signal(invitation, params.into_command(by), origin).await)
            }
            Call::Get(params) => answer(id, &self.service.get(&self.user, params.invitation_id).await),
            Call::ListActive(params) => answer(id, &self.service.active(self.user.clone(), &params).await),
            Call::History(params) => answer(id, &self.service.history(self.user.clone(), &params).await),
            Call::AddInvited(params) => answer(id, &self.add_invited(params.invitation_id).await),
            Call::Blocks(params) => self.blocks(id, params).await,
            Call::Devices(params) => self.devices(id, params).await,
            Call::Ping(_) => answer::<_, OperationError>(id, &Ok(self.time())),
            Call::Hello(_) | Call::RefreshToken(_) | Call::Ack(_) => {
                frame::error(Some(id), &ErrorBody::internal_error("this request belongs to the connection"))
            }
        }
    }

    fn time(&self) -> PingResult {
        PingResult { server_time: self.service.shared.clock.now().0 }
    }

    async fn blocks(&self, id: &Id, params: BlocksParams) -> String {
        let user = self.user.clone();
        // Reading the parameters has checked that they are there where they are needed.
        match (params.action, params.user) {
            (BlocksAction::Add, Some(blocked)) => {
                answer(id, &self.service.block(user, blocked).await.map(|()| Nothing {}))
            }
            (BlocksAction::Remove, Some(blocked)) => {
                answer(id, &self.service.unblock(user, blocked).await.map(|()| Nothing {}))
            }
            (BlocksAction::Add | BlocksAction::Remove, None) => {
                frame::error(Some(id), &ErrorBody::invalid_params("user", "is required"))
            }
            (BlocksAction::List, _) => {
                let limit = params.limit.unwrap_or(DEFAULT_PAGE_ROWS);
                answer(id, &self.service.blocks(user, limit, params.cursor.as_deref()).await)
            }
        }
    }

    async fn devices(&self, id: &Id, params: DevicesParams) -> String {
        let user = self.user.clone();
        let device = params.device_id.unwrap_or_else(|| self.device.clone());
        match params.action {
            DevicesAction::Set => {
                // Reading the parameters has checked that both are there; without them the rules refuse.
                let (platform, tokens) = (params.platform.unwrap_or_default(), params.tokens.unwrap_or_default());
                answer(id, &self.service.put_device(user, device, platform, tokens).await.map(|()| Nothing {}))
            }
            DevicesAction::List => answer(id, &self.service.devices(user).await),
            DevicesAction::Remove => answer(id, &self.service.remove_device(user, device).await.map(|()| Nothing {})),
        }
    }

    /// Rings for an invitation that a push told of; holding the answer is the device's receipt.
    async fn add_invited(&self, id: InvitationId) -> Result<Ring, OperationError> {
        let detail = self.service.detail(id).await?;
        let state = detail.as_ref().map(|detail| &detail.invitation);
        step::ring_again(state, &self.user, false)?;
        if self.connection_had_ring(id).await? {
            return Err(Refusal::AlreadyExists.into());
        }
        let shared = &self.service.shared;
        let receipt = NoteReceipt { user: self.user.clone(), device: self.device.clone() };
        drop(Invitations::address(shared, id).try_send(receipt));
        let detail = detail.ok_or(Refusal::Expired)?;
        Ok(Ring { invitation: self.service.view(&detail) })
    }

    async fn connection_had_ring(&self, invitation: InvitationId) -> Result<bool, OperationError> {
        let shared: &Shared = &self.service.shared;
        let session = shared.sessions.address(&self.user).ok_or(OperationError::Unavailable)?;
        let question = RingByName { connection: self.origin.connection, invitation };
        session.send(question).await.map_err(|_| OperationError::Unavailable)
    }
}

/// A result that says only that it was done.
#[derive(Serialize)]
struct Nothing {}

/// Result of `add_invited`.
#[derive(Serialize)]
struct Ring {
    invitation: InvitationView,
}

fn answer_reply(id: &Id, outcome: Result<Reply, OperationError>) -> String {
    answer(id, &outcome.map(|reply| ReplyView::from(&reply)))
}

fn answer<T: Serialize, E: Clone + Into<ErrorBody>>(id: &Id, outcome: &Result<T, E>) -> String {
    match outcome {
        Ok(result) => frame::result(id, result),
        Err(error) => frame::error(Some(id), &error.clone().into()),
    }
}

fn unavailable() -> ErrorBody {
    OperationError::Unavailable.into()
}
