//! What a server wrote to its standard error, line by line.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::SystemTime;

use serde_json::Value;
use tokio::sync::watch;

use crate::within;

/// Lines that a failing test shows.
const SHOWN: usize = 60;

/// One line.
#[derive(Clone, Debug)]
pub struct Line {
    /// When the test read it.
    pub at: SystemTime,
    /// As it was written.
    pub text: String,
    /// The line's fields, if it is a JSON object: `level`, `message` and those of the message.
    pub fields: Value,
}

impl Line {
    /// The message of a log line, or the whole text of any other.
    #[must_use]
    pub fn message(&self) -> &str {
        self.fields["message"].as_str().unwrap_or(&self.text)
    }

    fn is_complaint(&self) -> bool {
        self.fields["level"] == "ERROR" || self.text.contains("panicked at")
    }
}

/// The log of one process.
#[derive(Debug)]
pub struct Log {
    shared: Arc<Shared>,
    reader: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    lines: Mutex<Vec<Line>>,
    /// The count of lines, and whether there may be more.
    progress: watch::Sender<(usize, bool)>,
    forgiven: Mutex<Vec<String>>,
}

impl Log {
    /// Reads `output` to its end on a thread of its own, so that the writer never waits.
    #[must_use]
    pub fn of(output: impl Read + Send + 'static) -> Self {
        let shared = Arc::new(Shared {
            lines: Mutex::default(),
            progress: watch::Sender::new((0, true)),
            forgiven: Mutex::default(),
        });
        let reader = {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || shared.read(output))
        };
        Self { shared, reader: Some(reader) }
    }

    /// The first line for which `wanted` says yes; waits for it.
    ///
    /// # Errors
    /// None came before the end of the log.
    pub async fn find(&self, what: &str, wanted: impl Fn(&Line) -> bool) -> Result<Line, String> {
        let mut progress = self.shared.progress.subscribe();
        within(what, async {
            let mut seen = 0;
            loop {
                let (count, more) = *progress.borrow_and_update();
                if let Some(line) = self.shared.lines()[seen..count].iter().find(|line| wanted(line)) {
                    return Ok(line.clone());
                }
                seen = count;
                if !more {
                    return Err(format!("the log ended without {what}:\n{}", self.tail()));
                }
                progress.changed().await.map_err(|error| error.to_string())?;
            }
        })
        .await
    }

    /// The lines so far.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        self.shared.lines().clone()
    }

    /// Everything that was written, once the process has ended.
    #[must_use]
    pub fn text(&mut self) -> String {
        self.finish();
        joined(&self.shared.lines())
    }

    /// Expects errors whose line contains `text`.
    pub fn forgive(&self, text: &str) {
        self.shared.forgiven.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned());
    }

    /// Errors and panics that no test expected.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let forgiven = self.shared.forgiven.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = self.shared.lines();
        let complaints = lines.iter().filter(|line| line.is_complaint()).map(|line| line.text.clone());
        complaints.filter(|line| !forgiven.iter().any(|text| line.contains(text))).collect()
    }

    /// The last lines, for people.
    #[must_use]
    pub fn tail(&self) -> String {
        let lines = self.shared.lines();
        let from = lines.len().saturating_sub(SHOWN);
        joined(&lines[from..])
    }

    /// Waits for the end of the log: the process has ended.
    pub fn finish(&mut self) {
        if let Some(reader) = self.reader.take() {
            // The thread only reads; if it panicked, what it read is still there.
            let _ = reader.join();
        }
    }
}

fn joined(lines: &[Line]) -> String {
    lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
}

impl Shared {
    fn read(&self, output: impl Read) {
        for text in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let text = String::from_utf8_lossy(&text).into_owned();
            let fields = serde_json::from_str(&text).unwrap_or(Value::Null);
            self.lines().push(Line { at: SystemTime::now(), text, fields });
            self.progress.send_modify(|(count, _)| *count += 1);
        }
        self.progress.send_modify(|(_, more)| *more = false);
    }

    fn lines(&self) -> MutexGuard<'_, Vec<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
