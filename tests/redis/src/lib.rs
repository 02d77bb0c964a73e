//! A real Redis server of a test's own: started on a free port, killed, frozen and restarted at will.
//!
//! It speaks the protocol only as far as tests need to ask something in passing, and knows nothing of Ringwire.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a server that runs may take to answer a command.
const REPLY: Duration = Duration::from_secs(2);

/// Free ports that are tried: somebody else may take one before the server does.
const ATTEMPTS: usize = 10;

/// A running server. It and its directory go with this.
#[derive(Debug)]
pub struct Server {
    child: Option<Child>,
    port: u16,
    /// Of the listener with TLS, if there is one.
    tls_port: Option<u16>,
    directory: TempDir,
    options: Vec<String>,
}

impl Server {
    /// Starts a server that keeps nothing on disk: after a restart it is empty.
    ///
    /// # Panics
    /// When there is no `redis-server`, or it does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::with(&["--save", "", "--appendonly", "no"])
    }

    /// Starts a server that has everything on disk before it answers, and again after a restart.
    ///
    /// # Panics
    /// When there is no `redis-server`, or it does not start.
    #[must_use]
    pub fn durable() -> Self {
        Self::with(&["--save", "", "--appendonly", "yes", "--appendfsync", "always"])
    }

    /// Starts a server that also listens with TLS, and there only takes clients with a certificate. The files of
    /// `tls/` are for tests only and protect nothing.
    ///
    /// # Panics
    /// When there is no `redis-server`, or it does not start.
    #[must_use]
    pub fn with_tls() -> Self {
        let (port, ca) = (free_port(), tls_file("ca.pem"));
        let (certificate, key) = (tls_file("server.pem"), tls_file("server.key"));
        let mut server = Self::with(
            &[
                ["--save", ""],
                ["--tls-port", &port.to_string()],
                ["--tls-ca-cert-file", &ca.to_string_lossy()],
                ["--tls-cert-file", &certificate.to_string_lossy()],
                ["--tls-key-file", &key.to_string_lossy()],
            ]
            .concat(),
        );
        server.tls_port = Some(port);
        server
    }

    fn with(options: &[&str]) -> Self {
        let directory = TempDir::new().expect("a directory can be made");
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let mut server = Self { child: None, port: 0, tls_port: None, directory, options };
        for _ in 0..ATTEMPTS {
            server.port = free_port();
            if server.try_run() {
                return server;
            }
        }
        panic!("redis-server does not start");
    }

    /// Where it is, as a client is told.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Where it listens with TLS.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn tls_url(&self) -> String {
        format!("rediss://127.0.0.1:{}", self.tls_port.expect("the server has TLS"))
    }

    /// Starts the process again, on the same port and directory, after it was killed.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        assert!(self.try_run(), "redis-server does not start again");
    }

    fn try_run(&mut self) -> bool {
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--dir"])
            .arg(self.directory.path())
            .args(&self.options)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("these tests need redis-server 7.0 or newer");
        self.child = Some(child);
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if self.try_ask("PING").is_some_and(|reply| reply.starts_with("+PONG")) {
                return true;
            }
            if self.child.as_mut().is_some_and(|child| child.try_wait().is_ok_and(|status| status.is_some())) {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// Kills the process at once, also while it is frozen.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It fails when the process has ended, which is what is wanted.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops the process in its tracks, or lets it go on. Connections to it stay.
    ///
    /// # Panics
    /// When it does not run.
    pub fn freeze(&self, frozen: bool) {
        let signal = if frozen { Signal::STOP } else { Signal::CONT };
        let id = Pid::from_child(self.child.as_ref().expect("the server runs"));
        kill_process(id, signal).expect("an own process takes signals");
    }

    /// Asks the server something inline, on a connection of its own, and returns the reply as it came.
    ///
    /// # Panics
    /// When it does not answer.
    #[allow(clippy::must_use_candidate, reason = "some commands are only carried out")]
    pub fn ask(&self, command: &str) -> String {
        self.try_ask(command).expect("the server answers")
    }

    fn try_ask(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(REPLY)).ok()?;
        // QUIT ends the reply.
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).ok()?;
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).ok()?;
        Some(String::from_utf8_lossy(&reply).into_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A file with a certificate or a key of the tests: `ca.pem`, `server.pem`, `client.key` and the like.
#[must_use]
pub fn tls_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tls").join(name)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("a listener has an address").port()
}
