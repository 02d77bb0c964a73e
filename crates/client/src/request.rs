//! Requests on their way: what was sent, what is to be sent again, and who waits for the answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use ringwire_wire::frame;
use ringwire_wire::rpc::Id;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use crate::error::ClientError;
use crate::reader::Reader;

/// Requests under way at once. While there are more, callers wait.
const UNDER_WAY: usize = 1024;
/// After how many requests those whose callers gave up are looked for.
const SWEEP_EVERY: i64 = 128;

/// What an answer does besides reaching its caller.
pub(crate) type Note<T> = Arc<dyn Fn(&T, &mut Reader) + Send + Sync>;

/// Where an answer goes.
pub(crate) trait Waiter: Send {
    /// Takes the answer.
    fn answer(self: Box<Self>, answer: Result<Box<RawValue>, ClientError>, reader: &mut Reader);
    /// Whether nobody waits any more.
    fn is_gone(&self) -> bool;
}

/// A caller of an operation with a typed result.
pub(crate) struct Caller<T> {
    pub(crate) sender: oneshot::Sender<Result<T, ClientError>>,
    pub(crate) note: Option<Note<T>>,
}

impl<T: DeserializeOwned + Send> Waiter for Caller<T> {
    fn answer(self: Box<Self>, answer: Result<Box<RawValue>, ClientError>, reader: &mut Reader) {
        let read = answer
            .and_then(|raw| serde_json::from_str::<T>(raw.get()).map_err(|error| ClientError::unreadable(&error)));
        // What the app did not get must not count as known to it.
        if self.sender.is_closed() {
            return;
        }
        if let (Ok(result), Some(note)) = (&read, self.note) {
            note(result, reader);
        }
        drop(self.sender.send(read));
    }

    fn is_gone(&self) -> bool {
        self.sender.is_closed()
    }
}

/// The SDK itself, which acts on the answer.
pub(crate) struct Internal(Act);

type Act = Box<dyn FnOnce(Result<Box<RawValue>, ClientError>, &mut Reader) + Send>;

impl Waiter for Internal {
    fn answer(self: Box<Self>, answer: Result<Box<RawValue>, ClientError>, reader: &mut Reader) {
        (self.0)(answer, reader);
    }

    fn is_gone(&self) -> bool {
        false
    }
}

impl Internal {
    pub(crate) fn new(act: impl FnOnce(Result<Box<RawValue>, ClientError>, &mut Reader) + Send + 'static) -> Self {
        Self(Box::new(act))
    }
}

/// One request.
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) params: Box<RawValue>,
    /// Repeating it is harmless, so it is sent again after a lost connection.
    pub(crate) repeatable: bool,
    pub(crate) waiter: Box<dyn Waiter>,
}

impl Request {
    pub(crate) fn new(
        method: &'static str,
        params: &impl Serialize,
        repeatable: bool,
        waiter: impl Waiter + 'static,
    ) -> Result<Self, ClientError> {
        let params =
            serde_json::value::to_raw_value(params).map_err(|error| ClientError::Invalid(error.to_string()))?;
        Ok(Self { method, params, repeatable, waiter: Box::new(waiter) })
    }
}

/// All requests that wait for an answer, oldest first.
#[derive(Default)]
pub(crate) struct Requests {
    waiting: BTreeMap<i64, Sent>,
    last_id: i64,
    /// Ids up to here were sent on the live connection.
    sent_through: i64,
}

struct Sent {
    request: Request,
    was_sent: bool,
}

impl Requests {
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.len() < UNDER_WAY
    }

    pub(crate) fn add(&mut self, request: Request) {
        self.last_id += 1;
        if self.last_id % SWEEP_EVERY == 0 {
            self.waiting.retain(|_, sent| !sent.request.waiter.is_gone());
        }
        self.waiting.insert(self.last_id, Sent { request, was_sent: false });
    }

    /// The frame of the next request that is to be sent on the live connection.
    pub(crate) fn next_frame(&mut self) -> Option<String> {
        loop {
            let (&id, sent) = self.waiting.range_mut(self.sent_through + 1..).next()?;
            self.sent_through = id;
            if sent.request.waiter.is_gone() {
                self.waiting.remove(&id);
                continue;
            }
            sent.was_sent = true;
            match frame::request(Some(&Id::Number(id)), sent.request.method, &sent.request.params) {
                Ok(text) => return Some(text),
                // Its parameters were written as JSON before, so this does not happen.
                Err(error) => tracing::error!(%error, "a request cannot be written"),
            }
        }
    }

    /// The server answered; false if nobody waits for it.
    pub(crate) fn answer(&mut self, id: &Id, answer: Result<Box<RawValue>, ClientError>, reader: &mut Reader) -> bool {
        let sent = match id {
            Id::Number(number) => self.waiting.remove(number),
            Id::Text(_) => None,
        };
        match sent {
            Some(sent) => {
                sent.request.waiter.answer(answer, reader);
                true
            }
            None => false,
        }
    }

    /// The connection was lost: what may be repeated will be, the rest fails.
    pub(crate) fn lost(&mut self, reader: &mut Reader) {
        self.sent_through = 0;
        let failed: Vec<i64> = self
            .waiting
            .iter()
            .filter(|(_, sent)| (sent.was_sent && !sent.request.repeatable) || sent.request.waiter.is_gone())
            .map(|(id, _)| *id)
            .collect();
        for id in failed {
            if let Some(sent) = self.waiting.remove(&id) {
                sent.request.waiter.answer(Err(ClientError::Disconnected), reader);
            }
        }
    }

    /// The client ended: everything fails.
    pub(crate) fn end(&mut self, error: &ClientError, reader: &mut Reader) {
        for (_, sent) in std::mem::take(&mut self.waiting) {
            sent.request.waiter.answer(Err(error.clone()), reader);
        }
    }
}
