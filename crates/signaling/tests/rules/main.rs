//! The rules of invitations, operation by operation.

mod answer;
mod blocked;
mod busy;
mod cancel;
mod events;
mod force_cancel;
mod glare;
mod group;
mod invite;
mod limits;
mod modify;
mod properties;
mod pushes;
mod receipt;
mod repeats;
mod ring_again;
mod said_again;
mod script;
mod signal;
mod timeout;
