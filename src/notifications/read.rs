//! Reading notifications: by themselves, or by reading what they are about.

use super::deliver;
use super::store::{self, HasRead};
use crate::app::App;
use crate::clock::Instant;
use crate::db::Tx;
use crate::error::Result;
use crate::id::{ConversationId, NotificationId, UserId};
use crate::page::MOST;
use crate::text::{Fault, Wrong};
use crate::viewer::Viewer;

/// Which notifications to mark read.
#[derive(Debug)]
pub enum ReadDraft {
    These(Vec<NotificationId>),
    Until(Instant),
    About(ConversationId),
}

impl ReadDraft {
    pub fn these(ids: &[String]) -> Result<Self> {
        let mut wrong = Wrong::default();
        let ids = some_ids(&mut wrong, ids);
        wrong.finish(|| ids.map(Self::These))
    }
}

/// Ids in an input's `notificationIds`.
pub(super) fn some_ids(wrong: &mut Wrong, ids: &[String]) -> Option<Vec<NotificationId>> {
    match ids.len() {
        0..=MOST => wrong
            .note_each("notificationIds", ids.iter().map(|id| NotificationId::parse(id).ok_or_else(Fault::not_an_id))),
        _ => wrong.note("notificationIds", Err(Fault::too_many(MOST))),
    }
}

/// Marks notifications of the viewer read, in one statement for any number; says how many were not before. Whoever marks
/// them on two devices at once marks each once.
pub async fn mark_read(app: &App, viewer: &Viewer, draft: &ReadDraft) -> Result<usize> {
    let (now, user) = (app.clock.now(), viewer.user_id);
    app.db
        .transaction(async move |tx| {
            let marked = match draft {
                ReadDraft::These(ids) => store::read_these(tx, user, ids, now).await?,
                ReadDraft::Until(until) => store::read_until(tx, user, *until, now).await?,
                ReadDraft::About(id) => store::read_about(tx, user, *id, now).await?,
            };
            let count = marked.len();
            deliver::gone(tx, marked).await?;
            Ok(count)
        })
        .await
}

/// Whoever has read this far in a conversation, or in a thread of it, has read what is about it. Everything up to a
/// position was committed before somebody could read up to it, so nothing comes late.
pub async fn have_read(
    tx: &mut Tx,
    user_id: UserId,
    conversation_id: ConversationId,
    thread_root_seq: Option<i32>,
    seq: i32,
    now: Instant,
) -> Result<()> {
    let read = store::read_up_to(tx, &[HasRead { user_id, conversation_id, thread_root_seq, seq }], now).await?;
    deliver::gone(tx, read).await
}
