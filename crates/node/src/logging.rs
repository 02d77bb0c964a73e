//! The process's log: how it looks, and which lines there are, which can be changed while it runs.

use std::sync::{Mutex, OnceLock, PoisonError};

use tracing_subscriber::EnvFilter;

use crate::admin::ALWAYS_LOGGED;
use crate::config::{Log, LogFormat};

/// The filter of this process, once its log is started. There is one log in a process.
static FILTER: OnceLock<Filter> = OnceLock::new();

struct Filter {
    text: Mutex<String>,
    replace: Box<dyn Fn(EnvFilter) -> Result<(), LogError> + Send + Sync>,
}

/// Why a log is not as it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    /// The filter cannot be read.
    #[error("{0}")]
    Filter(String),
    /// The log of this process is none that this module started.
    #[error("the log of this process has no filter that can be replaced")]
    NotStarted,
}

/// Starts the log on standard error.
///
/// # Errors
/// A filter that cannot be read.
pub(crate) fn start(log: &Log) -> Result<(), LogError> {
    let filter = read(&log.filter).map_err(|error| LogError::Filter(format!("log.filter: {error}")))?;
    let builder = tracing_subscriber::fmt().with_writer(std::io::stderr);
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    match log.format {
        LogFormat::Pretty => {
            let builder = builder.with_ansi(is_terminal).with_target(false);
            let builder = builder.with_env_filter(filter).with_filter_reloading();
            let handle = builder.reload_handle();
            builder.init();
            keep(log, move |filter| handle.reload(filter).map_err(|_| LogError::NotStarted));
        }
        LogFormat::Json => {
            let builder = builder.json().flatten_event(true);
            let builder = builder.with_env_filter(filter).with_filter_reloading();
            let handle = builder.reload_handle();
            builder.init();
            keep(log, move |filter| handle.reload(filter).map_err(|_| LogError::NotStarted));
        }
    }
    Ok(())
}

fn keep(log: &Log, replace: impl Fn(EnvFilter) -> Result<(), LogError> + Send + Sync + 'static) {
    let filter = Filter { text: Mutex::new(log.filter.clone()), replace: Box::new(replace) };
    // A second log of one process would have been refused before.
    let _ = FILTER.set(filter);
}

/// The filter that is in force.
///
/// # Errors
/// When the log was not started here.
pub(crate) fn filter() -> Result<String, LogError> {
    let filter = FILTER.get().ok_or(LogError::NotStarted)?;
    Ok(filter.text.lock().unwrap_or_else(PoisonError::into_inner).clone())
}

/// Replaces the filter until the process ends.
///
/// # Errors
/// A filter that cannot be read; the old one stays.
pub(crate) fn set_filter(text: &str) -> Result<(), LogError> {
    let filter = FILTER.get().ok_or(LogError::NotStarted)?;
    let fresh = read(text)?;
    // Held over both, so that what is told is what is in force.
    let mut known = filter.text.lock().unwrap_or_else(PoisonError::into_inner);
    (filter.replace)(fresh)?;
    text.clone_into(&mut known);
    Ok(())
}

fn read(text: &str) -> Result<EnvFilter, LogError> {
    let filter = EnvFilter::try_new(text).map_err(|error| LogError::Filter(error.to_string()))?;
    Ok(filter.add_directive(ALWAYS_LOGGED.parse().expect("the directive is valid")))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_filter_is_read_and_nonsense_refused() {
        for good in ["info", "off", "warn,ringwire_node=debug"] {
            assert!(read(good).is_ok(), "{good}");
        }
        assert!(read("ringwire_node=loud").is_err());
    }
}
