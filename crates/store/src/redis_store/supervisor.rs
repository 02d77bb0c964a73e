//! Keeps the data link: builds it again whenever its connection is of no more use, for as long as it
//! takes. An address is resolved anew with every attempt.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use redis::aio::MultiplexedConnection;

use super::link::Connected;
use super::setup::{self, CONNECT_TIMEOUT, Refusal};
use super::state::State;

/// The pause before the next attempt, at first and at most.
const RETRY_FIRST: Duration = Duration::from_millis(20);
const RETRY_LAST: Duration = Duration::from_millis(500);
/// How long connecting and checking may take together: some round trips.
const SETUP_TIMEOUT: Duration = Duration::from_secs(3);

/// Connects once.
pub(super) async fn connect(state: &State) -> Result<MultiplexedConnection, Refusal> {
    let connecting = setup::connect(&state.client, &state.keys, &state.scripts);
    let limit = CONNECT_TIMEOUT + SETUP_TIMEOUT;
    match tokio::time::timeout(limit, connecting).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Refusal::Passing("connecting took too long".to_owned())),
    }
}

/// Keeps the link until dropped.
pub(super) async fn keep(state: Arc<State>, first: MultiplexedConnection) {
    let mut next = Some(first);
    loop {
        let connection = match next.take() {
            Some(connection) => connection,
            None => reconnect(&state).await,
        };
        let connected = Connected::new(connection);
        state.link.set(Some(connected.clone()));
        connected.broken().await;
        state.link.set(None);
        state.counters.link_rebuilds.fetch_add(1, Ordering::Relaxed);
        tracing::warn!("the connection to Redis is of no more use; it is built again");
    }
}

async fn reconnect(state: &State) -> MultiplexedConnection {
    let mut pause = RETRY_FIRST;
    loop {
        match connect(state).await {
            Ok(connection) => {
                tracing::info!("connected to Redis again");
                return connection;
            }
            Err(Refusal::Passing(reason)) => tracing::debug!(reason, "could not connect to Redis"),
            // Whoever exchanged the server has to exchange it again, or this program.
            Err(Refusal::Lasting(error)) => tracing::error!(%error, "Redis cannot be used as it is"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(RETRY_LAST);
    }
}
