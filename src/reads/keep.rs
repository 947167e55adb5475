//! For what to be notified, muting, favourites and hiding: each member's own, and seen by nobody else.

use super::store::{self, State};
use crate::accounts::preferences::NotificationLevel;
use crate::app::App;
use crate::clock::Instant;
use crate::conversations::{self, Keeping, Reference, Seat};
use crate::error::Result;
use crate::text::{self, Fault, Wrong};
use crate::viewer::Viewer;

/// What somebody wants to change of how they keep a conversation; what is absent stays.
#[derive(Clone, Debug)]
pub struct KeepDraft {
    pub conversation: Reference,
    /// `Some(None)` for as the preferences say.
    notification_level: Option<Option<NotificationLevel>>,
    /// `Some(None)` to unmute.
    muted_until: Option<Option<Instant>>,
    is_favorite: Option<bool>,
    is_hidden: Option<bool>,
}

impl KeepDraft {
    pub fn from(
        conversation_id: &str,
        notification_level: Option<Option<NotificationLevel>>,
        muted_until: Option<Option<Instant>>,
        is_favorite: Option<bool>,
        is_hidden: Option<bool>,
    ) -> Result<Self> {
        let mut wrong = Wrong::default();
        let conversation = wrong.note("conversationId", Reference::parse(conversation_id).ok_or_else(Fault::not_an_id));
        let until = muted_until.map(|until| until.map(text::end).transpose());
        let muted_until = wrong.note("mutedUntil", until.transpose());
        wrong.finish(|| {
            let (conversation, muted_until) = (conversation?, muted_until?);
            Some(Self { conversation, notification_level, muted_until, is_favorite, is_hidden })
        })
    }

    /// What it changes. A mute that is over is none, whether it was over when it was said or is over by now.
    fn changes(&self, state: &State, now: Instant) -> Keeping {
        let member = &state.member;
        let last_msg_no = state.conversation.last_msg_no;
        let lasting = |until: Option<Instant>| until.filter(|until| *until > now);
        let is_hidden = member.is_hidden(last_msg_no);
        Keeping {
            notification_level: self.notification_level.filter(|level| *level != member.notification_level),
            muted_until: self.muted_until.map(lasting).filter(|until| *until != lasting(member.muted_until)),
            is_favorite: self.is_favorite.filter(|is_favorite| *is_favorite != member.is_favorite),
            hidden_no: self.is_hidden.filter(|hide| *hide != is_hidden).map(|hide| hide.then_some(last_msg_no)),
        }
    }
}

/// Changes how the viewer keeps a conversation. What is so already is not written again.
pub async fn keep(app: &App, viewer: &Viewer, seat: Seat, draft: KeepDraft) -> Result<()> {
    let (now, key) = (app.clock.now(), (seat.sight().id(), viewer.user_id));
    app.db
        .transaction(async move |tx| {
            let Some(state) = store::states(tx, &[key]).await?.pop() else { return Ok(()) };
            match draft.changes(&state, now) {
                nothing if nothing == Keeping::default() => Ok(()),
                changes => conversations::keep(tx, &seat, &changes).await,
            }
        })
        .await
}
