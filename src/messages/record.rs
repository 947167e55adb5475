//! Messages of the past.

use std::collections::BTreeMap;

use super::{Kind, Message, Thread, store};
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

/// Keeps messages of one conversation, and counts those in threads. They mention nobody and have no key.
pub async fn record(tx: &mut Tx, conversation_id: ConversationId, past: Vec<PastMessage>) -> Result<()> {
    let mut threads = BTreeMap::new();
    for message in &past {
        let Some(root_seq) = message.thread_root_seq else { continue };
        let thread = threads.entry(root_seq).or_insert(Thread {
            conversation_id,
            root_seq,
            reply_count: 0,
            last_reply_seq: None,
            last_reply_at: None,
        });
        thread.reply_count += 1;
        thread.last_reply_seq = Some(message.written.seq);
        thread.last_reply_at = Some(message.written.at);
    }
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
    let threads: Vec<Thread> = threads.into_values().collect();
    Ok(store::add_replies(tx, &threads).await?)
}
