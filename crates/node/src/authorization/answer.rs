//! What the answer of an authorization hook says.

use ringwire_signaling::limits::REASON_CHARS;
use serde_json::Value;

/// The operator's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may be created.
    Allowed,
    /// It may not; why, if that was said.
    Denied(Option<String>),
}

/// Reads an answer.
///
/// A denial is one however badly its reason is written: a mistake there must not let anything pass.
///
/// # Errors
/// It says neither; the problem.
pub(super) fn read(status: u16, body: &[u8]) -> Result<Verdict, String> {
    match status {
        200..=299 if body.trim_ascii().is_empty() => Ok(Verdict::Allowed),
        200..=299 => {
            let answer: Value =
                serde_json::from_slice(body).map_err(|error| format!("its answer is no JSON: {error}"))?;
            match answer.get("allow").and_then(Value::as_bool) {
                Some(true) => Ok(Verdict::Allowed),
                Some(false) => Ok(Verdict::Denied(reason(&answer))),
                None => Err("its answer has no `allow` that is true or false".to_owned()),
            }
        }
        403 => Ok(Verdict::Denied(serde_json::from_slice(body).ok().as_ref().and_then(reason))),
        300..=399 => Err(format!("it answered {status}, and redirects are not followed")),
        _ => Err(format!("it answered {status}")),
    }
}

/// The reason, as far as it fits into a message to the inviter.
fn reason(answer: &Value) -> Option<String> {
    let text = answer.get("reason")?.as_str()?;
    let shown: String = text.chars().filter(|character| !character.is_control()).take(REASON_CHARS).collect();
    let shown = shown.trim();
    (!shown.is_empty()).then(|| shown.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(reason: &str) -> Verdict {
        Verdict::Denied(Some(reason.to_owned()))
    }

    #[test]
    fn an_empty_success_and_one_that_says_so_allow() {
        for (status, body) in [
            (204, ""),
            (200, ""),
            (202, " \r\n"),
            (200, "{\"allow\": true}"),
            (201, "{\"allow\":true,\"reason\":\"vip\",\"more\":[1]}"),
        ] {
            assert_eq!(read(status, body.as_bytes()), Ok(Verdict::Allowed), "{status} {body}");
        }
    }

    #[test]
    fn a_denial_carries_its_reason() {
        assert_eq!(read(200, b"{\"allow\":false,\"reason\":\"no credit\"}"), Ok(denied("no credit")));
        assert_eq!(read(403, b"{\"reason\":\"no credit\"}"), Ok(denied("no credit")));
        assert_eq!(read(403, b"{\"allow\":true,\"reason\":\"odd\"}"), Ok(denied("odd")));
        assert_eq!(read(200, b"{\"allow\":false}"), Ok(Verdict::Denied(None)));
        assert_eq!(read(403, b""), Ok(Verdict::Denied(None)));
    }

    #[test]
    fn a_denial_with_a_bad_reason_is_a_denial() {
        let long = format!("{{\"allow\":false,\"reason\":\"{}\"}}", "é".repeat(1_000));
        assert_eq!(read(200, long.as_bytes()), Ok(denied(&"é".repeat(64))));
        assert_eq!(read(200, b"{\"allow\":false,\"reason\":\" a\\n\\u0000b \"}"), Ok(denied("ab")));
        for body in ["{\"allow\":false,\"reason\":7}", "{\"allow\":false,\"reason\":\"\\n\"}"] {
            assert_eq!(read(200, body.as_bytes()), Ok(Verdict::Denied(None)), "{body}");
        }
        for body in [&b"<html>"[..], b"\xff", b"[]", b"{"] {
            assert_eq!(read(403, body), Ok(Verdict::Denied(None)));
        }
    }

    #[test]
    fn everything_else_says_nothing() {
        for (status, body) in [
            (200, "{}"),
            (200, "ok"),
            (200, "true"),
            (200, "null"),
            (200, "{\"allow\":\"true\"}"),
            (200, "{\"allow\":1}"),
            (200, "{\"allow\":true"),
            (200, "{\"Allow\":true}"),
            (302, "{\"allow\":true}"),
            (400, ""),
            (401, "{\"allow\":true}"),
            (404, ""),
            (429, ""),
            (500, "{\"allow\":true}"),
            (503, ""),
        ] {
            assert!(read(status, body.as_bytes()).is_err(), "{status} {body}");
        }
        assert!(read(200, b"\xff").is_err());
    }
}
