//! Messages of the past.

use super::threads::Replies;
use super::{Kind, Message, store};
use crate::conversations::Written;
use crate::db::Tx;
use crate::error::Result;
use crate::id::{ConversationId, MessageId, UserId};

/// A message that was written elsewhere and has found its place in a log here.
pub struct PastMessage {
    pub author_id: UserId,
    pub content: String,
    pub reply_to_seq: Option<i32>,
    pub thread_root_seq: Option<i32>,
    pub written: Written,
}

/// Keeps messages of one conversation, and counts those in threads, which their authors follow. They mention nobody and
/// have no key.
pub async fn record(tx: &mut Tx, conversation_id: ConversationId, past: Vec<PastMessage>) -> Result<()> {
    let messages: Vec<Message> = past
        .into_iter()
        .map(|past| Message {
            conversation_id,
            seq: past.written.seq,
            id: MessageId::at(past.written.at),
            author_id: past.author_id,
            kind: Kind::Standard,
            msg_no: past.written.no,
            thread_root_seq: past.thread_root_seq,
            reply_to_seq: past.reply_to_seq,
            client_key: None,
            input_digest: None,
            content: Some(past.content),
            version: 1,
            created_at: past.written.at,
            edited_at: None,
            deleted_at: None,
            deleted_by_id: None,
        })
        .collect();
    store::insert(tx, &messages).await?;
    let mut replies = Replies::default();
    messages.iter().for_each(|message| replies.add(message));
    let threads = replies.subjects();
    replies.keep(tx).await?;
    tx.outbox().changed.extend(threads);
    Ok(())
}
