//! What goes over the wire and into a store, seen from outside the crate.

#![allow(clippy::unwrap_used)]

mod bodies;
mod errors;
mod frames;
mod garbage;
mod generated;
mod golden;
mod requests;
mod round_trips;
mod samples;
#[cfg(feature = "openapi")]
mod schemas;
mod views;
