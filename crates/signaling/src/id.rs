//! Names of things: users, devices, groups, invitations, requests and connections.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::limits::{ID_BYTES, REQUEST_ID_CHARS};
use crate::partition::Partition;

/// Why a text is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdProblem {
    /// It has no characters.
    Empty,
    /// It is longer than its limit.
    TooLong,
    /// It contains a control character.
    ControlCharacter,
    /// It is not written as ids of this kind are.
    Malformed,
}

impl fmt::Display for IdProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "must not be empty",
            Self::TooLong => "is too long",
            Self::ControlCharacter => "must not contain control characters",
            Self::Malformed => "is malformed",
        })
    }
}

impl std::error::Error for IdProblem {}

fn checked(text: &str, too_long: bool) -> Result<Arc<str>, IdProblem> {
    if text.is_empty() {
        Err(IdProblem::Empty)
    } else if too_long {
        Err(IdProblem::TooLong)
    } else if text.chars().any(char::is_control) {
        Err(IdProblem::ControlCharacter)
    } else {
        Ok(text.into())
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, |$text:ident| $too_long:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes `text` as an id.
            ///
            /// # Errors
            /// When it is empty, over its limit, or has control characters.
            pub fn parse($text: &str) -> Result<Self, IdProblem> {
                checked($text, $too_long).map(Self)
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdProblem;
            fn from_str(text: &str) -> Result<Self, IdProblem> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, formatter)
            }
        }
    };
}

text_id!(
    /// An account: 1–128 bytes without control characters.
    UserId,
    |text| text.len() > ID_BYTES
);
text_id!(
    /// One installation of an app, chosen by the app: 1–128 bytes without control characters.
    DeviceId,
    |text| text.len() > ID_BYTES
);
text_id!(
    /// A group of users: 1–128 bytes without control characters.
    GroupId,
    |text| text.len() > ID_BYTES
);
text_id!(
    /// A client's name for one request, so that repeating it is harmless: 1–64 characters.
    RequestId,
    |text| text.chars().count() > REQUEST_ID_CHARS
);

impl UserId {
    /// Where this user's inbox lives.
    #[must_use]
    pub fn partition(&self) -> Partition {
        Partition::of(self.as_str())
    }
}

impl GroupId {
    /// Where this group's members live.
    #[must_use]
    pub fn partition(&self) -> Partition {
        Partition::of(self.as_str())
    }
}

/// Names one invitation, and the partition that holds it: the inviter's.
///
/// Written as two hexadecimal digits of the partition, a hyphen, and 32 of the 128 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvitationId {
    /// Where the invitation's record lives.
    pub partition: Partition,
    /// Random, or a hash of (inviter, request id) when the inviter gave a request id.
    pub bits: u128,
}

impl fmt::Display for InvitationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:02x}-{:032x}", self.partition.0, self.bits)
    }
}

impl fmt::Debug for InvitationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for InvitationId {
    type Err = IdProblem;

    fn from_str(text: &str) -> Result<Self, IdProblem> {
        let canonical = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
        let bytes = text.as_bytes();
        let well_formed = bytes.len() == 35
            && bytes.iter().enumerate().all(|(at, byte)| if at == 2 { *byte == b'-' } else { canonical(*byte) });
        if !well_formed {
            return Err(IdProblem::Malformed);
        }
        let partition = u8::from_str_radix(&text[..2], 16).map_err(|_| IdProblem::Malformed)?;
        let bits = u128::from_str_radix(&text[3..], 16).map_err(|_| IdProblem::Malformed)?;
        Ok(Self { partition: Partition(partition), bits })
    }
}

/// One live socket; unique within a node's incarnation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// The connection that asked for an operation, so that it gets the result and not the event as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The node process that holds the connection.
    pub incarnation: u64,
    /// The connection there.
    pub connection: ConnectionId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_a_length_and_no_control_characters() {
        assert_eq!(UserId::parse(""), Err(IdProblem::Empty));
        assert_eq!(UserId::parse(&"x".repeat(129)), Err(IdProblem::TooLong));
        assert_eq!(UserId::parse(&"é".repeat(65)), Err(IdProblem::TooLong));
        assert_eq!(UserId::parse("a\nb"), Err(IdProblem::ControlCharacter));
        assert!(UserId::parse(&"x".repeat(128)).is_ok());
        assert!(RequestId::parse(&"é".repeat(64)).is_ok());
        assert_eq!(RequestId::parse(&"e".repeat(65)), Err(IdProblem::TooLong));
    }

    #[test]
    fn an_invitation_id_reads_back_from_its_text_and_only_from_that() {
        let id = InvitationId { partition: Partition(0x0a), bits: 0xbeef };
        assert_eq!(id.to_string(), "0a-0000000000000000000000000000beef");
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in [
            "",
            "0a",
            "0A-0000000000000000000000000000BEEF",
            "0a-000000000000000000000000000+beef",
            "0a_0000000000000000000000000000beef",
            "é0-0000000000000000000000000000bee",
        ] {
            assert_eq!(wrong.parse::<InvitationId>(), Err(IdProblem::Malformed), "{wrong}");
        }
    }
}
