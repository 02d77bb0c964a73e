//! Users as operators see them: where they are connected, and ending their connections.

use actix_web::{HttpRequest, HttpResponse, web};
use ringwire_signaling::limits::PAGE_ROWS;
use ringwire_signaling::{DeviceId, UserId};
use ringwire_store::Connected;
use ringwire_wire::error::ErrorBody;

use super::body::{KickParams, note, parse_optional};
use super::invitations::user;
use super::openapi::{KickProblems, UserPath, UserProblems};
use super::view::{ActiveCounts, ConnectionView, KickedView, UserView};
use crate::error::OperationError;
use crate::http::Response;
use crate::http::body::Body;
use crate::http::problem::HttpError;
use crate::shared::{Shared, node_name};

/// Read a user
///
/// The user's live connections on all nodes, the devices that are registered for pushes, and how many invitations the user takes part in that are active. A user
/// of whom nothing is known has none.
#[utoipa::path(
    get,
    path = "/v1/users/{user}",
    operation_id = "user",
    tag = "users",
    params(UserPath),
    responses(
        (
            status = 200, description = "What is known of the user.", body = UserView,
            example = json!({
                "user": "alice", "present": true,
                "connections": [{"device_id": "phone-1", "node": "089ee26207909908"}],
                "devices": [{
                    "device_id": "phone-1", "platform": "ios", "providers": ["apns_voip"],
                    "set_at": 1_766_000_000_000_u64,
                }],
                "active": {"inviter": 1, "invitee": 0},
            }),
        ),
        UserProblems,
    ),
)]
pub(super) async fn get(shared: web::Data<Shared>, path: web::Path<String>) -> Response {
    let user = user(&path)?;
    let connections = shared.ask(shared.store.connections(user.clone())).await?;
    let devices = shared.ask(shared.store.devices(user.clone())).await?;
    let active = count_active(&shared, &user).await?;
    Ok(HttpResponse::Ok().json(UserView {
        user: user.to_string(),
        present: !connections.is_empty(),
        connections: views(connections),
        devices: devices.iter().map(Into::into).collect(),
        active,
    }))
}

/// Kick a user
///
/// Closes the user's connections on whichever node, or that of one device, with 4101 `kicked`. Devices do not
/// connect again by themselves, but may as long as their token is valid. Answers which connections were told to go.
#[utoipa::path(
    post,
    path = "/v1/users/{user}/kick",
    operation_id = "kick",
    tag = "users",
    params(UserPath),
    request_body(content = KickParams, example = json!({"device_id": "phone-1", "reason": "stolen"})),
    responses(
        (
            status = 200, description = "The connections that close.", body = KickedView,
            example = json!({"closed": [{"device_id": "phone-1", "node": "089ee26207909908"}]}),
        ),
        KickProblems,
    ),
)]
pub(super) async fn kick(
    request: HttpRequest,
    shared: web::Data<Shared>,
    path: web::Path<String>,
    Body(body): Body,
) -> Response {
    let KickParams { device_id, reason } = parse_optional(&body)?;
    note(&request, reason.as_ref());
    let device = device_id.as_deref().map(device).transpose()?;
    let closed = shared.ask(shared.store.kick(user(&path)?, device)).await?;
    Ok(HttpResponse::Ok().json(KickedView { closed: views(closed) }))
}

async fn count_active(shared: &Shared, user: &UserId) -> Result<ActiveCounts, OperationError> {
    let (mut counts, mut after) = (ActiveCounts::default(), None);
    // A user takes part in a bounded number of them, so there are a few pages at most.
    loop {
        let page = shared.ask(shared.store.active(user.clone(), after, PAGE_ROWS)).await?;
        for invitation in &page.invitations {
            *if invitation.terms.inviter == *user { &mut counts.inviter } else { &mut counts.invitee } += 1;
        }
        after = page.next;
        if after.is_none() {
            return Ok(counts);
        }
    }
}

fn views(connections: Vec<Connected>) -> Vec<ConnectionView> {
    let view = |connected: Connected| ConnectionView {
        device_id: connected.device.to_string(),
        node: node_name(connected.node),
    };
    connections.into_iter().map(view).collect()
}

fn device(text: &str) -> Result<DeviceId, HttpError> {
    DeviceId::parse(text).map_err(|problem| ErrorBody::invalid_params("device_id", &problem.to_string()).into())
}
