//! Deleting: what stays is a tombstone.

use futures_util::try_join;
use serde_json::json;

use super::events::MESSAGE_DELETED;
use super::lock::{Changed, lock};
use super::{Message, mentions, pins, reactions, store, threads};
use crate::app::App;
use crate::audit;
use crate::conversations::{self, Action, Here};
use crate::db::Tx;
use crate::error::Result;
use crate::id::MessageId;
use crate::notifications;
use crate::text::{self, Fault, Wrong};
use crate::viewer::Viewer;

/// What to delete, checked.
#[derive(Debug)]
pub struct DeleteDraft {
    message: MessageId,
    reason: Option<String>,
}

impl DeleteDraft {
    pub fn from(message_id: &str, reason: Option<String>) -> Result<Self> {
        let mut wrong = Wrong::default();
        let message = wrong.note("messageId", MessageId::parse(message_id).ok_or_else(Fault::not_an_id));
        let reason = wrong.note("reason", text::reason(reason));
        wrong.finish(|| Some(Self { message: message?, reason: reason? }))
    }
}

/// Deletes a message, one's own or as a moderator that of somebody of lower rank. Deleting it again changes nothing.
pub async fn delete(app: &App, viewer: &Viewer, draft: DeleteDraft) -> Result<Changed> {
    let (now, id, reason) = (app.clock.now(), draft.message, draft.reason);
    app.db
        .transaction(async move |tx| {
            let (mut here, mut message) = lock(tx, viewer, id, now).await?;
            let is_own = message.author_id == viewer.user_id;
            here.may(match is_own {
                true => Action::DeleteOwn,
                false => Action::DeleteOf(conversations::role_of(tx, here.sight(), message.author_id).await?),
            })
            .or_refuse()?;
            let sight = here.sight();
            let Some(before) = message.content.take() else { return Ok(Changed { message, sight, seq: here.seq() }) };
            store::keep_revision(tx, &message, &before, here.now, viewer.user_id).await?;
            let seq = bury(tx, &mut here, &mut message, &before).await?;
            if !is_own {
                let details = json!({ "author": message.author_id.to_string(), "reason": reason });
                audit::record(tx, here.now, Some(viewer.user_id), "message.delete", id.to_string(), details).await?;
            }
            here.write(tx).await?;
            Ok(Changed { message, sight, seq })
        })
        .await
}

/// Puts a tombstone in the place of a message whose content was taken out, and with it goes all that was about it. Answers
/// with where the log says so.
pub(super) async fn bury(tx: &mut Tx, here: &mut Here, message: &mut Message, before: &str) -> Result<i32> {
    message.deleted_at = Some(here.now);
    message.deleted_by_id = Some(here.viewer_id());
    store::save(tx, message).await?;
    try_join!(reactions::forget(tx, message), pins::forget(tx, message), mentions::forget(tx, message, before))?;
    // Those who follow a thread before the bell, as whoever reads in one.
    uncount(tx, here, message).await?;
    notifications::withdraw_message(tx, message.conversation_id, message.seq, here.now).await?;
    here.log_message(MESSAGE_DELETED, Some(message.seq))
}

/// Takes a message out of what counts it. Its number stays: what is unread subtracts tombstones.
async fn uncount(tx: &mut Tx, here: &mut Here, message: &Message) -> Result<()> {
    let id = here.sight().id();
    match message.thread_root_seq {
        Some(root) => threads::uncount(tx, message, root).await,
        None if here.conversation.last_message_seq == Some(message.seq) => {
            here.conversation.last_message_seq = store::newest_before(tx, id, message.seq).await?;
            Ok(())
        }
        None => Ok(()),
    }
}
