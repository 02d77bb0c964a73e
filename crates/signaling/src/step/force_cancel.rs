//! An administrator withdraws an invitation in the inviter's name.

use std::sync::Arc;

use super::cancel::{already_settled, withdraw};
use super::{Verdict, check};
use crate::command::By;
use crate::id::UserId;
use crate::invitation::Invitation;
use crate::refusal::Refusal;
use crate::time::UnixMillis;

pub(super) fn force_cancel(state: &Invitation, reason: &Arc<str>, now: UnixMillis) -> Result<Verdict, Refusal> {
    check::reason(Some(reason))?;
    let concerned: Vec<UserId> = state.pending().cloned().collect();
    if concerned.is_empty() {
        return Err(already_settled(state, None));
    }
    let by = By { user: state.terms.inviter.clone(), device: None };
    Ok(Verdict::Step(Box::new(withdraw(state, concerned, &by, &"".into(), Some(reason), now))))
}
