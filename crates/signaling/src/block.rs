//! Users whom a user blocks. What that does to an invite is policy: see [`crate::policy::Blocked`].

use crate::id::UserId;
use crate::refusal::Refusal;

/// Checks whom a user wants to block.
///
/// # Errors
/// `Invalid` names `user`: nobody blocks oneself.
pub fn check(user: &UserId, blocked: &UserId) -> Result<(), Refusal> {
    if user == blocked { Err(Refusal::invalid("user", "must be another user")) } else { Ok(()) }
}
