//! The nodes that share a store, and stopping one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use ringwire_wire::error::{ErrorBody, ErrorCode};

use super::body::{DrainParams, note, parse_optional};
use super::health;
use super::openapi::{DrainProblems, NodePath, PlainProblems};
use super::view::{NodeDescription, NodeView, NodesView};
use crate::http::Response;
use crate::http::body::Body;
use crate::shared::{Shared, node_name};

/// Between two descriptions that the others get: less than between two beats of the store, which carry them.
const DESCRIBED_EVERY: Duration = Duration::from_millis(500);

/// List nodes
///
/// All node processes that live, as the node that answers last knew, with what each says of itself. Whichever is asked.
#[utoipa::path(
    get,
    path = "/v1/nodes",
    operation_id = "nodes",
    tag = "nodes",
    responses(
        (
            status = 200, description = "The nodes.", body = NodesView,
            example = json!({"nodes": [
                {"id": "089ee26207909908", "this": true, "said": {
                    "at": 1_766_000_000_000_u64, "address": "0.0.0.0:7700", "version": "0.1.0", "uptime_s": 86_400,
                    "ready": true, "draining": false, "connections": 1_200, "sessions": 900, "actors": 40,
                }},
                {"id": "a4b1c06d3e5f7788", "this": false},
            ]}),
        ),
        PlainProblems,
    ),
)]
pub(super) async fn list(shared: web::Data<Shared>) -> Response {
    // Who lives is known without the store, and wanted all the more while it is away.
    let said = shared.ask(shared.store.descriptions()).await.unwrap_or_default();
    let mut said: BTreeMap<String, NodeDescription> =
        said.into_iter().filter_map(|(id, text)| Some((node_name(id), serde_json::from_str(&text).ok()?))).collect();
    let own = shared.node_id();
    let is_ready = health::why_unready(&shared).await.is_none();
    said.insert(own.clone(), describe(&shared, is_ready));
    let nodes = node_ids(&shared).into_iter();
    let nodes = nodes.map(|id| NodeView { this: id == own, said: said.remove(&id), id }).collect();
    Ok(HttpResponse::Ok().json(NodesView { nodes }))
}

/// Has the others know how this node is, until dropped.
pub(crate) async fn keep_described(shared: Arc<Shared>) {
    let mut interval = tokio::time::interval(DESCRIBED_EVERY);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        // That the others get it shows that the store works.
        let is_ready = shared.serving.load(Ordering::Relaxed) && shared.readiness.is_ready();
        match serde_json::to_string(&describe(&shared, is_ready)) {
            Ok(text) => shared.store.describe(text),
            Err(error) => tracing::debug!(%error, "the node cannot be described"),
        }
    }
}

fn describe(shared: &Shared, is_ready: bool) -> NodeDescription {
    let now = shared.clock.now();
    NodeDescription {
        at: now.0,
        address: shared.address.to_string(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime_s: now.since(shared.started_at) / 1000,
        ready: is_ready,
        draining: *shared.draining.borrow(),
        connections: shared.connections.load(Ordering::Relaxed),
        sessions: shared.sessions.len(),
        actors: shared.invitations.len(),
    }
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
