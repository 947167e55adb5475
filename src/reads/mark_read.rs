//! Marking read: as frequent as reading, so it waits for nobody and makes nobody wait.

use super::store;
use crate::accounts::preferences;
use crate::app::App;
use crate::conversations::{self, Action, Reached, Reference, Seat};
use crate::db::Tx;
use crate::error::{InputCode, Result};
use crate::id::{ConversationId, MessageId};
use crate::notifications;
use crate::presence;
use crate::realtime::{Passing, Signal};
use crate::text::{Fault, Wrong};
use crate::viewer::Viewer;

/// How far somebody has read, checked but for what only the database knows.
#[derive(Debug)]
pub struct MarkReadDraft {
    pub conversation: Reference,
    up_to: UpTo,
}

#[derive(Clone, Copy, Debug)]
enum UpTo {
    Everything,
    Seq(i32),
    Message(MessageId),
}

impl MarkReadDraft {
    pub fn from(conversation_id: &str, seq: Option<i32>, message_id: Option<&str>) -> Result<Self> {
        let mut wrong = Wrong::default();
        let conversation = wrong.note("conversationId", Reference::parse(conversation_id).ok_or_else(Fault::not_an_id));
        let is_position = seq.is_none_or(|seq| seq >= 0);
        let seq =
            wrong.note("seq", is_position.then_some(seq).ok_or_else(|| Fault::out_of_range(0, i32::MAX as usize)));
        let message = wrong.note(
            "messageId",
            match (message_id, seq) {
                (Some(_), None | Some(Some(_))) => Err(Fault::new(InputCode::NotAllowed, "Not beside seq")),
                (Some(id), Some(None)) => MessageId::parse(id).map(Some).ok_or_else(Fault::not_an_id),
                (None, _) => Ok(None),
            },
        );
        wrong.finish(|| {
            let up_to = match (seq?, message?) {
                (_, Some(message)) => UpTo::Message(message),
                (Some(seq), None) => UpTo::Seq(seq),
                (None, None) => UpTo::Everything,
            };
            Some(Self { conversation: conversation?, up_to })
        })
    }
}

/// Moves the position of one's own seat forward, and tells those who listen if the viewer shares it. One that is further
/// on already stays.
pub async fn mark_read(app: &App, viewer: &Viewer, seat: Seat, draft: MarkReadDraft) -> Result<()> {
    seat.may(Action::MarkRead).or_refuse()?;
    let (at, user_id, id) = (app.clock.now(), viewer.user_id, seat.sight().id());
    // Before the transaction: within it, this would be a second connection in one hand.
    let hidden_from = match presence::hidden_from(app, user_id, id).await? {
        Some(hidden_from) if preferences::privacy(app, user_id).await?.shares_read_position => Some(hidden_from),
        _ => None,
    };
    app.db
        .transaction(async move |tx| {
            let to = position(tx, &seat, draft.up_to).await?;
            let has_moved = conversations::read_up_to(tx, &seat, to, at).await?;
            if has_moved {
                notifications::have_read(tx, user_id, id, None, to.seq, at).await?;
            }
            if let Some(hidden_from) = hidden_from.filter(|_| has_moved) {
                let passing = Passing::Reading { member_id: seat.id() };
                tx.outbox().signals.push((id, Signal { user_id, at, passing, hidden_from }));
            }
            Ok(())
        })
        .await
}

/// What was read up to.
async fn position(tx: &mut Tx, seat: &Seat, up_to: UpTo) -> Result<Reached> {
    let id = seat.sight().id();
    let seq = match up_to {
        UpTo::Everything => None,
        UpTo::Seq(seq) => Some(seq),
        UpTo::Message(message) => Some(place_of(tx, id, message).await?),
    };
    Ok(store::position(tx, id, seq).await?)
}

/// Where a message stands, which must be outside of threads: the position of a conversation says nothing of those.
pub(super) async fn place_of(tx: &mut Tx, id: ConversationId, message: MessageId) -> Result<i32> {
    let found = match store::message(tx, id, message).await? {
        None => Err(Fault::unknown_id()),
        Some((_, true)) => Err(Fault::new(InputCode::NotAllowed, "It is in a thread")),
        Some((seq, false)) => Ok(seq),
    };
    let mut wrong = Wrong::default();
    let seq = wrong.note("messageId", found);
    wrong.finish(|| seq)
}
