//! The description of the public listener as an `OpenAPI` document, made from the handlers and from the
//! types that they read and write.

pub(crate) mod parameters;
pub(crate) mod problems;

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header;
use ringwire_wire::Problem;
use ringwire_wire::body::HttpBody;
use ringwire_wire::openapi::{GroupId, InvitationId, UserId};
use ringwire_wire::params::{AcceptParams, CancelParams, InviteParams, ModifyParams, RejectParams, SignalParams};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, Content, RefOr};
use utoipa::{Modify, OpenApi};

use super::{blocks, connect, devices, groups, invitations, operations};

// Named, because a generic's name in the document would be made of its parts.
pub(super) type InviteBody = HttpBody<InviteParams>;
pub(super) type AcceptBody = HttpBody<AcceptParams>;
pub(super) type RejectBody = HttpBody<RejectParams>;
pub(super) type CancelBody = HttpBody<CancelParams>;
pub(super) type ModifyBody = HttpBody<ModifyParams>;
pub(super) type SignalBody = HttpBody<SignalParams>;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ringwire",
        description = "\
            Call invitations, for servers and scripts. The operations are those of the WebSocket protocol; only there \
            are events. Times are Unix milliseconds of the server's clock.\n\n\
            Every failure is a problem (RFC 9457) whose `name` is that of the same error over WebSocket. After \
            `unavailable` the outcome is not known: repeating the request with the same `Idempotency-Key` tells it. \
            A path that does not take a method answers 405 with `Allow`, a path that is not listed here 404.\n\n\
            Bodies are JSON in UTF-8, at most 128 KiB; integers are written without a fraction, so `3` and not `3.0`. \
            Ignore members of results that you do not know: newer servers may add some.",
    ),
    paths(
        connect::connect,
        invitations::invite,
        invitations::active,
        invitations::get,
        operations::accept,
        operations::reject,
        operations::cancel,
        operations::modify,
        operations::signal,
        invitations::history,
        blocks::list,
        blocks::add,
        blocks::remove,
        devices::list,
        devices::put,
        devices::remove,
        groups::put,
        groups::get,
        groups::delete,
        groups::add,
        groups::remove,
        serve,
    ),
    // What only parameters and problem responses refer to.
    components(schemas(Problem, UserId, GroupId, InvitationId)),
    modifiers(&Token, &OptionalBodies),
    security(("token" = [])),
    servers((url = "/")),
    tags(
        (name = "invitations", description = "Inviting, answering, and reading what became of it."),
        (name = "blocks", description = "Whose invites a user does not want."),
        (name = "devices", description = "What users register so that their devices can be pushed to."),
        (name = "groups", description = "Groups of users, managed with a token of the role `server`."),
        (name = "connection", description = "What devices use."),
        (name = "description", description = "This document."),
    ),
)]
struct Document;

struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.bearer_format = Some("JWT".into());
        scheme.description = Some(
            "A JSON Web Token: `sub` is the user, `exp` is required. With the claim `\"role\": \"server\"` it may act \
             for any user (`as`) and manage groups."
                .into(),
        );
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// A body of which nothing is required may be left out: handlers read nothing as an empty object.
pub(crate) struct OptionalBodies;

impl Modify for OptionalBodies {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let Some(components) = &document.components else { return };
        for item in document.paths.paths.values_mut() {
            for operation in [&mut item.put, &mut item.post].into_iter().flatten() {
                if let Some(RefOr::T(body)) = &mut operation.request_body
                    && body.content.values().all(|content| requires_nothing(content, components))
                {
                    body.required = None;
                }
            }
        }
    }
}

fn requires_nothing(content: &RefOr<Content>, components: &Components) -> bool {
    let RefOr::T(Content { schema: Some(RefOr::Ref(reference)), .. }) = content else { return false };
    let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
    let schema = components.schemas.get(name);
    matches!(schema, Some(RefOr::T(Schema::Object(object))) if object.required.is_empty())
}

/// Read this document
#[utoipa::path(
    get,
    path = "/v1/openapi.json",
    operation_id = "openapi",
    tag = "description",
    security(()),
    responses((status = 200, description = "The description of this interface.", body = Object)),
)]
pub(super) async fn serve() -> HttpResponse {
    static TEXT: LazyLock<String> = LazyLock::new(|| Document::openapi().to_json().expect("the document is JSON"));
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "application/json")).body(TEXT.as_str())
}

#[cfg(test)]
pub(crate) mod tests;
