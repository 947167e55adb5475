//! What becomes of one draft: judged in the order sight, replay, archive, sanction, permission. Without a database: all
//! that decides was looked up before, under the lock.

use std::collections::HashMap;

use super::Letter;
use crate::conversations::{Action, Gathering, Place, Room, Sight, Standing, may};
use crate::error::{Code, Error, InputCode, Result};
use crate::id::{ConversationId, MessageId, UserId};
use crate::messages::draft::Draft;
use crate::messages::events::MESSAGE_SENT;
use crate::messages::mentions::Mentionable;
use crate::messages::{Kind, Message};
use crate::notifications::Looked;
use crate::text::{Fault, Wrong};

/// A sender's key, unique in one conversation, for ever.
pub type Key = (ConversationId, UserId, String);

/// What is there already.
pub struct Known {
    /// By the keys under which it was sent; what is accepted now joins it.
    pub sent: HashMap<Key, Message>,
    /// What drafts refer to, wherever it is.
    pub referred: HashMap<MessageId, Message>,
    /// Of those whom drafts name, those whom they may mention.
    pub mentionable: Mentionable,
    /// Those who may have to be told.
    pub looked: Looked,
}

pub enum Outcome {
    /// It is written. Whether it may mention everyone at once was judged too.
    Accepted {
        message: Message,
        sight: Sight,
        calls_everyone: bool,
    },
    /// The same key sent this before.
    Replay {
        message: Message,
        sight: Sight,
    },
    Refused(Error),
    /// Somebody else holds the conversation.
    Busy,
}

/// The messages that a draft refers to, by their positions.
struct References {
    reply_to_seq: Option<i32>,
    thread_root_seq: Option<i32>,
}

/// Judges one draft, and gives it its place in the log if it has one.
pub fn judge(letter: &Letter, gathering: &mut Gathering, known: &mut Known) -> Outcome {
    let (author, draft) = (letter.author, &letter.draft);
    let (sight, standing) = match gathering.place(author, draft.conversation) {
        Place::OutOfSight => return Outcome::Refused(Error::not_found("conversation")),
        Place::Busy => return Outcome::Busy,
        Place::Seen(sight, standing) => (sight, standing),
    };
    let key = (draft.conversation.id, author, draft.client_key.clone());
    if let Some(earlier) = known.sent.get(&key) {
        return match earlier.input_digest.as_deref() == Some(&draft.digest) {
            true => Outcome::Replay { message: earlier.clone(), sight },
            false => Outcome::Refused(Error::new(
                Code::IdempotencyKeyReused,
                "This clientKey came before with different input",
            )),
        };
    }
    match accept(letter, &standing, gathering.room(draft.conversation.id), known) {
        Ok(message) => {
            known.sent.insert(key, message.clone());
            let calls_everyone = may(Action::MentionEveryone, &standing).or_refuse().is_ok();
            Outcome::Accepted { message, sight, calls_everyone }
        }
        Err(error) => Outcome::Refused(error),
    }
}

fn accept(letter: &Letter, standing: &Standing, room: Option<&mut Room>, known: &Known) -> Result<Message> {
    let action = match letter.draft.thread_root {
        Some(_) => Action::Reply,
        None => Action::Post,
    };
    may(action, standing).or_refuse()?;
    let references = references(&letter.draft, known)?;
    let room = room.ok_or_else(|| Error::internal("whoever may write has a seat, and a seat is locked"))?;
    compose(letter, room, references)
}

/// The messages referred to, which must be of this conversation.
fn references(draft: &Draft, known: &Known) -> Result<References> {
    let here = draft.conversation.id;
    let find = |id: MessageId| {
        let found = known.referred.get(&id).filter(|message| message.conversation_id == here);
        found.ok_or_else(Fault::unknown_id)
    };
    let not_a_root = || Fault::new(InputCode::NotAllowed, "It is in a thread itself, or was the server's");
    let mut wrong = Wrong::default();
    let reply_to = wrong.note("replyToId", draft.reply_to.map(find).transpose());
    let root = match draft.thread_root.map(find).transpose() {
        Ok(Some(root)) if root.msg_no.is_none() => Err(not_a_root()),
        root => root,
    };
    let root = wrong.note("threadRootId", root);
    wrong.finish(|| {
        Some(References {
            reply_to_seq: reply_to?.map(|message| message.seq),
            thread_root_seq: root?.map(|message| message.seq),
        })
    })
}

/// The message, at its place in the log. Outside of threads it is the conversation's last message and has the next
/// number.
fn compose(letter: &Letter, room: &mut Room, references: References) -> Result<Message> {
    let Letter { author, draft } = letter;
    let (now, root) = (room.now, references.thread_root_seq);
    let seq = room.log_message(MESSAGE_SENT, *author)?;
    let conversation = &mut room.conversation;
    conversation.last_activity_at = now;
    if root.is_none() {
        conversation.last_msg_no += 1;
        conversation.last_message_seq = Some(seq);
    }
    Ok(Message {
        conversation_id: conversation.id,
        seq,
        id: MessageId::at(now),
        author_id: *author,
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
    })
}
