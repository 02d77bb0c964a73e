//! Whom a user blocks.

use ringwire_signaling::{Refusal, UserId, block, limits};
use ringwire_wire::view::BlockPage;

use super::{Outcome, Service};
use crate::cursor;

impl Service {
    /// Has a user block another.
    pub(crate) async fn block(&self, user: UserId, blocked: UserId) -> Outcome<()> {
        block::check(&user, &blocked)?;
        if self.shared.ask(self.shared.store.block(user, blocked)).await? {
            return Ok(());
        }
        let problem = format!("is one too many: {} are blocked, no more fit", limits::BLOCKED_PER_USER);
        Err(Refusal::Invalid { field: "user", problem }.into())
    }

    /// Has a user block another no longer. That the other was not blocked is no error: it is what was asked for.
    pub(crate) async fn unblock(&self, user: UserId, blocked: UserId) -> Outcome<()> {
        self.shared.ask(self.shared.store.unblock(user, blocked)).await.map(drop)
    }

    /// Whom the user blocks.
    pub(crate) async fn blocks(&self, user: UserId, limit: usize, cursor: Option<&str>) -> Outcome<BlockPage> {
        let after = cursor.map(cursor::user).transpose()?;
        let page = self.shared.ask(self.shared.store.blocks(user, after, limit)).await?;
        Ok(BlockPage { users: page.users, cursor: page.next.map(|user| user.to_string()) })
    }
}
