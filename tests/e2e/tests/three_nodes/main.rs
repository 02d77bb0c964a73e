//! Three nodes on one Redis: the same as on one node, and what is promised when a part of the cluster fails.

#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing fails")]

mod chaos;
mod counted;
mod draining;
mod events;
mod frozen;
mod killed;
mod links;
mod pushes;
mod redis_away;
mod releases;
mod script;
#[path = "../suite/mod.rs"]
mod suite;

use ringwire_e2e::{Settings, Site};

/// Races of cancel and accept: fewer than on one node, because they take three processes and a Redis longer.
const RACES: usize = 2_000;

/// How long a hundred answers to one invitation may take, given through three nodes: one second is promised. A debug
/// build needs 1.4 s where a release needs 0.6 s, and more on a machine that others use too.
const CROWD_ANSWERS_MS: u128 = 1_000 * if cfg!(debug_assertions) { 5 } else { 1 };

async fn site(settings: Settings) -> Site {
    Site::three_nodes(settings).await
}
