//! Paging through conversations.

use std::ops::Bound;

use ringwire_signaling::{InvitationId, UnixMillis};

use super::fault::Fault;
use super::keys;
use super::read::{Reading, operation};
use super::tables::{self, rows_between};
use crate::query::{Conversation, HistoryPage, Message, MessageCursor};

impl Reading {
    /// Reads newest invitation first, inside it newest operation first, after the cursor.
    pub(super) fn history(
        &self,
        conversation: &Conversation,
        before: Option<MessageCursor>,
        limit: usize,
    ) -> Result<HistoryPage, Fault> {
        let limit = limit.max(1);
        let mut messages: Vec<Message> = Vec::new();
        let mut more = false;
        if let Some(cursor) = before {
            more = self.messages_of(cursor.invitation, Some(cursor.version), limit, &mut messages)?;
        }
        let prefix = keys::conversation(conversation);
        let end = match before {
            Some(cursor) => Bound::Excluded(keys::history(conversation, cursor.created_at, cursor.invitation)),
            None => keys::above(&prefix),
        };
        let table = self.table(tables::HISTORY)?;
        let rows = rows_between(&table, Bound::Included(&prefix), end.as_ref().map(Vec::as_slice))?;
        for row in rows.rev() {
            if more {
                break;
            }
            let id = keys::last_invitation(row?.0.value()).ok_or(Fault::Damaged("a row of history"))?;
            more = self.messages_of(id, None, limit, &mut messages)?;
        }
        let next = if more { messages.last().map(cursor) } else { None };
        Ok(HistoryPage { messages, next })
    }

    /// Appends an invitation's operations below a version, newest first, up to `limit` messages.
    /// Whether there are more.
    fn messages_of(
        &self,
        id: InvitationId,
        below: Option<u64>,
        limit: usize,
        messages: &mut Vec<Message>,
    ) -> Result<bool, Fault> {
        let Some(stored) = self.load(id)? else { return Ok(false) };
        let operations = self.table(tables::OPERATIONS)?;
        let start = keys::invitation(id);
        let end = match below {
            Some(version) => Bound::Excluded(keys::numbered(id, version).to_vec()),
            None => keys::above(&start),
        };
        let rows = rows_between(&operations, Bound::Included(&start), end.as_ref().map(Vec::as_slice))?;
        for row in rows.rev() {
            let operation = operation(row?.1.value())?;
            if messages.len() == limit {
                return Ok(true);
            }
            messages.push(Message { invitation: stored.invitation.clone(), operation });
        }
        Ok(false)
    }
}

fn cursor(message: &Message) -> MessageCursor {
    let created_at: UnixMillis = message.invitation.terms.created_at;
    MessageCursor { created_at, invitation: message.invitation.id, version: message.operation.version }
}
