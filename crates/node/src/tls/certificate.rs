//! A listener's certificate and key: read from files, checked, and replaced while connections go on.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, InconsistentKeys, RootCertStore};
use sha2::{Digest, Sha256};

use crate::config::CertificateFiles;

/// What a listener shows to whoever connects. Those who are connected keep what they were shown.
#[derive(Debug)]
pub(super) struct Certificate {
    /// In logs and metrics.
    pub(super) listener: &'static str,
    files: CertificateFiles,
    current: RwLock<Arc<CertifiedKey>>,
    /// What `current` was made of when the node started.
    first: Fingerprint,
}

/// Tells one content of the files from another without keeping the key.
pub(super) type Fingerprint = [u8; 32];

/// Both files, as they were at one moment.
pub(super) struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Certificate {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// Why they cannot be used, for people.
    pub(super) fn open(listener: &'static str, files: CertificateFiles) -> Result<Arc<Self>, String> {
        let contents = Contents::read(&files)?;
        let (current, first) = (RwLock::new(Arc::new(contents.parse(&files)?)), contents.fingerprint());
        Ok(Arc::new(Self { listener, files, current, first }))
    }

    /// What the files held when the node started.
    pub(super) fn first(&self) -> Fingerprint {
        self.first
    }

    /// Reads the files; blocks.
    ///
    /// # Errors
    /// One cannot be read.
    pub(super) fn read(&self) -> Result<Contents, String> {
        Contents::read(&self.files)
    }

    /// Shows this from here on.
    ///
    /// # Errors
    /// It cannot be used; what was shown before still is.
    pub(super) fn replace(&self, contents: &Contents) -> Result<(), String> {
        let replacement = Arc::new(contents.parse(&self.files)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = replacement;
        Ok(())
    }

    /// When the current one ends, in Unix seconds.
    pub(super) fn expires_at(&self) -> Option<u64> {
        self.current().cert.first().and_then(expires_at)
    }

    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl Contents {
    /// Reads both files; blocks.
    ///
    /// # Errors
    /// One cannot be read.
    pub(super) fn read(files: &CertificateFiles) -> Result<Self, String> {
        let read = |path: &Path| std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
        Ok(Self { certificate: read(&files.certificate)?, key: read(&files.key)? })
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        let both = Sha256::digest(&self.certificate).into_iter().chain(Sha256::digest(&self.key));
        Sha256::digest(both.collect::<Vec<u8>>()).into()
    }

    fn parse(&self, files: &CertificateFiles) -> Result<CertifiedKey, String> {
        let (certificate, key) = (files.certificate.display(), files.key.display());
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<_, _>>()
            .map_err(|error| format!("{certificate}: {error}"))?;
        if chain.is_empty() {
            return Err(format!("{certificate}: holds no certificate"));
        }
        let private = PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| format!("{key}: {error}"))?;
        CertifiedKey::from_der(chain, private, &rustls::crypto::ring::default_provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                format!("{key}: is not the key of {certificate}")
            }
            error => format!("{certificate}, {key}: {error}"),
        })
    }
}

/// When a certificate ends, in Unix seconds. Nothing here parses certificates but the check of a chain, which tells the
/// end of one that is over: so it is asked at the end of time, before it looks for an authority.
fn expires_at(certificate: &CertificateDer<'_>) -> Option<u64> {
    let certificate = ParsedCertificate::try_from(certificate).ok()?;
    let end_of_time = UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX));
    match verify_server_cert_signed_by_trust_anchor(&certificate, &RootCertStore::empty(), &[], end_of_time, &[]) {
        Err(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            Some(not_after.as_secs())
        }
        Ok(()) | Err(_) => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Files of the end-to-end tests.
    pub(in crate::tls) fn files(certificate: &str, key: &str) -> CertificateFiles {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/e2e/tls");
        CertificateFiles { certificate: directory.join(certificate), key: directory.join(key) }
    }

    #[test]
    fn a_pair_is_read_with_its_end() {
        let first = Certificate::open("public", files("first.pem", "first.key")).unwrap();
        assert_eq!(first.expires_at(), Some(4_940_144_437));
        let second = Certificate::open("public", files("second.pem", "second.key")).unwrap();
        assert_ne!(first.first(), second.first());
    }

    #[test]
    fn what_is_no_pair_is_refused_by_its_file() {
        for (certificate, key, problem) in [
            ("first.pem", "second.key", "second.key: is not the key of "),
            ("first.key", "first.key", "first.key: holds no certificate"),
            ("first.pem", "first.pem", "first.pem: no items found"),
            ("first.pem", "missing.key", "missing.key: No such file"),
        ] {
            let refused = Certificate::open("public", files(certificate, key)).unwrap_err();
            assert!(refused.contains(problem), "{refused}");
        }
    }
}
