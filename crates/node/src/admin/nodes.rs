//! The nodes that share a store, and stopping one.

use std::sync::atomic::Ordering;

use actix_web::{HttpRequest, HttpResponse, web};
use ringwire_wire::error::{ErrorBody, ErrorCode};

use super::body::{DrainParams, note, parse_optional};
use super::health;
use super::openapi::{DrainProblems, NodePath, PlainProblems};
use super::view::{NodeView, NodesView, OwnNodeView};
use crate::http::Response;
use crate::http::body::Body;
use crate::shared::{Shared, node_name};

/// List nodes
///
/// All node processes that live, as the node that answers last knew, with what it knows of itself.
#[utoipa::path(
    get,
    path = "/v1/nodes",
    operation_id = "nodes",
    tag = "nodes",
    responses(
        (
            status = 200, description = "The nodes.", body = NodesView,
            example = json!({"nodes": [
                {"id": "089ee26207909908", "this": {
                    "address": "0.0.0.0:7700", "version": "0.1.0", "uptime_s": 86_400, "ready": true,
                    "draining": false, "connections": 1_200, "sessions": 900, "actors": 40,
                }},
                {"id": "a4b1c06d3e5f7788"},
            ]}),
        ),
        PlainProblems,
    ),
)]
pub(super) async fn list(shared: web::Data<Shared>) -> Response {
    let own = shared.node_id();
    let this = OwnNodeView {
        address: shared.address.to_string(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime_s: shared.clock.now().since(shared.started_at) / 1000,
        ready: health::why_unready(&shared).await.is_none(),
        draining: *shared.draining.borrow(),
        connections: shared.connections.load(Ordering::Relaxed),
        sessions: shared.sessions.len(),
        actors: shared.invitations.len(),
    };
    let mut this = Some(this);
    let nodes = node_ids(&shared)
        .into_iter()
        .map(|id| NodeView { this: if id == own { this.take() } else { None }, id })
        .collect();
    Ok(HttpResponse::Ok().json(NodesView { nodes }))
}

/// Drain a node
///
/// Whichever node it is: its process ends as on `SIGTERM`: unready at once, its connections are told `draining` one after the other,
/// and what is under way is finished. Answers as soon as that has begun.
#[utoipa::path(
    post,
    path = "/v1/nodes/{id}/drain",
    operation_id = "drain",
    tag = "nodes",
    params(NodePath),
    request_body(content = DrainParams, example = json!({"reason": "upgrade"})),
    responses((status = 202, description = "The node is on its way down."), DrainProblems),
)]
pub(super) async fn drain(
    request: HttpRequest,
    shared: web::Data<Shared>,
    path: web::Path<String>,
    Body(body): Body,
) -> Response {
    let params: DrainParams = parse_optional(&body)?;
    note(&request, params.reason.as_ref());
    let hears = if *path == shared.node_id() {
        shared.stop_asked.notify_one();
        true
    } else {
        // Whatever is no id names no node.
        match u64::from_str_radix(&path, 16) {
            Ok(node) if *path == node_name(node) => shared.ask(shared.store.drain(node)).await?,
            Ok(_) | Err(_) => false,
        }
    };
    if hears {
        Ok(HttpResponse::Accepted().finish())
    } else {
        Err(ErrorBody::new(ErrorCode::NotFound, "no such node hears").into())
    }
}

/// In order.
fn node_ids(shared: &Shared) -> Vec<String> {
    let nodes = shared.store.nodes();
    match nodes.own {
        0 => vec![shared.node_id()],
        _ => nodes.live.iter().map(|id| node_name(*id)).collect(),
    }
}
