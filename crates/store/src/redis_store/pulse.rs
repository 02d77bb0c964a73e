//! The pulse of this node process: holds its lease, learns who else lives, probes the way from the
//! data link to the subscription, and registers connections again after a lease was lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use ringwire_signaling::session::CloseReason;

use super::link::Call;
use super::membership::{self, Local};
use super::presence;
use super::reply;
use super::state::State;
use super::traffic::Purpose;
use crate::error::StoreError;

/// Between two beats. A lease outlives several that fail.
const BEAT: Duration = Duration::from_secs(1);
/// How long a fresh incarnation waits for its channel.
const SUBSCRIBED: Duration = Duration::from_secs(3);
/// Beats between two looks for what dead processes left.
const TIDY_EVERY: u64 = 60;
/// Beats between two registrations of everything, which keep the keys of users alive whose
/// connections last for days without an event.
const REGISTER_EVERY: u64 = 6 * 60 * 60;
/// Registrations under way at once.
const REGISTERING: usize = 64;

/// Beats until dropped.
pub(super) async fn keep(state: Arc<State>) {
    let mut interval = tokio::time::interval(BEAT);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut pulse = Pulse { state, is_held: false, is_registered: true };
    for beat in 1_u64.. {
        interval.tick().await;
        if let Err(error) = pulse.beat(beat).await {
            tracing::debug!(%error, "a beat failed");
        }
    }
}

/// Gives the lease back, so that nobody waits for its end.
pub(super) async fn end(state: &State) {
    let own = state.membership.own();
    if own != 0 {
        // Without it the lease ends by itself.
        let _ = lease(state, "end", own, 0).await;
    }
}

struct Pulse {
    state: Arc<State>,
    is_held: bool,
    /// Everything that is held stands in the store under the current incarnation.
    is_registered: bool,
}

impl Pulse {
    async fn beat(&mut self, beat: u64) -> Result<(), StoreError> {
        let membership = &self.state.membership;
        if self.is_held {
            let what = if beat.is_multiple_of(TIDY_EVERY) { "tidy" } else { "renew" };
            self.is_held = self.renew(what, membership.own(), beat).await?;
        }
        if !self.is_held {
            self.begin(beat).await?;
        }
        if !self.is_registered || beat.is_multiple_of(REGISTER_EVERY) {
            self.is_registered = self.register_all().await;
        }
        for local in self.state.membership.take_untold() {
            if presence::detach(&self.state, &local).await.is_err() {
                self.state.membership.tell_later(local);
            }
        }
        Ok(())
    }

    /// Takes a fresh incarnation: listens for it first, then lives.
    async fn begin(&mut self, beat: u64) -> Result<(), StoreError> {
        let random = || StoreError::Unavailable("the system has no random numbers".to_owned());
        let fresh = getrandom::u64().map_err(|_| random())?.max(1);
        let membership = &self.state.membership;
        let before = membership.own();
        membership.wanted.send_replace(fresh);
        let mut subscribed = membership.subscribed.subscribe();
        let listening = subscribed.wait_for(|now| *now == Some(fresh));
        if tokio::time::timeout(SUBSCRIBED, listening).await.is_err() {
            return Err(StoreError::Unavailable("the channel could not be subscribed to".to_owned()));
        }
        self.is_held = self.renew("begin", fresh, beat).await?;
        membership.set_own(fresh);
        if before != 0 {
            tracing::warn!("the lease of this process had ended; it goes on under a fresh incarnation");
            self.state.counters.incarnations.fetch_add(1, Ordering::Relaxed);
            self.is_registered = self.register_all().await;
            // What was committed while nobody knew of this process rang for nobody here.
            self.state.interrupted();
        }
        Ok(())
    }

    /// Whether the lease is held.
    async fn renew(&self, what: &str, incarnation: u64, beat: u64) -> Result<bool, StoreError> {
        let membership = &self.state.membership;
        let Some((heard, live)) = lease(&self.state, what, incarnation, beat).await? else { return Ok(false) };
        membership.set_live(live);
        let sent = membership.probe_sent.swap(beat, Ordering::Relaxed);
        // The last one had a whole beat to come round.
        let is_silent = heard == 0 || sent > membership.probe_seen.load(Ordering::Relaxed);
        if is_silent && membership.subscribed.borrow().is_some() {
            membership.resubscribe.notify_one();
        }
        Ok(true)
    }

    /// Whether all could be registered.
    async fn register_all(&self) -> bool {
        let state = &self.state;
        let own = state.membership.own();
        let outcomes = stream::iter(state.membership.held())
            .map(|local| register(state, local, own))
            .buffer_unordered(REGISTERING);
        outcomes.all(std::future::ready).await
    }
}

async fn register(state: &State, local: Local, incarnation: u64) -> bool {
    if !state.membership.holds(&local) {
        return true;
    }
    match presence::register(state, &local, incarnation).await {
        Ok(true) => {
            // It ended meanwhile, and its end may have come to the store first.
            if !state.membership.holds(&local) {
                state.membership.tell_later(local);
            }
            true
        }
        Ok(false) => {
            let (user, _, connection) = &local;
            state.membership.release(&local);
            state.bell.closed(user, *connection, CloseReason::Replaced);
            true
        }
        Err(_) => false,
    }
}

/// How many heard the probe, and who lives; none if the lease is not held.
async fn lease(
    state: &State,
    what: &str,
    incarnation: u64,
    beat: u64,
) -> Result<Option<(i64, BTreeSet<u64>)>, StoreError> {
    let mut call = Call::new(Purpose::Pulse);
    call.key(&state.keys.nodes());
    call.key(&state.keys.bells());
    call.key(&state.keys.descriptions());
    call.argument(what);
    call.argument(membership::name(incarnation));
    call.argument(state.keys.channel());
    call.number(beat);
    call.argument(state.membership.description());
    let mut parts = state.link.run_timed(&state.scripts.lease, &call).await?;
    if what == "end" || reply::integer(&parts.next())? == 0 {
        return Ok(None);
    }
    let heard = reply::integer(&parts.next())?;
    let live = reply::list(parts.next())?;
    let live = live.iter().filter_map(|name| membership::parse(std::str::from_utf8(name).ok()?)).collect();
    Ok(Some((heard, live)))
}

/// What the living say of themselves.
pub(super) async fn descriptions(state: &State) -> Result<BTreeMap<u64, String>, StoreError> {
    let mut command = redis::cmd("HGETALL");
    command.arg(state.keys.descriptions());
    let said = reply::list(state.link.ask(Purpose::Read, &command).await?)?;
    let own = state.membership.own();
    let live = state.membership.live();
    let read = |pair: &[Vec<u8>]| {
        let incarnation = membership::parse(std::str::from_utf8(&pair[0]).ok()?)?;
        // Those of the dead stay until somebody tidies up.
        let lives = incarnation == own || live.contains(&incarnation);
        lives.then(|| String::from_utf8(pair[1].clone()).ok()).flatten().map(|text| (incarnation, text))
    };
    Ok(said.chunks_exact(2).filter_map(read).collect())
}
