//! Groups, as operators manage them.

use actix_web::{HttpResponse, web};
use ringwire_wire::body::parse_body;
use ringwire_wire::params::GroupParams;
use ringwire_wire::view::GroupView;

use super::openapi::{GroupProblems, PutGroupProblems};
use crate::http::Response;
use crate::http::body::Body;
use crate::http::groups::group;
use crate::http::openapi::parameters::GroupPath;
use crate::service::Service;
use crate::shared::Shared;

/// Read a group
#[utoipa::path(
    get,
    path = "/v1/groups/{id}",
    operation_id = "group",
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
pub(super) async fn get(shared: web::Data<Shared>, path: web::Path<String>) -> Response {
    Ok(HttpResponse::Ok().json(service(shared).group(group(&path)?).await?))
}

/// Create a group, or replace its members
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
pub(super) async fn put(shared: web::Data<Shared>, path: web::Path<String>, Body(body): Body) -> Response {
    let (group, params) = (group(&path)?, parse_body::<GroupParams>(&body)?);
    Ok(HttpResponse::Ok().json(service(shared).put_group(group, params.members).await?))
}

/// Delete a group
///
/// Invitations in the group go on.
#[utoipa::path(
    delete,
    path = "/v1/groups/{id}",
    operation_id = "delete_group",
    tag = "groups",
    params(GroupPath),
    responses((status = 204, description = "There is no such group any more."), GroupProblems),
)]
pub(super) async fn delete(shared: web::Data<Shared>, path: web::Path<String>) -> Response {
    service(shared).delete_group(group(&path)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn service(shared: web::Data<Shared>) -> Service {
    Service { shared: shared.into_inner() }
}
