//! Lists of channels and of members.

use async_graphql::Enum;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::store::Listed;
use super::{Conversation, Heading, Kind, Member, MemberRole, Sight, Visibility, store};
use crate::app::App;
use crate::clock::Instant;
use crate::error::Result;
use crate::id::{ConversationId, GroupId, MemberId};
use crate::page::{Arguments, Cursor, Millis, Order, Page, Window};
use crate::text;
use crate::users::Among;
use crate::viewer::Viewer;

/// What channels are ordered by. Values are added over time.
#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChannelOrderField {
    /// Category and place in it.
    Position,
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
    pub group: Option<GroupId>,
    /// Of this group's list.
    pub(super) within: Option<GroupId>,
    /// Only those under one heading.
    pub heading: Option<Heading>,
    pub kinds: Option<Vec<Kind>>,
    pub visibility: Option<Visibility>,
    pub is_joined: Option<bool>,
    pub is_archived: bool,
}

impl ChannelFilter {
    /// The same of the list of one group.
    pub fn within(self, group: GroupId) -> Self {
        Self { within: Some(group), ..self }
    }

    /// Names the list, where it is one group's or one category's.
    pub fn list(&self) -> Option<Uuid> {
        let category = self.heading.and_then(|heading| heading.category_id);
        category.map(|id| id.0).or(self.within.map(|id| id.0))
    }

    /// The groups that a channel has to be in.
    pub(super) fn groups(&self) -> impl Iterator<Item = GroupId> {
        self.group.into_iter().chain(self.within)
    }

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
    /// In the list of one group or category.
    Within(Uuid, Box<ChannelCursor>),
    Position(Spot, ConversationId),
    /// The name as the database folds it.
    Name(String, ConversationId),
    CreatedAt(Millis, ConversationId),
}

/// Where a channel stands in the display order of all: those of the server first, those of no category first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Spot {
    group: Option<GroupId>,
    category: Option<i32>,
    position: i32,
}

/// Values of a place, as the database compares them.
pub(super) enum Place<'a> {
    /// The group, nil for the server; the place of the category, -1 for none; the place in it; and the id.
    Position((GroupId, i32, i32, ConversationId)),
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
    fn of(order: Order<ChannelOrderField>, Listed { conversation, folded_name, category_position }: &Listed) -> Self {
        match order.field {
            ChannelOrderField::Position => {
                let channel = conversation.channel.as_ref();
                let spot = Spot {
                    group: channel.and_then(|channel| channel.group_id),
                    category: *category_position,
                    position: channel.map_or(0, |channel| channel.position),
                };
                Self::Position(spot, conversation.id)
            }
            ChannelOrderField::Name => Self::Name(folded_name.clone(), conversation.id),
            ChannelOrderField::CreatedAt => Self::CreatedAt(conversation.created_at.into(), conversation.id),
        }
    }

    /// Whether we could have written it, for this list in this order: no name has a NUL, and the database takes none.
    pub fn is_of(&self, list: Option<Uuid>, order: Order<ChannelOrderField>) -> bool {
        match self {
            Self::Within(own, cursor) => list == Some(*own) && cursor.is_of(None, order),
            _ if list.is_some() => false,
            Self::Position(..) => order.field == ChannelOrderField::Position,
            Self::Name(name, _) => order.field == ChannelOrderField::Name && !name.contains('\0'),
            Self::CreatedAt(..) => order.field == ChannelOrderField::CreatedAt,
        }
    }

    pub(super) fn place(&self) -> Place<'_> {
        match self {
            Self::Within(_, cursor) => cursor.place(),
            Self::Position(Spot { group, category, position }, id) => {
                let group = group.unwrap_or(GroupId(Uuid::nil()));
                Place::Position((group, category.unwrap_or(-1), *position, *id))
            }
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
    let (list, filter, wanted) = (filter.list(), &filter, &window);
    let rows = app.db.read(async move |conn| store::channels(conn, user_id, filter, order, wanted).await).await?;
    let cursor = |listed: &Listed| match (list, ChannelCursor::of(order, listed)) {
        (Some(list), cursor) => ChannelCursor::Within(list, Box::new(cursor)),
        (None, cursor) => cursor,
    };
    Ok(window.page(rows).map(|listed| (cursor(&listed), listed.conversation)))
}

/// Members: by role, then by when they joined.
pub async fn members(app: &App, sight: Sight, filter: MemberFilter, arguments: Arguments) -> Result<Page<Member>> {
    let window = arguments.window_of(|cursor: &MemberCursor| cursor.is_of(sight.id()))?;
    let (filter, wanted) = (&filter, &window);
    let rows = app.db.read(async move |conn| store::members(conn, sight.id(), filter, wanted).await).await?;
    Ok(window.page(rows))
}
