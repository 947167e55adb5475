//! Lists of groups and of their members.

use serde::{Deserialize, Serialize};

use super::{Group, Member, MemberRole, Sight, Visibility, store};
use crate::app::App;
use crate::clock::Instant;
use crate::error::Result;
use crate::id::{GroupId, GroupMemberId};
use crate::page::{Arguments, Cursor, Millis, Page};
use crate::text;
use crate::users::Among;
use crate::viewer::Viewer;

/// Which groups, checked.
#[derive(Debug, Default)]
pub struct GroupFilter {
    /// What the name or the description contains, in whatever case.
    pub search: Option<String>,
    pub visibility: Option<Visibility>,
    pub is_joined: Option<bool>,
    pub is_archived: Option<bool>,
}

impl GroupFilter {
    /// Fewer than three characters would find a part of everything, and no index knows them.
    pub fn searching(self, search: Option<String>) -> Result<Self> {
        Ok(Self { search: text::search(search, 3..=100)?, ..self })
    }
}

/// Which members, checked.
#[derive(Debug, Default)]
pub struct MemberFilter {
    /// What the handle or the name begins with, in whatever case.
    pub search: Option<String>,
    pub roles: Option<Vec<MemberRole>>,
    pub among: Option<Among>,
}

impl MemberFilter {
    pub fn searching(self, search: Option<String>) -> Result<Self> {
        Ok(Self { search: text::search(search, 0..=80)?, ..self })
    }
}

/// A list of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupList {
    /// Of all that the viewer sees.
    Seen,
    /// Of those that the viewer is a member of, archived or not.
    Own,
}

/// Place in a list of groups: the name as the database folds it, and the id.
#[derive(Debug, Serialize, Deserialize)]
pub struct GroupCursor(GroupList, String, GroupId);

impl GroupCursor {
    pub(super) fn values(&self) -> (&str, GroupId) {
        (&self.1, self.2)
    }
}

/// Place in the list of members of one group: rank of the role, when they joined, id of the membership.
#[derive(Debug, Serialize, Deserialize)]
pub struct MemberCursor(GroupId, i16, Millis, GroupMemberId);

impl Cursor for GroupCursor {
    const LIST: &str = "groups";
}

impl Cursor for MemberCursor {
    const LIST: &str = "groupMembers";
}

impl MemberCursor {
    pub fn of(member: &Member) -> Self {
        Self(member.group_id, member.rank, member.joined_at.into(), member.id)
    }

    pub(super) fn values(&self) -> (i16, Instant, GroupMemberId) {
        (self.1, self.2.into(), self.3)
    }
}

/// The groups that the viewer sees, joined or not, by name.
pub async fn groups(
    app: &App,
    viewer: &Viewer,
    filter: GroupFilter,
    arguments: Arguments,
) -> Result<Page<(GroupCursor, Sight, Group)>> {
    listed(app, viewer, GroupList::Seen, filter, arguments).await
}

/// The groups that the viewer is a member of, by name.
pub async fn groups_of(app: &App, viewer: &Viewer, arguments: Arguments) -> Result<Page<(GroupCursor, Sight, Group)>> {
    let filter = GroupFilter { is_joined: Some(true), ..GroupFilter::default() };
    listed(app, viewer, GroupList::Own, filter, arguments).await
}

async fn listed(
    app: &App,
    viewer: &Viewer,
    list: GroupList,
    filter: GroupFilter,
    arguments: Arguments,
) -> Result<Page<(GroupCursor, Sight, Group)>> {
    // No name has a NUL, and the database takes none.
    let window = arguments.window_of(|GroupCursor(of, name, _)| *of == list && !name.contains('\0'))?;
    let (user_id, filter, wanted) = (viewer.user_id, &filter, &window);
    let rows = app.db.read(async move |conn| store::groups(conn, user_id, filter, wanted).await).await?;
    Ok(window.page(rows).map(|(row, name)| (GroupCursor(list, name, row.id), Sight::of_standing(row.id), row)))
}

/// Members as the viewer is shown them: by role, then by when they joined.
pub async fn members(
    app: &App,
    viewer: &Viewer,
    sight: Sight,
    filter: MemberFilter,
    arguments: Arguments,
) -> Result<Page<Member>> {
    let window = arguments.window_of(|cursor: &MemberCursor| cursor.0 == sight.id())?;
    let (user_id, filter, wanted) = (viewer.user_id, &filter, &window);
    let rows = app.db.read(async move |conn| store::members(conn, user_id, sight.id(), filter, wanted).await).await?;
    Ok(window.page(rows))
}
