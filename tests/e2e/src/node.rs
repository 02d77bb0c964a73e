//! One node with a data directory and ports of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Device, Exit, Http, Log, Process, Settings, within};

/// Tokens by user and role, so that each is made once.
pub(crate) type Tokens = Arc<Mutex<BTreeMap<String, String>>>;

/// A node; its process is killed and its log judged when this is dropped.
pub struct Node {
    settings: Settings,
    process: Process,
    ready_at: SystemTime,
    public: SocketAddr,
    admin: SocketAddr,
    tokens: Tokens,
    /// Removed after the process has ended, if it is the test's own.
    _directory: Option<TempDir>,
}

impl Node {
    /// Starts a node on a new data directory and waits until it is ready.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(settings: Settings) -> Self {
        let directory = tempfile::Builder::new().prefix("ringwire-e2e-").tempdir().expect("a directory can be made");
        let data = directory.path().join("data");
        Self { _directory: Some(directory), ..Self::start_on(settings.on(&data)).await }
    }

    /// Starts a node on the data directory that the settings name.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_on(settings: Settings) -> Self {
        let process = Process::start(settings.command(&["serve"]));
        let (public, admin, ready_at) = ready(process.log()).await.unwrap_or_else(|problem| panic!("{problem}"));
        // A restart listens where clients know the node.
        let settings = settings.with("http.bind", public).with("admin.bind", admin);
        Self { settings, process, ready_at, public, admin, tokens: Tokens::default(), _directory: None }
    }

    /// Starts a node with the defaults of the tests.
    pub async fn new() -> Self {
        Self::start(Settings::new()).await
    }

    /// Ends the process as a crash does.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Stops the process in its tracks, or lets it go on.
    pub fn freeze(&self, frozen: bool) {
        self.process.freeze(frozen);
    }

    /// Ends the process as a supervisor does, and waits for it: its exit code and how long it took.
    pub async fn terminate(&mut self) -> (Option<i32>, Duration) {
        self.process.terminate();
        self.process.ended().await
    }

    /// Starts the node again, on the same data and the same ports, after it ended.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn restart(&mut self) {
        self.process = Process::start(self.settings.command(&["serve"]));
        let (_, _, ready_at) = ready(self.process.log()).await.unwrap_or_else(|problem| panic!("{problem}"));
        self.ready_at = ready_at;
    }

    /// The process that runs now, or ran last.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Its log.
    #[must_use]
    pub fn log(&self) -> &Log {
        self.process.log()
    }

    /// When it said that it is ready, in Unix milliseconds as the server counts them.
    #[must_use]
    pub fn ready_at_ms(&self) -> u64 {
        let since = self.ready_at.duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// Its settings, with the ports that it got.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Its data directory.
    ///
    /// # Panics
    /// Never: every node of a test has one.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.settings.get("store.path").map(PathBuf::from).expect("the settings name the data directory")
    }

    /// Where the public listener is.
    #[must_use]
    pub fn public(&self) -> SocketAddr {
        self.public
    }

    /// Where the operators' listener is.
    #[must_use]
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// The URL of the WebSocket.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.has_tls("http") { "wss" } else { "ws" };
        format!("{scheme}://{}/v1/connect", self.public)
    }

    /// A token from `ringwire token` with these further arguments.
    ///
    /// # Panics
    /// When the command fails.
    pub async fn token_with(&self, user: &str, arguments: &[&str]) -> String {
        let exit = Exit::of(&self.settings, &[&["token", user], arguments].concat()).await;
        assert_eq!(exit.code, Some(0), "{}", exit.log);
        exit.output.trim().to_owned()
    }

    /// A token of a user, or of a server, for a day.
    pub async fn token(&self, user: &str, role: Option<&str>) -> String {
        let key = format!("{user} {}", role.unwrap_or_default());
        let known = self.known_tokens().get(&key).cloned();
        if let Some(token) = known {
            return token;
        }
        let arguments = role.map_or(Vec::new(), |role| vec!["--role", role]);
        let token = self.token_with(user, &arguments).await;
        self.known_tokens().insert(key, token.clone());
        token
    }

    pub(crate) fn tokens(&self) -> Tokens {
        Arc::clone(&self.tokens)
    }

    /// Takes part in what another node with the same key has.
    pub(crate) fn share_tokens(&mut self, tokens: &Tokens) {
        self.tokens = Arc::clone(tokens);
    }

    fn known_tokens(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.tokens.lock().expect("no test panics while it holds a token")
    }

    /// An HTTP client with a token of this user.
    pub async fn http(&self, user: &str) -> Http {
        self.client("http", self.public).with_token(&self.token(user, None).await)
    }

    /// An HTTP client with a server's token.
    pub async fn server(&self) -> Http {
        self.client("http", self.public).with_token(&self.token("backend", Some("server")).await)
    }

    /// A client of the operators' listener.
    #[must_use]
    pub fn operator(&self) -> Http {
        self.client("admin", self.admin)
    }

    fn client(&self, listener: &str, address: SocketAddr) -> Http {
        if self.has_tls(listener) { Http::secured(address) } else { Http::new(address) }
    }

    fn has_tls(&self, listener: &str) -> bool {
        self.settings.get(&format!("{listener}.cert_file")).is_some()
    }

    /// Connects a device that was not connected before.
    pub async fn connect(&self, user: &str, device: &str) -> Device {
        let token = self.token(user, None).await;
        let mut connected = Device::open(&self.url(), None).await;
        connected.greet(&token, device).await;
        connected
    }

    /// Creates a group.
    pub async fn group(&self, group: &str, members: &[&str]) {
        let reply = self.server().await.put(&format!("/v1/groups/{group}"), json!({ "members": members })).await;
        let _ = reply.expect(200);
    }

    /// Shows that nothing waits for these devices: what they get next is what is done only now.
    ///
    /// # Panics
    /// When something else comes.
    pub async fn nothing_for<const N: usize>(&self, mut devices: [&mut Device; N]) {
        let users: std::collections::BTreeSet<&str> = devices.iter().map(|device| device.user()).collect();
        let server = self.server().await;
        let invite = json!({ "as": "the test", "invitees": users, "timeout_s": 0, "data": "nothing else" });
        let invited = server.post("/v1/invitations", invite).await.expect(201);
        let path = format!("/v1/invitations/{}/cancel", invited["invitation_id"].as_str().unwrap_or_default());
        for device in &mut devices {
            assert_eq!(device.expect("invitation.received").await["data"], "nothing else");
        }
        let _ = server.post(&path, json!({ "as": "the test" })).await.expect(200);
        for device in &mut devices {
            device.expect("invitation.cancelled").await;
        }
    }

    /// The value of a metric, such as `ringwire_connections`.
    ///
    /// # Panics
    /// When there is none of this name.
    pub async fn metric(&self, name: &str) -> f64 {
        self.metric_if_any(name).await.unwrap_or_else(|| panic!("no metric {name}"))
    }

    /// The value of a metric that is not there before something was counted.
    pub async fn metric_if_any(&self, name: &str) -> Option<f64> {
        let text = self.operator().get("/metrics").await.text;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok())
    }

    /// Whether the node says that it takes traffic.
    pub async fn is_ready(&self) -> bool {
        within("readiness", self.operator().get("/readyz")).await.status == 200
    }

    /// The user's whole inbox, oldest first: what a device gets that resumes before its first event.
    pub async fn inbox(&self, user: &str, epoch: &str) -> Vec<Value> {
        let mut auditor = Device::open(&self.url(), None).await;
        let start = json!({ "epoch": epoch, "offset": 0, "check": "00000000" });
        auditor.resume(&self.token(user, None).await, "auditor", &start).await;
        assert_eq!(auditor.hello["resumed"], true, "the inbox of {user} was trimmed or lost");
        let events = auditor.backlog(0).await;
        auditor.close().await;
        events
    }

    /// The invitation as the server sees it, for this user.
    pub async fn invitation(&self, user: &str, id: &str) -> Value {
        let path = format!("/v1/invitations/{id}");
        self.http(user).await.get(&path).await.expect(200)
    }
}

/// Reads the addresses from the log.
async fn ready(log: &Log) -> Result<(SocketAddr, SocketAddr, SystemTime), String> {
    let ready = log.find("the node to be ready", |line| line.message().starts_with("ready at ws")).await?;
    let lines = log.lines();
    let admin = lines.iter().find_map(|line| line.fields["admin"].as_str()).ok_or("no address of operators")?;
    let url = ready.message().split_once("://").map_or("", |(_, url)| url);
    let public = url.split('/').next().unwrap_or_default();
    let parse = |text: &str| text.parse().map_err(|error| format!("{text}: {error}"));
    Ok((parse(public)?, parse(admin)?, ready.at))
}
