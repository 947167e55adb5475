//! Sending: the path of every message.
//!
//! Five steps: **lock** the conversation, **look** for what decides (the seat, a use of the key, the messages referred
//! to), **judge**, **write** the message with its event and counters, **answer** with the message or its replay.

use super::draft::Draft;
use super::events::MESSAGE_SENT;
use super::{Kind, Message, mentions, store};
use crate::app::App;
use crate::conversations::{self, Action, Here, Sight};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::id::{MessageId, UserId};
use crate::text::{Fault, Wrong};
use crate::viewer::Viewer;

/// A message that is in the log for good.
pub struct Sent {
    pub message: Message,
    pub sight: Sight,
    /// Whether it was there already, from an earlier call with the same key.
    pub is_replay: bool,
}

/// The messages that a draft refers to, by their positions.
struct References {
    reply_to_seq: Option<i32>,
    thread_root_seq: Option<i32>,
}

/// Sends a message. The same draft again, also after a lost answer, sends nothing and answers with the first message as
/// it is now: so it may be run again when the connection to the database breaks.
pub async fn send(app: &App, viewer: &Viewer, draft: Draft) -> Result<Sent> {
    match send_once(app, viewer, &draft).await {
        Err(error) if error.is_connection_lost() => send_once(app, viewer, &draft).await,
        answer => answer,
    }
}

async fn send_once(app: &App, viewer: &Viewer, draft: &Draft) -> Result<Sent> {
    // In line before a connection is taken: those who wait for one busy conversation must not hold all of them.
    let _turn = app.turns.wait_for(draft.conversation.id).await;
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let mut here = conversations::lock(tx, viewer, draft.conversation, now).await?;
            if let Some(earlier) = replay(tx, &here, draft).await? {
                return Ok(Sent { message: earlier, sight: here.sight(), is_replay: true });
            }
            here.may(match draft.thread_root {
                Some(_) => Action::Reply,
                None => Action::Post,
            })
            .or_refuse()?;
            let references = look_up(tx, &here, draft).await?;
            let message = write(tx, &mut here, draft, references).await?;
            let sight = here.sight();
            here.write(tx).await?;
            Ok(Sent { message, sight, is_replay: false })
        })
        .await
}

/// What the same key sent before, as it is now.
async fn replay(tx: &mut Tx, here: &Here, draft: &Draft) -> Result<Option<Message>> {
    let earlier = store::by_client_key(tx, here.sight().id(), here.viewer_id(), &draft.client_key).await?;
    match earlier {
        Some(earlier) if earlier.input_digest.as_deref() != Some(&draft.digest) => {
            Err(Error::new(Code::IdempotencyKeyReused, "This clientKey came before with different input"))
        }
        earlier => Ok(earlier),
    }
}

/// The messages referred to, which must be of this conversation.
async fn look_up(tx: &mut Tx, here: &Here, draft: &Draft) -> Result<References> {
    let ids: Vec<MessageId> = draft.reply_to.into_iter().chain(draft.thread_root).collect();
    if ids.is_empty() {
        return Ok(References { reply_to_seq: None, thread_root_seq: None });
    }
    let found = store::of_conversation(tx, here.sight().id(), &ids).await?;
    let find = |id: MessageId| found.iter().find(|message| message.id == id).ok_or_else(Fault::unknown_id);
    let not_a_root =
        || Fault::new(crate::error::InputCode::NotAllowed, "It is in a thread itself, or was the server's");
    let mut wrong = Wrong::default();
    let reply_to = wrong.note("replyToId", draft.reply_to.map(find).transpose());
    let root = draft.thread_root.map(find).transpose();
    let root = root.and_then(|root| match root {
        Some(root) if root.msg_no.is_none() => Err(not_a_root()),
        root => Ok(root),
    });
    let root = wrong.note("threadRootId", root);
    wrong.finish(|| {
        Some(References {
            reply_to_seq: reply_to?.map(|message| message.seq),
            thread_root_seq: root?.map(|message| message.seq),
        })
    })
}

/// Writes the message, and all that counts it. Outside of threads it is the conversation's last message, has the next
/// number, and its sender has read up to it.
async fn write(tx: &mut Tx, here: &mut Here, draft: &Draft, references: References) -> Result<Message> {
    let (now, id, author) = (here.now, here.sight().id(), here.viewer_id());
    let seq = here.log_message(MESSAGE_SENT, None)?;
    let root = references.thread_root_seq;
    let conversation = &mut here.conversation;
    conversation.last_activity_at = now;
    if root.is_none() {
        conversation.last_msg_no += 1;
        conversation.last_message_seq = Some(seq);
    }
    let message = Message {
        conversation_id: id,
        seq,
        id: MessageId::at(now),
        author_id: author,
        kind: Kind::Standard,
        msg_no: root.is_none().then_some(conversation.last_msg_no),
        thread_root_seq: root,
        reply_to_seq: references.reply_to_seq,
        client_key: Some(draft.client_key.clone()),
        input_digest: Some(draft.digest.clone()),
        content: Some(draft.content.clone()),
        version: 1,
        created_at: now,
        edited_at: None,
        deleted_at: None,
        deleted_by_id: None,
    };
    store::insert(tx, std::slice::from_ref(&message)).await?;
    mentions::keep(tx, here, seq, root, &draft.mentions).await?;
    match (root, message.msg_no) {
        (Some(root), _) => store::count_reply(tx, id, root, seq, now).await?,
        (None, Some(no)) => read_by_writing(tx, here, author, seq, no).await?,
        (None, None) => {}
    }
    Ok(message)
}

async fn read_by_writing(tx: &mut Tx, here: &Here, author: UserId, seq: i32, no: i32) -> Result<()> {
    conversations::read_by_writing(tx, here.sight(), author, seq, no, here.now).await
}
