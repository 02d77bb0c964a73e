//! What the commit script is given: users with the fields they are needed for, events, notices.

use std::sync::Arc;

use ringwire_signaling::{Event, GroupId, InvitationId, Notice, Origin, UserId};
use ringwire_wire::record::encode_event;

use super::fields::id_bytes;
use super::link::Call;
use super::presence::random;
use super::state::State;
use super::traffic::Purpose;
use crate::error::StoreError;

/// The fields of a user that the script can need, in its order.
pub(super) const INVITED: u8 = b'a';
pub(super) const SENT: u8 = b's';
pub(super) const MISSED: u8 = b'm';

/// A call of the commit script under construction.
pub(super) struct Draft<'a> {
    state: &'a State,
    pub(super) call: Call,
    /// Each with the fields beyond head and presence.
    users: Vec<(UserId, Vec<u8>)>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(state: &'a State, id: InvitationId, purpose: Purpose) -> Self {
        let mut call = Call::new(purpose);
        call.key(state.keys.invitation(id));
        call.key(state.keys.due(id.partition));
        call.key(state.keys.bells());
        call.argument(id_bytes(id));
        call.argument(state.keys.channel());
        Self { state, call, users: Vec::new() }
    }

    /// Says that a user is concerned, before [`Draft::users`].
    pub(super) fn concerns(&mut self, user: &UserId, field: Option<u8>) {
        let at = self.users.iter().position(|(known, _)| known == user).unwrap_or_else(|| {
            self.users.push((user.clone(), Vec::new()));
            self.users.len() - 1
        });
        let fields = &mut self.users[at].1;
        fields.extend(field.filter(|field| !fields.contains(field)));
    }

    /// The number of a user who is concerned.
    pub(super) fn user(&self, user: &UserId) -> usize {
        self.users.iter().position(|(known, _)| known == user).map_or(0, |at| at + 1)
    }

    /// Writes the users.
    pub(super) fn users(&mut self) -> Result<(), StoreError> {
        self.call.number(self.users.len());
        for (user, fields) in &self.users {
            self.call.key(self.state.keys.user(user));
            self.call.key(self.state.keys.inbox(user));
            self.call.argument(user.as_str());
            self.call.argument(random()?.to_le_bytes());
            self.call.owned([b"hp", fields.as_slice()].concat());
        }
        Ok(())
    }

    /// The number of a group's key.
    pub(super) fn group_key(&mut self, group: &GroupId) -> usize {
        self.call.key(self.state.keys.group(group))
    }

    pub(super) fn names(&self) -> Vec<UserId> {
        self.users.iter().map(|(user, _)| user.clone()).collect()
    }

    /// Writes the events, each once, who gets which, and who asked for it.
    pub(super) fn notices(&mut self, notices: &[Notice], origin: Option<Origin>) -> Result<(), StoreError> {
        let mut events: Vec<&Arc<Event>> = Vec::new();
        let mut placed = Vec::with_capacity(notices.len() * 8);
        for notice in notices {
            let known = events.iter().rposition(|event| Arc::ptr_eq(event, &notice.event));
            let event = known.unwrap_or_else(|| {
                events.push(&notice.event);
                events.len() - 1
            });
            let small = |number: usize| u16::try_from(number).unwrap_or(u16::MAX).to_le_bytes();
            placed.extend_from_slice(&small(self.user(&notice.to)));
            placed.extend_from_slice(&small(event + 1));
            placed.extend_from_slice(&random()?.to_le_bytes()[..4]);
        }
        self.call.number(events.len());
        for event in events {
            self.call.owned(encode_event(event));
        }
        self.call.owned(placed);
        let origin = origin
            .map(|Origin { incarnation, connection }| [incarnation.to_le_bytes(), connection.0.to_le_bytes()].concat());
        self.call.owned(origin.unwrap_or_default());
        Ok(())
    }

    /// Ends a draft that changes nothing but inboxes: no lists, no history, no broadcast.
    pub(super) fn no_more(&mut self) {
        self.call.number(0);
        self.call.number(0);
        self.call.argument("");
        self.call.argument("");
    }
}
