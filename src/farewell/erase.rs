//! What is done about somebody who is gone, after they were told that they are.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::accounts::preferences;
use crate::app::App;
use crate::db::Tx;
use crate::error::Result;
use crate::id::{ConversationId, UserId};
use crate::jobs::{Failure, Job};
use crate::notifications::{self, digests};
use crate::{conversations, creations, groups, messages, presence, users};

/// Steps of one attempt, each a transaction; then others have their turn.
const STEPS: usize = 100;
/// Conversations looked for at once.
const CONVERSATIONS: i64 = 50;

/// Takes somebody who is gone out of the sight of others.
#[derive(Serialize, Deserialize)]
pub struct Erase {
    pub user_id: UserId,
    pub deletes_messages: bool,
    /// Where to go on: with the conversation after this one.
    #[serde(default)]
    pub after: Option<ConversationId>,
}

impl Job for Erase {
    const KIND: &'static str = "farewell.erase";
    const TIME_LIMIT: Duration = Duration::from_secs(120);
    const AT_ONCE: usize = 1;

    async fn run(self, app: &App) -> Result<(), Failure> {
        let gone = self.user_id;
        let (mut after, mut steps) = (self.after, 0);
        loop {
            let some = conversations::ever_in(app, gone, after, CONVERSATIONS).await?;
            if some.is_empty() {
                break;
            }
            for (id, was_alone) in some {
                // What they noted for themselves is nobody else's.
                while (self.deletes_messages || was_alone) && messages::erase(app, gone, id, app.clock.now()).await? {
                    steps += 1;
                    if steps >= STEPS {
                        return Ok(self.go_on(app, after).await?);
                    }
                }
                conversations::part(app, gone, id, app.clock.now()).await?;
                after = Some(id);
                steps += 1;
                if steps >= STEPS {
                    return Ok(self.go_on(app, after).await?);
                }
            }
        }
        for id in groups::all_of(app, gone).await? {
            conversations::part_from_group(app, gone, id, app.clock.now()).await?;
        }
        while app.db.transaction(async move |tx| notifications::forget(tx, gone).await).await? {}
        // What was under way when they went may have come back.
        app.db.transaction(async move |tx| forget(tx, gone).await).await?;
        Ok(())
    }
}

impl Erase {
    /// Later, as a job of its own: so one that takes hours fails in none of its attempts.
    async fn go_on(&self, app: &App, after: Option<ConversationId>) -> Result<()> {
        let (user_id, deletes_messages) = (self.user_id, self.deletes_messages);
        app.db
            .transaction(async move |tx| {
                tx.enqueue(Erase { user_id, deletes_messages, after });
                Ok(())
            })
            .await
    }
}

/// What is known of somebody beside their account: small, and gone in one go.
pub(super) async fn forget(tx: &mut Tx, user: UserId) -> Result<()> {
    preferences::forget(tx, user).await?;
    presence::forget(tx, user).await?;
    users::forget_blocks(tx, user).await?;
    creations::forget(tx, user).await?;
    digests::forget(tx, user).await
}
