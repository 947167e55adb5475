//! Where somebody's sight of a conversation ends, as its log tells.

use std::sync::Arc;

use super::events::{
    CONVERSATION_UPDATED, ConversationUpdated, MEMBER_LEFT, MemberLeft, SIGHT_LOST, SightLost, VISIBILITY,
};
use super::{Sight, store};
use crate::app::App;
use crate::error::Result;
use crate::id::UserId;
use crate::log::{Event, Kind};
use crate::viewer::Viewer;

/// The kinds of events that may end a sight.
pub(super) const ENDING: [Kind; 3] = [MEMBER_LEFT, CONVERSATION_UPDATED, SIGHT_LOST];

/// What may be the end of somebody's sight. One from before a sight was judged is none: whoever came back since reads
/// past it.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// This one's membership ended here.
    Member(UserId, i32),
    /// This one does not see it without a seat any more.
    Reader(UserId, i32),
    /// Who sees it without a seat changed here.
    Readers(i32),
}

impl End {
    /// All among these events.
    pub fn among(events: &[Arc<Event>]) -> Result<Vec<Self>> {
        let ends = events.iter().map(|event| {
            Ok(match event.kind() {
                MEMBER_LEFT => Some(Self::Member(event.payload::<MemberLeft>()?.user_id, event.seq)),
                SIGHT_LOST => Some(Self::Reader(event.payload::<SightLost>()?.user_id, event.seq)),
                CONVERSATION_UPDATED => {
                    let changed = event.payload::<ConversationUpdated>()?.changed_fields;
                    changed.iter().any(|field| field == VISIBILITY).then_some(Self::Readers(event.seq))
                }
                _ => None,
            })
        });
        ends.filter_map(Result::transpose).collect()
    }

    /// Where it is the end of this viewer's membership.
    pub fn departure_of(self, viewer: &Viewer, sight: Sight) -> Option<i32> {
        match self {
            Self::Member(user_id, seq) => (user_id == viewer.user_id && seq > sight.as_of()).then_some(seq),
            Self::Reader(..) | Self::Readers(_) => None,
        }
    }

    /// Whether it may be the end of a sight without a seat. Whoever has joined since is a member, which only a look will
    /// tell.
    pub fn closes(self, viewer: &Viewer, sight: Sight) -> bool {
        let seq = match self {
            Self::Readers(seq) => seq,
            Self::Reader(user_id, seq) if user_id == viewer.user_id => seq,
            Self::Reader(..) | Self::Member(..) => return false,
        };
        sight.seat().is_none() && seq > sight.as_of()
    }

    /// Whether it may be the end of this sight.
    pub fn concerns(self, viewer: &Viewer, sight: Sight) -> bool {
        self.departure_of(viewer, sight).is_some() || self.closes(viewer, sight)
    }
}

/// What has become of a sight; `None` where it has ended. First it is taken down that a reader follows a group's channel: from
/// then on the log tells when they are taken out of the group, and whether they were before is judged after it.
pub(super) async fn judge_again(app: &App, viewer: &Viewer, sight: Sight) -> Result<Option<Sight>> {
    let (user, id) = (viewer.user_id, sight.id());
    if let Some(group) = sight.group()
        && !app.db.read(async move |conn| store::is_reader(conn, user, id).await).await?
    {
        app.db.transaction(async move |tx| Ok(store::insert_reader(tx, user, group, id).await?)).await?;
    }
    let pair = (viewer.user_id, sight.id());
    let standings = app.db.read(async move |conn| store::standings(conn, &[pair]).await).await?;
    Ok(sight.continued(standings.into_iter().next().map(|found| found.sight)))
}
