//! TLS for `wss` URLs: rustls, trusting what the system trusts, so that the certificate of a private
//! authority works once it is installed there.

use std::sync::{Arc, OnceLock};

use rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::Connector;

/// The same for all connections of the process: reading the system's certificates takes a while.
static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();

/// What to connect with.
///
/// # Errors
/// The cryptography cannot be set up.
pub(crate) fn connector() -> Result<Connector, rustls::Error> {
    if let Some(config) = CONFIG.get() {
        return Ok(Connector::Rustls(Arc::clone(config)));
    }
    // The provider is named here, because an app may have installed none for the process, or another.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(system_roots())
        .with_no_client_auth();
    Ok(Connector::Rustls(Arc::clone(CONFIG.get_or_init(|| Arc::new(config)))))
}

fn system_roots() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "certificates of the system cannot be read");
    }
    let mut roots = RootCertStore::empty();
    let (added, ignored) = roots.add_parsable_certificates(found.certs);
    tracing::debug!(added, ignored, "certificates of the system");
    roots
}
