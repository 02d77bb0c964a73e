//! Devices that a user registers for pushes, over HTTP.

use actix_web::{HttpResponse, web};
use ringwire_signaling::{DeviceId, UserId};
use ringwire_wire::body::{HttpBody, parse_body, parse_http_query};
use ringwire_wire::error::ErrorBody;
use ringwire_wire::params::{DeviceParams, PingParams};
use ringwire_wire::view::DeviceList;

use super::Response;
use super::body::Body;
use super::invitations::{Query, pairs};
use super::openapi::parameters::{ActingFor, DevicePath};
use super::openapi::problems::{DeviceProblems, PutDeviceProblems};
use super::problem::HttpError;
use super::who::Caller;
use crate::service::Service;
use crate::shared::Shared;

/// List the registered devices
///
/// All devices that the user has registered for pushes, without their tokens.
#[utoipa::path(
    get,
    path = "/v1/devices",
    operation_id = "devices",
    tag = "devices",
    params(ActingFor),
    responses(
        (
            status = 200, description = "What is registered.", body = DeviceList,
            example = json!({
                "devices": [{
                    "device_id": "phone-1", "platform": "ios", "providers": ["apns", "apns_voip"],
                    "set_at": 1_766_000_000_000_u64,
                }],
            }),
        ),
        DeviceProblems,
    ),
)]
pub(super) async fn list(caller: Caller, shared: web::Data<Shared>, query: Query) -> Response {
    let user = acting(&caller, &query)?;
    Ok(HttpResponse::Ok().json(service(shared).devices(user).await?))
}

/// Register a device
///
/// Or replace what is registered of it. A user has at most 20; one more drops that which was set longest ago.
#[utoipa::path(
    put,
    path = "/v1/devices/{device_id}",
    operation_id = "put_device",
    tag = "devices",
    params(DevicePath, ActingFor),
    request_body(
        content = DeviceParams,
        example = json!({"platform": "ios", "tokens": {"apns": "0a1b2c", "apns_voip": "3d4e5f"}}),
    ),
    responses((status = 204, description = "The device is registered."), PutDeviceProblems),
)]
pub(super) async fn put(
    caller: Caller,
    shared: web::Data<Shared>,
    path: web::Path<String>,
    query: Query,
    Body(body): Body,
) -> Response {
    let (user, device) = (acting(&caller, &query)?, device(&path)?);
    let DeviceParams { platform, tokens } = parse_body(&body)?;
    service(shared).put_device(user, device, platform, tokens).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Forget a device
///
/// Forgetting one that is not registered is no error.
#[utoipa::path(
    delete,
    path = "/v1/devices/{device_id}",
    operation_id = "remove_device",
    tag = "devices",
    params(DevicePath, ActingFor),
    responses((status = 204, description = "The device is not registered."), DeviceProblems),
)]
pub(super) async fn remove(
    caller: Caller,
    shared: web::Data<Shared>,
    path: web::Path<String>,
    query: Query,
) -> Response {
    let (user, device) = (acting(&caller, &query)?, device(&path)?);
    service(shared).remove_device(user, device).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Who acts, according to a query that says nothing else.
pub(super) fn acting(caller: &Caller, query: &Query) -> Result<UserId, HttpError> {
    let HttpBody { acting_for, .. } = parse_http_query::<PingParams>(pairs(query))?;
    caller.acting(acting_for)
}

fn device(text: &str) -> Result<DeviceId, HttpError> {
    DeviceId::parse(text).map_err(|problem| ErrorBody::invalid_params("device_id", &problem.to_string()).into())
}

fn service(shared: web::Data<Shared>) -> Service {
    Service { shared: shared.into_inner() }
}
