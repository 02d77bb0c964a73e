//! Every problem that an operation can answer with, by status, with an example of each.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use ringwire_signaling::limits::DATA_BYTES;
use ringwire_signaling::{DeviceId, Refusal, UserId};
use ringwire_wire::Problem;
use ringwire_wire::error::{ErrorBody, ErrorCode};
use ringwire_wire::problem::MEDIA_TYPE;
use utoipa::ToSchema;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder};

/// Declares what operations answer with when they fail; each code's example comes from a function.
macro_rules! problems {
    (from $example:path; $($(#[$doc:meta])* $name:ident: $($code:ident)*;)*) => {
        $(
            $(#[$doc])*
            pub(crate) struct $name;

            impl utoipa::IntoResponses for $name {
                fn responses() -> std::collections::BTreeMap<
                    String,
                    utoipa::openapi::RefOr<utoipa::openapi::Response>,
                > {
                    $crate::http::openapi::problems::responses(
                        &[$(ringwire_wire::error::ErrorCode::$code),*],
                        $example,
                    )
                }
            }
        )*
    };
}
pub(crate) use problems;

problems! {
    from example;
    /// Of `GET /v1/connect`.
    ConnectProblems: InvalidRequest Forbidden RateLimited InternalError Unavailable;
    /// Of `POST /v1/invitations`.
    InviteProblems: ParseError InvalidParams Unauthenticated Forbidden NotGroupMember GroupNotFound Conflict
        PayloadTooLarge RateLimited InternalError Unavailable;
    /// Of `GET /v1/invitations/{id}`.
    GetProblems: InvalidParams Unauthenticated Forbidden NotFound InternalError Unavailable;
    /// Of `GET /v1/invitations`.
    ActiveProblems: InvalidParams Unauthenticated Forbidden InternalError Unavailable;
    /// Of `GET /v1/history`.
    HistoryProblems: InvalidParams Unauthenticated Forbidden NotGroupMember GroupNotFound InternalError Unavailable;
    /// Of `accept` and `reject`.
    AnswerProblems: ParseError InvalidParams Unauthenticated Forbidden NotInvitee NotFound AlreadySettled Conflict
        PayloadTooLarge InternalError Unavailable;
    /// Of `cancel`.
    CancelProblems: ParseError InvalidParams Unauthenticated Forbidden NotInviter NotFound AlreadySettled Conflict
        PayloadTooLarge InternalError Unavailable;
    /// Of `modify`.
    ModifyProblems: ParseError InvalidParams Unauthenticated Forbidden NotInviter NotFound AlreadySettled Conflict
        PayloadTooLarge RateLimited InternalError Unavailable;
    /// Of `signal`.
    SignalProblems: ParseError InvalidParams Unauthenticated Forbidden NotFound AlreadySettled Expired
        PayloadTooLarge InternalError Unavailable;
    /// Of everything about who is blocked.
    BlockProblems: InvalidParams Unauthenticated Forbidden InternalError Unavailable;
    /// Of `PUT /v1/devices/{device_id}`.
    PutDeviceProblems: ParseError InvalidParams Unauthenticated Forbidden PayloadTooLarge InternalError Unavailable;
    /// Of everything else about devices.
    DeviceProblems: InvalidParams Unauthenticated Forbidden InternalError Unavailable;
    /// Of `PUT /v1/groups/{id}`.
    PutGroupProblems: ParseError InvalidParams Unauthenticated Forbidden PayloadTooLarge InternalError Unavailable;
    /// Of everything else about groups.
    GroupProblems: InvalidParams Unauthenticated Forbidden GroupNotFound InternalError Unavailable;
}

/// Makes an error of a code, as it may occur.
pub(crate) type Example = fn(ErrorCode) -> ErrorBody;

/// Responses by status.
pub(crate) fn responses(codes: &[ErrorCode], example: Example) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in codes {
        by_status.entry(code.http_status()).or_default().push(*code);
    }
    by_status
        .into_iter()
        .map(|(status, codes)| (status.to_string(), response(status, &codes, example).into()))
        .collect()
}

fn response(status: u16, codes: &[ErrorCode], example: Example) -> Response {
    let names: Vec<String> = codes.iter().map(|code| format!("`{}`: {}.", code.name(), code.title())).collect();
    let examples = codes.iter().map(|code| {
        let problem = Problem::from(example(*code));
        let value = serde_json::to_value(problem).expect("a problem is JSON");
        (code.name(), ExampleBuilder::new().summary(code.title()).value(Some(value)).build())
    });
    let content =
        ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).examples_from_iter(examples).build();
    let mut response = ResponseBuilder::new().description(names.join(" ")).content(MEDIA_TYPE, content);
    if codes.iter().any(|code| example(*code).data.retry_after_ms.is_some()) {
        response = response.header("Retry-After", header(Type::Integer, "Seconds after which to try again."));
    }
    if status == StatusCode::UNAUTHORIZED.as_u16() {
        response = response.header("WWW-Authenticate", header(Type::String, "`Bearer`."));
    }
    response.build()
}

fn header(kind: Type, description: &str) -> utoipa::openapi::Header {
    HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(kind))).description(Some(description)).build()
}

/// An error of this code, as it may occur.
pub(crate) fn example(code: ErrorCode) -> ErrorBody {
    let user = |name| UserId::parse(name).expect("the example is a user's id");
    match code {
        ErrorCode::ParseError => ErrorBody::parse_error("EOF while parsing an object at line 1 column 1"),
        ErrorCode::InvalidRequest => ErrorBody::new(code, "the request is no WebSocket handshake"),
        ErrorCode::MethodNotFound => ErrorBody::new(code, "the path does not take this method"),
        ErrorCode::InvalidParams => ErrorBody::invalid_params("invitees", "is required"),
        ErrorCode::InternalError => ErrorBody::internal_error("a record does not read back"),
        ErrorCode::NotFound => Refusal::NotFound.into(),
        ErrorCode::NotInvitee => Refusal::NotInvitee.into(),
        ErrorCode::AlreadySettled => {
            Refusal::AlreadySettled { state: "accepted", device: DeviceId::parse("web-9").ok() }.into()
        }
        ErrorCode::NotGroupMember => Refusal::NotGroupMember { users: vec![user("dave")] }.into(),
        ErrorCode::Expired => Refusal::Expired.into(),
        ErrorCode::AlreadyExists => Refusal::AlreadyExists.into(),
        ErrorCode::Conflict => {
            Refusal::Conflict { problem: "the invitation has another version", version: Some(3) }.into()
        }
        ErrorCode::PayloadTooLarge => Refusal::PayloadTooLarge { field: "data", limit: DATA_BYTES }.into(),
        ErrorCode::RateLimited => ErrorBody::rate_limited(1_000),
        ErrorCode::Unauthenticated => ErrorBody::unauthenticated("the token has expired"),
        ErrorCode::Forbidden => ErrorBody::forbidden("only a server's token may act for another user"),
        ErrorCode::NotInviter => Refusal::NotInviter.into(),
        ErrorCode::GroupNotFound => Refusal::GroupNotFound.into(),
        ErrorCode::Unavailable => ErrorBody::unavailable(500),
    }
}
