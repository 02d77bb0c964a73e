//! The published keys of one issuer: fetched in the background, kept while the issuer cannot be reached, and
//! looked at again when a token names a key that is not there.
//!
//! One task fetches, so that there is never more than one request under way. Tokens only ask for a look, at most
//! one in each throttle, whoever sends how many of them.

mod key_set;

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::{Algorithm, Header};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::{TokenError, algorithm_of};
use crate::config;
use crate::metrics::Metrics;
use crate::outbound::{Limits, Outbound};
use key_set::{KeySet, Named};

pub(super) use key_set::PublishedKey;

/// Bounds of one fetch: sets have a few kilobytes.
const FETCH: Limits = Limits { timeout: Duration::from_secs(5), max_body_bytes: 256 * 1024 };
/// Until the next attempt after one that failed, if nobody asks.
const RETRY: Duration = Duration::from_secs(15);
/// How long a token waits for a look. Then its sender is told to try again.
const PATIENCE: Duration = Duration::from_secs(2);
/// When a sender should try again whom the throttle does not hold back longer.
const RETRY_AFTER_MS: u64 = 1_000;

/// See the module.
pub(super) struct Jwks {
    settings: config::Issuer,
    algorithms: Vec<Algorithm>,
    refresh: Duration,
    throttle: Duration,
    state: watch::Sender<State>,
    asked: Notify,
}

struct State {
    keys: Arc<KeySet>,
    /// How many fetches have ended.
    ended: u64,
    /// One has begun and not ended; true from the start, because the first one is on its way.
    under_way: bool,
    /// The last one failed, so that what is not in `keys` may exist.
    failed: bool,
    /// When a token last caused one.
    asked_at: Option<Instant>,
}

/// What is known about the key that a token names.
pub(super) enum Search {
    /// It is this one.
    Found(Arc<PublishedKey>),
    /// It is not there; [`Jwks::look_again`] may change that.
    Missing,
    /// It cannot be accepted, for a reason that may be told.
    Refused(&'static str),
}

impl Jwks {
    pub(super) fn new(settings: &config::Issuer, auth: &config::Auth) -> Self {
        let state = State { keys: Arc::default(), ended: 0, under_way: true, failed: true, asked_at: None };
        Self {
            algorithms: settings.algorithms.iter().copied().map(algorithm_of).collect(),
            settings: settings.clone(),
            refresh: Duration::from_secs(auth.jwks_refresh_s),
            throttle: Duration::from_secs(auth.jwks_throttle_s),
            state: watch::Sender::new(state),
            asked: Notify::new(),
        }
    }

    /// The `iss` of its tokens.
    pub(super) fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// The `aud` of its tokens, if it is not that of all tokens.
    pub(super) fn audience(&self) -> Option<&String> {
        self.settings.audience.as_ref()
    }

    /// Looks for the key that a token names among those that are here.
    pub(super) fn search(&self, header: &Header) -> Search {
        if !self.algorithms.contains(&header.alg) {
            return Search::Refused("the token's algorithm is not accepted of its issuer");
        }
        let keys = Arc::clone(&self.state.borrow().keys);
        match keys.named_by(header) {
            Named::Key(key) => Search::Found(key),
            Named::Unknown => Search::Missing,
            Named::Unfit(reason) => Search::Refused(reason),
        }
    }

    /// Waits until the keys are fetched again, if the throttle allows that and for a short time only.
    ///
    /// # Errors
    /// What is not among the keys then may exist nevertheless.
    pub(super) async fn look_again(&self) -> Result<(), TokenError> {
        let mut state = self.state.subscribe();
        let (ended, under_way) = {
            let seen = state.borrow();
            let wait = seen.asked_at.map_or(Duration::ZERO, |at| self.throttle.saturating_sub(at.elapsed()));
            if !seen.under_way && !wait.is_zero() {
                return if seen.failed { Err(unavailable(wait)) } else { Ok(()) };
            }
            (seen.ended, seen.under_way)
        };
        if !under_way {
            self.asked.notify_one();
        }
        match timeout(PATIENCE, state.wait_for(|state| state.ended > ended)).await {
            Ok(Ok(state)) if !state.failed => Ok(()),
            Ok(_) | Err(_) => Err(unavailable(Duration::ZERO)),
        }
    }

    /// Fetches for as long as the node runs.
    pub(super) async fn keep(self: Arc<Self>, outbound: Outbound, metrics: Arc<Metrics>) {
        loop {
            let fetched = self.fetch(&outbound).await;
            metrics.fetched_keys(self.issuer(), fetched.as_ref().ok().map(KeySet::len));
            let pause = if fetched.is_ok() { self.refresh } else { self.refresh.min(RETRY) };
            self.end(fetched);
            self.pause(Instant::now() + pause).await;
        }
    }

    async fn fetch(&self, outbound: &Outbound) -> Result<KeySet, String> {
        let answer = outbound.get(&self.settings.jwks_url, FETCH).await.map_err(|error| error.to_string())?;
        match answer.status {
            200 => KeySet::parse(&answer.body, &self.algorithms),
            status => Err(format!("answered with status {status}")),
        }
    }

    /// Notes how a fetch ended. Keys that are not published any more are gone; those of an issuer that cannot be
    /// reached stay.
    fn end(&self, fetched: Result<KeySet, String>) {
        let (issuer, url) = (self.issuer(), &self.settings.jwks_url);
        match &fetched {
            Ok(keys) if keys.len() == 0 => {
                tracing::warn!(issuer, %url, "the issuer publishes no key that can be used");
            }
            Ok(keys) => tracing::debug!(issuer, keys = keys.len(), "fetched the issuer's keys"),
            Err(error) => {
                tracing::warn!(issuer, %url, error, "the issuer's keys cannot be fetched; those that are known go on");
            }
        }
        self.state.send_modify(|state| {
            state.ended += 1;
            state.under_way = false;
            state.failed = fetched.is_err();
            if let Ok(keys) = fetched {
                state.keys = Arc::new(keys);
            }
        });
    }

    /// Waits until it is time for the next fetch, or a token asks for one that the throttle allows.
    async fn pause(&self, until: Instant) {
        loop {
            let asked = tokio::select! {
                () = sleep_until(until) => false,
                () = self.asked.notified() => true,
            };
            let now = Instant::now();
            // A request that was on its way while the last one was granted asks for nothing new.
            let held = |state: &State| state.asked_at.is_some_and(|at| now < at + self.throttle);
            if asked && held(&self.state.borrow()) {
                continue;
            }
            self.state.send_modify(|state| {
                state.under_way = true;
                if asked {
                    state.asked_at = Some(now);
                }
            });
            return;
        }
    }
}

fn unavailable(wait: Duration) -> TokenError {
    let retry_after_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(RETRY_AFTER_MS);
    TokenError::Unavailable { retry_after_ms }
}

#[cfg(test)]
mod tests;
