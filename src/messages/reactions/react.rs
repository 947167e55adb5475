//! Reacting, and taking it back. Doing either again changes nothing.

use super::{KINDS, store};
use crate::app::App;
use crate::clock::Instant;
use crate::conversations::Action;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::id::MessageId;
use crate::messages::Message;
use crate::messages::events::{REACTION_ADDED, REACTION_REMOVED, Reaction};
use crate::messages::lock::{Changed, deleted, lock};
use crate::notifications::{self, Cause, Happening};
use crate::text::{self, Fault, Wrong};
use crate::viewer::Viewer;

/// An emoji for a message, checked.
#[derive(Debug)]
pub struct ReactionDraft {
    message: MessageId,
    emoji: String,
}

impl ReactionDraft {
    pub fn from(message_id: &str, emoji: &str) -> Result<Self> {
        let mut wrong = Wrong::default();
        let message = wrong.note("messageId", MessageId::parse(message_id).ok_or_else(Fault::not_an_id));
        let emoji = wrong.note("emoji", text::emoji(emoji));
        wrong.finish(|| Some(Self { message: message?, emoji: emoji? }))
    }
}

/// Reacts to a message.
pub async fn add_reaction(app: &App, viewer: &Viewer, draft: ReactionDraft) -> Result<Changed> {
    let (now, draft) = (app.clock.now(), &draft);
    app.db
        .transaction(async move |tx| {
            let (mut here, message) = lock(tx, viewer, draft.message, now).await?;
            here.may(Action::React).or_refuse()?;
            if message.deleted_at.is_some() {
                return Err(deleted());
            }
            let sight = here.sight();
            let reaction = store::Reaction {
                conversation_id: message.conversation_id,
                seq: message.seq,
                user_id: viewer.user_id,
                emoji: draft.emoji.clone(),
                added_seq: here.seq() + 1,
                reacted_at: here.now,
            };
            if !store::insert(tx, &reaction).await? {
                return Ok(Changed { message, sight, seq: here.seq() });
            }
            if store::count_up(tx, &reaction).await? > KINDS as i64 {
                let message = format!("At most {KINDS} different emoji react to one message");
                return Err(Error::new(Code::FailedPrecondition, message).with("reason", "TOO_MANY"));
            }
            let event = Reaction { emoji: reaction.emoji, user_id: reaction.user_id };
            let seq = here.log_message_with(REACTION_ADDED, message.seq, &event)?;
            ring(app, tx, &message, &event, seq, here.now).await?;
            here.write(tx).await?;
            Ok(Changed { message, sight, seq })
        })
        .await
}

/// Tells the author of the message.
async fn ring(app: &App, tx: &mut Tx, message: &Message, reaction: &Reaction, seq: i32, at: Instant) -> Result<()> {
    let about = (message.conversation_id, message.seq);
    if message.author_id == reaction.user_id
        || notifications::told_of_reaction(tx, about, message.author_id, reaction.user_id).await?
    {
        return Ok(());
    }
    let happening = Happening::Reacted { is_in_thread: message.thread_root_seq.is_some() };
    let cause = Cause::in_conversation(happening, reaction.user_id, message.conversation_id, seq, at);
    let cause = cause.about(message.seq, message.thread_root_seq).with(&reaction.emoji);
    notifications::tell(app, tx, cause, &[message.author_id]).await
}

/// Takes the viewer's own reaction back.
pub async fn remove_reaction(app: &App, viewer: &Viewer, draft: ReactionDraft) -> Result<Changed> {
    let (now, draft) = (app.clock.now(), &draft);
    app.db
        .transaction(async move |tx| {
            let (mut here, message) = lock(tx, viewer, draft.message, now).await?;
            here.may(Action::React).or_refuse()?;
            let sight = here.sight();
            if !store::delete(tx, &message, viewer.user_id, &draft.emoji).await? {
                return Ok(Changed { message, sight, seq: here.seq() });
            }
            store::count_down(tx, &message, &draft.emoji).await?;
            notifications::withdraw_reaction(
                tx,
                (message.conversation_id, message.seq),
                viewer.user_id,
                &draft.emoji,
                now,
            )
            .await?;
            let event = Reaction { emoji: draft.emoji.clone(), user_id: viewer.user_id };
            let seq = here.log_message_with(REACTION_REMOVED, message.seq, &event)?;
            here.write(tx).await?;
            Ok(Changed { message, sight, seq })
        })
        .await
}
