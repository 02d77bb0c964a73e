//! Operations on an existing invitation over HTTP.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use ringwire_signaling::{By, Command, InvitationId, RequestId};
use ringwire_wire::body::{HttpBody, Params, parse_http_body};
use ringwire_wire::params::{AcceptParams, CancelParams, ModifyParams, RejectParams, SignalParams};
use ringwire_wire::view::{DoneResult, PostedResult, ReplyView};

use super::Response;
use super::body::Body;
use super::invitations::invitation;
use super::openapi::parameters::{IdempotencyKey, InvitationPath};
use super::openapi::problems::{AnswerProblems, CancelProblems, ModifyProblems, SignalProblems};
use super::openapi::{AcceptBody, CancelBody, ModifyBody, RejectBody, SignalBody};
use super::problem::HttpError;
use super::who::{Caller, request_id};
use crate::service::{Service, by};
use crate::shared::Shared;

/// Accept an invitation
///
/// For an invitee who is pending. The inviter's devices, the other invitees and the audience hear of it as
/// `invitation.accepted`, the invitee's other devices as `invitation.answered_elsewhere`.
#[utoipa::path(
    post,
    path = "/v1/invitations/{id}/accept",
    operation_id = "accept",
    tag = "invitations",
    params(InvitationPath, IdempotencyKey),
    request_body(
        content = AcceptBody,
        example = json!({"data": "{\"codec\":\"opus\"}", "device_id": "phone-1"}),
    ),
    responses(
        (
            status = 200, description = "The invitee has accepted.", body = DoneResult,
            example = json!({
                "invitation_id": "3f-0123456789abcdef0123456789abcdef", "version": 2, "at": 1_766_000_003_000_u64,
                "invitees": ["bob"],
            }),
        ),
        AnswerProblems,
    ),
)]
pub(super) async fn accept(asked: Asked) -> Response {
    let (params, by) = asked.read(|params: &mut AcceptParams| &mut params.request_id)?;
    asked.act(Command::Answer(params.into_command(by))).await
}

/// Reject an invitation
///
/// For an invitee who is pending. The inviter's devices, the other invitees and the audience hear of it as
/// `invitation.rejected`, the invitee's other devices as `invitation.answered_elsewhere`.
#[utoipa::path(
    post,
    path = "/v1/invitations/{id}/reject",
    operation_id = "reject",
    tag = "invitations",
    params(InvitationPath, IdempotencyKey),
    request_body(
        content = RejectBody,
        example = json!({"reason": "busy", "device_id": "phone-1"}),
    ),
    responses(
        (
            status = 200, description = "The invitee has rejected.", body = DoneResult,
            example = json!({
                "invitation_id": "3f-0123456789abcdef0123456789abcdef", "version": 2, "at": 1_766_000_003_000_u64,
                "invitees": ["bob"],
            }),
        ),
        AnswerProblems,
    ),
)]
pub(super) async fn reject(asked: Asked) -> Response {
    let (params, by) = asked.read(|params: &mut RejectParams| &mut params.request_id)?;
    asked.act(Command::Answer(params.into_command(by))).await
}

/// Cancel an invitation
///
/// For the inviter, while anybody is pending: all who are, or those of them whom the body names. Devices hear
/// of it as `invitation.cancelled`.
#[utoipa::path(
    post,
    path = "/v1/invitations/{id}/cancel",
    operation_id = "cancel",
    tag = "invitations",
    params(InvitationPath, IdempotencyKey),
    request_body(content = CancelBody, example = json!({"invitees": ["carol"]})),
    responses(
        (
            status = 200, description = "These invitees are no longer pending.", body = DoneResult,
            example = json!({
                "invitation_id": "3f-0123456789abcdef0123456789abcdef", "version": 3, "at": 1_766_000_009_000_u64,
                "invitees": ["carol"],
            }),
        ),
        CancelProblems,
    ),
)]
pub(super) async fn cancel(asked: Asked) -> Response {
    let (params, by) = asked.read(|params: &mut CancelParams| &mut params.request_id)?;
    asked.act(Command::Cancel(params.into_command(by))).await
}

/// Replace the data of an invitation
///
/// For the inviter, while the invitation is active, at most 32 times. Devices hear of it as
/// `invitation.modified`.
#[utoipa::path(
    post,
    path = "/v1/invitations/{id}/modify",
    operation_id = "modify",
    tag = "invitations",
    params(InvitationPath, IdempotencyKey),
    request_body(content = ModifyBody, example = json!({"data": "{\"room\":8}", "version": 3})),
    responses(
        (
            status = 200, description = "The data is replaced.", body = DoneResult,
            example = json!({
                "invitation_id": "3f-0123456789abcdef0123456789abcdef", "version": 4, "at": 1_766_000_012_000_u64,
                "invitees": [],
            }),
        ),
        ModifyProblems,
    ),
)]
pub(super) async fn modify(asked: Asked) -> Response {
    let (params, by) = asked.read(|params: &mut ModifyParams| &mut params.request_id)?;
    asked.act(Command::Modify(params.into_command(by))).await
}

/// Send data to other participants
///
/// For the inviter and for invitees who are pending or have accepted, until an hour after the invitation
/// settled. Changes nothing; devices get it as the event `signal`, in the order of its sender.
#[utoipa::path(
    post,
    path = "/v1/invitations/{id}/signal",
    operation_id = "signal",
    tag = "invitations",
    params(InvitationPath, IdempotencyKey),
    request_body(
        content = SignalBody,
        example = json!({"to": ["bob"], "data": "{\"sdp\":\"v=0\"}", "device_id": "phone-1"}),
    ),
    responses(
        (
            status = 200, description = "The data is on its way.", body = PostedResult,
            example = json!({
                "invitation_id": "3f-0123456789abcdef0123456789abcdef", "at": 1_766_000_013_000_u64,
            }),
        ),
        SignalProblems,
    ),
)]
pub(super) async fn signal(asked: Asked) -> Response {
    let (params, by) = asked.read(|params: &mut SignalParams| &mut params.request_id)?;
    let reply = asked.service.signal(asked.id, params.into_command(by), None).await?;
    Ok(HttpResponse::Ok().json(ReplyView::from(&reply)))
}

/// A request about one invitation, whose body is not yet parsed.
pub(super) struct Asked {
    service: Service,
    caller: Caller,
    request: HttpRequest,
    id: InvitationId,
    body: web::Bytes,
}

impl FromRequest for Asked {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, actix_web::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let parts = <(Caller, web::Data<Shared>, HttpRequest, web::Path<String>, Body)>::from_request(request, payload);
        Box::pin(async move {
            let (caller, shared, request, id, Body(body)) = parts.await?;
            Ok(Self { service: Service { shared: shared.into_inner() }, caller, request, id: invitation(&id)?, body })
        })
    }
}

impl Asked {
    /// The operation's parameters with the request id that the request names, and who acts.
    fn read<T: Params>(&self, slot: impl FnOnce(&mut T) -> &mut Option<RequestId>) -> Result<(T, By), HttpError> {
        let HttpBody { acting_for, device, mut params } = parse_http_body::<T>(&self.body, Some(self.id))?;
        let slot = slot(&mut params);
        *slot = request_id(&self.request, slot.take())?;
        Ok((params, by(&self.caller.acting(acting_for)?, device.as_ref())))
    }

    async fn act(&self, command: Command) -> Response {
        let reply = self.service.act(self.id, command, None).await?;
        Ok(HttpResponse::Ok().json(ReplyView::from(&reply)))
    }
}
