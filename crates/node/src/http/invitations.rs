//! Making, reading and listing invitations over HTTP.

use actix_web::{HttpRequest, HttpResponse, web};
use ringwire_signaling::{InvitationId, Refusal};
use ringwire_wire::body::{HttpBody, parse_http_body, parse_http_query};
use ringwire_wire::error::ErrorBody;
use ringwire_wire::params::{HistoryParams, InviteParams, ListActiveParams, PingParams};
use ringwire_wire::view::{HistoryPage, InvitationPage, InvitationView, InviteResult, ReplyView};

use super::Response;
use super::body::Body;
use super::openapi::InviteBody;
use super::openapi::parameters::{ActingFor, IdempotencyKey, InvitationPath};
use super::openapi::problems::{ActiveProblems, GetProblems, HistoryProblems, InviteProblems};
use super::problem::HttpError;
use super::who::{Caller, request_id};
use crate::service::{Service, by};
use crate::shared::Shared;

pub(super) type Query = web::Query<Vec<(String, String)>>;

/// Invite users
///
/// Their devices ring until each invitee has answered, the inviter cancels, or the time is over. Succeeds also
/// when it reaches only some of the invitees or none; `failed` says whom it did not reach, and why: `offline`,
/// `blocked` or `rate_limited`.
#[utoipa::path(
    post,
    path = "/v1/invitations",
    operation_id = "invite",
    tag = "invitations",
    params(IdempotencyKey),
    request_body(
        content = InviteBody,
        example = json!({
            "invitees": ["bob", "carol"], "data": "{\"room\":7}", "timeout_s": 30, "kind": 1, "inviter_name": "Alice",
            "push": {"title": "Alice", "desc": "is calling"}, "device_id": "phone-1",
        }),
    ),
    responses(
        (
            status = 201, description = "The invitation is made.", body = InviteResult,
            example = json!({
                "invitation_id": "3f-0123456789abcdef0123456789abcdef", "created_at": 1_766_000_000_000_u64,
                "expires_at": 1_766_000_030_000_u64, "failed": {"carol": "rate_limited"},
            }),
        ),
        InviteProblems,
    ),
)]
pub(super) async fn invite(
    caller: Caller,
    shared: web::Data<Shared>,
    request: HttpRequest,
    Body(body): Body,
) -> Response {
    let HttpBody { acting_for, device, mut params } = parse_http_body::<InviteParams>(&body, None)?;
    params.request_id = request_id(&request, params.request_id)?;
    let by = by(&caller.acting(acting_for)?, device.as_ref());
    let reply = service(shared).invite(params.into_command(by), None).await?;
    Ok(HttpResponse::Created().json(ReplyView::from(&reply)))
}

/// Read an invitation
///
/// With every invitee's state. For participants and members of its group; for anybody else there is no such
/// invitation.
#[utoipa::path(
    get,
    path = "/v1/invitations/{id}",
    operation_id = "get",
    tag = "invitations",
    params(InvitationPath, ActingFor),
    responses(
        (
            status = 200, description = "The invitation as it is.", body = InvitationView,
            example = json!({
                "invitation_id": "3f-0123456789abcdef0123456789abcdef", "version": 2, "state": "active",
                "inviter": "alice", "inviter_name": "Alice", "kind": 1, "data": "{\"room\":7}", "timeout_s": 30,
                "online_user_only": false, "receipts": true, "created_at": 1_766_000_000_000_u64,
                "expires_at": 1_766_000_030_000_u64, "remaining_ms": 21_000, "modifications": 0,
                "invitees": [
                    {
                        "user": "bob", "state": "rejected", "reason": "busy", "device_id": "web-9",
                        "at": 1_766_000_003_000_u64, "data": "", "ringing_device_id": "phone-2",
                    },
                    {"user": "carol", "state": "pending"},
                ],
            }),
        ),
        GetProblems,
    ),
)]
pub(super) async fn get(caller: Caller, shared: web::Data<Shared>, path: web::Path<String>, query: Query) -> Response {
    let id = invitation(&path)?;
    let HttpBody { acting_for, .. } = parse_http_query::<PingParams>(pairs(&query))?;
    let user = caller.acting(acting_for)?;
    Ok(HttpResponse::Ok().json(service(shared).get(&user, id).await?))
}

/// List active invitations
///
/// All in which the user is the inviter or pending, in pages.
#[utoipa::path(
    get,
    path = "/v1/invitations",
    operation_id = "list_active",
    tag = "invitations",
    params(ListActiveParams, ActingFor),
    responses(
        (
            status = 200, description = "One page.", body = InvitationPage,
            example = json!({
                "invitations": [{
                    "invitation_id": "3f-0123456789abcdef0123456789abcdef", "version": 1, "state": "active",
                    "inviter": "alice", "data": "", "timeout_s": 0, "online_user_only": false, "receipts": true,
                    "created_at": 1_766_000_000_000_u64, "expires_at": null, "remaining_ms": null,
                    "modifications": 0, "invitees": [{"user": "bob", "state": "pending"}],
                }],
                "cursor": "3f-0123456789abcdef0123456789abcdef",
            }),
        ),
        ActiveProblems,
    ),
)]
pub(super) async fn active(caller: Caller, shared: web::Data<Shared>, query: Query) -> Response {
    let HttpBody { acting_for, params, .. } = parse_http_query::<ListActiveParams>(pairs(&query))?;
    let user = caller.acting(acting_for)?;
    Ok(HttpResponse::Ok().json(service(shared).active(user, &params).await?))
}

/// Read a conversation
///
/// One message for each operation on the conversation's invitations, in pages: newest invitation first, inside
/// it newest operation first. Exactly one of `peer` and `group_id` names the conversation; a group's is for its
/// members. Invitations with `online_user_only` leave none.
#[utoipa::path(
    get,
    path = "/v1/history",
    operation_id = "history",
    tag = "invitations",
    params(HistoryParams, ActingFor),
    responses(
        (
            status = 200, description = "One page.", body = HistoryPage,
            example = json!({
                "messages": [
                    {
                        "invitation_id": "3f-0123456789abcdef0123456789abcdef", "inviter": "alice",
                        "invitees": ["bob"], "data": "", "timeout_s": 30, "action": "reject",
                        "at": 1_766_000_003_000_u64, "version": 2, "by": "bob", "device_id": "web-9", "reason": "busy",
                    },
                    {
                        "invitation_id": "3f-0123456789abcdef0123456789abcdef", "inviter": "alice",
                        "invitees": ["bob"], "data": "{\"room\":7}", "timeout_s": 30, "action": "invite",
                        "at": 1_766_000_000_000_u64, "version": 1, "by": "alice", "device_id": "phone-1",
                    },
                ],
            }),
        ),
        HistoryProblems,
    ),
)]
pub(super) async fn history(caller: Caller, shared: web::Data<Shared>, query: Query) -> Response {
    let HttpBody { acting_for, params, .. } = parse_http_query::<HistoryParams>(pairs(&query))?;
    let user = caller.acting(acting_for)?;
    Ok(HttpResponse::Ok().json(service(shared).history(user, &params).await?))
}

fn service(shared: web::Data<Shared>) -> Service {
    Service { shared: shared.into_inner() }
}

/// An id that is none names no invitation.
pub(crate) fn invitation(text: &str) -> Result<InvitationId, HttpError> {
    text.parse().map_err(|_| HttpError(ErrorBody::from(&Refusal::NotFound)))
}

pub(super) fn pairs(query: &Query) -> impl Iterator<Item = (&str, &str)> {
    query.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}
