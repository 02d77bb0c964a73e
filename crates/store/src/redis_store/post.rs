//! Posts and relays: appending to inboxes beside an invitation's state.

use std::sync::Arc;

use ringwire_signaling::relay::batch;
use ringwire_signaling::{DeviceId, InvitationId, Notice, Once, UserId};
use ringwire_wire::record::decode_event;

use super::commit::heed_unheard;
use super::draft::{Draft, origin_bytes, small};
use super::fields::{id_bytes, member, read_users};
use super::link::Call;
use super::reply::{self, Parts};
use super::state::State;
use super::traffic::Purpose;
use crate::bytes::{Fields, push_text};
use crate::commit::{PostCommit, PostOutcome};
use crate::error::StoreError;
use crate::query::DueKind;

/// How often a relay that others overtake is tried again.
const ATTEMPTS: usize = 64;
/// Which field of an invitation notes what was posted.
const RING: char = 'R';
const DEVICE: char = 'T';
const SIGNAL: char = 'S';

/// Posts in one round trip, unless it was posted before.
pub(super) async fn post(state: &Arc<State>, post: PostCommit) -> Result<PostOutcome, StoreError> {
    let (name, device) = match &post.post.once {
        Some(Once::Ring { user, device }) => (format!("{RING}{user}"), device.as_str()),
        Some(Once::Device { user, device }) => (format!("{DEVICE}{user}\0{device}"), device.as_str()),
        Some(Once::Signal { user, request_id }) => (format!("{SIGNAL}{user}\0{request_id}"), ""),
        None => (String::new(), ""),
    };
    let mut note = post.retained_until.0.to_le_bytes().to_vec();
    push_text(&mut note, device);

    let mut draft = Draft::new(state);
    draft.notices(&post.post.notices)?;
    let mut call = draft.call(post.id, Purpose::Post);
    call.key(&state.keys.due(post.id.partition));
    let mut header = post.sent_at.0.to_le_bytes().to_vec();
    header.extend_from_slice(&small(draft.user_count()));
    call.argument(header);
    call.argument(origin_bytes(post.origin));
    call.argument(name);
    call.argument(note);
    call.argument(post.retained_until.to_string());
    let ended = post.post.ends_push.as_ref().map(|user| member(post.id, &DueKind::Push(user.clone())));
    call.argument(ended.unwrap_or_default());
    draft.finish(&mut call)?;
    let mut parts = state.link.run_timed(&state.scripts.post, &call).await?;
    match reply::bytes(parts.next())?.as_slice() {
        b"committed" => {
            heed_unheard(state, &draft, parts.next())?;
            Ok(PostOutcome::Posted)
        }
        b"repeat" => Ok(PostOutcome::Repeat),
        b"stale" => Ok(PostOutcome::Stale),
        _ => Err(reply::unexpected()),
    }
}

/// A receipt that was noted.
pub(super) enum Receipt {
    /// The first of a user's devices.
    First(UserId, DeviceId),
    /// One device, where each counts.
    Each(UserId, DeviceId),
}

/// The receipt in a field of an invitation; none if the field is something else.
pub(super) fn read_receipt(name: &[u8], note: &[u8]) -> Option<Receipt> {
    let mut fields = Fields::of(note, "a receipt");
    fields.number().ok()?;
    let device = fields.device().ok()?;
    let name = std::str::from_utf8(name).ok()?;
    if let Some(user) = name.strip_prefix(RING) {
        return Some(Receipt::First(UserId::parse(user).ok()?, device));
    }
    let (user, _) = name.strip_prefix(DEVICE)?.split_once('\0')?;
    Some(Receipt::Each(UserId::parse(user).ok()?, device))
}

/// Serves the next batch of an audience; whether there is more.
pub(super) async fn relay(state: &Arc<State>, id: InvitationId) -> Result<bool, StoreError> {
    for _ in 0..ATTEMPTS {
        let Some(waiting) = Waiting::read(state, id).await? else { return Ok(false) };
        if let Some(more) = serve(state, id, &waiting).await? {
            return Ok(more);
        }
    }
    Err(StoreError::Unavailable("others keep relaying the same".to_owned()))
}

/// The oldest entry of an outbox.
struct Waiting {
    place: Vec<u8>,
    first: u64,
    served: usize,
    last: u64,
    audience: Vec<UserId>,
    body: Vec<u8>,
    /// When the entry after it should be relayed by whoever finds it.
    next_relay: Option<u64>,
}

impl Waiting {
    async fn read(state: &State, id: InvitationId) -> Result<Option<Self>, StoreError> {
        let mut call = Call::new(Purpose::Relay);
        call.key(&state.keys.invitation(id));
        let mut parts = Parts::of(state.link.run(&state.scripts.outbox, &call).await?)?;
        let Some(place) = reply::optional(parts.next())? else { return Ok(None) };
        let mut fields = Fields::of(&place, "a place in an outbox");
        let (first, served, last) = (fields.number()?, fields.short()?, fields.number()?);
        let audience = read_users(&reply::optional(parts.next())?.unwrap_or_default())?;
        let entry = reply::bytes(parts.next())?;
        let mut entry = Fields::of(&entry, "an outbox entry");
        entry.time()?;
        let body = entry.rest().to_vec();
        let next = reply::optional(parts.next())?;
        let next_relay = next.map(|next| Fields::of(&next, "an outbox entry").number()).transpose()?;
        let served = usize::try_from(served).unwrap_or(usize::MAX);
        Ok(Some(Self { place, first, served, last, audience, body, next_relay }))
    }
}

/// Whether there is more; none if somebody else was faster.
async fn serve(state: &Arc<State>, id: InvitationId, waiting: &Waiting) -> Result<Option<bool>, StoreError> {
    let event = decode_event(&waiting.body).map_err(|_| StoreError::Damaged("an outbox entry".to_owned()))?;
    let event = Arc::new(event);
    let served = batch(waiting.audience.len(), waiting.served);
    let reached = served.end;
    let is_done = reached >= waiting.audience.len();
    let recipients = &waiting.audience[served];
    let notices: Vec<Notice> =
        recipients.iter().map(|user| Notice { to: user.clone(), event: Arc::clone(&event) }).collect();

    let mut draft = Draft::new(state);
    draft.notices(&notices)?;
    let mut call = draft.call(id, Purpose::Relay);
    call.key(&state.keys.due(id.partition));
    let (first, reached) = if is_done { (waiting.first + 1, 0) } else { (waiting.first, reached) };
    let mut place = first.to_le_bytes().to_vec();
    place.extend_from_slice(&u32::try_from(reached).unwrap_or(u32::MAX).to_le_bytes());
    place.extend_from_slice(&waiting.last.to_le_bytes());
    call.argument(small(draft.user_count()));
    call.argument(origin_bytes(None));
    call.argument(id_bytes(id));
    call.argument(&waiting.place);
    call.argument(place);
    call.argument(if is_done { format!("o{}", waiting.first) } else { String::new() });
    call.argument(waiting.next_relay.map(|at| at.to_string()).unwrap_or_default());
    draft.finish(&mut call)?;
    let mut parts = state.link.run_timed(&state.scripts.relay, &call).await?;
    match reply::bytes(parts.next())?.as_slice() {
        b"committed" => {
            heed_unheard(state, &draft, parts.next())?;
            Ok(Some(!is_done || waiting.next_relay.is_some()))
        }
        b"moved" => Ok(None),
        _ => Err(reply::unexpected()),
    }
}
