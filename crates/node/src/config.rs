//! The node's settings: built-in defaults, then a file, then the environment.
//!
//! `config/default.toml` documents every key and is the only source of defaults.

mod auth;
mod authorization;
mod http_url;
mod limits;
mod list;
mod network;
mod outbound;
mod push;
mod tls;
mod web_origin;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ringwire_signaling::policy::{Blocked, Busy};
use ringwire_signaling::{Policy, limits::INBOX_BYTES};
use ringwire_store::redis_store;
use serde::{Deserialize, Serialize};

pub use auth::{Auth, Issuer, Key, KeyAlgorithm};
pub use authorization::{Authorization, OnFailure};
pub use http_url::HttpUrl;
pub use limits::Limits;
pub use list::List;
pub use network::Network;
pub use outbound::Outbound;
pub use push::{Events, Push, PushTarget};
pub(crate) use tls::CertificateFiles;
pub use tls::Tls;
pub use web_origin::WebOrigin;

const DEFAULTS: &str = include_str!("../../../config/default.toml");

/// Bytes below which an HS256 secret is refused: RFC 7518, section 3.2.
pub const MIN_SECRET_BYTES: usize = 32;

/// Everything that can be configured.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The public listener.
    pub http: Http,
    /// The operators' listener.
    pub admin: Admin,
    /// Certificates of both.
    pub tls: Tls,
    /// Where state is kept.
    pub store: Store,
    /// Whose tokens are accepted.
    pub auth: Auth,
    /// Choices about the rules.
    pub policy: PolicySection,
    /// Bounds of one connection.
    pub connection: Connection,
    /// Bounds of one address and one user.
    pub limits: Limits,
    /// Requests of the node to configured URLs.
    pub outbound: Outbound,
    /// Where offline pushes go.
    pub push: Push,
    /// Who is asked before an invitation is created.
    pub authorization: Authorization,
    /// Where events of invitations go.
    pub events: Events,
    /// How the process ends.
    pub shutdown: Shutdown,
    /// What is logged, and how.
    pub log: Log,
}

/// See `[http]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Address of the public listener.
    pub bind: SocketAddr,
    /// Worker threads; 0 is one per core.
    pub workers: usize,
    /// Connections at once; 0 is as many as there are file descriptors for.
    pub max_connections: usize,
    /// Whose web pages may use the listener; empty is everybody's.
    pub allowed_origins: List<WebOrigin>,
    /// Who is believed about `X-Forwarded-For`.
    pub trusted_proxies: List<Network>,
    /// The certificate, for TLS.
    pub cert_file: PathBuf,
    /// Its key.
    pub key_file: PathBuf,
}

/// See `[admin]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// Address of the operators' listener.
    pub bind: SocketAddr,
    /// Opens the admin API; empty keeps it closed.
    pub token: String,
    /// The certificate, for TLS.
    pub cert_file: PathBuf,
    /// Its key.
    pub key_file: PathBuf,
}

/// See `[store]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// Which implementation.
    pub kind: StoreKind,
    /// The data directory.
    pub path: PathBuf,
    /// Milliseconds that an operation may take.
    pub timeout_ms: u64,
    /// Mebibytes of page cache.
    pub cache_mib: usize,
    /// The server of several nodes.
    pub redis: Redis,
}

/// See `[store.redis]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    /// Where it is.
    pub url: String,
    /// What stands before every key.
    pub prefix: String,
    /// The authority behind the server's certificate, if not one that the system trusts.
    pub ca_file: PathBuf,
    /// A certificate for servers that ask for one.
    pub cert_file: PathBuf,
    /// Its key.
    pub key_file: PathBuf,
}

/// The store's implementation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// One node, durable.
    Embedded,
    /// One node, forgets everything.
    Memory,
    /// Several nodes.
    Redis,
}

/// See `[policy]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PolicySection {
    /// What happens to a busy invitee.
    pub busy: BusyChoice,
    /// What becomes of an invitee who blocks the inviter.
    pub blocked: BlockedChoice,
    /// Hours that settled invitations are kept.
    pub settled_retention_h: u64,
    /// Hours that timer-less ones are kept.
    pub timerless_retention_h: u64,
}

/// See [`Busy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BusyChoice {
    /// Ring.
    Allow,
    /// Reject with reason `busy`.
    Reject,
}

/// See [`Blocked`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BlockedChoice {
    /// Fail with reason `blocked`.
    Failed,
    /// Look like a ring that is not answered.
    Silent,
    /// Ring.
    Ignore,
}

/// See `[connection]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    /// Seconds between pings.
    pub heartbeat_s: u64,
    /// Seconds to wait for a pong.
    pub pong_timeout_s: u64,
    /// Seconds to wait for hello.
    pub hello_timeout_s: u64,
    /// Sustained request rate.
    pub requests_per_second: u32,
    /// Requests at once after a pause.
    pub request_burst: u32,
    /// Kibibytes that may wait for a slow reader.
    pub outbound_kib: usize,
    /// Seconds of warning before a token expires.
    pub token_warning_s: u64,
    /// Seconds of grace after it did.
    pub token_grace_s: u64,
}

/// See `[shutdown]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Shutdown {
    /// Milliseconds over which connections are closed.
    pub drain_ms: u64,
    /// Milliseconds after which the process exits regardless.
    pub deadline_ms: u64,
}

/// See `[log]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// How lines look.
    pub format: LogFormat,
    /// Which lines there are.
    pub filter: String,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It does not parse, or has an unknown or mistyped key.
    #[error("{0}")]
    Unreadable(#[from] config::ConfigError),
    /// A value makes no sense.
    #[error("{key}: {problem}")]
    Invalid {
        /// Which setting.
        key: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

impl Config {
    /// Reads the defaults, then `file`, then the environment, and checks the result. Opens nothing
    /// but `file`.
    ///
    /// # Errors
    /// An unknown key, a value of the wrong type, or one out of its range; the message names it.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut builder =
            config::Config::builder().add_source(config::File::from_str(DEFAULTS, config::FileFormat::Toml));
        if let Some(path) = file {
            builder = builder.add_source(config::File::from(path).format(config::FileFormat::Toml));
        }
        let environment = config::Environment::with_prefix("RINGWIRE").prefix_separator("__").separator("__");
        let config: Self = builder.add_source(environment).build()?.try_deserialize()?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let invalid = |key, problem: String| Err(ConfigError::Invalid { key, problem });
        let secrets = [("auth.hs256_secret", &self.auth.hs256_secret), ("admin.token", &self.admin.token)]
            .into_iter()
            .filter(|(_, secret)| !secret.is_empty())
            .chain(self.auth.keys.iter().filter_map(|key| Some(("auth.keys.secret", key.secret.as_ref()?))));
        for (key, secret) in secrets {
            if secret.len() < MIN_SECRET_BYTES {
                let found = secret.len();
                return invalid(key, format!("needs at least {MIN_SECRET_BYTES} bytes, has {found}"));
            }
        }
        if !self.admin.token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return invalid("admin.token", "must be printable ASCII without spaces: it is sent in a header".into());
        }
        if !self.admin.token.is_empty() && self.admin.token == self.auth.hs256_secret {
            return invalid("admin.token", "must differ from auth.hs256_secret".into());
        }
        if let Some((key, problem)) = self.auth.problem(self.outbound.allow_private) {
            return invalid(key, problem);
        }
        if let Some(problem) = redis_store::prefix_problem(&self.store.redis.prefix) {
            return invalid("store.redis.prefix", problem.into());
        }
        if self.store.kind == StoreKind::Redis {
            if self.store.redis.url.is_empty() {
                return invalid("store.redis.url", "must not be empty".into());
            }
            if self.store.redis.cert_file.as_os_str().is_empty() != self.store.redis.key_file.as_os_str().is_empty() {
                return invalid("store.redis.cert_file", "and key_file must be set together".into());
            }
            if self.auth.hs256_secret.is_empty() && !self.auth.has_public_keys() {
                return invalid("auth.hs256_secret", "nodes that share a Redis need the same key: set it".into());
            }
        }
        if self.connection.requests_per_second == 0 || self.connection.request_burst == 0 {
            return invalid("connection.requests_per_second", "and request_burst must be at least 1".into());
        }
        if let Some((key, problem)) = self.limits.problem() {
            return invalid(key, problem.into());
        }
        if let Some((key, problem)) = self.tls_problem() {
            return invalid(key, problem.into());
        }
        if let Some((key, problem)) = self.push.problem().or_else(|| self.events.problem(&self.push)) {
            return invalid(key, problem);
        }
        if let Some((key, problem)) = self.authorization.problem(self.outbound.allow_private) {
            return invalid(key, problem.into());
        }
        if self.connection.outbound_kib * 1024 < 2 * INBOX_BYTES {
            return invalid("connection.outbound_kib", "must hold a full inbox twice, 512".into());
        }
        if self.connection.heartbeat_s == 0 || self.connection.hello_timeout_s == 0 || self.store.timeout_ms == 0 {
            return invalid("connection.heartbeat_s", "hello_timeout_s and store.timeout_ms must not be 0".into());
        }
        Ok(())
    }

    /// The choices as the rules take them.
    pub fn rules(&self) -> Policy {
        const HOUR_MS: u64 = 60 * 60 * 1000;
        Policy {
            busy: match self.policy.busy {
                BusyChoice::Allow => Busy::Allow,
                BusyChoice::Reject => Busy::Reject,
            },
            blocked: match self.policy.blocked {
                BlockedChoice::Failed => Blocked::Failed,
                BlockedChoice::Silent => Blocked::Silent,
                BlockedChoice::Ignore => Blocked::Ignore,
            },
            rings_per_minute: self.limits.rings_per_minute,
            settled_retention_ms: self.policy.settled_retention_h.saturating_mul(HOUR_MS),
            timerless_retention_ms: self.policy.timerless_retention_h.saturating_mul(HOUR_MS),
        }
    }

    /// The settings of the store of several nodes.
    pub(crate) fn redis_settings(&self) -> redis_store::Settings {
        let Redis { url, prefix, ca_file, cert_file, key_file } = &self.store.redis;
        let set = |path: &PathBuf| (!path.as_os_str().is_empty()).then(|| path.clone());
        let policy = self.rules();
        redis_store::Settings {
            url: url.clone(),
            tls: redis_store::Tls { ca_file: set(ca_file), identity: set(cert_file).zip(set(key_file)) },
            prefix: prefix.clone(),
            retention_ms: policy.settled_retention_ms.max(policy.timerless_retention_ms),
        }
    }

    /// The configuration as an operator may see it: without secrets.
    #[must_use]
    pub fn masked(&self) -> Self {
        let mut masked = self.clone();
        let mask = |secret: &mut String| {
            if !secret.is_empty() {
                "***".clone_into(secret);
            }
        };
        mask(&mut masked.admin.token);
        mask(&mut masked.auth.hs256_secret);
        masked.store.redis.url = without_password(&masked.store.redis.url);
        masked.authorization.secrets.0.iter_mut().for_each(mask);
        let targets = masked.push.targets.iter_mut().chain(&mut masked.events.targets);
        targets.flat_map(|target| &mut target.secrets).for_each(mask);
        for key in &mut masked.auth.keys {
            key.secret.iter_mut().for_each(mask);
        }
        masked
    }
}

/// A URL with the password in it masked.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.rsplit_once('@') {
        Some((login, place)) => {
            let user = login.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}:***@{place}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests;
