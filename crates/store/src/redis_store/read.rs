//! Reading invitations: some by id, what is due, what is active, conversations.

use std::collections::BTreeMap;

use ringwire_signaling::guard::Role;
use ringwire_signaling::{DeviceId, InvitationId, Operation, Partition, UnixMillis, UserId};
use ringwire_wire::record::decode_operation;

use super::commit::stored;
use super::fields::{id_bytes, member, read_active, read_member};
use super::link::Call;
use super::post::{Receipt, read_receipt};
use super::reply;
use super::resume::takes_part;
use super::state::State;
use super::traffic::Purpose;
use crate::bytes::Fields;
use crate::commit::Stored;
use crate::error::StoreError;
use crate::query::{Conversation, Detail, Due, HistoryPage, Message, MessageCursor, Page};

/// Partitions whose due lists one script looks through: a few tens of microseconds of the server.
const DUE_PARTITIONS: usize = 64;
/// How long past its time a due entry may be without a record behind it: whoever commits writes both.
const ORPHAN_AFTER_MS: u64 = 60_000;
/// Invitations that history reads at once.
const HISTORY_STRIDE: usize = 16;

/// Reads an invitation.
pub(super) async fn load(state: &State, id: InvitationId) -> Result<Option<Stored>, StoreError> {
    Ok(load_all(state, &[id]).await?.pop().flatten())
}

/// Reads invitations in the order of their ids.
pub(super) async fn load_all(state: &State, ids: &[InvitationId]) -> Result<Vec<Option<Stored>>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut pipeline = redis::pipe();
    for id in ids {
        pipeline.cmd("HMGET").arg(state.keys.invitation(*id)).arg("t").arg("r");
    }
    let found = state.link.ask_all(Purpose::Read, &pipeline).await?;
    let read = |value| {
        let mut parts = reply::Parts::of(value)?;
        match (reply::optional(parts.next())?, reply::optional(parts.next())?) {
            (Some(head), Some(body)) => stored(&head, &body).map(Some),
            _ => Ok(None),
        }
    };
    found.into_iter().map(read).collect()
}

/// What is known of an invitation.
struct Whole {
    stored: Stored,
    /// By version.
    operations: BTreeMap<u64, Operation>,
    ringing: Vec<(UserId, DeviceId)>,
    received: Vec<(UserId, DeviceId)>,
}

/// Reads invitations with all that is known of them.
async fn whole(state: &State, ids: &[InvitationId]) -> Result<Vec<Option<Whole>>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut pipeline = redis::pipe();
    for id in ids {
        pipeline.cmd("HGETALL").arg(state.keys.invitation(*id));
    }
    state
        .link
        .ask_all(Purpose::Read, &pipeline)
        .await?
        .into_iter()
        .map(|value| read_whole(reply::list(value)?))
        .collect()
}

fn read_whole(fields: Vec<Vec<u8>>) -> Result<Option<Whole>, StoreError> {
    let (mut head, mut body) = (None, None);
    let (mut operations, mut ringing, mut received) = (BTreeMap::new(), Vec::new(), Vec::new());
    let mut fields = fields.into_iter();
    while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
        match name.as_slice() {
            b"t" => head = Some(value),
            b"r" => body = Some(value),
            [b'v', ..] => {
                let operation = decode_operation(&value).map_err(|_| StoreError::Damaged("an operation".to_owned()))?;
                operations.insert(operation.version, operation);
            }
            name => match read_receipt(name, &value) {
                Some(Receipt::First(user, device)) => ringing.push((user, device)),
                Some(Receipt::Each(user, device)) => received.push((user, device)),
                None => {}
            },
        }
    }
    ringing.sort_unstable();
    received.sort_unstable();
    let (Some(head), Some(body)) = (head, body) else { return Ok(None) };
    Ok(Some(Whole { stored: stored(&head, &body)?, operations, ringing, received }))
}

/// Reads an invitation with its operations and receipts.
pub(super) async fn detail(state: &State, id: InvitationId) -> Result<Option<Detail>, StoreError> {
    let found = whole(state, &[id]).await?.pop().flatten();
    Ok(found.map(|Whole { stored, operations, ringing, received }| Detail {
        invitation: stored.invitation,
        operations: operations.into_values().collect(),
        ringing,
        received,
    }))
}

/// What is due, earliest first.
pub(super) async fn due(
    state: &State,
    partitions: &[Partition],
    until: UnixMillis,
    limit: usize,
) -> Result<Vec<Due>, StoreError> {
    let calls = partitions.chunks(DUE_PARTITIONS).map(|partitions| {
        let mut call = Call::new(Purpose::Sweep);
        for partition in partitions {
            call.key(&state.keys.due(*partition));
        }
        call.number(until);
        call.number(limit);
        async move { state.link.run(&state.scripts.due, &call).await }
    });
    let mut found = Vec::new();
    for rows in futures_util::future::try_join_all(calls).await? {
        let rows = reply::list(rows)?;
        for row in rows.chunks_exact(2) {
            found.push(read_due(&row[0], &row[1])?);
        }
    }
    found.sort_unstable();
    found.truncate(limit);
    drop_orphans(state, found).await
}

fn read_due(member: &[u8], score: &[u8]) -> Result<Due, StoreError> {
    let (invitation, kind) = read_member(member)?;
    Ok(Due { at: read_score(score)?, invitation, kind })
}

fn read_score(score: &[u8]) -> Result<UnixMillis, StoreError> {
    let at = std::str::from_utf8(score).ok().and_then(|score| score.parse().ok());
    at.map(UnixMillis).ok_or_else(|| StoreError::Damaged("a time in a list".to_owned()))
}

/// Entries outlive a record that expired unanswered, as with a deadline that nobody was there to fire.
async fn drop_orphans(state: &State, found: Vec<Due>) -> Result<Vec<Due>, StoreError> {
    let now = state.link.now();
    let (old, mut kept): (Vec<Due>, Vec<Due>) = found.into_iter().partition(|due| now.since(due.at) > ORPHAN_AFTER_MS);
    if old.is_empty() {
        return Ok(kept);
    }
    let mut pipeline = redis::pipe();
    for due in &old {
        pipeline.cmd("HEXISTS").arg(state.keys.invitation(due.invitation)).arg("t");
    }
    let mut removal = redis::pipe();
    let mut orphans = 0;
    for (due, exists) in old.into_iter().zip(state.link.ask_all(Purpose::Sweep, &pipeline).await?) {
        if reply::integer(&exists)? == 1 {
            kept.push(due);
            continue;
        }
        removal.cmd("ZREM").arg(state.keys.due(due.invitation.partition)).arg(member(due.invitation, &due.kind));
        orphans += 1;
    }
    if orphans > 0 {
        state.link.ask_all(Purpose::Sweep, &removal).await?;
    }
    kept.sort_unstable();
    Ok(kept)
}

/// Pages through the invitations in which a user takes part, by id.
pub(super) async fn active(
    state: &State,
    user: &UserId,
    after: Option<InvitationId>,
    limit: usize,
) -> Result<Page, StoreError> {
    let limit = limit.max(1);
    let mut command = redis::cmd("HMGET");
    command.arg(state.keys.user(user)).arg("a").arg("s");
    let mut lists = reply::Parts::of(state.link.ask(Purpose::Read, &command).await?)?;
    let now = state.link.now();
    let mut rows = Vec::new();
    for role in [Role::Invitee, Role::Inviter] {
        let list = read_active(&reply::optional(lists.next())?.unwrap_or_default())?;
        let list = list.into_iter().filter(|row| row.retained_until > now && after.is_none_or(|after| row.id > after));
        rows.extend(list.map(|row| (row.id, role)));
    }
    rows.sort_unstable();
    let mut page = Page::default();
    for stride in rows.chunks(limit + 1) {
        let ids: Vec<InvitationId> = stride.iter().map(|(id, _)| *id).collect();
        for (stored, (_, role)) in load_all(state, &ids).await?.into_iter().zip(stride) {
            let Some(stored) = stored.filter(|stored| takes_part(&stored.invitation, user, *role)) else { continue };
            if page.invitations.len() >= limit {
                page.next = page.invitations.last().map(|last| last.id);
                return Ok(page);
            }
            page.invitations.push(stored.invitation);
        }
    }
    Ok(page)
}

/// Pages through a conversation, newest invitation first, inside it newest operation first.
pub(super) async fn history(
    state: &State,
    conversation: &Conversation,
    before: Option<MessageCursor>,
    limit: usize,
) -> Result<HistoryPage, StoreError> {
    let key = state.keys.history(conversation);
    let mut reader = Reader { limit: limit.max(1), messages: Vec::new() };
    let mut more = false;
    if let Some(cursor) = before
        && let Some(found) = whole(state, &[cursor.invitation]).await?.pop().flatten()
    {
        more = reader.take(found, Some(cursor.version));
    }
    let mut skipped = 0;
    while !more {
        let mut command = redis::cmd("ZREVRANGEBYSCORE");
        let from = before.map_or_else(|| "+inf".to_owned(), |cursor| cursor.created_at.to_string());
        command.arg(&key).arg(from).arg("-inf").arg("WITHSCORES").arg("LIMIT").arg(skipped).arg(HISTORY_STRIDE);
        let rows = reply::list(state.link.ask(Purpose::Read, &command).await?)?;
        let rows: Vec<(UnixMillis, InvitationId)> =
            rows.chunks_exact(2).map(|row| read_row(&row[0], &row[1])).collect::<Result<_, StoreError>>()?;
        let is_last = rows.len() < HISTORY_STRIDE;
        skipped += rows.len();
        let older = |row: &(UnixMillis, _)| before.is_none_or(|cursor| *row < (cursor.created_at, cursor.invitation));
        let ids: Vec<InvitationId> = rows.into_iter().filter(older).map(|(_, id)| id).collect();
        let mut gone = Vec::new();
        for (id, found) in ids.iter().zip(whole(state, &ids).await?) {
            match found {
                Some(found) if !more => more = reader.take(found, None),
                Some(_) => {}
                None => gone.push(id_bytes(*id)),
            }
        }
        if !gone.is_empty() {
            // What has expired leaves the index with whoever meets it.
            let mut command = redis::cmd("ZREM");
            command.arg(&key);
            for id in &gone {
                command.arg(id);
            }
            state.link.ask(Purpose::Read, &command).await?;
            skipped -= gone.len();
        }
        if is_last {
            break;
        }
    }
    let next = if more { reader.messages.last().map(cursor) } else { None };
    Ok(HistoryPage { messages: reader.messages, next })
}

fn read_row(member: &[u8], score: &[u8]) -> Result<(UnixMillis, InvitationId), StoreError> {
    Ok((read_score(score)?, Fields::of(member, "an invitation of a conversation").invitation()?))
}

struct Reader {
    limit: usize,
    messages: Vec<Message>,
}

impl Reader {
    /// Appends an invitation's operations below a version, newest first. Whether there are more than
    /// fit.
    fn take(&mut self, found: Whole, below: Option<u64>) -> bool {
        let operations = found.operations.into_iter().rev();
        for (_, operation) in operations.filter(|(version, _)| below.is_none_or(|below| *version < below)) {
            if self.messages.len() == self.limit {
                return true;
            }
            self.messages.push(Message { invitation: found.stored.invitation.clone(), operation });
        }
        false
    }
}

fn cursor(message: &Message) -> MessageCursor {
    let created_at = message.invitation.terms.created_at;
    MessageCursor { created_at, invitation: message.invitation.id, version: message.operation.version }
}
