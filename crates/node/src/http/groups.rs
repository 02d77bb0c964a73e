//! Groups, which only servers manage.

use actix_web::{HttpResponse, web};
use ringwire_signaling::{GroupId, UserId};
use ringwire_wire::body::parse_body;
use ringwire_wire::error::ErrorBody;
use ringwire_wire::params::GroupParams;
use ringwire_wire::view::GroupView;

use super::Response;
use super::body::Body;
use super::openapi::parameters::{GroupPath, MemberPath};
use super::openapi::problems::{GroupProblems, PutGroupProblems};
use super::problem::HttpError;
use super::who::Caller;
use crate::service::Service;
use crate::shared::Shared;

/// Create a group, or replace its members
///
/// Only with a token of the role `server`.
#[utoipa::path(
    put,
    path = "/v1/groups/{id}",
    operation_id = "put_group",
    tag = "groups",
    params(GroupPath),
    request_body(content = GroupParams, example = json!({"members": ["alice", "bob", "carol"]})),
    responses(
        (
            status = 200, description = "The group as it is.", body = GroupView,
            example = json!({"group_id": "team-7", "members": ["alice", "bob", "carol"]}),
        ),
        PutGroupProblems,
    ),
)]
pub(super) async fn put(
    caller: Caller,
    shared: web::Data<Shared>,
    path: web::Path<String>,
    Body(body): Body,
) -> Response {
    let (service, group) = (allowed(&caller, shared)?, group(&path)?);
    let params: GroupParams = parse_body(&body)?;
    Ok(HttpResponse::Ok().json(service.put_group(group, params.members).await?))
}

/// Read a group
///
/// Only with a token of the role `server`.
#[utoipa::path(
    get,
    path = "/v1/groups/{id}",
    operation_id = "get_group",
    tag = "groups",
    params(GroupPath),
    responses(
        (
            status = 200, description = "The group as it is.", body = GroupView,
            example = json!({"group_id": "team-7", "members": ["alice", "bob", "carol"]}),
        ),
        GroupProblems,
    ),
)]
pub(super) async fn get(caller: Caller, shared: web::Data<Shared>, path: web::Path<String>) -> Response {
    let (service, group) = (allowed(&caller, shared)?, group(&path)?);
    Ok(HttpResponse::Ok().json(service.group(group).await?))
}

/// Delete a group
///
/// Only with a token of the role `server`. Invitations in the group go on.
#[utoipa::path(
    delete,
    path = "/v1/groups/{id}",
    operation_id = "delete_group",
    tag = "groups",
    params(GroupPath),
    responses((status = 204, description = "There is no such group any more."), GroupProblems),
)]
pub(super) async fn delete(caller: Caller, shared: web::Data<Shared>, path: web::Path<String>) -> Response {
    let (service, group) = (allowed(&caller, shared)?, group(&path)?);
    service.delete_group(group).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Add a member to a group
///
/// Only with a token of the role `server`. A group has at most 500 members; adding one that it has is no error.
#[utoipa::path(
    put,
    path = "/v1/groups/{id}/members/{user}",
    operation_id = "add_member",
    tag = "groups",
    params(MemberPath),
    responses((status = 204, description = "The user is a member."), GroupProblems),
)]
pub(super) async fn add(caller: Caller, shared: web::Data<Shared>, path: web::Path<(String, String)>) -> Response {
    let (service, (group, user)) = (allowed(&caller, shared)?, member(&path)?);
    service.add_member(group, user).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Remove a member from a group
///
/// Only with a token of the role `server`. Removing one that it does not have is no error.
#[utoipa::path(
    delete,
    path = "/v1/groups/{id}/members/{user}",
    operation_id = "remove_member",
    tag = "groups",
    params(MemberPath),
    responses((status = 204, description = "The user is no member."), GroupProblems),
)]
pub(super) async fn remove(caller: Caller, shared: web::Data<Shared>, path: web::Path<(String, String)>) -> Response {
    let (service, (group, user)) = (allowed(&caller, shared)?, member(&path)?);
    service.remove_member(group, user).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn allowed(caller: &Caller, shared: web::Data<Shared>) -> Result<Service, HttpError> {
    caller.must_be_server()?;
    Ok(Service { shared: shared.into_inner() })
}

pub(crate) fn group(text: &str) -> Result<GroupId, HttpError> {
    GroupId::parse(text).map_err(|problem| ErrorBody::invalid_params("group_id", &problem.to_string()).into())
}

fn member(path: &(String, String)) -> Result<(GroupId, UserId), HttpError> {
    let user =
        UserId::parse(&path.1).map_err(|problem| HttpError(ErrorBody::invalid_params("user", &problem.to_string())))?;
    Ok((group(&path.0)?, user))
}
