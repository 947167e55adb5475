//! Lists of channels and of members.

use chrono::{DateTime, Datelike};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Conversation, Member, Sight, Visibility, store};
use crate::app::App;
use crate::clock::Instant;
use crate::error::Result;
use crate::id::MemberId;
use crate::page::{Cursor, Page, Window};
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

/// Place in a list of members: conversation, rank of the role, when they joined (in milliseconds), id of the seat.
#[derive(Debug, Serialize, Deserialize)]
pub struct MemberCursor(Uuid, i16, i64, Uuid);

impl Cursor for ChannelCursor {
    const LIST: &str = "channels";

    fn is_possible(&self) -> bool {
        !self.0.contains('\0')
    }
}

impl Cursor for MemberCursor {
    const LIST: &str = "members";

    fn is_possible(&self) -> bool {
        DateTime::from_timestamp_millis(self.2).is_some_and(|joined_at| (1..10_000).contains(&joined_at.year()))
    }
}

impl ChannelCursor {
    pub fn of(conversation: &Conversation) -> Self {
        let name = conversation.channel.as_ref().map_or("", |channel| &channel.name);
        Self(name.to_lowercase(), conversation.id.0)
    }
}

impl MemberCursor {
    pub fn of(member: &Member) -> Self {
        Self(member.conversation_id.0, member.rank, member.joined_at.timestamp_millis(), member.id.0)
    }

    pub(super) fn values(&self) -> (i16, Instant, MemberId) {
        (self.1, DateTime::from_timestamp_millis(self.2).unwrap_or_default(), MemberId(self.3))
    }
}

/// The channels that the viewer sees, joined or not.
pub async fn channels(
    app: &App,
    viewer: &Viewer,
    filter: ChannelFilter,
    window: Window<ChannelCursor>,
) -> Result<Page<Conversation>> {
    let user_id = viewer.user_id;
    let (filter, wanted) = (&filter, &window);
    let rows = app.db.read(async move |conn| store::channels(conn, user_id, filter, wanted).await).await?;
    Ok(window.page(rows))
}

/// Members: by role, then by when they joined.
pub async fn members(app: &App, sight: Sight, window: Window<MemberCursor>) -> Result<Page<Member>> {
    let window = window.of_list(|cursor| cursor.0 == sight.id().0)?;
    let wanted = &window;
    let rows = app.db.read(async move |conn| store::members(conn, sight.id(), wanted).await).await?;
    Ok(window.page(rows))
}
