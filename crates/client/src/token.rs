//! Where tokens come from.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use ringwire_wire::params::Token;

use crate::error::DisconnectReason;

type Fetched = Result<String, Box<dyn std::error::Error + Send + Sync>>;
type Fetch = Arc<dyn Fn() -> BoxFuture<'static, Fetched> + Send + Sync>;

/// Where the client gets its tokens.
#[derive(Clone)]
pub(crate) enum TokenSource {
    /// The app gave one, and may replace it.
    Fixed(Arc<Mutex<Token>>),
    /// The app gives one whenever asked.
    Dynamic(Fetch),
}

impl TokenSource {
    pub(crate) fn fixed(token: String) -> Self {
        Self::Fixed(Arc::new(Mutex::new(Token(token))))
    }

    pub(crate) fn dynamic<F, E>(source: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<String, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Self::Dynamic(Arc::new(move || {
            let fetched = source();
            Box::pin(async move { fetched.await.map_err(Into::into) })
        }))
    }

    /// A token to connect with.
    pub(crate) async fn token(&self) -> Result<Token, DisconnectReason> {
        match self {
            Self::Fixed(token) => Ok(token.lock().unwrap_or_else(PoisonError::into_inner).clone()),
            Self::Dynamic(fetch) => match fetch().await {
                Ok(token) => Ok(Token(token)),
                Err(error) => Err(DisconnectReason::NoToken(error.to_string())),
            },
        }
    }

    /// The server took this token for the live connection; the next one uses it too.
    pub(crate) fn replace(&self, with: Token) {
        if let Self::Fixed(token) = self {
            *token.lock().unwrap_or_else(PoisonError::into_inner) = with;
        }
    }

    /// Whether it can give another token than `last`.
    pub(crate) fn is_fresher_than(&self, last: Option<&Token>) -> bool {
        match self {
            Self::Fixed(token) => Some(&*token.lock().unwrap_or_else(PoisonError::into_inner)) != last,
            Self::Dynamic(_) => true,
        }
    }

    /// Whether it can be asked for another token.
    pub(crate) fn is_dynamic(&self) -> bool {
        matches!(self, Self::Dynamic(_))
    }
}
