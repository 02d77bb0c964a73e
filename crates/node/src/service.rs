//! What a user can ask of a node, whichever protocol carries it.

mod blocks;
mod devices;

use std::sync::Arc;

use ringwire_signaling::{
    By, Command, GroupId, InvitationId, Invite, Origin, Refusal, Reply, Signal, UserId, limits, step,
};
use ringwire_store::{Conversation, Detail};
use ringwire_wire::params::{self, HistoryParams, ListActiveParams};
use ringwire_wire::view::{
    AuthorizationMessage, GroupView, HistoryMessage, HistoryPage, InvitationPage, InvitationView, Ringing,
};

use crate::error::OperationError;
use crate::invitation::{Act, Create, Tell};
use crate::metrics::Limit;
use crate::registry::Invitations;
use crate::shared::Shared;
use crate::{cursor, ids, webhook};

type Outcome<T> = Result<T, OperationError>;

/// The node, as its users see it.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) shared: Arc<Shared>,
}

impl Service {
    /// Creates an invitation.
    pub(crate) async fn invite(&self, command: Invite, origin: Option<Origin>) -> Outcome<Reply> {
        let id = ids::invitation_id(&command);
        self.admit(&command, id).await?;
        self.authorize(&command, id).await?;
        Invitations::ask(&self.shared, id, || Create { command: command.clone(), origin }).await?
    }

    /// Counts an invite against its user's rate.
    async fn admit(&self, command: &Invite, id: InvitationId) -> Outcome<()> {
        let Err(retry_after_ms) = self.shared.invites.take(command.by.user.clone()) else { return Ok(()) };
        // Whoever repeats an invite gets the first answer again: a refusal would say that nobody is rung.
        if self.is_repeat(command, id).await? {
            return Ok(());
        }
        self.shared.metrics.limited(Limit::Invites);
        Err(Refusal::RateLimited { retry_after_ms }.into())
    }

    /// Asks the operator's hook, if there is one, whether the invitation may be created.
    async fn authorize(&self, command: &Invite, id: InvitationId) -> Outcome<()> {
        let Some(authorization) = &self.shared.authorization else { return Ok(()) };
        let invitees = step::invitees(command)?;
        if self.is_repeat(command, id).await? {
            return Ok(());
        }
        let asked_at = webhook::timestamp(self.shared.clock.now());
        let message = AuthorizationMessage::of(id, command, invitees, asked_at);
        let outcome = authorization.ask(&self.shared, &message).await;
        // Meanwhile the same request may have been allowed on another connection: then it has an answer already.
        if outcome.is_err() && self.is_repeat(command, id).await? {
            return Ok(());
        }
        outcome
    }

    /// Whether the invite repeats one that was committed.
    async fn is_repeat(&self, command: &Invite, id: InvitationId) -> Outcome<bool> {
        Ok(command.request_id.is_some() && self.shared.ask(self.shared.store.load(id)).await?.is_some())
    }

    /// Changes an invitation.
    pub(crate) async fn act(&self, id: InvitationId, command: Command, origin: Option<Origin>) -> Outcome<Reply> {
        Invitations::ask(&self.shared, id, || Act { command: command.clone(), origin }).await?
    }

    /// Sends data to other participants.
    pub(crate) async fn signal(&self, id: InvitationId, command: Signal, origin: Option<Origin>) -> Outcome<Reply> {
        Invitations::ask(&self.shared, id, || Tell { command: command.clone(), origin }).await?
    }

    /// Reads an invitation for a participant or a member of its group.
    pub(crate) async fn get(&self, user: &UserId, id: InvitationId) -> Outcome<InvitationView> {
        let detail = self.detail(id).await?.ok_or(Refusal::NotFound)?;
        let invitation = &detail.invitation;
        if invitation.is_hidden_from(user) {
            return Err(Refusal::NotFound.into());
        }
        if !invitation.is_participant(user) {
            let group = invitation.terms.group.as_ref().ok_or(Refusal::NotFound)?;
            let members = self.ask_members(group).await?.unwrap_or_default();
            if !members.contains(user) {
                return Err(Refusal::NotFound.into());
            }
        }
        Ok(self.view(&detail))
    }

    /// Reads an invitation with everything that is known of it.
    pub(crate) async fn detail(&self, id: InvitationId) -> Outcome<Option<Detail>> {
        self.shared.ask(self.shared.store.detail(id)).await
    }

    /// The view of an invitation now.
    pub(crate) fn view(&self, detail: &Detail) -> InvitationView {
        let ringing: Vec<Ringing> = detail
            .ringing
            .iter()
            .map(|(user, device)| Ringing { user: user.clone(), device: device.clone() })
            .collect();
        InvitationView::of(&detail.invitation, &detail.operations, &ringing, self.shared.clock.now())
    }

    /// Lists the user's active invitations.
    pub(crate) async fn active(&self, user: UserId, params: &ListActiveParams) -> Outcome<InvitationPage> {
        let after = params.cursor.as_deref().map(cursor::invitation).transpose()?;
        let page = self.shared.ask(self.shared.store.active(user, after, params.limit)).await?;
        let now = self.shared.clock.now();
        Ok(InvitationPage {
            invitations: page
                .invitations
                .iter()
                .map(|invitation| InvitationView::of(invitation, &[], &[], now))
                .collect(),
            cursor: page.next.map(|id| id.to_string()),
        })
    }

    /// Lists a conversation's messages.
    pub(crate) async fn history(&self, user: UserId, params: &HistoryParams) -> Outcome<HistoryPage> {
        let before = params.cursor.as_deref().map(cursor::message).transpose()?;
        let conversation = match params.conversation() {
            Some(params::Conversation::Peer(peer)) => Conversation::Pair(user.clone(), peer),
            Some(params::Conversation::Group(group)) => {
                let members = self.ask_members(&group).await?.ok_or(Refusal::GroupNotFound)?;
                if !members.contains(&user) {
                    return Err(Refusal::NotGroupMember { users: vec![user.clone()] }.into());
                }
                Conversation::Group(group)
            }
            // Reading the parameters has checked it; without a conversation there are no messages.
            None => return Ok(HistoryPage::default()),
        };
        let page = self.shared.ask(self.shared.store.history(conversation, before, params.limit)).await?;
        Ok(HistoryPage {
            messages: page
                .messages
                .iter()
                .filter(|message| !message.invitation.is_hidden_from(&user))
                .map(|message| HistoryMessage::of(&message.invitation, &message.operation))
                .collect(),
            cursor: page.next.map(cursor::write_message),
        })
    }

    async fn ask_members(&self, group: &GroupId) -> Outcome<Option<Vec<UserId>>> {
        self.shared.ask(self.shared.store.members(group.clone())).await
    }

    /// Reads a group.
    pub(crate) async fn group(&self, group: GroupId) -> Outcome<GroupView> {
        let members = self.ask_members(&group).await?.ok_or(Refusal::GroupNotFound)?;
        Ok(GroupView { group_id: group, members })
    }

    /// Creates a group or replaces its members.
    pub(crate) async fn put_group(&self, group: GroupId, members: Vec<UserId>) -> Outcome<GroupView> {
        let members = members.into_iter().collect();
        self.shared.ask(self.shared.store.put_group(group.clone(), members)).await?;
        self.group(group).await
    }

    /// Deletes a group.
    pub(crate) async fn delete_group(&self, group: GroupId) -> Outcome<()> {
        let existed = self.shared.ask(self.shared.store.delete_group(group)).await?;
        if existed { Ok(()) } else { Err(Refusal::GroupNotFound.into()) }
    }

    /// Adds a member to a group.
    pub(crate) async fn add_member(&self, group: GroupId, user: UserId) -> Outcome<()> {
        match self.shared.ask(self.shared.store.add_member(group, user)).await? {
            Some(true) => Ok(()),
            Some(false) => {
                let problem = format!("has {} members, no more fit", limits::GROUP_MEMBERS);
                Err(Refusal::Invalid { field: "members", problem }.into())
            }
            None => Err(Refusal::GroupNotFound.into()),
        }
    }

    /// Removes a member from a group.
    pub(crate) async fn remove_member(&self, group: GroupId, user: UserId) -> Outcome<()> {
        let existed = self.shared.ask(self.shared.store.remove_member(group, user)).await?;
        if existed { Ok(()) } else { Err(Refusal::GroupNotFound.into()) }
    }
}

/// Who acts, with which device.
pub(crate) fn by(user: &UserId, device: Option<&ringwire_signaling::DeviceId>) -> By {
    By { user: user.clone(), device: device.cloned() }
}
