//! Whom a user blocks, over HTTP.

use actix_web::{HttpResponse, web};
use ringwire_signaling::UserId;
use ringwire_wire::body::{HttpBody, parse_http_query};
use ringwire_wire::error::ErrorBody;
use ringwire_wire::params::ListActiveParams;
use ringwire_wire::view::BlockPage;

use super::Response;
use super::devices::acting;
use super::invitations::{Query, pairs};
use super::openapi::parameters::{ActingFor, BlockPath};
use super::openapi::problems::BlockProblems;
use super::problem::HttpError;
use super::who::Caller;
use crate::service::Service;
use crate::shared::Shared;

/// List who is blocked
///
/// All whom the user blocks, in pages, by their names.
#[utoipa::path(
    get,
    path = "/v1/blocks",
    operation_id = "blocks",
    tag = "blocks",
    params(ListActiveParams, ActingFor),
    responses(
        (
            status = 200, description = "One page.", body = BlockPage,
            example = json!({"users": ["mallory", "trudy"], "cursor": "trudy"}),
        ),
        BlockProblems,
    ),
)]
pub(super) async fn list(caller: Caller, shared: web::Data<Shared>, query: Query) -> Response {
    let HttpBody { acting_for, params, .. } = parse_http_query::<ListActiveParams>(pairs(&query))?;
    let user = caller.acting(acting_for)?;
    Ok(HttpResponse::Ok().json(service(shared).blocks(user, params.limit, params.cursor.as_deref()).await?))
}

/// Block a user
///
/// Invites of that user fail or stay unheard, as the operator chose; a ring that is pending goes on. A user blocks at
/// most 1 000 others; blocking one who is blocked is no error.
#[utoipa::path(
    put,
    path = "/v1/blocks/{user}",
    operation_id = "block",
    tag = "blocks",
    params(BlockPath, ActingFor),
    responses((status = 204, description = "The user is blocked."), BlockProblems),
)]
pub(super) async fn add(caller: Caller, shared: web::Data<Shared>, path: web::Path<String>, query: Query) -> Response {
    let (user, blocked) = (acting(&caller, &query)?, blocked(&path)?);
    service(shared).block(user, blocked).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Block a user no longer
///
/// That the user was not blocked is no error.
#[utoipa::path(
    delete,
    path = "/v1/blocks/{user}",
    operation_id = "unblock",
    tag = "blocks",
    params(BlockPath, ActingFor),
    responses((status = 204, description = "The user is not blocked."), BlockProblems),
)]
pub(super) async fn remove(
    caller: Caller,
    shared: web::Data<Shared>,
    path: web::Path<String>,
    query: Query,
) -> Response {
    let (user, blocked) = (acting(&caller, &query)?, blocked(&path)?);
    service(shared).unblock(user, blocked).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn blocked(text: &str) -> Result<UserId, HttpError> {
    UserId::parse(text).map_err(|problem| ErrorBody::invalid_params("user", &problem.to_string()).into())
}

fn service(shared: web::Data<Shared>) -> Service {
    Service { shared: shared.into_inner() }
}
