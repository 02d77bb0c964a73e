//! One run of the program: started, signalled, waited for.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};

use crate::{Log, Settings, until};

/// A running process and its log.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: Log,
}

/// How a process ended.
#[derive(Clone, Debug)]
pub struct Exit {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to its standard output.
    pub output: String,
    /// What it wrote to its standard error.
    pub log: String,
}

impl Exit {
    /// Runs a command of the program to its end. What it logged is for the test to judge.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn of(settings: &Settings, arguments: &[&str]) -> Self {
        let mut process = Process::start(settings.command(arguments));
        process.log.forgive("");
        let (code, _) = process.ended().await;
        let mut output = String::new();
        if let Some(mut pipe) = process.child.stdout.take() {
            pipe.read_to_string(&mut output).expect("its standard output is text");
        }
        Self { code, output, log: process.log.text() }
    }
}

impl Process {
    /// Starts `command`.
    ///
    /// # Panics
    /// When the operating system refuses.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        let log = Log::of(child.stderr.take().expect("its standard error is piped"));
        Self { child, log }
    }

    /// Its log so far.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Ends it at once, as `kill -9` does.
    pub fn kill(&mut self) {
        // It fails when the process has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.log.finish();
    }

    /// Asks it to end, as a supervisor does.
    ///
    /// # Panics
    /// When it has ended before.
    pub fn terminate(&self) {
        kill_process(self.id(), Signal::TERM).expect("the process takes signals");
    }

    /// Asks it to end, as somebody at its terminal does.
    ///
    /// # Panics
    /// When it has ended before.
    pub fn interrupt(&self) {
        kill_process(self.id(), Signal::INT).expect("the process takes signals");
    }

    /// Tells it that its terminal is gone, or its files have changed.
    ///
    /// # Panics
    /// When it has ended before.
    pub fn hang_up(&self) {
        kill_process(self.id(), Signal::HUP).expect("the process takes signals");
    }

    /// Stops it in its tracks, or lets it go on. Its connections stay.
    ///
    /// # Panics
    /// When it has ended before.
    pub fn freeze(&self, frozen: bool) {
        let signal = if frozen { Signal::STOP } else { Signal::CONT };
        kill_process(self.id(), signal).expect("the process takes signals");
    }

    /// Waits for its end; the exit code and how long that took.
    pub async fn ended(&mut self) -> (Option<i32>, Duration) {
        let started = Instant::now();
        let status =
            until("the end of the process", async || self.child.try_wait().expect("the process can be waited for"))
                .await;
        self.log.finish();
        (status.code(), started.elapsed())
    }

    /// Limits the size of the files that it writes: none is no limit. A full disk, for one process.
    ///
    /// # Panics
    /// When the operating system refuses.
    pub fn limit_files(&self, bytes: Option<u64>) {
        let unlimited = Rlimit { current: None, maximum: None };
        prlimit(Some(self.id()), Resource::Fsize, Rlimit { current: bytes, ..unlimited })
            .expect("the limit of an own process can be set");
    }

    /// Its resident memory in KiB.
    ///
    /// # Panics
    /// When the operating system does not say.
    #[must_use]
    pub fn resident_kib(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("the process runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a process has memory");
        line.trim().trim_end_matches(" kB").parse().expect("memory is a number")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        let complaints = self.log.complaints();
        if std::thread::panicking() {
            eprintln!("the log of the server ends with:\n{}", self.log.tail());
        } else {
            assert!(complaints.is_empty(), "the server complained:\n{}", complaints.join("\n"));
        }
    }
}
