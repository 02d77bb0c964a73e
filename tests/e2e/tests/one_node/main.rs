//! One node on the embedded store: what users see, and what is promised when things go wrong.

#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing fails")]

mod answering;
mod bad_input;
mod cancelling;
mod files;
mod groups;
mod http;
mod limits;
mod listing;
mod operators;
mod policy;
mod receipts;
mod resuming;
mod sessions;
mod signals;
mod timing;
