//! A message to be, checked but for what only the database knows.

use std::ops::RangeInclusive;

use super::mentions::{self, Mentions};
use crate::conversations::Reference;
use crate::error::Result;
use crate::id::MessageId;
use crate::text::{self, Fault, Wrong};

/// Characters of a message.
pub const CONTENT: RangeInclusive<usize> = 1..=10_000;

/// What a client sends.
pub struct DraftInput {
    pub conversation_id: String,
    pub client_key: String,
    pub content: Option<String>,
    pub reply_to_id: Option<String>,
    pub thread_root_id: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Draft {
    pub conversation: Reference,
    pub client_key: String,
    pub content: String,
    pub mentions: Mentions,
    pub reply_to: Option<MessageId>,
    pub thread_root: Option<MessageId>,
    /// SHA-256 of the input, to tell a replay from a reused key.
    pub digest: Vec<u8>,
}

impl Draft {
    pub fn from(input: DraftInput) -> Result<Self> {
        let digest = text::input_digest(&[
            ("content", input.content.as_deref()),
            ("replyToId", input.reply_to_id.as_deref()),
            ("threadRootId", input.thread_root_id.as_deref()),
        ]);
        let message = |id: &String| MessageId::parse(id).ok_or_else(Fault::not_an_id);
        let mut wrong = Wrong::default();
        let conversation =
            wrong.note("conversationId", Reference::parse(&input.conversation_id).ok_or_else(Fault::not_an_id));
        let client_key = wrong.note("clientKey", text::client_key(&input.client_key));
        let content = wrong.note("content", content(input.content.as_deref().unwrap_or_default()));
        let reply_to = wrong.note("replyToId", input.reply_to_id.as_ref().map(message).transpose());
        let thread_root = wrong.note("threadRootId", input.thread_root_id.as_ref().map(message).transpose());
        wrong.finish(|| {
            let (content, mentions) = content?;
            Some(Self {
                conversation: conversation?,
                client_key: client_key?,
                content,
                mentions,
                reply_to: reply_to?,
                thread_root: thread_root?,
                digest,
            })
        })
    }
}

/// The content of a message, and whom it mentions.
pub fn content(text: &str) -> Result<(String, Mentions), Fault> {
    let content = text::block(text, CONTENT)?;
    // White space alone is as empty as nothing.
    if content.trim().is_empty() {
        return Err(Fault::required());
    }
    let mentions = mentions::parse(&content)?;
    Ok((content, mentions))
}
