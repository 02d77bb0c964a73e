//! Why a configured URL gave no answer, in words for logs and for records of what failed.

use std::error::Error;

use super::address::NotPublic;

/// See the module. No message holds the URL: it may be secret, and whoever logs knows which one was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OutboundError {
    /// Not asked: the URL leads where it must not.
    #[error("refused: {0}")]
    Refused(String),
    /// No whole answer in time.
    #[error("no whole answer in time")]
    Timeout,
    /// The name is not known, or nobody listens there.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The server's certificate, or anything else about TLS.
    #[error("TLS: {0}")]
    Tls(String),
    /// The body was longer than this many bytes, and was not read to its end.
    #[error("the answer is longer than {0} bytes")]
    TooLarge(usize),
    /// The connection ended too early, or what came is no HTTP.
    #[error("the exchange broke off: {0}")]
    Broken(String),
}

impl From<NotPublic> for OutboundError {
    fn from(refusal: NotPublic) -> Self {
        Self::Refused(refusal.to_string())
    }
}

impl OutboundError {
    /// Finds in what the client says what it was about.
    pub(super) fn from_client(error: reqwest::Error) -> Self {
        let (is_timeout, is_connect) = (error.is_timeout(), error.is_connect());
        let error = error.without_url();
        let mut innermost = error.to_string();
        let mut next: Option<&(dyn Error + 'static)> = Some(&error);
        while let Some(cause) = next {
            if let Some(refusal) = cause.downcast_ref::<NotPublic>() {
                return (*refusal).into();
            }
            if let Some(problem) = tls_problem(cause) {
                return Self::Tls(problem);
            }
            innermost = cause.to_string();
            next = cause.source();
        }
        match (is_timeout, is_connect) {
            (true, _) => Self::Timeout,
            (false, true) => Self::Connect(innermost),
            (false, false) => Self::Broken(innermost),
        }
    }
}

/// What rustls says, also inside I/O errors, which do not name what they hold as their source.
fn tls_problem(cause: &(dyn Error + 'static)) -> Option<String> {
    let held = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    match held {
        Some(inner) => tls_problem(inner),
        None => cause.downcast_ref::<rustls::Error>().map(ToString::to_string),
    }
}
