//! What the examples share: arguments, typed lines, and events in words.

pub(crate) mod args;
pub(crate) mod words;

use std::io::{BufRead, Write};
use std::time::Instant;

use tokio::sync::mpsc;

/// Prints lines with the time since the start.
pub(crate) struct Screen {
    started: Instant,
}

impl Screen {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now() }
    }

    /// Prints one line, at once even if the output is not a terminal.
    pub(crate) fn line(&self, text: impl AsRef<str>) {
        let mut out = std::io::stdout().lock();
        // Nobody reads any more: there is nobody to tell either.
        let _ = writeln!(out, "{:>8.2}s  {}", self.started.elapsed().as_secs_f64(), text.as_ref());
        let _ = out.flush();
    }
}

/// Lines that the user types; ends with the input.
pub(crate) fn typed_lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(16);
    // A thread, because a read of the terminal cannot be given up when the program is done.
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if sender.blocking_send(line.trim().to_owned()).is_err() {
                break;
            }
        }
    });
    receiver
}

/// The first word of a line, and the rest.
pub(crate) fn command(line: &str) -> (&str, &str) {
    line.split_once(' ').map_or((line, ""), |(word, rest)| (word, rest.trim()))
}
