//! The subscription link: a connection of its own, on which doorbells for this process arrive.
//!
//! It is built again when its stream ends, or when the probes that `pulse` sends do not come round.
//! Each doorbell is numbered, and each probe says how many were sent before it, so that a lost one is
//! noticed at the latest with the next probe.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt;
use redis::aio::{PubSub, PubSubSink};
use redis::{Msg, RedisError};

use super::envelope::{self, Content, Message};
use super::membership;
use super::state::State;

/// How long connecting and subscribing may take.
const SUBSCRIBE_TIMEOUT: Duration = Duration::from_secs(2);
/// The pause before the next attempt, at first and at most.
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LAST: Duration = Duration::from_secs(1);

/// Keeps the subscription until dropped.
pub(super) async fn keep(state: Arc<State>) {
    let mut pause = RETRY_FIRST;
    let mut is_first = true;
    loop {
        let mut wanted = state.membership.wanted.subscribe();
        let Ok(incarnation) = wanted.wait_for(|incarnation| *incarnation != 0).await.map(|found| *found) else {
            return;
        };
        match tokio::time::timeout(SUBSCRIBE_TIMEOUT, subscribe(&state, incarnation)).await {
            Ok(Ok(pubsub)) => {
                pause = RETRY_FIRST;
                if !std::mem::take(&mut is_first) {
                    tracing::info!("subscribed to doorbells again");
                    state.counters.subscription_rebuilds.fetch_add(1, Ordering::Relaxed);
                    state.interrupted();
                }
                let why = listen(&state, pubsub, incarnation).await;
                state.membership.subscribed.send_replace(None);
                tracing::warn!("the subscription to doorbells ended: {why}");
            }
            Ok(Err(error)) => tracing::debug!(%error, "could not subscribe to doorbells"),
            Err(_) => tracing::debug!("subscribing to doorbells took too long"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(RETRY_LAST);
    }
}

async fn subscribe(state: &State, incarnation: u64) -> Result<PubSub, RedisError> {
    let mut pubsub = state.client.get_async_pubsub().await?;
    pubsub.subscribe(state.channel(incarnation)).await?;
    Ok(pubsub)
}

/// Hears messages until the subscription is of no more use; says why.
async fn listen(state: &State, pubsub: PubSub, incarnation: u64) -> String {
    let mut wanted = state.membership.wanted.subscribe();
    let (mut sink, mut messages) = pubsub.split();
    let mut ears = Ears { incarnation, last: None };
    state.membership.listens_to(incarnation);
    loop {
        tokio::select! {
            message = messages.next() => match message {
                Some(message) => ears.hear(state, &message),
                None => return "the connection ended".to_owned(),
            },
            changed = wanted.changed() => {
                let incarnation = *wanted.borrow_and_update();
                if changed.is_err() || incarnation == 0 {
                    return "the store closed".to_owned();
                }
                let moved = tokio::time::timeout(SUBSCRIBE_TIMEOUT, ears.change(state, &mut sink, incarnation)).await;
                match moved {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => return error.to_string(),
                    Err(_) => return "subscribing took too long".to_owned(),
                }
            }
            () = state.membership.resubscribe.notified() => return "it stayed silent".to_owned(),
        }
    }
}

/// What was heard on one channel.
struct Ears {
    incarnation: u64,
    /// The number of the last doorbell, once one is known.
    last: Option<u64>,
}

impl Ears {
    /// Listens for another incarnation.
    async fn change(&mut self, state: &State, sink: &mut PubSubSink, incarnation: u64) -> Result<(), RedisError> {
        if incarnation == self.incarnation {
            return Ok(());
        }
        sink.subscribe(state.channel(incarnation)).await?;
        sink.unsubscribe(state.channel(self.incarnation)).await?;
        *self = Self { incarnation, last: None };
        state.membership.listens_to(incarnation);
        Ok(())
    }

    fn hear(&mut self, state: &State, message: &Msg) {
        if message.get_channel_name() != state.channel(self.incarnation) {
            return;
        }
        match envelope::read(message.get_payload_bytes()) {
            Ok(Message::Doorbell { number, content }) => {
                self.check(state, number.saturating_sub(1));
                self.last = Some(number);
                match content {
                    Content::Deliveries(deliveries) => state.bell.ring(deliveries),
                    Content::Users(users) => state.bell.missed(users),
                }
                state.membership.heard.store(number, Ordering::Relaxed);
            }
            Ok(Message::Probe { rung, number }) => {
                self.check(state, rung);
                self.last = Some(rung);
                state.membership.probe_seen.fetch_max(number, Ordering::Relaxed);
            }
            Ok(Message::Closed { user, connection, reason }) => state.bell.closed(&user, connection, reason),
            Ok(Message::Drain) => state.bell.drain(),
            Ok(Message::Unknown) => {}
            Err(error) => {
                tracing::warn!(%error, "unreadable message from another node");
                state.interrupted();
            }
        }
    }

    /// What was rung before this should have been heard: a channel keeps its order.
    fn check(&self, state: &State, before: u64) {
        if self.last.is_some_and(|last| last != before) {
            tracing::warn!(heard = self.last, rung = before, "doorbells were lost");
            state.counters.holes.fetch_add(1, Ordering::Relaxed);
            state.interrupted();
        }
    }
}

impl State {
    pub(super) fn channel(&self, incarnation: u64) -> String {
        format!("{}{}", self.keys.channel(), membership::name(incarnation))
    }
}
