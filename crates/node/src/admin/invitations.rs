//! Invitations as operators see them, and ending one.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use ringwire_signaling::{Command, Refusal, UserId};
use ringwire_wire::body::parse_body;
use ringwire_wire::error::ErrorBody;
use ringwire_wire::params::ListActiveParams;
use ringwire_wire::view::{DoneResult, HistoryMessage, InvitationPage, ReplyView};

use super::audit;
use super::body::{ForceCancelParams, parse_query};
use super::openapi::{CancelProblems, InvitationProblems, ListProblems, ListQuery};
use super::view::AdminInvitationView;
use crate::http::Response;
use crate::http::body::Body;
use crate::http::invitations::invitation;
use crate::http::openapi::parameters::InvitationPath;
use crate::http::problem::HttpError;
use crate::service::Service;
use crate::shared::Shared;

/// Read an invitation
///
/// With every invitee's state and receipt, and every operation with its data.
#[utoipa::path(
    get,
    path = "/v1/invitations/{id}",
    operation_id = "invitation",
    tag = "invitations",
    params(InvitationPath),
    responses(
        (
            status = 200, description = "The invitation as it is.", body = AdminInvitationView,
            example = json!({
                "invitation_id": "3f-0123456789abcdef0123456789abcdef", "version": 1, "state": "active",
                "inviter": "alice", "data": "", "timeout_s": 0, "online_user_only": false, "receipts": true,
                "created_at": 1_766_000_000_000_u64, "expires_at": null, "remaining_ms": null, "modifications": 0,
                "invitees": [{"user": "bob", "state": "pending", "ringing_device_id": "phone-2"}],
                "operations": [{
                    "invitation_id": "3f-0123456789abcdef0123456789abcdef", "inviter": "alice", "invitees": ["bob"],
                    "data": "", "timeout_s": 0, "action": "invite", "at": 1_766_000_000_000_u64, "version": 1,
                    "by": "alice", "device_id": "phone-1",
                }],
            }),
        ),
        InvitationProblems,
    ),
)]
pub(super) async fn get(shared: web::Data<Shared>, path: web::Path<String>) -> Response {
    let id = invitation(&path)?;
    let service = Service { shared: shared.into_inner() };
    let detail = service.detail(id).await?.ok_or_else(|| HttpError(Refusal::NotFound.into()))?;
    let operation = |operation| HistoryMessage::of(&detail.invitation, operation);
    Ok(HttpResponse::Ok().json(AdminInvitationView {
        invitation: service.view(&detail),
        operations: detail.operations.iter().map(operation).collect(),
    }))
}

/// List a user's active invitations
///
/// All in which the user is the inviter or pending, in pages.
#[utoipa::path(
    get,
    path = "/v1/invitations",
    operation_id = "invitations",
    tag = "invitations",
    params(ListQuery, ListActiveParams),
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
        ListProblems,
    ),
)]
pub(super) async fn list(shared: web::Data<Shared>, query: web::Query<Vec<(String, String)>>) -> Response {
    let (own, page): (Vec<_>, Vec<_>) = query
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .partition(|(name, _)| ["user", "state"].contains(name));
    let text = single(&own, "user")?.ok_or_else(|| HttpError(ErrorBody::invalid_params("user", "is required")))?;
    let user = user(text)?;
    if single(&own, "state")?.is_some_and(|state| state != "active") {
        return Err(ErrorBody::invalid_params("state", "must be active: the others are in the history").into());
    }
    let params: ListActiveParams = parse_query(page)?;
    let service = Service { shared: shared.into_inner() };
    Ok(HttpResponse::Ok().json(service.active(user, &params).await?))
}

/// The value of a parameter that may be given once.
fn single<'a>(pairs: &[(&str, &'a str)], wanted: &'static str) -> Result<Option<&'a str>, HttpError> {
    let mut values = pairs.iter().filter(|(name, _)| *name == wanted).map(|(_, value)| *value);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(ErrorBody::invalid_params(wanted, "is given twice").into()),
    }
}

/// Cancel an invitation
///
/// In the inviter's name, for everybody who is pending. Their devices and the inviter's hear of it as
/// `invitation.cancelled` with the reason.
#[utoipa::path(
    post,
    path = "/v1/invitations/{id}/cancel",
    operation_id = "cancel",
    tag = "invitations",
    params(InvitationPath),
    request_body(content = ForceCancelParams, example = json!({"reason": "maintenance"})),
    responses(
        (
            status = 200, description = "Nobody is pending any more.", body = DoneResult,
            example = json!({
                "invitation_id": "3f-0123456789abcdef0123456789abcdef", "version": 2, "at": 1_766_000_009_000_u64,
                "invitees": ["bob"],
            }),
        ),
        CancelProblems,
    ),
)]
pub(super) async fn cancel(
    request: HttpRequest,
    shared: web::Data<Shared>,
    path: web::Path<String>,
    Body(body): Body,
) -> Response {
    let ForceCancelParams { reason } = parse_body(&body)?;
    audit::because(&request, &reason);
    let service = Service { shared: shared.into_inner() };
    let command = Command::ForceCancel { reason: Arc::from(reason) };
    let reply = service.act(invitation(&path)?, command, None).await?;
    Ok(HttpResponse::Ok().json(ReplyView::from(&reply)))
}

/// The user whom a path or a query names.
pub(super) fn user(text: &str) -> Result<UserId, HttpError> {
    UserId::parse(text).map_err(|problem| ErrorBody::invalid_params("user", &problem.to_string()).into())
}
