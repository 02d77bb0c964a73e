//! Closed sets of names. Their order is what is stored.

use ringwire_signaling::command;
use ringwire_signaling::invitation;
use ringwire_signaling::operation;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $original:path { $($word:ident),* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Serialize, Deserialize)]
            pub(super) enum $name { $($word),* }

            impl From<$original> for $name {
                fn from(original: $original) -> Self {
                    match original { $(<$original>::$word => Self::$word),* }
                }
            }

            impl From<$name> for $original {
                fn from(name: $name) -> Self {
                    match name { $($name::$word => Self::$word),* }
                }
            }
        )*
    };
}

words! {
    Audience = invitation::Audience { Members, Invitees }
    Outcome = invitation::Outcome { Accepted, Rejected, Cancelled, TimedOut }
    FailReason = invitation::FailReason { Offline, Blocked, RateLimited }
    PushWhen = command::PushWhen { NoReceipt, EachDevice, Always }
    Action = operation::Action { Invite, Accept, Reject, Cancel, Modify, Timeout }
}
