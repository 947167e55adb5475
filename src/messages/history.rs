//! Reading what was written: pages, and the neighbourhood of a message.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Message, store};
use crate::app::App;
use crate::context::Scope;
use crate::conversations::{Action, Sight, StandingOf, Verdict, may};
use crate::error::{Error, Result};
use crate::id::{ConversationId, MessageId};
use crate::page::{Arguments, Cursor, MOST, Page};
use crate::text::Fault;
use crate::viewer::Viewer;

/// Which messages of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeline {
    /// Those outside of threads.
    Conversation,
    /// The replies under the message at this position.
    Thread(i32),
}

/// Place of a message: the same in timelines, threads, events and payloads, also once it is deleted.
#[derive(Debug, Serialize, Deserialize)]
pub struct MessageCursor(Uuid, i32);

impl Cursor for MessageCursor {
    const LIST: &str = "messages";
}

impl MessageCursor {
    pub fn of(message: &Message) -> Self {
        Self(message.conversation_id.0, message.seq)
    }

    pub(super) fn seq(&self) -> i32 {
        self.1
    }
}

/// Where to open a timeline.
#[derive(Clone, Copy, Debug)]
pub enum Anchor {
    Message(MessageId),
    /// The message at or after this position.
    Seq(i32),
    /// The first message at or after this instant.
    Time(DateTime<Utc>),
    /// The first message that the viewer has not read, or the newest one.
    FirstUnread,
}

/// A page of a timeline, oldest first.
pub async fn page(app: &App, sight: Sight, timeline: Timeline, arguments: Arguments) -> Result<Page<Message>> {
    let window = arguments.window_of(|cursor: &MessageCursor| cursor.0 == sight.id().0)?;
    let wanted = &window;
    let rows = app.db.read(async move |conn| store::page(conn, sight.id(), timeline, wanted).await).await?;
    Ok(window.page(rows))
}

/// A page of a conversation's deleted messages outside of threads, oldest first; `None` to all but those who may delete
/// what others write there.
pub async fn deleted(
    scope: &Scope,
    viewer: &Viewer,
    sight: Sight,
    arguments: Arguments,
) -> Result<Option<Page<Message>>> {
    let window = arguments.window_of(|cursor: &MessageCursor| cursor.0 == sight.id().0)?;
    let own = scope.load::<StandingOf>((viewer.user_id, sight.id())).await?;
    if own.is_none_or(|own| may(Action::DeleteOf(None), &own.standing) != Verdict::Allowed) {
        return Ok(None);
    }
    let wanted = &window;
    let rows = scope.app().db.read(async move |conn| store::deleted(conn, sight.id(), wanted).await).await?;
    Ok(Some(window.page(rows)))
}

/// The messages around an anchor, it included: `before` of those before it, `after` of those after it.
pub async fn around(
    app: &App,
    viewer: &Viewer,
    sight: Sight,
    timeline: Timeline,
    anchor: Anchor,
    before: i32,
    after: i32,
) -> Result<Page<Message>> {
    let sides = [("before", before), ("after", after)];
    let is_wrong = |(_, count): &(_, i32)| !(0..=MOST as i32).contains(count);
    let mut wrong: Vec<_> = sides.into_iter().filter(is_wrong).map(|(name, _)| name).collect();
    if wrong.is_empty() && before + after > MOST as i32 {
        wrong.push("before");
    }
    if !wrong.is_empty() {
        let faults = wrong.into_iter().map(|name| Fault::out_of_range(0, MOST).of_argument(name));
        return Err(Error::bad_input(faults.collect()));
    }
    let Some(seq) = position(app, viewer, sight.id(), timeline, anchor).await? else {
        return Ok(Page { rows: Vec::new(), has_previous: false, has_next: false });
    };
    app.db
        .read(async move |conn| {
            let mut older = store::older(conn, sight.id(), timeline, seq, i64::from(before) + 1).await?;
            let mut rest = store::from(conn, sight.id(), timeline, seq, i64::from(after) + 2).await?;
            let has_previous = older.len() > before as usize;
            let has_next = rest.len() > after as usize + 1;
            older.truncate(before as usize);
            rest.truncate(after as usize + 1);
            older.reverse();
            older.append(&mut rest);
            Ok(Page { rows: older, has_previous, has_next })
        })
        .await
}

/// Where the anchor stands; `None` where the timeline is empty.
async fn position(
    app: &App,
    viewer: &Viewer,
    id: ConversationId,
    timeline: Timeline,
    anchor: Anchor,
) -> Result<Option<i32>> {
    let user_id = viewer.user_id;
    app.db
        .read(async move |conn| {
            let found = match anchor {
                Anchor::Message(message) => match store::seq_in(conn, id, timeline, message).await? {
                    Some(seq) => return Ok(Some(Ok(seq))),
                    None => return Ok(Some(Err(()))),
                },
                Anchor::Seq(seq) => store::first_from(conn, id, timeline, seq).await?,
                Anchor::Time(instant) => store::first_since(conn, id, timeline, instant).await?,
                Anchor::FirstUnread => store::first_unread(conn, id, timeline, user_id).await?,
            };
            match found {
                Some(seq) => Ok(Some(Ok(seq))),
                // Past the end stands the newest.
                None => Ok(store::newest(conn, id, timeline).await?.map(Ok)),
            }
        })
        .await?
        .transpose()
        .map_err(|()| Error::not_found("message"))
}
