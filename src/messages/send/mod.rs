//! Sending: the path of every message.
//!
//! Whoever sends while others do is served together with them (`gather`): one transaction for all, in five steps that
//! `batch` takes one after the other. **Lock** the conversations, **look** for what decides (the seats, uses of the keys,
//! the messages referred to), **judge** each draft, **write** the messages with their events and counters, **answer** each
//! sender with the message, its replay, or what was wrong with that one draft.

mod batch;
mod judge;

use std::hash::Hash;

use super::Message;
use super::draft::Draft;
use crate::app::App;
use crate::conversations::Sight;
use crate::db::Busy;
use crate::error::{Code, Error, Result};
use crate::gather::{Asked, Gather, gather};
use crate::id::UserId;
use crate::viewer::Viewer;

/// A message that is in the log for good.
#[derive(Clone)]
pub struct Sent {
    pub message: Message,
    pub sight: Sight,
    /// Whether it was there already, from an earlier call with the same key.
    pub is_replay: bool,
}

/// A draft, and who sends it.
pub(super) struct Letter {
    author: UserId,
    draft: Draft,
}

/// Sends a message. The same draft again, also after a lost answer, sends nothing and answers with the first message as
/// it is now.
pub async fn send(app: &App, viewer: &Viewer, draft: Draft) -> Result<Sent> {
    gather(app, Letter { author: viewer.user_id, draft }).await
}

impl Gather for Letter {
    type Answer = Sent;

    fn line(&self) -> impl Hash {
        self.draft.conversation.id
    }

    async fn grant(app: &App, letters: Vec<Asked<Self>>) {
        let busy = deliver(app, letters, Busy::PassOver).await;
        // Somebody else holds these conversations: an edit, another server, an import. Those who send elsewhere do not
        // wait for them.
        for letters in by_conversation(busy) {
            tokio::spawn(wait_and_deliver(app.clone(), letters));
        }
    }
}

/// Sends to one conversation as soon as it is free. In line before a connection is taken: those who wait for one busy
/// conversation must not hold all of them.
async fn wait_and_deliver(app: App, letters: Vec<Asked<Letter>>) {
    let Some(first) = letters.first() else { return };
    let _turn = app.db.turn_at(first.wish.draft.conversation.id.0).await;
    for letter in deliver(&app, letters, Busy::Wait).await {
        letter.answer(Err(Error::unavailable("a conversation was not free although it was waited for")));
    }
}

/// Sends all of them together, and hands back those whose conversation is busy.
async fn deliver(app: &App, letters: Vec<Asked<Letter>>, busy: Busy) -> Vec<Asked<Letter>> {
    match try_twice(app, &letters, busy).await {
        Ok(answers) => {
            let mut passed_over = Vec::new();
            for (letter, answer) in letters.into_iter().zip(answers) {
                match answer {
                    Some(answer) => letter.answer(answer),
                    None => passed_over.push(letter),
                }
            }
            passed_over
        }
        // One of them may be what the database does not take: alone, it fails alone.
        Err(error) if error.code() == Code::Internal && letters.len() > 1 => {
            let mut passed_over = Vec::new();
            for letter in letters {
                passed_over.extend(Box::pin(deliver(app, vec![letter], busy)).await);
            }
            passed_over
        }
        Err(error) => {
            letters.into_iter().for_each(|letter| letter.answer(Err(error.clone())));
            Vec::new()
        }
    }
}

/// Once more when the connection to the database broke: what had been committed then is a replay.
async fn try_twice(app: &App, letters: &[Asked<Letter>], busy: Busy) -> Result<Vec<Option<Result<Sent>>>> {
    let letters: Vec<&Letter> = letters.iter().map(|asked| &asked.wish).collect();
    match batch::send_all(app, &letters, busy).await {
        Err(error) if error.is_connection_lost() => batch::send_all(app, &letters, busy).await,
        answers => answers,
    }
}

fn by_conversation(letters: Vec<Asked<Letter>>) -> impl Iterator<Item = Vec<Asked<Letter>>> {
    let mut sorted = std::collections::BTreeMap::<_, Vec<_>>::new();
    for letter in letters {
        sorted.entry(letter.wish.draft.conversation.id).or_default().push(letter);
    }
    sorted.into_values()
}
