//! Whom the client trusts: the authorities of the system, and a configured one.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// TLS with the certificates that the system trusts and those of `ca_file`, if it names one.
///
/// # Errors
/// The file cannot be read or holds no certificate; for people.
pub(super) fn client_config(ca_file: &Path) -> Result<ClientConfig, String> {
    let mut roots = system_roots();
    if !ca_file.as_os_str().is_empty() {
        add(&mut roots, ca_file).map_err(|problem| format!("{}: {problem}", ca_file.display()))?;
    }
    // Named here, because no other is installed for the process.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn add(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    let text = std::fs::read(path).map_err(|error| error.to_string())?;
    let mut found = 0;
    for certificate in CertificateDer::pem_slice_iter(&text) {
        roots.add(certificate.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
        found += 1;
    }
    if found == 0 { Err("holds no certificate".to_owned()) } else { Ok(()) }
}

fn system_roots() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::debug!(%error, "certificates of the system cannot be read");
    }
    let mut roots = RootCertStore::empty();
    let (added, ignored) = roots.add_parsable_certificates(found.certs);
    tracing::debug!(added, ignored, "certificates of the system");
    roots
}
