//! Places in listings as clients carry them. A forged one reads from another place, nothing else.

use ringwire_signaling::{InvitationId, Refusal, UnixMillis, UserId};
use ringwire_store::{LetterCursor, MessageCursor, PushId};

/// Reads the cursor of a list of invitations.
pub(crate) fn invitation(text: &str) -> Result<InvitationId, Refusal> {
    text.parse().map_err(|_| malformed())
}

/// Reads the cursor of a list of users.
pub(crate) fn user(text: &str) -> Result<UserId, Refusal> {
    UserId::parse(text).map_err(|_| malformed())
}

/// Reads the cursor of a history.
pub(crate) fn message(text: &str) -> Result<MessageCursor, Refusal> {
    let mut parts = text.split('.');
    let (Some(created_at), Some(invitation), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(malformed());
    };
    Ok(MessageCursor {
        created_at: UnixMillis(created_at.parse().map_err(|_| malformed())?),
        invitation: invitation.parse().map_err(|_| malformed())?,
        version: version.parse().map_err(|_| malformed())?,
    })
}

/// Writes the cursor of a history.
#[allow(clippy::needless_pass_by_value, reason = "used as a function value over owned cursors")]
pub(crate) fn write_message(cursor: MessageCursor) -> String {
    format!("{}.{}.{}", cursor.created_at, cursor.invitation, cursor.version)
}

/// Reads the cursor of the list of dead letters.
pub(crate) fn letter(text: &str) -> Result<LetterCursor, Refusal> {
    let (at, id) = text.split_once('.').ok_or_else(malformed)?;
    Ok(LetterCursor {
        at: UnixMillis(at.parse().map_err(|_| malformed())?),
        id: PushId::parse(id).ok_or_else(malformed)?,
    })
}

/// Writes the cursor of the list of dead letters.
#[allow(clippy::needless_pass_by_value, reason = "used as a function value over owned cursors")]
pub(crate) fn write_letter(cursor: LetterCursor) -> String {
    format!("{}.{}", cursor.at, cursor.id)
}

fn malformed() -> Refusal {
    Refusal::Invalid { field: "cursor", problem: "was not given by this server".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_garbage_is_refused() {
        let cursor = MessageCursor {
            created_at: UnixMillis(17),
            invitation: "0a-0000000000000000000000000000beef".parse().unwrap(),
            version: 3,
        };
        assert_eq!(message(&write_message(cursor)), Ok(cursor));
        for wrong in ["", "1.2", "x.0a-0000000000000000000000000000beef.3", "1.0a-0000000000000000000000000000beef.3.4"]
        {
            assert!(message(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_cursor_of_dead_letters_reads_back_and_garbage_is_refused() {
        for at in [0, 17, u64::MAX] {
            let cursor = LetterCursor { at: UnixMillis(at), id: PushId(0xbeef) };
            assert_eq!(letter(&write_letter(cursor)), Ok(cursor));
        }
        for wrong in ["", "17", "17.", "x.psh_0000000000000000000000000000beef", "17.psh_beef", "17.beef.3"] {
            assert!(letter(wrong).is_err(), "{wrong}");
        }
    }
}
