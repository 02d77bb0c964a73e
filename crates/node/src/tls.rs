//! TLS of the node's own listeners: the certificates that they show, and when these are read again.
//!
//! Requests of the node to others have their own in `outbound/tls.rs`.

mod certificate;
mod reload;

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::task::JoinHandle;

use crate::config::{CertificateFiles, Config};
use crate::metrics::Metrics;
use certificate::Certificate;

/// How long a client may take for its handshake.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// Handshakes that each worker has under way; at this many it accepts no others. With the slowest usual key, RSA, a core
/// does some thousand a second, so that the last of these is still done in time when a crowd reconnects. Clients that
/// connect and go silent use them up as well, for as long as the timeout.
pub(crate) const HANDSHAKES_PER_WORKER: usize = 1024;

/// A certificate that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct TlsError {
    key: &'static str,
    problem: String,
}

/// The certificates of the listeners that speak TLS.
pub(crate) struct Tls {
    public: Option<Arc<Certificate>>,
    admin: Option<Arc<Certificate>>,
}

impl Tls {
    /// Reads the configured files.
    ///
    /// # Errors
    /// One cannot be read or is no PEM file of its kind, or a key is not that of its certificate.
    pub(crate) fn open(config: &Config) -> Result<Self, TlsError> {
        let open = |listener, key, files: Option<CertificateFiles>| {
            let opened = files.map(|files| Certificate::open(listener, files)).transpose();
            opened.map_err(|problem| TlsError { key, problem })
        };
        let files = CertificateFiles::of;
        Ok(Self {
            public: open("public", "http.cert_file", files(&config.http.cert_file, &config.http.key_file))?,
            admin: open("admin", "admin.cert_file", files(&config.admin.cert_file, &config.admin.key_file))?,
        })
    }

    /// How the public listener greets, if it speaks TLS.
    pub(crate) fn public(&self) -> Option<ServerConfig> {
        self.public.as_ref().map(server_config)
    }

    /// How the operators' listener greets, if it speaks TLS.
    pub(crate) fn admin(&self) -> Option<ServerConfig> {
        self.admin.as_ref().map(server_config)
    }

    /// Reads the files again whenever they change, and when the process gets a `SIGHUP`. Without TLS that signal keeps
    /// its usual meaning, the end.
    ///
    /// # Errors
    /// The signal cannot be listened for.
    pub(crate) fn watch(&self, config: &Config, metrics: &Arc<Metrics>) -> std::io::Result<Option<JoinHandle<()>>> {
        let certificates: Vec<_> = [&self.public, &self.admin].into_iter().flatten().map(Arc::clone).collect();
        reload::watch(certificates, Duration::from_secs(config.tls.reload_s), metrics)
    }
}

/// TLS 1.2 and 1.3 with the certificate that is in use when a client connects. HTTP/1.1 is all that actix offers in it.
fn server_config(certificate: &Arc<Certificate>) -> ServerConfig {
    // Named here, because no other is installed for the process.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("this provider has ciphers of both versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(certificate) as Arc<_>)
}
