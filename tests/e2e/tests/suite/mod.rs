//! What users see, whatever serves them: run on one node and on a cluster.
//!
//! The test program says what a site is, in `crate::site`, and how much of some things it can do in the time that there
//! is, in `crate::RACES` and `crate::CROWD_ANSWERS_MS`.

mod admin;
mod admin_push;
mod answering;
mod authorization;
mod bad_input;
mod blocks;
mod cancelling;
mod devices;
mod events;
mod floods;
mod groups;
mod http;
mod journey;
mod limits;
mod listing;
mod policy;
mod pushes;
mod races;
mod receipts;
mod resuming;
mod rivals;
mod sessions;
mod signals;
mod timing;
