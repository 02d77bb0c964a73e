//! The Ringwire server: a shell of actors, WebSocket and HTTP around the rules and the store.
//!
//! Nothing here decides what happens to an invitation; that is `ringwire_signaling`. This crate
//! reads requests, lets the rules step, has the store commit, and tells who is concerned.

pub mod admin;
pub mod auth;
mod authorization;
mod circuit;
pub mod cli;
pub mod config;
mod cursor;
mod descriptors;
mod error;
mod http;
mod ids;
mod invitation;
mod logging;
mod metrics;
mod outbound;
mod push;
mod rate;
mod readiness;
mod registry;
pub mod server;
mod service;
mod session;
mod shared;
mod sweeper;
mod tls;
mod webhook;
mod ws;
