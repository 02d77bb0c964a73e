//! Requests of the node to URLs that its operator configured: the one HTTP client.
//!
//! It trusts nobody it asks. Redirects are not followed, what an answer may take in time and bytes is bounded,
//! and addresses that are not public are refused unless the operator allows them, whether a URL names them or
//! the name in it resolves to them. There are no cookies, no compression and no proxy: a proxy would resolve
//! names itself, and nobody could tell what it reaches.

mod address;
mod error;
mod resolver;
mod tls;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Bytes;
use reqwest::{Client, RequestBuilder, redirect, retry};

use crate::config::{self, ConfigError, HttpUrl};
use resolver::PublicOnly;

pub(crate) use error::OutboundError;
pub(crate) use reqwest::header::HeaderMap;

/// How long one connection may take to stand. Whoever is slower than this is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections to one host that wait for the next request: as many as a push target is asked at once by default.
const IDLE_CONNECTIONS: usize = 64;
/// How long they wait: less than what servers usually allow, so that a request rarely meets a closed one.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Header lines of an answer.
const HEADERS: usize = 100;

/// What one exchange may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// From looking up the name to the last byte of the answer.
    pub(crate) timeout: Duration,
    /// Of the answer's body.
    pub(crate) max_body_bytes: usize,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Response {
    /// The status; a redirect is one like any other.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The whole body.
    pub(crate) body: Bytes,
}

impl Response {
    /// How long the server asks to wait, if it says so in seconds (RFC 9110, section 10.2.3).
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let value = self.headers.get(reqwest::header::RETRY_AFTER)?;
        value.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
    }
}

/// The client. Clones share its connections.
#[derive(Clone, Debug)]
pub(crate) struct Outbound {
    client: Client,
    allows_private: bool,
}

impl Outbound {
    /// Reads the certificates that are trusted. Opens no connection.
    ///
    /// # Errors
    /// The configured authority cannot be read.
    pub(crate) fn new(settings: &config::Outbound) -> Result<Self, ConfigError> {
        let tls = tls::client_config(&settings.ca_file)
            .map_err(|problem| ConfigError::Invalid { key: "outbound.ca_file", problem })?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(Arc::new(PublicOnly { allows_private: settings.allow_private }))
            .redirect(redirect::Policy::none())
            // Whoever asks decides what is tried again, and when.
            .retry(retry::never())
            .referer(false)
            .no_proxy()
            .http1_only()
            .http1_max_headers(HEADERS)
            .user_agent(concat!("ringwire/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build()
            .map_err(|error| ConfigError::Invalid { key: "outbound", problem: error.to_string() })?;
        Ok(Self { client, allows_private: settings.allow_private })
    }

    /// Asks for a document.
    ///
    /// # Errors
    /// No whole answer within the limits.
    pub(crate) async fn get(&self, url: &HttpUrl, limits: Limits) -> Result<Response, OutboundError> {
        self.exchange(url, self.client.get(url.url().clone()), limits).await
    }

    /// Sends `body` under `headers`, which name its type.
    ///
    /// # Errors
    /// No whole answer within the limits; the server may have read the request nevertheless.
    pub(crate) async fn post(
        &self,
        url: &HttpUrl,
        headers: HeaderMap,
        body: Bytes,
        limits: Limits,
    ) -> Result<Response, OutboundError> {
        self.exchange(url, self.client.post(url.url().clone()).headers(headers).body(body), limits).await
    }

    async fn exchange(
        &self,
        url: &HttpUrl,
        request: RequestBuilder,
        limits: Limits,
    ) -> Result<Response, OutboundError> {
        self.check_literal(url)?;
        tokio::time::timeout(limits.timeout, answer(request, limits.max_body_bytes))
            .await
            .unwrap_or(Err(OutboundError::Timeout))
    }

    /// An address in a URL is never looked up, so that the resolver does not see it.
    fn check_literal(&self, url: &HttpUrl) -> Result<(), OutboundError> {
        let host = url.url().host_str().unwrap_or_default();
        match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            Ok(address) if !self.allows_private => address::check(address).map_err(OutboundError::from),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

async fn answer(request: RequestBuilder, max_body_bytes: usize) -> Result<Response, OutboundError> {
    let mut response = request.send().await.map_err(OutboundError::from_client)?;
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).unwrap_or(usize::MAX) > max_body_bytes {
        return Err(OutboundError::TooLarge(max_body_bytes));
    }
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(OutboundError::from_client)? {
        // The connection is dropped with the response, so that the rest is never read.
        if body.len() + part.len() > max_body_bytes {
            return Err(OutboundError::TooLarge(max_body_bytes));
        }
        body.extend_from_slice(&part);
    }
    Ok(Response {
        status: response.status().as_u16(),
        headers: std::mem::take(response.headers_mut()),
        body: body.into(),
    })
}

#[cfg(test)]
mod tests;
