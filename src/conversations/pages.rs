//! Lists of channels and of members.

use chrono::DateTime;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Conversation, Member, Sight, Visibility, store};
use crate::app::App;
use crate::clock::Instant;
use crate::error::Result;
use crate::id::MemberId;
use crate::page::{Arguments, Cursor, Page, Window};
use crate::viewer::Viewer;

/// Which channels.
#[derive(Debug, Default)]
pub struct ChannelFilter {
    pub visibility: Option<Visibility>,
    pub is_joined: Option<bool>,
    pub is_archived: bool,
}

/// Place in the list of channels: name and id.
#[derive(Debug, Serialize, Deserialize)]
pub struct ChannelCursor(pub String, pub Uuid);

/// Place in the list of members of one conversation: rank of the role, when they joined (in milliseconds), id of the seat.
#[derive(Debug, Serialize, Deserialize)]
pub struct MemberCursor(Uuid, i16, i64, Uuid);

impl Cursor for ChannelCursor {
    const LIST: &str = "channels";
}

impl Cursor for MemberCursor {
    const LIST: &str = "members";
}

impl ChannelCursor {
    /// Whether we could have written it: no name has a NUL, and the database takes none.
    pub fn is_ours(&self) -> bool {
        !self.0.contains('\0')
    }

    /// `name` as the database folds it: it orders the list.
    fn of(conversation: &Conversation, name: String) -> Self {
        Self(name, conversation.id.0)
    }
}

impl MemberCursor {
    pub fn of(member: &Member) -> Self {
        Self(member.conversation_id.0, member.rank, member.joined_at.timestamp_millis(), member.id.0)
    }

    pub(super) fn values(&self) -> (i16, Instant, MemberId) {
        // A client may send any number; one that is no time of ours stands before all.
        let millis = Some(self.2).filter(|millis| (0..253_402_300_800_000).contains(millis)).unwrap_or_default();
        (self.1, DateTime::from_timestamp_millis(millis).unwrap_or_default(), MemberId(self.3))
    }
}

/// The channels that the viewer sees, joined or not.
pub async fn channels(
    app: &App,
    viewer: &Viewer,
    filter: ChannelFilter,
    window: Window<ChannelCursor>,
) -> Result<Page<(ChannelCursor, Conversation)>> {
    let user_id = viewer.user_id;
    let (filter, wanted) = (&filter, &window);
    let rows = app.db.read(async move |conn| store::channels(conn, user_id, filter, wanted).await).await?;
    Ok(window.page(rows).map(|(row, name)| (ChannelCursor::of(&row, name), row)))
}

/// Members: by role, then by when they joined.
pub async fn members(app: &App, sight: Sight, arguments: Arguments) -> Result<Page<Member>> {
    let window = arguments.window_of(|cursor: &MemberCursor| cursor.0 == sight.id().0)?;
    let wanted = &window;
    let rows = app.db.read(async move |conn| store::members(conn, sight.id(), wanted).await).await?;
    Ok(window.page(rows))
}
