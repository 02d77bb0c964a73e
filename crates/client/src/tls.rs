//! TLS for `wss` URLs: rustls, trusting what the system trusts, so that the certificate of a private
//! authority works once it is installed there; and authorities that the app names.

use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::Connector;

/// The same for all connections of the process: reading the system's certificates takes a while.
static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();

/// Whom `wss` URLs trust.
#[derive(Clone, Default)]
pub(crate) struct Trust {
    /// None: what the system trusts.
    own: Option<Arc<ClientConfig>>,
}

impl Trust {
    /// What the system trusts, and the certificates in `pem` beside it, if there are any.
    ///
    /// # Errors
    /// It is not empty and holds no certificate, or one that cannot be used; for people.
    pub(crate) fn new(pem: &[u8]) -> Result<Self, String> {
        if pem.is_empty() {
            return Ok(Self::default());
        }
        let mut roots = system_roots();
        let mut found = 0;
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| error.to_string())?;
            roots.add(certificate).map_err(|error| error.to_string())?;
            found += 1;
        }
        if found == 0 {
            return Err("there is no certificate in it".to_owned());
        }
        Ok(Self { own: Some(Arc::new(config(roots).map_err(|error| error.to_string())?)) })
    }

    /// What to connect with.
    ///
    /// # Errors
    /// The cryptography cannot be set up.
    pub(crate) fn connector(&self) -> Result<Connector, rustls::Error> {
        if let Some(config) = self.own.as_ref().or_else(|| CONFIG.get()) {
            return Ok(Connector::Rustls(Arc::clone(config)));
        }
        let config = config(system_roots())?;
        Ok(Connector::Rustls(Arc::clone(CONFIG.get_or_init(|| Arc::new(config)))))
    }
}

fn config(roots: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    // The provider is named here, because an app may have installed none for the process, or another.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_no_certificate_is_refused() {
        assert!(Trust::new(b"").is_ok());
        assert!(Trust::new(b"no certificate").is_err());
    }
}
