//! The record of what operators changed: one line of the log for each request that could.

use actix_web::dev::ServiceResponse;
use actix_web::{HttpMessage, HttpRequest};

use crate::http::problem::HttpError;

/// The lines that no filter of the log leaves out.
pub(crate) const ALWAYS_LOGGED: &str = "ringwire_node::admin::audit=info";

/// Why the operator does it.
struct Reason(String);

/// Notes why the operator does it, for the record.
pub(super) fn because(request: &HttpRequest, reason: &str) {
    request.extensions_mut().insert(Reason(reason.to_owned()));
}

/// Writes down what was asked, of what, why, by whom, and what became of it. Bodies and headers stay out.
pub(super) fn write(response: &ServiceResponse) {
    let request = response.request();
    let pattern = request.match_pattern();
    let operation = format!("{} {}", request.method(), pattern.as_deref().unwrap_or("(no such path)"));
    let subject = request.match_info().iter().map(|(_, value)| value).collect::<Vec<_>>().join(" ");
    let extensions = request.extensions();
    let reason = extensions.get::<Reason>().map_or("", |Reason(text)| text);
    let status = response.status();
    let error = response.response().error().and_then(|error| error.as_error::<HttpError>());
    let outcome = match error {
        Some(HttpError(error)) => &error.data.name,
        None if status.is_success() => "ok",
        None => status.as_str(),
    };
    let remote = request.peer_addr().map_or_else(|| "unknown".to_owned(), |address| address.to_string());
    // As fields and not in the message: the log escapes them, so that no text makes a line of its own.
    tracing::info!(operation, subject, reason, outcome, remote, "an operator's request");
}
