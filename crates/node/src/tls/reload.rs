//! Reads certificates again: on `SIGHUP`, and when their files have changed.
//!
//! Live connections keep the certificate that they were shown. What cannot be used is refused, and the one before it
//! stays in use.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::certificate::{Certificate, Contents, Fingerprint};
use crate::metrics::Metrics;

/// Why somebody looks at the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// An operator says that they changed.
    Asked,
    /// It is time.
    Time,
}

/// What the files held, or why they could not be read.
type Look = Result<Fingerprint, String>;

/// A certificate and what was seen of its files.
struct Watched {
    certificate: Arc<Certificate>,
    in_use: Fingerprint,
    last: Look,
    /// Whether it was said that `last` is of no use.
    is_refused: bool,
}

/// Starts to look after these certificates; none without any.
///
/// # Errors
/// The signal cannot be listened for.
pub(super) fn watch(
    certificates: Vec<Arc<Certificate>>,
    period: Duration,
    metrics: &Arc<Metrics>,
) -> std::io::Result<Option<JoinHandle<()>>> {
    if certificates.is_empty() {
        return Ok(None);
    }
    // Taken before the node is ready: the signal would end it.
    let asked = signal(SignalKind::hangup())?;
    let watched: Vec<_> = certificates.into_iter().map(Watched::new).collect();
    for Watched { certificate, .. } in &watched {
        metrics.tls.in_use(certificate.listener, certificate.expires_at());
    }
    Ok(Some(actix::spawn(run(watched, asked, period, Arc::clone(metrics)))))
}

async fn run(mut watched: Vec<Watched>, mut asked: Signal, period: Duration, metrics: Arc<Metrics>) {
    loop {
        let cause = tokio::select! {
            _ = asked.recv() => Cause::Asked,
            () = sleep(period) => Cause::Time,
        };
        for watched in &mut watched {
            let certificate = Arc::clone(&watched.certificate);
            // Files may lie on a disk that is slow.
            let found = tokio::task::spawn_blocking(move || certificate.read()).await;
            let found = found.unwrap_or_else(|error| Err(error.to_string()));
            if let Some(outcome) = watched.look(found, cause) {
                watched.tell(&outcome, &metrics);
            }
        }
    }
}

impl Watched {
    fn new(certificate: Arc<Certificate>) -> Self {
        let in_use = certificate.first();
        Self { certificate, in_use, last: Ok(in_use), is_refused: false }
    }

    /// Takes over what was found, if it differs from what is in use or somebody asked; none if there is nothing to tell.
    fn look(&mut self, found: Result<Contents, String>, cause: Cause) -> Option<Result<(), String>> {
        let look = found.as_ref().map(Contents::fingerprint).map_err(Clone::clone);
        let is_new = std::mem::replace(&mut self.last, look.clone()) != look;
        self.is_refused &= !is_new;
        let is_settled = look == Ok(self.in_use) || self.is_refused;
        if is_settled && cause == Cause::Time {
            return None;
        }
        let replaced = found.and_then(|contents| {
            self.certificate.replace(&contents)?;
            self.in_use = contents.fingerprint();
            Ok(())
        });
        // Two files do not change in one moment: what is of no use gets until the next look.
        if replaced.is_err() && is_new && cause == Cause::Time {
            return None;
        }
        self.is_refused = replaced.is_err();
        Some(replaced)
    }

    fn tell(&self, outcome: &Result<(), String>, metrics: &Metrics) {
        let listener = self.certificate.listener;
        metrics.tls.reloaded(listener, outcome.is_ok());
        match outcome {
            Ok(()) => {
                metrics.tls.in_use(listener, self.certificate.expires_at());
                tracing::info!(listener, "read the certificate again");
            }
            Err(problem) => tracing::error!(
                listener,
                problem,
                "the certificate cannot be replaced: the one that was read before stays in use"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::certificate::tests::files;
    use super::*;

    fn watched() -> Watched {
        Watched::new(Certificate::open("public", files("first.pem", "first.key")).unwrap())
    }

    fn contents(certificate: &str, key: &str) -> Result<Contents, String> {
        Contents::read(&files(certificate, key))
    }

    #[test]
    fn files_that_did_not_change_are_read_again_only_when_somebody_asks() {
        let mut watched = watched();
        assert_eq!(watched.look(contents("first.pem", "first.key"), Cause::Time), None);
        assert_eq!(watched.look(contents("first.pem", "first.key"), Cause::Asked), Some(Ok(())));
    }

    #[test]
    fn a_pair_of_which_one_half_was_replaced_gets_time_for_the_other() {
        let mut watched = watched();
        let before = watched.certificate.expires_at();
        assert_eq!(watched.look(contents("second.pem", "first.key"), Cause::Time), None);
        assert_eq!(watched.certificate.expires_at(), before);
        assert_eq!(watched.look(contents("second.pem", "second.key"), Cause::Time), Some(Ok(())));
        assert_ne!(watched.certificate.expires_at(), before);
    }

    #[test]
    fn what_stays_broken_is_refused_once_and_whenever_somebody_asks() {
        let mut watched = watched();
        let mut look = |key, cause| watched.look(contents("first.pem", key), cause);
        assert_eq!(look("second.key", Cause::Time), None);
        assert!(look("second.key", Cause::Time).unwrap().is_err());
        assert_eq!(look("second.key", Cause::Time), None);
        assert!(look("second.key", Cause::Asked).unwrap().is_err());
        assert!(look("missing.key", Cause::Asked).unwrap().is_err());
        assert_eq!(look("missing.key", Cause::Time), None);
        // It is what is in use.
        assert_eq!(look("first.key", Cause::Time), None);
        assert_eq!(look("second.key", Cause::Time), None);
        assert!(look("second.key", Cause::Time).unwrap().is_err());
    }
}
