//! Sessions against a model of an inbox: what each connection is sent, and what the session asks for.

mod devices;
mod model;
mod order;
mod property;
mod receipts;
mod recovery;
mod simulation;
mod world;
