//! Editing.

use super::events::MESSAGE_EDITED;
use super::lock::{Changed, deleted, lock};
use super::mentions::{self, Mentions, Said};
use super::{bell, draft, store};
use crate::app::App;
use crate::conversations::{Action, Kind, Verdict};
use crate::error::{Error, Result};
use crate::id::MessageId;
use crate::text::{Fault, Wrong};
use crate::viewer::Viewer;

/// New content for a message, checked.
#[derive(Debug)]
pub struct EditDraft {
    message: MessageId,
    content: String,
    mentions: Mentions,
    expected_version: Option<i32>,
}

impl EditDraft {
    pub fn from(message_id: &str, content: &str, expected_version: Option<i32>) -> Result<Self> {
        let mut wrong = Wrong::default();
        let message = wrong.note("messageId", MessageId::parse(message_id).ok_or_else(Fault::not_an_id));
        let content = wrong.note("content", draft::content(content));
        wrong.finish(|| {
            let (content, mentions) = content?;
            Some(Self { message: message?, content, mentions, expected_version })
        })
    }
}

/// Changes the content of one's own message. The content before is kept as a revision.
pub async fn edit(app: &App, viewer: &Viewer, draft: EditDraft) -> Result<Changed> {
    let (now, draft) = (app.clock.now(), &draft);
    app.db
        .transaction(async move |tx| {
            let (mut here, mut message) = lock(tx, viewer, draft.message, now).await?;
            if message.author_id != viewer.user_id {
                return Err(Error::forbidden("Only its author changes a message"));
            }
            here.may(Action::Edit).or_refuse()?;
            let before = message.content.clone().ok_or_else(deleted)?;
            if draft.expected_version.is_some_and(|expected| expected != message.version) {
                return Err(Error::version_conflict(message.version));
            }
            let sight = here.sight();
            if before == draft.content {
                return Ok(Changed { message, sight, seq: here.seq() });
            }
            store::keep_revision(tx, &message, &before, here.now, viewer.user_id).await?;
            message.content = Some(draft.content.clone());
            message.version += 1;
            message.edited_at = Some(here.now);
            store::save(tx, &message).await?;
            let calls_everyone = here.may(Action::MentionEveryone) == Verdict::Allowed;
            let named = draft.mentions.by(message.author_id, message.conversation_id).collect();
            let mentionable = mentions::mentionable(tx, named).await?;
            let said = Said { message: &message, mentions: &draft.mentions, calls_everyone };
            let is_direct = here.conversation.kind == Kind::Direct;
            bell::edited(app, tx, &said, &mentionable, &before, is_direct).await?;
            mentions::change(tx, said, &mentionable, &before).await?;
            let seq = here.log_message(MESSAGE_EDITED, Some(message.seq))?;
            here.write(tx).await?;
            Ok(Changed { message, sight, seq })
        })
        .await
}
