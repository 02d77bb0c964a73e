//! One node on the embedded store: what users see, and what is promised when things go wrong.

#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing fails")]

mod crash;
mod files;
mod full_disk;
mod hostile;
mod issuers;
mod operators;
mod push_crowd;
mod push_example;
mod shutdown;
mod slow_reader;
#[path = "../suite/mod.rs"]
mod suite;
mod tls;

use ringwire_e2e::{Settings, Site};

/// Races of cancel and accept.
const RACES: usize = 10_000;

/// How long a hundred answers to one invitation may take: each waits for the disk.
const CROWD_ANSWERS_MS: u128 = 10_000;

async fn site(settings: Settings) -> Site {
    Site::one_node(settings).await
}
