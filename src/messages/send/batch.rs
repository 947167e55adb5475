//! The five steps, for many drafts at once, in three round trips: what is looked for travels behind the lock, all that is
//! written together, and the commit alone. Statements that are polled together (`try_join!`) are sent in the order in which
//! they are polled, and PostgreSQL takes one after the other. So nothing is read before the lock was granted; but were a
//! commit to travel with what is written, what fails before it was sent would not keep it back.

use std::collections::{BTreeMap, HashMap};

use futures_util::try_join;

use super::judge::{Known, Outcome, judge};
use super::{Letter, Sent};
use crate::app::App;
use crate::conversations::{self, Gathering, Position};
use crate::db::{Busy, Tx};
use crate::error::Result;
use crate::id::MessageId;
use crate::log;
use crate::messages::mentions::{self, Said};
use crate::messages::threads::Replies;
use crate::messages::{Message, bell, store};
use crate::notifications;

/// What becomes of each letter, in their order; `None` for those whose conversation is busy and was to be passed over.
pub async fn send_all(app: &App, letters: &[&Letter], busy: Busy) -> Result<Vec<Option<Result<Sent>>>> {
    let now = app.clock.now();
    app.db
        .transaction_from(
            async move |tx| {
                let asks: Vec<_> = letters.iter().map(|letter| (letter.author, letter.draft.conversation)).collect();
                try_join!(conversations::gather(tx, &asks, busy, now), look(tx, letters))
            },
            async move |(tx, (mut gathering, mut known))| {
                let outcomes: Vec<_> = letters.iter().map(|letter| judge(letter, &mut gathering, &mut known)).collect();
                write(app, tx, gathering, known, letters, &outcomes).await?;
                Ok(outcomes.into_iter().map(answer).collect())
            },
        )
        .await
}

/// What the drafts' keys sent before, the messages they refer to, and the people; asked only where there is something to
/// look for.
async fn look(tx: &Tx, letters: &[&Letter]) -> Result<Known> {
    let keys: Vec<_> = letters
        .iter()
        .map(|letter| (letter.draft.conversation.id, letter.author, letter.draft.client_key.as_str()))
        .collect();
    let referred: Vec<MessageId> =
        letters.iter().flat_map(|letter| letter.draft.reply_to.into_iter().chain(letter.draft.thread_root)).collect();
    let sent = async { Ok(store::sent_under(tx, &keys).await?) };
    let referred = async {
        match referred.is_empty() {
            true => Ok(Vec::new()),
            false => Ok(store::by_ids(tx, &referred).await?),
        }
    };
    let named =
        |letter: &Letter| letter.draft.mentions.by(letter.author, letter.draft.conversation.id).collect::<Vec<_>>();
    let named = letters.iter().flat_map(|letter| named(letter)).collect();
    let bell = bell_letters(letters);
    let (sent, referred, mentionable, looked) =
        try_join!(sent, referred, mentions::mentionable(tx, named), notifications::look(tx, &bell))?;
    Ok(Known {
        sent: sent.into_iter().filter_map(|message| Some((key_of(&message)?, message))).collect(),
        referred: referred.into_iter().map(|message| (message.id, message)).collect::<HashMap<_, _>>(),
        mentionable,
        looked,
    })
}

fn bell_letters<'a>(letters: &[&'a Letter]) -> Vec<notifications::Letter<'a>> {
    letters.iter().map(|letter| bell::letter(letter.author, &letter.draft)).collect()
}

fn key_of(message: &Message) -> Option<super::judge::Key> {
    Some((message.conversation_id, message.author_id, message.client_key.clone()?))
}

/// Writes the new messages, and all that counts them.
async fn write(
    app: &App,
    tx: &mut Tx,
    gathering: Gathering,
    Known { mentionable, looked, .. }: Known,
    letters: &[&Letter],
    outcomes: &[Outcome],
) -> Result<()> {
    let mentionable = &mentionable;
    let (mut messages, mut said, mut rings) = (Vec::new(), Vec::new(), Vec::new());
    let (mut positions, mut replies) = (BTreeMap::new(), Replies::default());
    for (place, (letter, outcome)) in letters.iter().zip(outcomes).enumerate() {
        let Outcome::Accepted { message, calls_everyone, .. } = outcome else { continue };
        let call = Said { message, mentions: &letter.draft.mentions, calls_everyone: *calls_everyone };
        replies.add(message);
        if let Some(root_seq) = message.thread_root_seq {
            let followers = call.followers(mentionable);
            followers.for_each(|user| replies.add_follower(message.conversation_id, root_seq, user));
        }
        // Of several messages of one sender the last one counts: they come in the order of `seq`.
        if let Some(no) = message.msg_no {
            positions.insert((message.conversation_id, message.author_id), position(message, no));
        }
        rings.push(bell::said(place, &call, mentionable));
        said.push(call);
        messages.push(message);
    }
    if messages.is_empty() {
        return Ok(());
    }
    let positions: Vec<Position> = positions.into_values().collect();
    let threads = replies.subjects();
    let (changed, events) = gathering.changed();
    let bell = notifications::ring(app, tx, &bell_letters(letters), &rings, looked).await?;
    let insert = async { Ok(store::insert(tx, messages.iter().copied()).await?) };
    let (_, _, _, _, _, _, read) = try_join!(
        insert,
        replies.keep(tx),
        mentions::keep(tx, &said, mentionable),
        conversations::read_by_writing(tx, &positions),
        conversations::save(tx, &changed),
        log::insert(tx, &events),
        bell.write(tx, app.clock.now()),
    )?;
    bell.tell(tx, read);
    tx.outbox().events.extend(events);
    tx.outbox().changed.extend(threads);
    Ok(())
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

fn answer(outcome: Outcome) -> Option<Result<Sent>> {
    match outcome {
        Outcome::Accepted { message, sight, .. } => Some(Ok(Sent { message, sight, is_replay: false })),
        Outcome::Replay { message, sight } => Some(Ok(Sent { message, sight, is_replay: true })),
        Outcome::Refused(error) => Some(Err(error)),
        Outcome::Busy => None,
    }
}
