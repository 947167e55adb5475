//! Lists of channels and of members.

use async_graphql::Enum;
use serde::{Deserialize, Serialize};

use super::{Conversation, Kind, Member, MemberRole, Sight, Visibility, store};
use crate::app::App;
use crate::clock::Instant;
use crate::error::Result;
use crate::id::{ConversationId, MemberId};
use crate::page::{Arguments, Cursor, Millis, Order, Page, Window};
use crate::text;
use crate::users::Among;
use crate::viewer::Viewer;

/// What channels are ordered by. Values are added over time.
#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChannelOrderField {
    /// Name.
    #[default]
    Name,
    /// Creation.
    CreatedAt,
}

/// Which channels, checked.
#[derive(Debug, Default)]
pub struct ChannelFilter {
    /// What the name or the topic contains, in whatever case.
    pub(super) search: Option<String>,
    pub kinds: Option<Vec<Kind>>,
    pub visibility: Option<Visibility>,
    pub is_joined: Option<bool>,
    pub is_archived: bool,
}

impl ChannelFilter {
    /// Fewer than three characters would find a part of everything, and no index knows them.
    pub fn searching(self, search: Option<String>) -> Result<Self> {
        Ok(Self { search: text::search(search, 3..=100)?, ..self })
    }
}

/// Which members, checked.
#[derive(Debug, Default)]
pub struct MemberFilter {
    /// What the handle or the name begins with, in whatever case.
    pub(super) search: Option<String>,
    pub roles: Option<Vec<MemberRole>>,
    /// Up to where they have read, of those who share it.
    pub has_read_seq: Option<i32>,
    pub among: Option<Among>,
}

impl MemberFilter {
    pub fn searching(self, search: Option<String>) -> Result<Self> {
        Ok(Self { search: text::search(search, 0..=80)?, ..self })
    }
}

/// Place in the list of channels: what it is ordered by, and the id.
#[derive(Debug, Serialize, Deserialize)]
pub enum ChannelCursor {
    /// The name as the database folds it.
    Name(String, ConversationId),
    CreatedAt(Millis, ConversationId),
}

/// Values of a place, as the database compares them.
pub(super) enum Place<'a> {
    Name(&'a str, ConversationId),
    CreatedAt(Instant, ConversationId),
}

/// Place in the list of members of one conversation: rank of the role, when they joined, id of the seat.
#[derive(Debug, Serialize, Deserialize)]
pub struct MemberCursor(ConversationId, i16, Millis, MemberId);

impl Cursor for ChannelCursor {
    const LIST: &str = "channels";
}

impl Cursor for MemberCursor {
    const LIST: &str = "members";
}

impl ChannelCursor {
    fn of(order: Order<ChannelOrderField>, conversation: &Conversation, folded_name: String) -> Self {
        match order.field {
            ChannelOrderField::Name => Self::Name(folded_name, conversation.id),
            ChannelOrderField::CreatedAt => Self::CreatedAt(conversation.created_at.into(), conversation.id),
        }
    }

    /// Whether we could have written it, for a list in this order: no name has a NUL, and the database takes none.
    pub fn is_of(&self, order: Order<ChannelOrderField>) -> bool {
        match self {
            Self::Name(name, _) => order.field == ChannelOrderField::Name && !name.contains('\0'),
            Self::CreatedAt(..) => order.field == ChannelOrderField::CreatedAt,
        }
    }

    pub(super) fn place(&self) -> Place<'_> {
        match self {
            Self::Name(name, id) => Place::Name(name, *id),
            Self::CreatedAt(at, id) => Place::CreatedAt((*at).into(), *id),
        }
    }
}

impl MemberCursor {
    pub fn of(member: &Member) -> Self {
        Self(member.conversation_id, member.rank, member.joined_at.into(), member.id)
    }

    /// Whether it stands in the list of this conversation's members.
    pub fn is_of(&self, id: ConversationId) -> bool {
        self.0 == id
    }

    pub fn values(&self) -> (i16, Instant, MemberId) {
        (self.1, self.2.into(), self.3)
    }
}

/// The channels that the viewer sees, joined or not.
pub async fn channels(
    app: &App,
    viewer: &Viewer,
    filter: ChannelFilter,
    order: Order<ChannelOrderField>,
    window: Window<ChannelCursor>,
) -> Result<Page<(ChannelCursor, Conversation)>> {
    let user_id = viewer.user_id;
    let (filter, wanted) = (&filter, &window);
    let rows = app.db.read(async move |conn| store::channels(conn, user_id, filter, order, wanted).await).await?;
    Ok(window.page(rows).map(|(row, name)| (ChannelCursor::of(order, &row, name), row)))
}

/// Members: by role, then by when they joined.
pub async fn members(app: &App, sight: Sight, filter: MemberFilter, arguments: Arguments) -> Result<Page<Member>> {
    let window = arguments.window_of(|cursor: &MemberCursor| cursor.is_of(sight.id()))?;
    let (filter, wanted) = (&filter, &window);
    let rows = app.db.read(async move |conn| store::members(conn, sight.id(), filter, wanted).await).await?;
    Ok(window.page(rows))
}
