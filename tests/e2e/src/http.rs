//! A client of the node's HTTP interface.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::PATIENCE;
use crate::tls::authority;

/// Makes requests, with a token if it has one.
#[derive(Clone, Debug)]
pub struct Http {
    scheme: &'static str,
    address: SocketAddr,
    headers: Vec<(String, String)>,
    agent: ureq::Agent,
}

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpReply {
    /// The status.
    pub status: u16,
    /// The headers by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The body as it came.
    pub text: String,
    /// The body as JSON; null if it is none.
    pub body: Value,
}

impl Http {
    /// A client of the listener at `address`.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE.max(Duration::from_secs(1))))
            .build();
        Self { scheme: "http", address, headers: Vec::new(), agent: config.into() }
    }

    /// A client of a listener with TLS, whose certificate is by the authority of the tests.
    ///
    /// # Panics
    /// When that authority's file is none.
    #[must_use]
    pub fn secured(address: SocketAddr) -> Self {
        let authority = Certificate::from_pem(&authority()).expect("the authority is PEM");
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&[authority]))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            // Every request makes a handshake of its own.
            .max_idle_connections(0)
            .tls_config(tls)
            .build();
        Self { scheme: "https", agent: config.into(), ..Self::new(address) }
    }

    /// The same client with this header in all requests.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same client with a bearer token.
    #[must_use]
    pub fn with_token(self, token: &str) -> Self {
        self.with_header("Authorization", &format!("Bearer {token}"))
    }

    /// `GET` on a path, which may have a query.
    pub async fn get(&self, path: &str) -> HttpReply {
        self.request("GET", path, "").await
    }

    /// `DELETE` on a path.
    pub async fn delete(&self, path: &str) -> HttpReply {
        self.request("DELETE", path, "").await
    }

    /// `POST` of a JSON body.
    #[allow(clippy::needless_pass_by_value, reason = "tests write bodies in place")]
    pub async fn post(&self, path: &str, body: Value) -> HttpReply {
        self.request("POST", path, &body.to_string()).await
    }

    /// `PUT` of a JSON body.
    #[allow(clippy::needless_pass_by_value, reason = "tests write bodies in place")]
    pub async fn put(&self, path: &str, body: Value) -> HttpReply {
        self.request("PUT", path, &body.to_string()).await
    }

    /// Any request.
    ///
    /// # Panics
    /// When no response comes.
    pub async fn request(&self, method: &str, path: &str, body: &str) -> HttpReply {
        let mut request =
            ureq::http::Request::builder().method(method).uri(format!("{}://{}{path}", self.scheme, self.address));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if !body.is_empty() {
            request = request.header("Content-Type", "application/json");
        }
        let request = request.body(body.to_owned()).expect("the test writes a valid request");
        let agent = self.agent.clone();
        let what = format!("{method} {path}");
        let mut response = tokio::task::spawn_blocking(move || agent.run(request))
            .await
            .expect("the request ran")
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        let text = response.body_mut().read_to_string().expect("the body can be read");
        let header = |(name, value): (&ureq::http::HeaderName, &ureq::http::HeaderValue)| {
            (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned())
        };
        HttpReply {
            status: response.status().as_u16(),
            headers: response.headers().iter().map(header).collect(),
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }
}

impl HttpReply {
    /// The body of a success.
    ///
    /// # Panics
    /// When the status is another.
    #[must_use]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }

    /// The problem of a failure: checks its form, its status and its name.
    ///
    /// # Panics
    /// When it is another, or not told as RFC 9457 says.
    #[must_use]
    pub fn problem(self, status: u16, name: &str) -> Value {
        assert_eq!((self.status, self.body["name"].as_str()), (status, Some(name)), "{}", self.text);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["type"], format!("urn:ringwire:problem:{name}"));
        assert!(self.body["title"].is_string() && self.body["detail"].is_string(), "{}", self.text);
        self.body
    }
}
