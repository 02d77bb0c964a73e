//! A device as the protocol knows it: frames and nothing else.
//!
//! It acknowledges nothing and repeats nothing by itself, and reads only when the test waits for
//! something. So a test sees every frame, in order; see `ringwire_client` for a device that lives.

use std::collections::{BTreeMap, VecDeque};

use ringwire_client::raw::{Data, Raw, RawFrame};
use serde_json::{Value, json};

use crate::audit::tells_of;
use crate::tls::authority;
use crate::{PATIENCE, within};

/// Result of a request, or the error that the server told.
pub type Answer = Result<Value, Value>;

/// A connection of one device.
pub struct Device {
    socket: Raw,
    user: String,
    /// Which of the user's devices it is.
    name: String,
    /// Leaves out what it did itself.
    skips_own: bool,
    last_request: i64,
    answers: BTreeMap<i64, Answer>,
    /// Errors that name no request.
    protests: VecDeque<Value>,
    events: VecDeque<Value>,
    /// How the server closed.
    closed: Option<(u16, String)>,
    /// The last event's epoch and offset.
    position: (String, u64),
    /// The result of hello.
    pub hello: Value,
    /// The snapshot that followed it, if one did.
    pub snapshot: Value,
}

impl Device {
    /// Opens the WebSocket, with a token in its header if there is one, and says nothing.
    ///
    /// # Panics
    /// When the server does not take it.
    pub async fn open(url: &str, token: Option<&str>) -> Self {
        let connect = async {
            if url.starts_with("wss://") {
                return Raw::connect_trusting(&authority(), url, token).await;
            }
            Raw::connect(url, token).await
        };
        let socket = within("a connection", connect).await;
        Self {
            socket: socket.unwrap_or_else(|error| panic!("{url}: {error}")),
            user: String::new(),
            name: String::new(),
            skips_own: false,
            last_request: 0,
            answers: BTreeMap::new(),
            protests: VecDeque::new(),
            events: VecDeque::new(),
            closed: None,
            position: (String::new(), 0),
            hello: Value::Null,
            snapshot: Value::Null,
        }
    }

    /// Says hello as a device that knows nothing, and takes the snapshot.
    pub async fn greet(&mut self, token: &str, device: &str) {
        let hello = self.ok("hello", json!({ "token": token, "device_id": device })).await;
        assert_eq!(hello["resumed"], false);
        self.greeted(device, hello);
        self.snapshot = self.expect("session.snapshot").await;
        assert_eq!(self.snapshot["reset"], true);
        assert_eq!(self.snapshot["offset"], self.hello["offset"]);
    }

    /// Says hello as a device that was at `position`, an event, snapshot or hello that it had.
    pub async fn resume(&mut self, token: &str, device: &str, position: &Value) {
        let resume = json!({
            "epoch": position["epoch"], "offset": position["offset"], "check": position["check"],
        });
        let hello = self.ok("hello", json!({ "token": token, "device_id": device, "resume": resume })).await;
        self.greeted(device, hello);
    }

    fn greeted(&mut self, device: &str, hello: Value) {
        device.clone_into(&mut self.name);
        hello["user"].as_str().expect("hello names the user").clone_into(&mut self.user);
        self.hello = hello;
    }

    /// Whose device it is.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// From here on leaves out events of what it did itself. A node that looks for what it missed, because it was cut
    /// off, finds these too and cannot tell to whom it gave the result.
    pub fn may_hear_of_itself(&mut self) {
        self.skips_own = true;
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// What the server refused.
    pub async fn call(&mut self, method: &str, params: Value) -> Answer {
        let id = self.send(method, params).await;
        self.answer(id).await
    }

    /// Sends a request; none if the connection ends before the answer.
    pub async fn call_or_end(&mut self, method: &str, params: Value) -> Option<Answer> {
        self.last_request += 1;
        let id = self.last_request;
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        // If it cannot be sent, reading tells why.
        let _ = within("the socket to take a text", self.socket.send_json(&request)).await;
        self.answer_or_end(id).await
    }

    /// Waits for the answer to a request; none if the connection ends before it.
    pub async fn answer_or_end(&mut self, id: i64) -> Option<Answer> {
        loop {
            if let Some(answer) = self.answers.remove(&id) {
                return Some(answer);
            }
            if self.closed.is_some() {
                return None;
            }
            self.read_or_end("an answer or the end").await;
        }
    }

    /// Sends a request that succeeds.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn ok(&mut self, method: &str, params: Value) -> Value {
        self.call(method, params).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Sends a request that is refused with an error of this name, and returns the error's data.
    ///
    /// # Panics
    /// When it succeeds, or is refused otherwise.
    pub async fn refused(&mut self, method: &str, params: Value, name: &str) -> Value {
        match self.call(method, params).await {
            Ok(result) => panic!("{method} was not refused but answered with {result}"),
            Err(error) => {
                assert_eq!(error["data"]["name"], name, "{error}");
                assert!(error["code"].is_i64() && error["message"].is_string(), "{error}");
                error["data"].clone()
            }
        }
    }

    /// Sends a request without waiting.
    pub async fn send(&mut self, method: &str, params: Value) -> i64 {
        self.last_request += 1;
        let request = json!({ "jsonrpc": "2.0", "id": self.last_request, "method": method, "params": params });
        self.send_text(&request.to_string()).await;
        self.last_request
    }

    /// Acknowledges all events up to an offset.
    pub async fn ack(&mut self, offset: &Value) {
        let notification = json!({ "jsonrpc": "2.0", "method": "ack", "params": { "offset": offset } });
        self.send_text(&notification.to_string()).await;
    }

    /// Sends a text, whatever it is.
    ///
    /// # Panics
    /// When the connection has ended.
    pub async fn send_text(&mut self, text: &str) {
        let sent = within("the socket to take a text", self.socket.send_text(text)).await;
        sent.unwrap_or_else(|error| panic!("{} could not send: {error}", self.user));
    }

    /// Sends one frame that need not make sense. Fails silently, because the server may have closed.
    pub async fn send_fragment(&mut self, kind: Data, bytes: &[u8], is_final: bool) {
        let _ = within("the socket to take a frame", self.socket.send_fragment(kind, bytes, is_final)).await;
    }

    /// Waits for the answer to a request.
    ///
    /// # Errors
    /// What the server refused.
    ///
    /// # Panics
    /// When the connection ends instead.
    pub async fn answer(&mut self, id: i64) -> Answer {
        loop {
            if let Some(answer) = self.answers.remove(&id) {
                return answer;
            }
            self.read("an answer").await;
        }
    }

    /// Waits for an error that names no request.
    pub async fn protest(&mut self) -> Value {
        loop {
            if let Some(error) = self.protests.pop_front() {
                return error;
            }
            self.read("an error").await;
        }
    }

    /// Waits for the next event.
    pub async fn event(&mut self) -> Value {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            self.read("an event").await;
        }
    }

    /// Waits for the next event, which is of this type.
    ///
    /// # Panics
    /// When it is another.
    pub async fn expect(&mut self, kind: &str) -> Value {
        let event = self.event().await;
        assert_eq!(event["type"], kind, "{} got {event}", self.user);
        event
    }

    /// Waits for everything that it missed when it resumed after this offset: no offset is left out.
    ///
    /// # Panics
    /// When one is.
    pub async fn backlog(&mut self, after: u64) -> Vec<Value> {
        assert_eq!(self.hello["resumed"], true, "{} was not resumed: {}", self.user, self.hello);
        let end = self.hello["offset"].as_u64().expect("hello has an offset");
        let mut events = Vec::new();
        for offset in after + 1..=end {
            let event = self.event().await;
            assert_eq!((&event["offset"], &event["epoch"]), (&json!(offset), &self.hello["epoch"]), "{event}");
            events.push(event);
        }
        events
    }

    /// Waits until the server closes; the code and the reason.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Some(closed) = self.closed.take() {
                return closed;
            }
            self.read_or_end("the close").await;
        }
    }

    /// Ends the connection as an app does.
    pub async fn close(mut self) {
        // The server may have been faster.
        let _ = within("the socket to take the close", self.socket.close(1000)).await;
        self.closed().await;
    }

    /// Reads one frame; the connection must stand.
    async fn read(&mut self, what: &str) {
        self.read_or_end(what).await;
        assert!(self.closed.is_none(), "{} waited for {what} and was closed: {:?}", self.user, self.closed);
    }

    async fn read_or_end(&mut self, what: &str) {
        match self.socket.next_within(PATIENCE).await {
            RawFrame::Json(frame) => self.take(frame),
            RawFrame::Ping | RawFrame::Pong => {}
            RawFrame::Closed { code, reason } => self.closed = Some((code, reason)),
            RawFrame::Ended(problem) => self.closed = Some((1006, problem)),
            RawFrame::Silence => panic!("{} waited in vain for {what}", self.user),
            other @ (RawFrame::Text(_) | RawFrame::Binary(_)) => panic!("the server sent {other:?}"),
        }
    }

    /// Files one frame, and checks what holds for all of them.
    fn take(&mut self, mut frame: Value) {
        assert_eq!(frame["jsonrpc"], "2.0", "{frame}");
        if frame["method"] == "event" {
            let event = frame["params"].take();
            self.check_position(&event);
            if !(self.skips_own && tells_of(&self.user, &self.name, &event)) {
                self.events.push_back(event);
            }
        } else if let Some(id) = frame["id"].as_i64() {
            let answer = match frame.get("error") {
                Some(error) => Err(error.clone()),
                None => Ok(frame.get("result").expect("an answer has a result or an error").clone()),
            };
            assert!(self.answers.insert(id, answer).is_none(), "two answers: {frame}");
        } else {
            assert_eq!(frame["id"], Value::Null, "{frame}");
            self.protests.push_back(frame["error"].take());
        }
    }

    /// Offsets grow within an epoch.
    fn check_position(&mut self, event: &Value) {
        let (Some(epoch), Some(offset)) = (event["epoch"].as_str(), event["offset"].as_u64()) else {
            assert_eq!(event["type"], "session.closing", "{event}");
            return;
        };
        let starts = event["type"] == "session.snapshot";
        let grows = epoch == self.position.0 && offset > self.position.1;
        assert!(starts || self.position.0.is_empty() || grows, "{event} does not follow {:?}", self.position);
        self.position = (epoch.to_owned(), offset);
    }
}
