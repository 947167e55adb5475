//! Importing conversations: JSON lines become channels, people, seats and messages, in the same logs and counters as if
//! they had been sent here.
//!
//! One object a line, in order of `id` within a channel:
//!
//! | field | meaning |
//! |---|---|
//! | `channel` | the channel's name, 1 to 80 characters |
//! | `id` | number of the line within the channel: ascending, 1 to 2,147,483,647; it may skip |
//! | `at` | when, in RFC 3339; neither before 1970 nor in the future |
//! | `kind` | `message`, `action` (`/me`), `join`, `part`, `nick` |
//! | `nick` | who, 1 to 80 characters |
//! | `new_nick` | of a `nick`: under which name they go on |
//! | `text` | of a `message` or `action`: 1 to 10,000 characters. IRC's codes for colours and faces are left out, and control characters but newline and tab; a NUL is refused |
//! | `reply_to` | of a `message` or `action`: `id` of the message in the same channel that it answers |
//!
//! Fields beside these are left alone, and so are empty lines. Whatever else is wrong with a line is told with its
//! number, and the line is skipped.
//!
//! Where a source is imported again, only lines later than the last one taken of their channel are new, so a second run
//! adds nothing and one that was interrupted goes on. Each transaction takes some lines of one channel under the row
//! lock of its conversation, so it runs beside a server, whose people see it happen. Times never run backwards in a log:
//! a line from before the latest event gets the time of that.
//!
//! People are unclaimed users, one for each nick: `alice~irc`. A message makes its author a member; so does a `join`. A
//! `part` ends that, and is skipped for whoever is none. A `nick` is one person leaving and another joining.

mod batch;
mod line;
mod people;
mod progress;
mod read;
mod store;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::id::ConversationId;
use people::People;

pub use progress::Progress;
pub use read::Input;

/// What is wanted of an import.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the lines came from: a second file of the same source goes on where the first ended.
    pub source: SourceName,
    /// Whether answers go into the thread under the first message of theirs that is in none.
    pub is_threaded: bool,
}

/// Name of a source, as it stands at the end of its people's handles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceName(String);

impl SourceName {
    /// From what somebody wrote; `None` where too little or too much remains of it.
    pub fn from(text: &str) -> Option<Self> {
        let folded = people::folded(text.trim());
        (1..=32).contains(&folded.len()).then_some(Self(folded))
    }

    /// A file's name without what tells its format.
    pub fn of_file(path: &Path) -> Option<Self> {
        let mut name = path.file_name()?.to_str()?;
        while let Some(shorter) =
            [".gz", ".jsonl", ".ndjson", ".json"].iter().find_map(|ending| name.strip_suffix(ending))
        {
            name = shorter;
        }
        Self::from(name).filter(|_| name != "-")
    }
}

/// What an import tells while it runs.
pub enum News<'a> {
    /// A line was skipped.
    Bad(&'a BadLine),
    /// All is written up to here: so many bytes of the file.
    Written { done: u64, summary: &'a Summary },
}

/// A line that was skipped, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Counts from one, as editors do.
    pub number: u64,
    pub reason: String,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// All that were read.
    pub lines: usize,
    pub messages: usize,
    pub people: usize,
    pub channels: usize,
    /// Lines that were here already.
    pub known: usize,
    /// Departures of people who had no seat.
    pub left_without_a_seat: usize,
    /// Messages that answer one that is not here.
    pub unanswered: usize,
    /// Lines that were skipped for what is wrong with them.
    pub bad: usize,
}

/// What all batches of an import share.
struct Source {
    id: i32,
    is_threaded: bool,
}

/// Imports all of it. What is wrong with a line is told and the line skipped; an error ends the import, and leaves what
/// was written before.
pub async fn import(
    app: &App,
    options: Options,
    input: Input,
    mut tell: impl FnMut(News<'_>) + Send,
) -> Result<Summary> {
    let name = &options.source.0;
    let id = app.db.transaction(async move |tx| Ok(store::source(tx, name).await?)).await?;
    let source = Source { id, is_threaded: options.is_threaded };
    let mut people = People::of(app, id, name).await?;
    let channels = app.db.read(async move |conn| store::channels(conn, id).await).await?;
    let mut channels: HashMap<Arc<str>, (ConversationId, i32)> =
        channels.into_iter().map(|row| (row.name.into(), (row.conversation_id, row.last_line))).collect();

    let mut summary = Summary::default();
    let (mut chunks, reading) = input.chunks(app.clock.clone());
    while let Some(chunk) = chunks.recv().await {
        let mut chunk = chunk.map_err(|error| unreadable(&error))?;
        chunk.bad.iter().for_each(|bad| tell(News::Bad(bad)));
        summary.bad += chunk.bad.len();
        summary.lines += chunk.good.len() + chunk.bad.len();
        let read = chunk.good.len();
        chunk.good.retain(|line| channels.get(&line.channel).is_none_or(|(_, last)| line.id > *last));
        summary.known += read - chunk.good.len();
        summary.people += people.meet(app, &chunk.good).await?;
        for lines in by_channel(&chunk.good) {
            let (channel, last) = (lines[0].channel.clone(), lines[lines.len() - 1].id);
            let known = channels.get(&channel).copied();
            let (id, more) =
                batch::take(app, &source, &people, known, &lines).await.map_err(|error| in_channel(error, &channel))?;
            channels.insert(channel, (id, last));
            summary.add(&more);
        }
        tell(News::Written { done: chunk.done, summary: &summary });
    }
    reading.join().map_err(|_| Error::internal("the thread that reads the file panicked"))?;
    Ok(summary)
}

impl Summary {
    fn add(&mut self, more: &Self) {
        self.messages += more.messages;
        self.channels += more.channels;
        self.left_without_a_seat += more.left_without_a_seat;
        self.unanswered += more.unanswered;
    }
}

/// The lines of each channel, channels in order of appearance.
fn by_channel(lines: &[line::Line]) -> Vec<Vec<&line::Line>> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut channels: Vec<Vec<&line::Line>> = Vec::new();
    for line in lines {
        let place = *places.entry(&line.channel).or_insert(channels.len());
        if place == channels.len() {
            channels.push(Vec::new());
        }
        channels[place].push(line);
    }
    channels
}

/// Two imports of one source would number its people twice.
fn somebody_else() -> Error {
    Error::new(Code::Conflict, "Somebody else imports the same source right now: try again when that is done")
}

fn in_channel(error: Error, channel: &str) -> Error {
    let message = format!("Channel {channel:?}: {}", error.message());
    error.with_message(message)
}

fn unreadable(error: &std::io::Error) -> Error {
    Error::new(Code::BadRequest, format!("The file cannot be read further: {error}"))
}
