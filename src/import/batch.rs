//! Lines of one channel become a part of its conversation, in one transaction.

use std::collections::HashMap;

use super::line::{Line, What};
use super::people::People;
use super::store::{self, LineRow};
use super::{Source, Summary};
use crate::app::App;
use crate::conversations::Chronicle;
use crate::db::{OnConstraint, Tx};
use crate::error::{Error, Result};
use crate::id::{ConversationId, UserId};
use crate::messages::{self, PastMessage, events::MESSAGE_SENT};
use crate::users;

/// Where the message of an earlier line is.
#[derive(Clone, Copy)]
struct Place {
    seq: i32,
    thread_root_seq: Option<i32>,
}

/// Takes lines of one channel, each later than `known`, the last one taken before; `None` for a channel that is not
/// there yet. All people in them are known, but for those who only leave.
pub(super) async fn take(
    app: &App,
    source: &Source,
    people: &People,
    known: Option<(ConversationId, i32)>,
    lines: &[&Line],
) -> Result<(ConversationId, Summary)> {
    app.db
        .transaction(async move |tx| {
            let mut batch = Batch::open(tx, source, people, known, lines).await?;
            for line in lines {
                batch.tell(line)?;
            }
            batch.write(tx, source, lines).await
        })
        .await
}

struct Batch<'a> {
    chronicle: Chronicle,
    people: &'a People,
    is_threaded: bool,
    /// Of lines that later ones answer.
    places: HashMap<i32, Place>,
    messages: Vec<PastMessage>,
    rows: Vec<LineRow>,
    summary: Summary,
}

impl<'a> Batch<'a> {
    async fn open(
        tx: &mut Tx,
        source: &Source,
        people: &'a People,
        known: Option<(ConversationId, i32)>,
        lines: &[&Line],
    ) -> Result<Self> {
        let (channel, first) = (&*lines[0].channel, lines[0].at);
        let mut summary = Summary::default();
        let id = match known {
            Some((id, _)) => id,
            None => {
                summary.channels = 1;
                let owner = users::first_admin(tx).await?;
                let id = Chronicle::found(tx, channel, owner, first).await?;
                store::insert_channel(tx, source.id, channel, id, 0)
                    .await
                    .on_constraint("import_channels_pkey", super::somebody_else)?;
                id
            }
        };
        let mut users: Vec<UserId> = lines.iter().flat_map(|line| concerned(people, line)).collect();
        users.sort_unstable();
        users.dedup();
        let chronicle = Chronicle::open(tx, id, &users).await?;
        // Under the lock: whoever else imports this channel has either been here before, or waits.
        if store::last_line(tx, source.id, channel).await? != Some(known.map_or(0, |(_, last)| last)) {
            return Err(super::somebody_else());
        }
        let places = answered_before(tx, id, lines).await?;
        let is_threaded = source.is_threaded;
        Ok(Self { chronicle, people, is_threaded, places, messages: Vec::new(), rows: Vec::new(), summary })
    }

    fn tell(&mut self, line: &Line) -> Result<()> {
        match &line.what {
            What::Message { content, reply_to } => self.message(line, content, *reply_to),
            What::Join => self.chronicle.join(self.person(&line.nick)?, line.at),
            What::Part => self.leave(line),
            What::Rename { to } if *to == line.nick => Ok(()),
            What::Rename { to } => {
                self.leave(line)?;
                self.chronicle.join(self.person(to)?, line.at)
            }
        }
    }

    fn message(&mut self, line: &Line, content: &str, reply_to: Option<i64>) -> Result<()> {
        let author_id = self.person(&line.nick)?;
        // What it answers may be in no file, or in none so far: then it answers nothing.
        let answered = reply_to.map(|id| i32::try_from(id).ok().and_then(|id| self.places.get(&id).copied()));
        self.summary.unanswered += usize::from(matches!(answered, Some(None)));
        let answered = answered.flatten();
        let (reply_to_seq, thread_root_seq) = match answered {
            Some(place) if self.is_threaded => (None, Some(place.thread_root_seq.unwrap_or(place.seq))),
            Some(place) => (Some(place.seq), None),
            None => (None, None),
        };
        let written = self.chronicle.write_message(MESSAGE_SENT, author_id, thread_root_seq.is_some(), line.at)?;
        let seq = written.seq;
        self.places.insert(line.id, Place { seq, thread_root_seq });
        self.rows.push(LineRow { conversation_id: self.chronicle.id(), line: line.id, seq, thread_root_seq });
        self.messages.push(PastMessage {
            author_id,
            content: content.to_owned(),
            reply_to_seq,
            thread_root_seq,
            written,
        });
        self.summary.messages += 1;
        Ok(())
    }

    /// Whoever has no seat cannot leave it.
    fn leave(&mut self, line: &Line) -> Result<()> {
        let has_left = match self.people.find(&line.nick) {
            Some(user) => self.chronicle.leave(user, line.at)?,
            None => false,
        };
        self.summary.left_without_a_seat += usize::from(!has_left);
        Ok(())
    }

    fn person(&self, nick: &str) -> Result<UserId> {
        self.people.find(nick).ok_or_else(|| Error::internal(format!("nobody is {nick:?}")))
    }

    async fn write(self, tx: &mut Tx, source: &Source, lines: &[&Line]) -> Result<(ConversationId, Summary)> {
        let id = self.chronicle.id();
        let last = lines[lines.len() - 1];
        messages::record(tx, id, self.messages).await?;
        store::insert_lines(tx, &self.rows).await?;
        store::set_last_line(tx, source.id, &last.channel, last.id).await?;
        self.chronicle.write(tx).await?;
        Ok((id, self.summary))
    }
}

/// The people that a line is about, as far as they are known.
fn concerned(people: &People, line: &Line) -> impl Iterator<Item = UserId> {
    let renamed = match &line.what {
        What::Rename { to } => people.find(to),
        _ => None,
    };
    people.find(&line.nick).into_iter().chain(renamed)
}

/// Where the lines are that these answer, and that came before them.
async fn answered_before(tx: &mut Tx, id: ConversationId, lines: &[&Line]) -> Result<HashMap<i32, Place>> {
    let answers = lines.iter().filter_map(|line| match line.what {
        What::Message { reply_to: Some(reply_to), .. } => i32::try_from(reply_to).ok(),
        _ => None,
    });
    let wanted: Vec<i32> = answers.filter(|&line| line < lines[0].id).collect();
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let found = store::lines(tx, id, &wanted).await?;
    Ok(found.into_iter().map(|row| (row.line, Place { seq: row.seq, thread_root_seq: row.thread_root_seq })).collect())
}
