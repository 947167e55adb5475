//! Typing.

use chrono::TimeDelta;

use super::{hidden_from, store};
use crate::accounts::preferences;
use crate::clock::Instant;
use crate::context::Scope;
use crate::conversations::{Action, Reference, seat_in};
use crate::error::{Error, Result};
use crate::id::MessageId;
use crate::realtime::{Passing, Signal};
use crate::text::{Fault, Wrong};
use crate::viewer::Viewer;

/// How long somebody is shown typing who does not say so again.
const TYPING_FADES: TimeDelta = TimeDelta::seconds(8);

/// Where somebody types, checked but for what only the database knows.
#[derive(Debug)]
pub struct TypingDraft {
    conversation: Reference,
    thread_root: Option<MessageId>,
    is_typing: bool,
}

impl TypingDraft {
    pub fn from(conversation_id: &str, thread_root_id: Option<&str>, is_typing: bool) -> Result<Self> {
        let mut wrong = Wrong::default();
        let conversation = wrong.note("conversationId", Reference::parse(conversation_id).ok_or_else(Fault::not_an_id));
        let root = thread_root_id.map(|id| MessageId::parse(id).ok_or_else(Fault::not_an_id)).transpose();
        let thread_root = wrong.note("threadRootId", root);
        wrong.finish(|| Some(Self { conversation: conversation?, thread_root: thread_root?, is_typing }))
    }
}

/// Tells the other members that the viewer types, or no longer. Answers until when they see it; `None` when they do not.
pub async fn set_typing(scope: &Scope, viewer: &Viewer, draft: TypingDraft) -> Result<Option<Instant>> {
    let TypingDraft { conversation, thread_root, is_typing } = draft;
    let (app, user_id) = (scope.app(), viewer.user_id);
    let seat = seat_in(scope, viewer, conversation).await?;
    seat.may(Action::Type).or_refuse()?;
    let id = seat.sight().id();
    if let Some(root) = thread_root
        && !app.db.read(async move |conn| store::is_root(conn, id, root).await).await?
    {
        return Err(Error::bad_input(vec![Fault::unknown_id().of("threadRootId")]));
    }
    if !preferences::privacy(app, user_id).await?.shares_typing {
        return Ok(None);
    }
    let at = app.clock.now();
    let until = is_typing.then_some(at + TYPING_FADES);
    let Some(hidden_from) = hidden_from(app, user_id, id).await? else { return Ok(until) };
    let passing = Passing::Typing { thread_root, until };
    Ok(match app.realtime.signals.send(id, Signal { user_id, at, passing, hidden_from }) {
        Passing::Typing { until, .. } => until,
        Passing::Reading { .. } => None,
    })
}
