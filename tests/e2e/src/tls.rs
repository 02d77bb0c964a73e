//! TLS of a node: the certificate in its files, which a test replaces, and the one that a client is shown.
//!
//! The files of `tls/` are for tests only and protect nothing.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use tempfile::TempDir;

use crate::{PATIENCE, Settings};

/// A certificate for 127.0.0.1, by the authority of the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// What nodes start with.
    First,
    /// What follows it.
    Second,
}

impl Certificate {
    fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
        }
    }

    /// When it ends, in Unix seconds.
    #[must_use]
    pub fn expires_at(self) -> f64 {
        // `openssl x509 -enddate` shows them.
        match self {
            Self::First => 4_940_144_437.0,
            Self::Second => 4_940_058_037.0,
        }
    }
}

/// The files of a node's certificate, in a directory of their own.
pub struct CertificateFiles {
    directory: TempDir,
}

impl Default for CertificateFiles {
    fn default() -> Self {
        Self::new()
    }
}

impl CertificateFiles {
    /// The first certificate and its key.
    ///
    /// # Panics
    /// When they cannot be written.
    #[must_use]
    pub fn new() -> Self {
        let files = Self { directory: tempfile::tempdir().expect("a directory can be made") };
        files.replace(Certificate::First, Certificate::First);
        files
    }

    /// Puts this certificate, and the key of that one, in place of what is there, as one does with files that are in use.
    ///
    /// # Panics
    /// When they cannot be written.
    pub fn replace(&self, certificate: Certificate, key_of: Certificate) {
        for (name, source) in [("key", key_of), ("pem", certificate)] {
            let draft = self.directory.path().join("draft");
            std::fs::copy(test_file(&format!("{}.{name}", source.name())), &draft).expect("the directory is ours");
            std::fs::rename(&draft, self.path(name)).expect("the directory is ours");
        }
    }

    /// Settings of a node that speaks TLS on both listeners.
    #[must_use]
    pub fn of(&self, settings: Settings) -> Settings {
        let [certificate, key] = ["pem", "key"].map(|name| self.path(name).display().to_string());
        ["http", "admin"].iter().fold(settings, |settings, section| {
            settings.with(&format!("{section}.cert_file"), &certificate).with(&format!("{section}.key_file"), &key)
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(format!("node.{name}"))
    }
}

/// The authority of the tests, in PEM.
///
/// # Panics
/// When its file is missing.
#[must_use]
pub fn authority() -> Vec<u8> {
    std::fs::read(test_file("ca.pem")).expect("the authority of the tests is there")
}

/// TLS of a client that trusts the authority of the tests and nobody else, and resumes nothing.
///
/// # Panics
/// When the cryptography cannot be set up.
#[must_use]
pub fn client_config() -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&authority()).expect("it is PEM")).expect("it is an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Arc::new(config.expect("the provider has ciphers").with_root_certificates(roots).with_no_client_auth())
}

/// The certificate that a new connection is shown.
///
/// # Panics
/// When the handshake fails, or the certificate is another.
pub async fn shown_at(address: SocketAddr) -> Certificate {
    let shown = tokio::task::spawn_blocking(move || {
        let mut socket = TcpStream::connect(address).expect("the node listens");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        let name = ServerName::from(address.ip());
        let mut connection = ClientConnection::new(client_config(), name).expect("the name is an address");
        while connection.is_handshaking() {
            connection.complete_io(&mut socket).expect("the handshake succeeds");
        }
        connection.send_close_notify();
        // The node may have been faster.
        let _ = connection.write_tls(&mut socket).and_then(|_| socket.flush());
        connection.peer_certificates().and_then(|chain| chain.first()).expect("a certificate").clone().into_owned()
    });
    let shown = shown.await.expect("the handshake ran");
    let is_shown = |certificate: &Certificate| {
        let path = test_file(&format!("{}.pem", certificate.name()));
        CertificateDer::from_pem_file(path).expect("the certificate of the tests is there") == shown
    };
    let known = [Certificate::First, Certificate::Second].into_iter().find(is_shown);
    known.expect("the certificate is one of the tests'")
}

fn test_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tls").join(name)
}
