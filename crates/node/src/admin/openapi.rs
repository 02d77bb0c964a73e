//! The description of the operators' listener as an `OpenAPI` document, and the page that shows it.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header;
use ringwire_wire::Problem;
use ringwire_wire::error::{ErrorBody, ErrorCode};
use ringwire_wire::openapi::{GroupId, InvitationId, UserId};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{IntoParams, Modify, OpenApi};

use super::{groups, health, invitations, nodes, push, settings, timers, users};
use crate::http::openapi::{OptionalBodies, problems};

problems::problems! {
    from example;
    /// Of what takes no parameters.
    PlainProblems: Unauthenticated Forbidden InternalError Unavailable;
    /// Of `GET /v1/users/{user}`.
    UserProblems: InvalidParams Unauthenticated Forbidden InternalError Unavailable;
    /// Of `POST /v1/users/{user}/kick`.
    KickProblems: ParseError InvalidParams Unauthenticated Forbidden PayloadTooLarge InternalError Unavailable;
    /// Of `GET /v1/invitations/{id}`.
    InvitationProblems: Unauthenticated Forbidden NotFound InternalError Unavailable;
    /// Of `GET /v1/invitations`.
    ListProblems: InvalidParams Unauthenticated Forbidden InternalError Unavailable;
    /// Of `POST /v1/invitations/{id}/cancel`.
    CancelProblems: ParseError InvalidParams Unauthenticated Forbidden NotFound AlreadySettled PayloadTooLarge
        InternalError Unavailable;
    /// Of `PUT /v1/log`.
    LogProblems: ParseError InvalidParams Unauthenticated Forbidden PayloadTooLarge InternalError;
    /// Of `POST /v1/nodes/{id}/drain`.
    DrainProblems: ParseError InvalidParams Unauthenticated Forbidden NotFound PayloadTooLarge InternalError Unavailable;
    /// Of `PUT /v1/groups/{id}`.
    PutGroupProblems: ParseError InvalidParams Unauthenticated Forbidden PayloadTooLarge InternalError Unavailable;
    /// Of everything else about groups.
    GroupProblems: InvalidParams Unauthenticated Forbidden GroupNotFound InternalError Unavailable;
}

problems::problems! {
    from letter_example;
    /// Of `GET /v1/push/dead_letters`.
    LettersProblems: InvalidParams Unauthenticated Forbidden InternalError Unavailable;
    /// Of `GET` and `DELETE /v1/push/dead_letters/{id}`.
    LetterProblems: Unauthenticated Forbidden NotFound InternalError Unavailable;
    /// Of `POST /v1/push/dead_letters/{id}/replay`.
    ReplayProblems: ParseError InvalidParams Unauthenticated Forbidden NotFound Conflict PayloadTooLarge InternalError
        Unavailable;
    /// Of `POST /v1/push/dead_letters/replay`.
    ReplayManyProblems: ParseError InvalidParams Unauthenticated Forbidden PayloadTooLarge InternalError Unavailable;
}

fn letter_example(code: ErrorCode) -> ErrorBody {
    match code {
        ErrorCode::NotFound => push::no_letter(),
        ErrorCode::Conflict => push::no_target("apns"),
        ErrorCode::InvalidParams => ErrorBody::invalid_params("limit", "must be from 1 to 100"),
        code => example(code),
    }
}

fn example(code: ErrorCode) -> ErrorBody {
    match code {
        ErrorCode::Unauthenticated => ErrorBody::unauthenticated("this is not the admin token"),
        ErrorCode::Forbidden => ErrorBody::forbidden("the admin API is closed: admin.token is not set"),
        ErrorCode::InvalidParams => ErrorBody::invalid_params("reason", "is longer than 64 characters"),
        code => problems::example(code),
    }
}

/// The node that a path names.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code, reason = "describes what handlers read as text")]
pub(super) struct NodePath {
    /// The node's id, as `GET /v1/nodes` lists it.
    #[param(pattern = "^[0-9a-f]{16}$", example = "089ee26207909908")]
    id: String,
}

/// The user whom a path names.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code, reason = "describes what handlers read as text")]
pub(super) struct UserPath {
    /// The user's id, percent-encoded.
    user: UserId,
}

/// The dead letter that a path names.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code, reason = "describes what handlers read as text")]
pub(super) struct LetterPath {
    /// The letter's id, as the list has it.
    #[param(pattern = "^psh_[0-9a-f]{32}$", example = "psh_00112233445566778899aabbccddeeff")]
    id: String,
}

/// Whose invitations are listed.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes what handlers read as text")]
pub(super) struct ListQuery {
    /// The inviter or pending invitee.
    user: UserId,
    /// Only `active`, which is also what is listed without it.
    #[param(pattern = "^active$", example = "active", nullable = false)]
    state: Option<String>,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ringwire admin",
        description = "\
            For operators, on a listener of its own. Everything but health, readiness and metrics needs the token \
            that the setting `admin.token` holds; while that is empty, it answers 403. Times are Unix milliseconds of \
            the server's clock.\n\n\
            Every failure is a problem (RFC 9457), as on the public listener. Every request that may change something \
            is written into the node's log: what was asked, of what, why, what became of it, and from where.",
    ),
    paths(
        nodes::list,
        nodes::drain,
        users::get,
        users::kick,
        invitations::list,
        invitations::get,
        invitations::cancel,
        timers::timers,
        push::targets,
        push::letters,
        push::replay_many,
        push::letter,
        push::remove,
        push::replay,
        groups::get,
        groups::put,
        groups::delete,
        settings::config,
        settings::log,
        settings::put_log,
        health::healthz,
        health::readyz,
        health::metrics,
        page,
        serve,
    ),
    // What only parameters and problem responses refer to.
    components(schemas(Problem, UserId, GroupId, InvitationId)),
    modifiers(&Token, &OptionalBodies),
    security(("admin_token" = [])),
    servers((url = "/")),
    tags(
        (name = "nodes", description = "The processes of the cluster."),
        (name = "users", description = "Where users are connected."),
        (name = "invitations", description = "Invitations and their timers, whoever takes part."),
        (name = "push", description = "Offline pushes: what waits for hooks, and what they did not take."),
        (name = "groups", description = "Groups of users."),
        (name = "settings", description = "The configuration and the log of this node."),
        (name = "health", description = "For probes and collectors, without a token."),
        (name = "description", description = "This document."),
    ),
)]
pub(super) struct Document;

struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.description = Some("The setting `admin.token`. Tokens of users and servers open nothing here.".into());
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("admin_token", SecurityScheme::Http(scheme));
    }
}

/// Read this document
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "openapi",
    tag = "description",
    security(()),
    responses((status = 200, description = "The description of this interface.", body = Object)),
)]
pub(super) async fn serve() -> HttpResponse {
    static TEXT: LazyLock<String> = LazyLock::new(|| Document::openapi().to_json().expect("the document is JSON"));
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "application/json")).body(TEXT.as_str())
}

/// Read this document as a page
#[utoipa::path(
    get,
    path = "/",
    operation_id = "page",
    tag = "description",
    security(()),
    responses((status = 200, description = "A page that shows `/openapi.json`.", body = String, content_type = "text/html")),
)]
pub(super) async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CONTENT_SECURITY_POLICY, PAGE_POLICY))
        .body(include_str!("page.html"))
}

/// The page is one file that loads the document and nothing else.
const PAGE_POLICY: &str = "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; \
                           script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[cfg(test)]
mod tests;
