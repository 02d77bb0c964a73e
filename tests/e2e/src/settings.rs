//! How a node of a test is configured: by environment variables, as in production, and by a file for what fits in none.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::binary;

/// Settings of one node; those that are not named here keep their defaults.
#[derive(Clone, Debug)]
pub struct Settings {
    /// By key, such as `connection.heartbeat_s`.
    values: Vec<(String, String)>,
    file: Option<PathBuf>,
    survives_full_disk: bool,
    is_of_next_release: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}

impl Settings {
    /// Free ports, log lines that a program can read, and few threads.
    #[must_use]
    pub fn new() -> Self {
        Self { values: Vec::new(), file: None, survives_full_disk: false, is_of_next_release: false }
            .with("http.bind", "127.0.0.1:0")
            .with("admin.bind", "127.0.0.1:0")
            .with("http.workers", 2)
            // A device of a test answers a ping only when the test reads from it next.
            .with("connection.heartbeat_s", 3_600)
            .with("connection.pong_timeout_s", 3_600)
            // All tests of a node come from one address.
            .with("limits.handshakes_per_second_per_ip", 0)
            // The inviters of a test do in a second what people do in an hour.
            .with("limits.invites_per_second", 0)
            .with("limits.rings_per_minute", 0)
            .with("log.format", "json")
    }

    /// The same with this setting, such as `connection.heartbeat_s`.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Display) -> Self {
        self.values.retain(|(known, _)| known != key);
        self.values.push((key.to_owned(), value.to_string()));
        self
    }

    /// The same with a configuration file, which must stay for as long as the node runs.
    #[must_use]
    pub fn with_file(mut self, path: &Path) -> Self {
        self.file = Some(path.to_owned());
        self
    }

    /// Requests as fast as a test can make them.
    #[must_use]
    pub fn without_rate_limit(self) -> Self {
        self.with("connection.requests_per_second", 1_000_000).with("connection.request_burst", 1_000_000)
    }

    /// A write beyond the limit of the file size fails, instead of ending the process.
    #[must_use]
    pub fn surviving_full_disk(mut self) -> Self {
        self.survives_full_disk = true;
        self
    }

    /// Another program, whose nodes speak the next version to each other.
    #[must_use]
    pub fn of_next_release(mut self) -> Self {
        self.is_of_next_release = true;
        self
    }

    /// The value of a setting, if it differs from the default.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// A command line of the program under these settings and nothing else of this kind.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program();
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("RINGWIRE__") {
                command.env_remove(name);
            }
        }
        for (key, value) in &self.values {
            command.env(format!("RINGWIRE__{}", key.to_uppercase().replace('.', "__")), value);
        }
        if let Some(file) = &self.file {
            command.arg("--config").arg(file);
        }
        command.args(arguments);
        command
    }

    fn program(&self) -> Command {
        if self.is_of_next_release {
            return Command::new(binary::of_next_release());
        }
        if !self.survives_full_disk {
            return Command::new(binary::path());
        }
        // A signal that is ignored stays ignored in the program that replaces the shell.
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(binary::path());
        shell
    }

    /// The same on this data directory.
    #[must_use]
    pub fn on(self, directory: &Path) -> Self {
        self.with("store.path", directory.display())
    }
}
