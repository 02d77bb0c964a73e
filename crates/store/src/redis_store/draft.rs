//! What the scripts that append to inboxes are given: for each user a plan, and the events.

use std::sync::Arc;

use ringwire_signaling::{Event, InvitationId, Notice, Origin, UserId};
use ringwire_wire::record::encode_event;

use super::dice::random;
use super::fields::marked;
use super::link::Call;
use super::state::State;
use super::traffic::Purpose;
use crate::bytes::push_text;
use crate::error::StoreError;

/// A call of such a script under construction.
pub(super) struct Draft<'a> {
    state: &'a State,
    plans: Vec<Plan<'a>>,
    events: Vec<&'a Arc<Event>>,
}

/// What is written for one user.
struct Plan<'a> {
    user: &'a UserId,
    entries: usize,
    changes: usize,
    /// The number of an event and a check for each entry, and then what is packed of each change.
    packed: Vec<u8>,
}

/// What happens to a list of active invitations.
#[derive(Clone, Copy)]
pub(super) enum Change {
    Add,
    Remove,
    /// Removed without the user's answer.
    Miss,
}

/// A list of active invitations, as the scripts number what they read of a user.
#[derive(Clone, Copy)]
pub(super) enum List {
    Invited = 3,
    Sent = 4,
}

impl<'a> Draft<'a> {
    pub(super) fn new(state: &'a State) -> Self {
        Self { state, plans: Vec::new(), events: Vec::new() }
    }

    /// The number of a user, who is concerned from here on.
    pub(super) fn user(&mut self, user: &'a UserId) -> usize {
        let known = self.plans.iter().position(|plan| plan.user == user);
        known.map_or_else(
            || {
                self.plans.push(Plan { user, entries: 0, changes: 0, packed: Vec::new() });
                self.plans.len()
            },
            |at| at + 1,
        )
    }

    fn plan(&mut self, user: &'a UserId) -> &mut Plan<'a> {
        let number = self.user(user);
        &mut self.plans[number - 1]
    }

    /// Notes who gets which events. All of them before the first change.
    pub(super) fn notices(&mut self, notices: &'a [Notice]) -> Result<(), StoreError> {
        for notice in notices {
            let known = self.events.iter().rposition(|event| Arc::ptr_eq(event, &notice.event));
            let event = known.unwrap_or_else(|| {
                self.events.push(&notice.event);
                self.events.len() - 1
            });
            let check = random::<4>()?;
            let plan = self.plan(&notice.to);
            plan.entries += 1;
            plan.packed.extend_from_slice(&small(event + 1));
            plan.packed.extend_from_slice(&check);
        }
        Ok(())
    }

    /// Notes what happens to one of a user's lists.
    pub(super) fn change(&mut self, user: &'a UserId, change: Change, list: List, invitation: InvitationId) {
        let plan = self.plan(user);
        plan.changes += 1;
        plan.packed.push(match change {
            Change::Add => b'+',
            Change::Remove => b'-',
            Change::Miss => b'm',
        });
        plan.packed.push(list as u8);
        plan.packed.extend_from_slice(&marked(invitation));
    }

    pub(super) fn user_count(&self) -> usize {
        self.plans.len()
    }

    pub(super) fn event_count(&self) -> usize {
        self.events.len()
    }

    pub(super) fn names(&self) -> Vec<UserId> {
        self.plans.iter().map(|plan| plan.user.clone()).collect()
    }

    /// A call with the keys of the doorbell, the invitation and the users.
    pub(super) fn call(&self, id: InvitationId, purpose: Purpose) -> Call {
        let keys = &self.state.keys;
        let mut call = Call::new(purpose);
        call.key(&keys.bells());
        call.key(&keys.invitation(id));
        for plan in &self.plans {
            call.key(&keys.user(plan.user));
            call.key(&keys.inbox(plan.user));
        }
        call
    }

    /// Adds the plans and the events to a call.
    pub(super) fn finish(&self, call: &mut Call) -> Result<(), StoreError> {
        let mut packed = Vec::new();
        for plan in &self.plans {
            packed.clear();
            packed.extend_from_slice(&random::<8>()?);
            for count in [plan.entries, plan.changes] {
                packed.push(u8::try_from(count).expect("a step has a few events and changes for one user"));
            }
            packed.extend_from_slice(&plan.packed);
            push_text(&mut packed, plan.user.as_str());
            call.argument(&packed);
        }
        for event in &self.events {
            let body = encode_event(event);
            packed.clear();
            packed.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
            packed.extend_from_slice(&body);
            call.argument(&packed);
        }
        Ok(())
    }
}

/// A number that the limits keep far below its bound.
pub(super) fn small(number: usize) -> [u8; 2] {
    u16::try_from(number).unwrap_or(u16::MAX).to_le_bytes()
}

/// Who asked, behind its length, as doorbells carry it.
pub(super) fn origin_bytes(origin: Option<Origin>) -> Vec<u8> {
    origin.map_or_else(
        || vec![0],
        |Origin { incarnation, connection }| {
            let mut bytes = vec![16];
            bytes.extend_from_slice(&incarnation.to_le_bytes());
            bytes.extend_from_slice(&connection.0.to_le_bytes());
            bytes
        },
    )
}
