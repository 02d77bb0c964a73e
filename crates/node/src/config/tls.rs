//! Which certificates the listeners have, and how often their files are looked at.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Config;

/// See `[tls]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Seconds between two looks at the files.
    pub reload_s: u64,
}

/// The files of a listener that speaks TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CertificateFiles {
    /// The listener's certificate, then those between it and an authority that clients trust.
    pub(crate) certificate: PathBuf,
    /// The private key of the first.
    pub(crate) key: PathBuf,
}

impl CertificateFiles {
    /// None without TLS.
    pub(crate) fn of(certificate: &Path, key: &Path) -> Option<Self> {
        let is_set = |path: &Path| !path.as_os_str().is_empty();
        (is_set(certificate) && is_set(key)).then(|| Self { certificate: certificate.into(), key: key.into() })
    }
}

impl Config {
    /// What is wrong with the settings of TLS, and with which one. Opens no file.
    pub(super) fn tls_problem(&self) -> Option<(&'static str, &'static str)> {
        let is_half = |one: &Path, other: &Path| one.as_os_str().is_empty() != other.as_os_str().is_empty();
        if is_half(&self.http.cert_file, &self.http.key_file) {
            return Some(("http.cert_file", "and http.key_file must be set together"));
        }
        if is_half(&self.admin.cert_file, &self.admin.key_file) {
            return Some(("admin.cert_file", "and admin.key_file must be set together"));
        }
        (self.tls.reload_s == 0).then_some(("tls.reload_s", "must be at least 1"))
    }
}
