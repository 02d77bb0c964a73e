//! One node on the embedded store: what users see, and what is promised when things go wrong.

#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing fails")]

mod answering;
mod audit;
mod bad_input;
mod cancelling;
mod crash;
mod files;
mod full_disk;
mod groups;
mod hostile;
mod http;
mod journey;
mod limits;
mod listing;
mod operators;
mod policy;
mod races;
mod receipts;
mod resuming;
mod rivals;
mod sessions;
mod shutdown;
mod signals;
mod slow_reader;
mod timing;
