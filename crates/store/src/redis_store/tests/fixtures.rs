//! Stores to test.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringwire_signaling::inbox::Delivery;
use ringwire_signaling::session::CloseReason;
use ringwire_signaling::{ConnectionId, UserId};
use ringwire_test_redis::Server;

pub(super) use crate::conformance::driver::user;

use crate::clock::Clock;
use crate::conformance::fixture::{Control, Fixture, Recorder, Wait};
use crate::redis_store::traffic::Purpose;
use crate::redis_store::{RedisStore, Settings, membership, reply};
use crate::{Doorbell, Due};

/// Time of a store that nobody can move: passing is waiting.
struct Real(Arc<RedisStore>);

impl Control for Real {
    fn pass(&self, milliseconds: u64) -> Wait<'_, ()> {
        Box::pin(tokio::time::sleep(Duration::from_millis(milliseconds)))
    }

    fn leftovers(&self) -> Wait<'_, Vec<String>> {
        Box::pin(keys_without_expiry(&self.0))
    }

    fn quiet(&self) -> Wait<'_, ()> {
        Box::pin(quiet(&self.0))
    }
}

/// Waits until every doorbell that the server counted was heard.
pub(super) async fn quiet(store: &RedisStore) {
    let state = &store.state;
    let mut command = redis::cmd("HGET");
    command.arg(state.keys.bells()).arg(membership::name(state.membership.own()));
    let counted = reply::integer(&state.link.ask(Purpose::Read, &command).await.unwrap()).unwrap();
    let counted = u64::try_from(counted).unwrap();
    eventually("every doorbell is heard", || state.membership.heard.load(Ordering::Relaxed) >= counted).await;
}

/// Waits until something is so.
pub(super) async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(15), waiting).await.unwrap_or_else(|_| panic!("not so: {what}"));
}

/// Keys that stay until somebody removes them.
pub(super) async fn keys_without_expiry(store: &RedisStore) -> Vec<String> {
    let link = &store.state.link;
    let keys = reply::list(link.ask(Purpose::Read, redis::cmd("KEYS").arg("*")).await.unwrap()).unwrap();
    let mut found = Vec::new();
    for key in keys {
        let ttl = reply::integer(&link.ask(Purpose::Read, redis::cmd("PTTL").arg(&key)).await.unwrap()).unwrap();
        if ttl == -1 {
            found.push(String::from_utf8(key).unwrap());
        }
    }
    found.sort();
    found
}

/// Bytes of what the store says of a user's connections.
pub(super) async fn presence_bytes(store: &RedisStore, name: &str) -> usize {
    let mut command = redis::cmd("HGET");
    command.arg(store.state.keys.user(&user(name))).arg("p");
    reply::optional(store.state.link.ask(Purpose::Read, &command).await.unwrap())
        .unwrap()
        .map_or(0, |bytes| bytes.len())
}

/// A doorbell that also remembers what is not a ring.
#[derive(Default)]
struct Ears {
    rings: Arc<Recorder>,
    interruptions: AtomicU64,
    closed: Mutex<Vec<(String, u64, CloseReason)>>,
    drains: AtomicU64,
}

impl Doorbell for Ears {
    fn ring(&self, deliveries: Vec<Delivery>) {
        self.rings.ring(deliveries);
    }

    fn interrupted(&self) {
        self.interruptions.fetch_add(1, Ordering::Relaxed);
    }

    fn closed(&self, user: &UserId, connection: ConnectionId, reason: CloseReason) {
        self.closed.lock().unwrap().push((user.to_string(), connection.0, reason));
        self.rings.closed(user, connection, reason);
    }

    fn due(&self, due: Vec<Due>) {
        self.rings.due(due);
    }

    fn drain(&self) {
        self.drains.fetch_add(1, Ordering::Relaxed);
    }
}

/// One of several nodes on a server.
pub(super) struct Node {
    pub(super) store: Arc<RedisStore>,
    pub(super) fixture: Fixture,
    ears: Arc<Ears>,
}

impl Node {
    pub(super) fn on(server: &Server) -> Self {
        Self::at(&Settings::new(&server.url()))
    }

    pub(super) fn at(settings: &Settings) -> Self {
        let (clock, ears) = (Arc::new(Clock::real()), Arc::new(Ears::default()));
        let store = Arc::new(RedisStore::open(settings, Arc::clone(&clock), Arc::clone(&ears) as _).unwrap());
        let bell = Arc::clone(&ears.rings);
        let control = Box::new(Real(Arc::clone(&store)));
        let fixture = Fixture { store: Arc::clone(&store) as _, clock, bell, control, keep: Box::new(()) };
        Self { store, fixture, ears }
    }

    /// How many entries rang here for a user so far.
    pub(super) fn heard(&self, name: &str) -> usize {
        self.fixture.bell.rings().iter().flatten().filter(|delivery| delivery.user == user(name)).count()
    }

    /// How often it was told to stop.
    pub(super) fn drains(&self) -> u64 {
        self.ears.drains.load(Ordering::Relaxed)
    }

    pub(super) fn bell_interruptions(&self) -> u64 {
        self.ears.interruptions.load(Ordering::Relaxed)
    }

    pub(super) fn closed(&self) -> Vec<(String, u64, CloseReason)> {
        self.ears.closed.lock().unwrap().clone()
    }

    /// Ends without a word, as a killed process does.
    pub(super) fn die(self) {
        // Without the link its lease cannot be given back.
        self.store.state.link.set(None);
    }
}

/// A store on a new server.
pub(super) async fn fresh() -> Fixture {
    let server = Server::start();
    let node = Node::on(&server);
    std::future::ready(Fixture { keep: Box::new(server), ..node.fixture }).await
}
