//! A hook: a real HTTP server that checks every signature, answers as it is told, and remembers what came.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use standardwebhooks::Webhook;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::{Settings, within};

/// What signs the messages of a test. The first is to be replaced by the second.
pub const SECRETS: [&str; 2] = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"];

/// Bytes of the largest message: the invitation's data, what push services want, tokens.
const MESSAGE: usize = 256 * 1024;

/// How a hook answers.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// With this status.
    Status(u16),
    /// With this status and this body.
    Body(u16, String),
    /// With a redirect to another URL.
    Redirect(String),
    /// With more than anybody wants to read.
    Huge,
    /// Not at all, until the other side gives up.
    Silence,
}

/// A message that came.
#[derive(Clone, Debug)]
pub struct Pushed {
    /// The `webhook-id`.
    pub id: String,
    /// The body.
    pub body: Value,
    /// When it came.
    pub at: Instant,
}

/// See the module. It stops to serve when this is dropped.
pub struct Hook {
    shared: Arc<Shared>,
    server: JoinHandle<()>,
    arrivals: mpsc::UnboundedReceiver<Pushed>,
    /// Where it is.
    pub url: String,
}

struct Shared {
    usual: Mutex<Behaviour>,
    /// The answers to the next messages.
    next: Mutex<VecDeque<Behaviour>>,
    arrived: mpsc::UnboundedSender<Pushed>,
}

impl Shared {
    fn next(&self) -> MutexGuard<'_, VecDeque<Behaviour>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn usual(&self) -> MutexGuard<'_, Behaviour> {
        self.usual.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hook {
    /// A hook that takes everything.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}/push", listener.local_addr().expect("it has an address"));
        let (arrived, arrivals) = mpsc::unbounded_channel();
        let usual = Mutex::new(Behaviour::Status(204));
        let shared = Arc::new(Shared { usual, next: Mutex::default(), arrived });
        let server = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Self { shared, server, arrivals, url }
    }

    /// Answers the next messages so, one after the other, and then as usual.
    pub fn then(&self, behaviours: impl IntoIterator<Item = Behaviour>) {
        self.shared.next().extend(behaviours);
    }

    /// Answers so from here on.
    pub fn always(&self, behaviour: Behaviour) {
        *self.shared.usual() = behaviour;
    }

    /// Waits for the next message.
    ///
    /// # Panics
    /// When none comes.
    pub async fn pushed(&mut self) -> Pushed {
        within("a push", self.arrivals.recv()).await.expect("the hook is there")
    }

    /// Waits for the next message, which is of this type and for this user.
    ///
    /// # Panics
    /// When it is another.
    pub async fn expect(&mut self, kind: &str, user: &str) -> Pushed {
        let pushed = self.pushed().await;
        let said = (pushed.body["type"].as_str(), pushed.body["data"]["user"].as_str());
        assert_eq!(said, (Some(kind), Some(user)), "{}", pushed.body);
        pushed
    }

    /// Settings of a node that asks this hook before it creates invitations.
    #[must_use]
    pub fn authorizes(&self, settings: Settings) -> Settings {
        settings
            .with("authorization.url", &self.url)
            .with("authorization.secrets", SECRETS.join(","))
            .with("outbound.allow_private", true)
    }

    /// What came and was not waited for.
    pub fn rest(&mut self) -> Vec<Pushed> {
        std::iter::from_fn(|| self.arrivals.try_recv().ok()).collect()
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The configuration of nodes that push; it must stay for as long as they run.
pub struct Targets {
    _directory: TempDir,
    file: PathBuf,
}

impl Targets {
    /// Targets of these names, URLs and platforms.
    ///
    /// # Panics
    /// When the file cannot be written.
    #[must_use]
    pub fn new(targets: &[(&str, &str, &[&str])]) -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let file = directory.path().join("ringwire.toml");
        let mut text = String::new();
        for (name, url, platforms) in targets {
            let place = format!("name = {name:?}\nurl = {url:?}\n");
            let rest = format!("secrets = {SECRETS:?}\nplatforms = {platforms:?}\n");
            text += &["[[push.targets]]\n", &place, &rest].concat();
        }
        std::fs::write(&file, text).expect("the directory is ours");
        Self { _directory: directory, file }
    }

    /// One more, for events.
    ///
    /// # Panics
    /// When the file cannot be written.
    #[must_use]
    pub fn with_events(self, name: &str, hook: &Hook) -> Self {
        let target = format!("[[events.targets]]\nname = {name:?}\nurl = {:?}\nsecrets = {SECRETS:?}\n", hook.url);
        let text = std::fs::read_to_string(&self.file).expect("the file is ours");
        std::fs::write(&self.file, text + &target).expect("the directory is ours");
        self
    }

    /// One target for everything.
    #[must_use]
    pub fn all_to(hook: &Hook) -> Self {
        Self::new(&[("hook", &hook.url, &[])])
    }

    /// Settings of a node that pushes to them.
    #[must_use]
    pub fn of(&self, settings: Settings) -> Settings {
        settings.with_file(&self.file).with("outbound.allow_private", true)
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let mut stream = stream;
            while take(&mut stream, &shared).await.is_some() {}
        });
    }
}

/// Takes one message; none when the connection has ended.
async fn take(stream: &mut TcpStream, shared: &Shared) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).expect("a head is text");
    assert!(head.starts_with("POST /push HTTP/1.1\r\n"), "{head}");
    let header = |wanted: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.to_owned());
        found.next().unwrap_or_else(|| panic!("no {wanted} in {head}"))
    };
    let length: usize = header("content-length").parse().expect("a length is a number");
    assert!(length <= MESSAGE, "a message of {length} bytes");
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    assert_eq!(header("content-type"), "application/json");

    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    let signatures = SECRETS.map(|secret| {
        let signer = Webhook::new(secret).expect("the secret is one");
        signer.sign(&id, timestamp.parse().expect("a time is a number"), &body).expect("the body is text")
    });
    assert_eq!(header("webhook-signature"), signatures.join(" "));
    let body = serde_json::from_slice(&body).expect("the body is JSON");
    let behaviour = shared.next().pop_front();
    let behaviour = behaviour.unwrap_or_else(|| shared.usual().clone());
    // The test may be over.
    let _ = shared.arrived.send(Pushed { id, body, at: Instant::now() });
    answer(stream, behaviour).await
}

async fn answer(stream: &mut TcpStream, behaviour: Behaviour) -> Option<()> {
    let text = match behaviour {
        Behaviour::Status(status) => format!("HTTP/1.1 {status} So\r\nContent-Length: 0\r\n\r\n"),
        Behaviour::Body(status, body) => {
            format!("HTTP/1.1 {status} So\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        }
        Behaviour::Redirect(url) => format!("HTTP/1.1 307 Elsewhere\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n"),
        Behaviour::Huge => {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n";
            stream.write_all(head.as_bytes()).await.ok()?;
            let block = vec![b'x'; 64 * 1024];
            loop {
                stream.write_all(&block).await.ok()?;
            }
        }
        Behaviour::Silence => {
            let _ = tokio::time::timeout(Duration::from_mins(1), stream.read_u8()).await;
            return None;
        }
    };
    stream.write_all(text.as_bytes()).await.ok()
}
