//! Groups, which only servers manage.

use actix_web::{HttpResponse, web};
use ringwire_signaling::{GroupId, UserId};
use ringwire_wire::body::parse_body;
use ringwire_wire::error::ErrorBody;
use ringwire_wire::params::GroupParams;

use super::body::Body;
use super::problem::HttpError;
use super::who::Caller;
use crate::service::Service;
use crate::shared::Shared;

type Response = Result<HttpResponse, HttpError>;

/// `PUT /v1/groups/{id}`
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

/// `GET /v1/groups/{id}`
pub(super) async fn get(caller: Caller, shared: web::Data<Shared>, path: web::Path<String>) -> Response {
    let (service, group) = (allowed(&caller, shared)?, group(&path)?);
    Ok(HttpResponse::Ok().json(service.group(group).await?))
}

/// `DELETE /v1/groups/{id}`
pub(super) async fn delete(caller: Caller, shared: web::Data<Shared>, path: web::Path<String>) -> Response {
    let (service, group) = (allowed(&caller, shared)?, group(&path)?);
    service.delete_group(group).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `PUT /v1/groups/{id}/members/{user}`
pub(super) async fn add(caller: Caller, shared: web::Data<Shared>, path: web::Path<(String, String)>) -> Response {
    let (service, (group, user)) = (allowed(&caller, shared)?, member(&path)?);
    service.add_member(group, user).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `DELETE /v1/groups/{id}/members/{user}`
pub(super) async fn remove(caller: Caller, shared: web::Data<Shared>, path: web::Path<(String, String)>) -> Response {
    let (service, (group, user)) = (allowed(&caller, shared)?, member(&path)?);
    service.remove_member(group, user).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn allowed(caller: &Caller, shared: web::Data<Shared>) -> Result<Service, HttpError> {
    caller.must_be_server()?;
    Ok(Service { shared: shared.into_inner() })
}

fn group(text: &str) -> Result<GroupId, HttpError> {
    GroupId::parse(text).map_err(|problem| ErrorBody::invalid_params("group_id", &problem.to_string()).into())
}

fn member(path: &(String, String)) -> Result<(GroupId, UserId), HttpError> {
    let user =
        UserId::parse(&path.1).map_err(|problem| HttpError(ErrorBody::invalid_params("user", &problem.to_string())))?;
    Ok((group(&path.0)?, user))
}
