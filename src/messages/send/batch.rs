//! The five steps, for many drafts at once. Statements that do not hang on one another go out together (`try_join!`) and
//! cost one round trip; the lock, and the commit, never travel with others.

use std::collections::{BTreeMap, HashMap};

use futures_util::try_join;

use super::judge::{Known, Outcome, judge};
use super::{Letter, Sent};
use crate::app::App;
use crate::conversations::{self, Busy, Gathering, Position};
use crate::db::Tx;
use crate::error::Result;
use crate::id::MessageId;
use crate::messages::mentions::{self, Said};
use crate::messages::{Message, Thread, store};

/// What becomes of each letter, in their order; `None` for those whose conversation is busy and was to be passed over.
pub async fn send_all(app: &App, letters: &[&Letter], busy: Busy) -> Result<Vec<Option<Result<Sent>>>> {
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let asks: Vec<_> = letters.iter().map(|letter| (letter.author, letter.draft.conversation)).collect();
            let held = conversations::hold(tx, &asks, busy).await?;
            let (mut gathering, mut known) = try_join!(held.gather(tx, now), look(tx, letters))?;
            let outcomes: Vec<_> = letters.iter().map(|letter| judge(letter, &mut gathering, &mut known)).collect();
            write(tx, gathering, letters, &outcomes).await?;
            Ok(outcomes.into_iter().map(answer).collect())
        })
        .await
}

/// What the drafts' keys sent before, and the messages they refer to; asked only where there is something to look for.
async fn look(tx: &Tx, letters: &[&Letter]) -> Result<Known> {
    let keys: Vec<_> = letters
        .iter()
        .map(|letter| (letter.draft.conversation.id, letter.author, letter.draft.client_key.as_str()))
        .collect();
    let referred: Vec<MessageId> =
        letters.iter().flat_map(|letter| letter.draft.reply_to.into_iter().chain(letter.draft.thread_root)).collect();
    let referred = async {
        match referred.is_empty() {
            true => Ok(Vec::new()),
            false => store::by_ids(tx, &referred).await,
        }
    };
    let (sent, referred) = try_join!(store::sent_under(tx, &keys), referred)?;
    let sent = match sent.is_empty() {
        true => Vec::new(),
        false => store::at(tx, &sent).await?,
    };
    Ok(Known {
        sent: sent.into_iter().filter_map(|message| Some((key_of(&message)?, message))).collect(),
        referred: referred.into_iter().map(|message| (message.id, message)).collect::<HashMap<_, _>>(),
    })
}

fn key_of(message: &Message) -> Option<super::judge::Key> {
    Some((message.conversation_id, message.author_id, message.client_key.clone()?))
}

/// Writes the new messages, and all that counts them.
async fn write(tx: &mut Tx, gathering: Gathering, letters: &[&Letter], outcomes: &[Outcome]) -> Result<()> {
    let (mut messages, mut said) = (Vec::new(), Vec::new());
    let (mut positions, mut threads) = (BTreeMap::new(), BTreeMap::new());
    for (letter, outcome) in letters.iter().zip(outcomes) {
        let Outcome::Accepted { message, calls_everyone, .. } = outcome else { continue };
        said.push(Said { message, mentions: &letter.draft.mentions, calls_everyone: *calls_everyone });
        match (message.thread_root_seq, message.msg_no) {
            (Some(root), _) => count_reply(&mut threads, message, root),
            // Of several messages of one sender the last one counts: they come in the order of `seq`.
            (None, Some(no)) => {
                positions.insert((message.conversation_id, message.author_id), position(message, no));
            }
            (None, None) => {}
        }
        messages.push(message);
    }
    if messages.is_empty() {
        return Ok(());
    }
    let threads: Vec<Thread> = threads.into_values().collect();
    let positions: Vec<Position> = positions.into_values().collect();
    let replies = async {
        match threads.is_empty() {
            true => Ok(()),
            false => Ok(store::add_replies(tx, &threads).await?),
        }
    };
    let insert = async { Ok(store::insert(tx, messages.iter().copied()).await?) };
    try_join!(insert, replies, mentions::keep(tx, &said), conversations::read_by_writing(tx, &positions))?;
    gathering.write(tx).await
}

fn position(message: &Message, no: i32) -> Position {
    Position {
        conversation_id: message.conversation_id,
        user_id: message.author_id,
        last_read_seq: message.seq,
        last_read_no: no,
        last_read_at: Some(message.created_at),
    }
}

fn count_reply(threads: &mut BTreeMap<(crate::id::ConversationId, i32), Thread>, reply: &Message, root_seq: i32) {
    let conversation_id = reply.conversation_id;
    let thread = threads.entry((conversation_id, root_seq)).or_insert(Thread {
        conversation_id,
        root_seq,
        reply_count: 0,
        last_reply_seq: None,
        last_reply_at: None,
    });
    thread.reply_count += 1;
    thread.last_reply_seq = Some(reply.seq);
    thread.last_reply_at = Some(reply.created_at);
}

fn answer(outcome: Outcome) -> Option<Result<Sent>> {
    match outcome {
        Outcome::Accepted { message, sight, .. } => Some(Ok(Sent { message, sight, is_replay: false })),
        Outcome::Replay { message, sight } => Some(Ok(Sent { message, sight, is_replay: true })),
        Outcome::Refused(error) => Some(Err(error)),
        Outcome::Busy => None,
    }
}
