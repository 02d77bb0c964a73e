//! Serving one live connection.

use std::time::Duration;

use futures_util::future::BoxFuture;
use ringwire_signaling::InvitationId;
use ringwire_wire::error::ErrorCode;
use ringwire_wire::frame::{self, Incoming};
use ringwire_wire::params::{AckParams, InvitationParams, PingParams, RefreshTokenParams, Token};
use ringwire_wire::view::{CloseReason, ClosingView, HelloResult};
use tokio::time::{Instant, sleep_until};

use super::Driver;
use crate::error::{ClientError, DisconnectReason};
use crate::event::Event;
use crate::reader::Found;
use crate::request::{Internal, Request};
use crate::socket::{Heard, Socket};

/// How much later than a heartbeat a server must be heard.
const SILENCE: Duration = Duration::from_secs(15);
/// Pause before the state of an invitation is asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

type Renewal = BoxFuture<'static, Result<Token, DisconnectReason>>;

/// What lasts as long as one connection.
struct Live {
    /// The longest silence of a live server.
    silence: Duration,
    heard_at: Instant,
    /// Not before this is the next question asked.
    ask_at: Instant,
    /// A new token is being fetched.
    renewal: Option<Renewal>,
}

impl Driver {
    /// Serves a connection until it ends.
    pub(super) async fn serve(&mut self, mut socket: Socket, hello: HelloResult) -> DisconnectReason {
        let now = Instant::now();
        let silence = Duration::from_secs(hello.heartbeat_s).saturating_add(SILENCE);
        let mut live = Live { silence, heard_at: now, ask_at: now, renewal: None };
        self.greeted(hello, now);
        let reason = loop {
            if let Err(reason) = self.turn(&mut socket, &mut live).await {
                break reason;
            }
        };
        if reason == DisconnectReason::ByApp {
            socket.close().await;
        }
        reason
    }

    fn greeted(&mut self, hello: HelloResult, now: Instant) {
        let _ = self.shared.user.set(hello.user.clone());
        self.acks.connected(hello.epoch, now);
        self.reader.greeted(&hello);
        self.reader.show(Event::Connected { resumed: hello.resumed, hello: Box::new(hello) });
        if self.reader.in_backlog() {
            // The backlog is sent before anything that is asked after hello is answered. It may stop
            // short of the position in hello, because what expired is left out.
            let barrier = Internal::new(|_, reader| reader.end_backlog());
            self.add("ping", &PingParams {}, barrier);
        }
        if let Some(first) = self.first.take() {
            drop(first.send(Ok(())));
        }
    }

    /// Writes what is due, then waits for one thing to happen.
    async fn turn(&mut self, socket: &mut Socket, live: &mut Live) -> Result<(), DisconnectReason> {
        let now = Instant::now();
        if live.ask_at <= now
            && let Some(invitation) = self.reader.next_question()
        {
            self.ask_for(invitation);
            live.ask_at = now;
        }
        while let Some(text) = self.requests.next_frame() {
            socket.send(text).await?;
        }
        if let Some(offset) = self.given_ack.take().or_else(|| self.acks.take(now)) {
            let ack = frame::request(None, "ack", &AckParams { offset });
            socket.send(ack.map_err(|error| DisconnectReason::Lost(error.to_string()))?).await?;
        }
        // While the app does not take events, silence is of our own making.
        let reads = !self.reader.has_shown();
        if !reads {
            live.heard_at = now;
        }
        let silent_at = live.heard_at + live.silence;
        let ask_at = self.reader.has_question().then_some(live.ask_at);
        let wake = [self.acks.due(), ask_at].into_iter().flatten().fold(silent_at, Instant::min);
        tokio::select! {
            exchanged = self.exchange() => exchanged,
            heard = socket.hear(), if reads => {
                live.heard_at = Instant::now();
                self.heard(heard?, live);
                Ok(())
            }
            token = async { live.renewal.as_mut().expect("checked by the condition").await },
                if live.renewal.is_some() =>
            {
                live.renewal = None;
                self.renew(token);
                Ok(())
            }
            () = sleep_until(wake) => {
                if reads && Instant::now() >= silent_at { Err(DisconnectReason::Silent) } else { Ok(()) }
            }
        }
    }

    fn heard(&mut self, heard: Heard, live: &mut Live) {
        let Heard::Frame(frame) = heard else { return };
        match frame {
            Incoming::Result { id, result } => self.answered(&id, Ok(result)),
            Incoming::Error { id: Some(id), error } => self.answered(&id, Err(ClientError::Server(error))),
            Incoming::Error { id: None, error } => tracing::warn!(%error, "the server could not read a request"),
            Incoming::Event(view) => self.reader.event(view),
            Incoming::Snapshot(snapshot) => {
                self.acks.moved(snapshot.epoch);
                self.reader.snapshot(snapshot);
            }
            Incoming::Closing(closing) => self.closing(closing, live),
            Incoming::Unknown { name, position } => {
                tracing::debug!(name, "an event of an unknown type");
                if let Some(position) = position {
                    self.reader.unknown(position);
                }
            }
        }
        if self.reader.question_failed() {
            live.ask_at = Instant::now() + ASK_AGAIN;
        }
    }

    fn answered(&mut self, id: &ringwire_wire::Id, answer: Result<Box<serde_json::value::RawValue>, ClientError>) {
        if !self.requests.answer(id, answer, &mut self.reader) {
            tracing::debug!(%id, "an answer that nobody waits for");
        }
    }

    fn closing(&mut self, closing: ClosingView, live: &mut Live) {
        let warns = closing.close_reason() == Some(CloseReason::TokenExpired) && closing.closes_at.is_some();
        if warns && self.options.tokens.is_dynamic() && live.renewal.is_none() {
            let tokens = self.options.tokens.clone();
            live.renewal = Some(Box::pin(async move { tokens.token().await }));
        }
        self.reader.show(Event::Closing(closing));
    }

    /// Hands the server a new token, if there is one. Otherwise it will close, and the next connection
    /// asks for one again.
    fn renew(&mut self, token: Result<Token, DisconnectReason>) {
        match token {
            Ok(token) => {
                let waiter = Internal::new(|answer, _| {
                    if let Err(error) = answer {
                        tracing::warn!(%error, "the server did not take the new token");
                    }
                });
                self.add("refresh_token", &RefreshTokenParams { token }, waiter);
            }
            Err(reason) => tracing::warn!(%reason, "the token was not renewed"),
        }
    }

    fn ask_for(&mut self, invitation_id: InvitationId) {
        let waiter = Internal::new(move |answer, reader| {
            let found = match answer {
                Ok(raw) => serde_json::from_str(raw.get()).ok().map(Found::State),
                Err(ClientError::Server(body)) => match body.error_code() {
                    Some(ErrorCode::NotFound | ErrorCode::Expired | ErrorCode::Forbidden) => Some(Found::Nothing),
                    Some(_) | None => None,
                },
                Err(_) => None,
            };
            reader.answered(invitation_id, found);
        });
        self.add("get", &InvitationParams { invitation_id }, waiter);
    }

    /// A request of the SDK itself, which does not outlive the connection.
    fn add(&mut self, method: &'static str, params: &impl serde::Serialize, waiter: Internal) {
        match Request::new(method, params, false, waiter) {
            Ok(request) => self.requests.add(request),
            Err(error) => tracing::error!(%error, method, "a request cannot be written"),
        }
    }
}
