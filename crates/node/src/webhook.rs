//! Messages to hooks of the operator, signed as Standard Webhooks asks. Who is asked what, and when, is said elsewhere.

use std::time::{Duration, SystemTime};

use ringwire_signaling::UnixMillis;
use standardwebhooks::Webhook;

use crate::outbound::{HeaderMap, OutboundError, Response};

/// The hook is gone, and wants nothing more (Standard Webhooks).
pub(crate) const GONE: u16 = 410;
/// Characters of a secret behind its prefix: 24 to 64 bytes in Base64, as Standard Webhooks asks.
const SECRET_CHARS: std::ops::RangeInclusive<usize> = 32..=88;

/// What is wrong with the secrets of one hook.
pub(crate) fn secrets_problem(secrets: &[String]) -> Option<&'static str> {
    if !(1..=2).contains(&secrets.len()) {
        return Some("must be one, or two while they are rotated");
    }
    let is_secret = |secret: &String| {
        let digits = secret.strip_prefix("whsec_");
        digits.is_some_and(|digits| SECRET_CHARS.contains(&digits.len())) && Webhook::new(secret).is_ok()
    };
    let problem = "must be whsec_ and 24 to 64 random bytes in Base64: `echo whsec_$(openssl rand -base64 32)`";
    (!secrets.iter().all(is_secret)).then_some(problem)
}

/// Sign the messages of one hook: each with all of its secrets.
pub(crate) struct Signers(Vec<Webhook>);

impl Signers {
    /// Takes over secrets without a [`secrets_problem`].
    pub(crate) fn new(secrets: &[String]) -> Self {
        Self(secrets.iter().filter_map(|secret| Webhook::new(secret).ok()).collect())
    }

    /// The headers of a JSON message that is named `id` and sent at `now`; none if it cannot be signed.
    pub(crate) fn headers(&self, id: &str, now: UnixMillis, body: &[u8]) -> Option<HeaderMap> {
        let seconds = now.0 / 1000;
        let signed = i64::try_from(seconds).ok()?;
        let signatures: Result<Vec<String>, _> = self.0.iter().map(|signer| signer.sign(id, signed, body)).collect();
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/json".parse().ok()?);
        headers.insert(standardwebhooks::HEADER_WEBHOOK_ID, id.parse().ok()?);
        headers.insert(standardwebhooks::HEADER_WEBHOOK_TIMESTAMP, seconds.into());
        headers.insert(standardwebhooks::HEADER_WEBHOOK_SIGNATURE, signatures.ok()?.join(" ").parse().ok()?);
        Some(headers)
    }
}

/// A time as messages write it: RFC 3339.
pub(crate) fn timestamp(at: UnixMillis) -> String {
    humantime::format_rfc3339_millis(SystemTime::UNIX_EPOCH + Duration::from_millis(at.0)).to_string()
}

/// Whether the hook works: it answered, also if it did not like the message.
pub(crate) fn answers(answer: &Result<Response, OutboundError>) -> bool {
    match answer {
        Ok(Response { status, .. }) => *status < 500 && *status != 429 && *status != GONE,
        // What is too long is an answer.
        Err(error) => matches!(error, OutboundError::TooLarge(_)),
    }
}
