//! A device that lives: the Rust SDK, and a record of everything that it told its app.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ringwire_client::view::EventView;
use ringwire_client::{Client, DisconnectReason, Epoch, Event, Position, Reconnect};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::{Node, within};

/// A client and the record of its events.
pub struct Witness {
    /// Whose device it is.
    pub user: String,
    /// Its name.
    pub device: String,
    /// The SDK's handle, with which the user acts.
    pub client: Client,
    record: Arc<Record>,
    recorder: JoinHandle<()>,
}

/// One thing that an app was told.
#[derive(Clone, Debug)]
pub enum Told {
    /// It is connected; the missed events that follow reach up to this position.
    Connected {
        /// Whether events follow, rather than a snapshot.
        resumed: bool,
        /// Up to where.
        position: Position,
    },
    /// An event of the inbox.
    Event(Box<EventView<'static>>),
    /// The connection ended.
    Disconnected(DisconnectReason),
}

#[derive(Debug)]
struct Record {
    told: Mutex<Vec<Told>>,
    count: watch::Sender<usize>,
}

impl Witness {
    /// Connects a device that connects again within half a second whenever it has to.
    ///
    /// # Panics
    /// When the first attempt fails.
    pub async fn connect(node: &Node, user: &str, device: &str) -> Self {
        Self::connect_to(&node.url(), node, user, device).await
    }

    /// The same to another address, such as a [`Front`](crate::Front), with a token of `node`.
    ///
    /// # Panics
    /// When the first attempt fails.
    pub async fn connect_to(url: &str, node: &Node, user: &str, device: &str) -> Self {
        let reconnect = Reconnect {
            initial: Duration::from_millis(50),
            longest: Duration::from_millis(500),
            ..Reconnect::default()
        };
        let builder = Client::builder(url)
            .token(node.token(user, None).await)
            .device_id(device)
            .reconnect(reconnect)
            .request_timeout(crate::PATIENCE);
        let (client, mut events) = within("a client", builder.connect()).await.expect("the client connects");
        let record = Arc::new(Record { told: Mutex::default(), count: watch::Sender::new(0) });
        let recorder = {
            let record = Arc::clone(&record);
            tokio::spawn(async move {
                while let Some(event) = events.next().await {
                    record.take(event);
                }
            })
        };
        Self { user: user.to_owned(), device: device.to_owned(), client, record, recorder }
    }

    /// Everything it was told so far.
    #[must_use]
    pub fn told(&self) -> Vec<Told> {
        self.record.told().clone()
    }

    /// The events it was told so far.
    #[must_use]
    pub fn events(&self) -> Vec<EventView<'static>> {
        let told = self.record.told();
        let event = |told: &Told| match told {
            Told::Event(view) => Some(view.as_ref().clone()),
            Told::Connected { .. } | Told::Disconnected(_) => None,
        };
        told.iter().filter_map(event).collect()
    }

    /// The epoch of its inbox, if that never changed.
    ///
    /// # Panics
    /// When it did, or the device was never connected.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        let told = self.record.told();
        let mut epochs = told.iter().filter_map(|told| match told {
            Told::Connected { position, .. } => Some(position.epoch),
            Told::Event(_) | Told::Disconnected(_) => None,
        });
        let first = epochs.next().expect("it was connected");
        assert!(epochs.all(|epoch| epoch == first), "the inbox of {} was lost", self.user);
        first
    }

    /// Waits until it was told this, and returns it.
    pub async fn hears<T>(&self, what: &str, wanted: impl Fn(&Told) -> Option<T>) -> T {
        let mut count = self.record.count.subscribe();
        within(&format!("{} to hear {what}", self.user), async {
            loop {
                count.borrow_and_update();
                if let Some(found) = self.record.told().iter().find_map(&wanted) {
                    return found;
                }
                count.changed().await.expect("the record is kept");
            }
        })
        .await
    }

    /// Whether it resumed, for each time that it was connected.
    #[must_use]
    pub fn connections(&self) -> Vec<bool> {
        let resumed = |told: &Told| match told {
            Told::Connected { resumed, .. } => Some(*resumed),
            Told::Event(_) | Told::Disconnected(_) => None,
        };
        self.record.told().iter().filter_map(resumed).collect()
    }

    /// Waits until everything up to this offset reached the app.
    pub async fn is_at(&self, offset: u64) {
        self.hears("everything", |told| match told {
            Told::Event(view) => (view.offset >= offset).then_some(()),
            Told::Connected { .. } | Told::Disconnected(_) => None,
        })
        .await;
    }

    /// Waits for the next event of this name after those that were heard before.
    pub async fn hears_event(&self, name: &str) -> EventView<'static> {
        self.hears(name, |told| match told {
            Told::Event(view) if view.name == name => Some(view.as_ref().clone()),
            Told::Event(_) | Told::Connected { .. } | Told::Disconnected(_) => None,
        })
        .await
    }

    /// Ends the client; what it was told in all.
    pub async fn close(self) -> Vec<Told> {
        self.client.close().await;
        within("the last event", self.recorder).await.expect("the recorder only records");
        self.record.told().clone()
    }
}

impl Record {
    fn take(&self, event: Event) {
        let told = match event {
            Event::Connected { resumed, hello } => Told::Connected { resumed, position: hello.position() },
            Event::Disconnected { reason, .. } => Told::Disconnected(reason),
            other => match other.view() {
                Some(view) => Told::Event(Box::new(view.clone())),
                None => return,
            },
        };
        self.told().push(told);
        self.count.send_modify(|count| *count += 1);
    }

    fn told(&self) -> MutexGuard<'_, Vec<Told>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
