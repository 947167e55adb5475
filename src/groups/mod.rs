//! Groups: communities with members and roles, whose channels and categories are the conversations' area. What ends seats
//! or closes channels with a group, such as leaving it, is a rule of `conversations`, which holds both.
//!
//! Permission is a value, as with conversations: what reads takes a `Sight`, from `in_sight`; what changes something takes
//! `Held`, from `hold`. Both say *not found* to strangers.

mod add;
mod address;
mod create;
pub mod graphql;
mod held;
mod join;
mod loaders;
mod may;
mod pages;
mod sight;
mod store;
mod update;
mod welcome;

use std::collections::HashSet;

use async_graphql::Enum;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types;

pub use add::{ADDED_AT_ONCE, AddDraft, Added, Rejection, add_members};
pub use address::{Address, fitting, made_address, numbered, taken};
pub use create::{Created, GroupDraft, GroupInput, create_group};
pub use held::{Changed, ChangedMember, Held, hold, hold_with_member};
pub use join::join_group;
pub use loaders::{GroupById, MemberShown, MembershipOf, OwnMembership, StandingOf};
pub use may::{Action, Standing, Verdict, may};
pub use pages::{GroupCursor, GroupFilter, MemberCursor, MemberFilter, groups, groups_of, members};
pub use sight::{Sight, in_sight};
pub use store::{Group, Member, MemberCount, Viewpoint};
pub use update::{GroupChanges, UpdateDraft, update_group};
pub use welcome::welcome;

use crate::app::App;
use crate::db::{Tx, text_enum};
use crate::error::Result;
use crate::id::{GroupId, UserId};

/// Who can see and join a channel or a group.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql_types::Text)]
pub enum Visibility {
    /// Everyone of the server, or of its group but guests, can see it, read it and join; writing takes joining.
    Public,
    /// Only members know that it exists; they add others.
    Private,
}
text_enum!(Visibility);

/// Role in a conversation or a group, from most to least.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql_types::Text)]
pub enum MemberRole {
    /// May do everything, hand it over and make it public too. There is at most one.
    Owner,
    /// May change settings and roles below their own, archive, and add people to private ones too.
    Admin,
    /// May pin, mention everyone at once, and delete messages of, mute, ban and remove those of lower rank.
    Moderator,
    /// May read and write, and add others to public ones.
    Member,
    /// May read and write; of a group, sees only the channels they were added to.
    Guest,
}
text_enum!(MemberRole);

impl MemberRole {
    /// Higher outranks lower.
    pub fn rank(self) -> u8 {
        match self {
            Self::Owner => 5,
            Self::Admin => 4,
            Self::Moderator => 3,
            Self::Member => 2,
            Self::Guest => 1,
        }
    }

    /// The one that counts of two.
    pub fn or_higher(self, other: Option<Self>) -> Self {
        other.filter(|other| other.rank() > self.rank()).unwrap_or(self)
    }
}

/// How a membership ended. Values are added over time.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[graphql(name = "DepartureReason")]
#[diesel(sql_type = sql_types::Text)]
pub enum Departure {
    /// They left.
    Left,
    /// Someone removed them.
    Removed,
    /// They were banned.
    Banned,
    /// The conversation or group became closed to them.
    AccessLost,
}
text_enum!(Departure);

/// Of these people, those who are in a group.
pub async fn members_among(tx: &mut Tx, id: GroupId, people: &[UserId]) -> Result<HashSet<UserId>> {
    let found = store::members_of(tx, id, people).await?;
    Ok(found.into_iter().filter(Member::holds).map(|member| member.user_id).collect())
}

/// Role of somebody who is in a group.
pub async fn role_in(tx: &mut Tx, id: GroupId, user: UserId) -> Result<Option<MemberRole>> {
    let member = store::members_of(tx, id, &[user]).await?.pop();
    Ok(member.filter(Member::holds).map(|member| member.role))
}

/// That a group is not archived, else ARCHIVED.
pub async fn open(tx: &mut Tx, id: GroupId) -> Result<()> {
    match store::by_ids(tx, &[id]).await?.pop() {
        Some(group) if group.archived_at.is_some() => Verdict::Archived.or_refuse(),
        _ => Ok(()),
    }
}

/// The group of this address. None has a NUL, which cannot even be asked for.
pub async fn group_by_slug(app: &App, slug: String) -> Result<Option<GroupId>> {
    if slug.contains('\0') {
        return Ok(None);
    }
    app.db.read(async move |conn| store::by_slug(conn, &slug).await).await
}

/// The groups that somebody is in.
pub async fn all_of(app: &App, user: UserId) -> Result<Vec<GroupId>> {
    app.db.read(async move |conn| store::all_of(conn, user).await).await
}

/// Who is next to own a group: the highest role and, of those, the longest there.
pub async fn heir(tx: &mut Tx, id: GroupId) -> Result<Option<Member>> {
    Ok(store::heir(tx, id).await?)
}
