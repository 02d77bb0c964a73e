//! What is checked and said when a connection is made.

use std::path::PathBuf;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::{TcpSettings, socket2};
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    ProtocolVersion, RedisError, TlsCertificates, Value,
};
use ringwire_signaling::partition::PARTITIONS;

use super::keys::Keys;
use super::link::RESPONSE_TIMEOUT;
use super::scripts::Scripts;
use super::{Settings, Tls};
use crate::error::OpenError;

/// The version of the keys' forms. Raise it when an older program must not read what this writes.
const SCHEMA: u32 = 2;
/// The oldest server whose commands the scripts use.
const OLDEST: (u32, u32) = (7, 0);
/// How long connecting may take.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long sent bytes may stay unacknowledged, and a silent peer unasked.
const TCP_TIMEOUT: Duration = Duration::from_secs(5);
/// Commands that may wait to be written. More wait in their callers.
const BUFFERED: usize = 1_024;

/// Why a connection was not made.
pub(super) enum Refusal {
    /// It may go better later.
    Passing(String),
    /// It needs an operator.
    Lasting(OpenError),
}

impl From<RedisError> for Refusal {
    fn from(error: RedisError) -> Self {
        Self::Passing(error.to_string())
    }
}

/// A client for a URL, with what its connections need.
pub(super) fn client(settings: &Settings) -> Result<Client, OpenError> {
    let refuse =
        |error: RedisError| OpenError::Server { address: "the Redis URL".to_owned(), reason: error.to_string() };
    let info = settings.url.as_str().into_connection_info().map_err(refuse)?;
    let tcp = TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(socket2::TcpKeepalive::new().with_time(TCP_TIMEOUT).with_interval(TCP_TIMEOUT));
    #[cfg(target_os = "linux")]
    let tcp = tcp.set_user_timeout(TCP_TIMEOUT);
    let redis = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP2);
    let info = info.set_tcp_settings(tcp).set_redis_settings(redis);
    if !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
        return Client::open(info).map_err(refuse);
    }
    // It fails when another part of the process chose one before, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::build_with_tls(info, certificates(&settings.tls)?).map_err(refuse)
}

fn certificates(tls: &Tls) -> Result<TlsCertificates, OpenError> {
    let read = |path: &PathBuf| {
        let refuse = |error: std::io::Error| OpenError::Server {
            address: path.display().to_string(),
            reason: error.to_string(),
        };
        std::fs::read(path).map_err(refuse)
    };
    let client_tls = match &tls.identity {
        Some((certificate, key)) => Some(ClientTlsConfig { client_cert: read(certificate)?, client_key: read(key)? }),
        None => None,
    };
    Ok(TlsCertificates { client_tls, root_cert: tls.ca_file.as_ref().map(read).transpose()? })
}

/// Where a client connects, without secrets.
pub(super) fn address(info: &ConnectionInfo) -> String {
    format!("Redis at {}", info.addr())
}

/// Connects, and makes sure that the server and what it holds are what this program needs.
pub(super) async fn connect(client: &Client, keys: &Keys, scripts: &Scripts) -> Result<MultiplexedConnection, Refusal> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(RESPONSE_TIMEOUT))
        .set_pipeline_buffer_size(BUFFERED);
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    let address = address(client.get_connection_info());
    let info: String = redis::cmd("INFO").arg("server").query_async(&mut connection).await?;
    let version = field(&info, "redis_version").unwrap_or_default();
    if parse_version(version) < OLDEST {
        let reason = format!("is version {version}; 7.0 or newer is needed");
        return Err(Refusal::Lasting(OpenError::Server { address, reason }));
    }
    let expected = format!("{SCHEMA} {PARTITIONS}");
    let before: Value =
        redis::cmd("SET").arg(keys.schema()).arg(&expected).arg("NX").arg("GET").query_async(&mut connection).await?;
    if let Value::BulkString(found) = before
        && found != expected.as_bytes()
    {
        let found = String::from_utf8_lossy(&found);
        let reason = format!(
            "holds data of schema and partition count \"{found}\", this program needs \"{expected}\"; it was left as it is"
        );
        return Err(Refusal::Lasting(OpenError::Server { address, reason }));
    }
    for script in scripts.all() {
        let digest: String = redis::cmd("SCRIPT").arg("LOAD").arg(&script.source).query_async(&mut connection).await?;
        // The digest of one text is always the same.
        let _ = script.digest.set(digest);
    }
    Ok(connection)
}

/// Warns of settings under which the server may lose what it holds.
pub(super) async fn warn_of_settings(connection: &mut MultiplexedConnection) {
    let Ok(info) = redis::cmd("INFO").query_async::<String>(connection).await else { return };
    for warning in warnings(&info, snapshots(connection).await) {
        tracing::warn!("{warning}");
    }
}

/// Whether snapshots are configured; unknown where the server does not tell.
async fn snapshots(connection: &mut MultiplexedConnection) -> Option<bool> {
    let reply = redis::cmd("CONFIG").arg("GET").arg("save").query_async::<Vec<String>>(connection).await.ok()?;
    reply.get(1).map(|save| !save.is_empty())
}

fn warnings(info: &str, snapshots: Option<bool>) -> Vec<String> {
    let mut warnings = Vec::new();
    let policy = field(info, "maxmemory_policy").unwrap_or("noeviction");
    if policy != "noeviction" {
        warnings.push(format!(
            "Redis evicts keys when memory is short (maxmemory-policy {policy}): invitations may vanish; set noeviction"
        ));
    }
    if field(info, "aof_enabled") == Some("0") && snapshots != Some(true) {
        warnings.push("Redis keeps nothing on disk: a restart of it forgets everything; set appendonly yes".to_owned());
    }
    warnings
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

fn parse_version(text: &str) -> (u32, u32) {
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_their_numbers() {
        assert!(parse_version("6.2.14") < OLDEST);
        assert!(parse_version("7.0.15") >= OLDEST);
        assert!(parse_version("10.1") >= OLDEST);
        assert!(parse_version("") < OLDEST);
    }

    #[test]
    fn settings_that_lose_data_are_warned_of() {
        let safe = "maxmemory_policy:noeviction\r\naof_enabled:1\r\n";
        assert!(warnings(safe, Some(false)).is_empty());
        assert_eq!(warnings("maxmemory_policy:allkeys-lru\r\naof_enabled:0\r\n", Some(false)).len(), 2);
        assert!(warnings("maxmemory_policy:noeviction\r\naof_enabled:0\r\n", Some(true)).is_empty());
    }
}
