//! Conversations: the places where messages are written, who is in them, and who may do what.
//!
//! Permission is a value, so a forgotten check does not compile. What reads takes a `Sight`, from `in_sight`; what changes
//! something takes `Here`, from `lock` (of many at once, from `gather`); what passes without a trace, or is each member's
//! own, takes a `Seat`, from `seat_in`. All of them say *not found* to strangers, and there is no other way to a
//! conversation. History that the server itself tells is written by a `Chronicle`.
//!
//! Channels may be a group's: `of_group` is what its changes do to them. In which order channels are shown is kept by
//! `places`, and `categories` are the headings.

mod add;
mod archive;
mod catch_up;
mod categories;
mod change_role;
mod chronicle;
mod create;
mod direct;
mod ends;
pub mod events;
mod farewell;
mod follow;
mod gathering;
pub mod graphql;
mod here;
mod join;
mod leave;
mod live;
mod loaders;
mod may;
mod of_group;
mod pages;
mod places;
mod remove;
mod seat;
mod sight;
mod store;
mod transfer;
mod update;

use std::collections::HashMap;

use async_graphql::Enum;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types;

use crate::app::App;
use crate::db::{Tx, text_enum};
use crate::error::Result;
use crate::id::{self, ConversationId, UserId};

pub use crate::groups::{Departure, MemberRole, Rejection, Verdict, Visibility};
pub use add::{AddDraft, Added, add_members};
pub use archive::{archive_channel, unarchive_channel};
pub use catch_up::{CatchUpDraft, catch_up};
pub use categories::{
    CategoriesShown, CategoryById, CategoryChanges, CategoryDraft, CategoryUpdateDraft, category_in_sight,
    create_category, delete_category, server_categories, update_category,
};
pub use change_role::{ChangedMember, RoleDraft, change_role};
pub use chronicle::{Chronicle, Written};
pub use create::{ChannelDraft, ChannelInput, Created, create_channel};
pub use direct::{DIRECT_SIZE, NameDraft, OpenDraft, Opened, block, name_direct, open_direct, unblock};
pub use farewell::{ever_in, part};
pub use follow::{Followed, follow, out_of_sight};
pub use gathering::{Gathering, Place, Room, gather, save};
pub use here::{Changed, Here, lock};
pub use join::join_channel;
pub use leave::leave;
pub use loaders::{ConversationById, DepartureOf, DirectOfTwo, MemberById, ParticipantsOf, StandingOf};
pub use may::{Action, Sanction, Standing, may};
pub use of_group::{
    RemoveFromGroupDraft, RoleInGroupDraft, archive_group, change_group_role, leave_group, part_from_group,
    remove_group_member, transfer_group, unarchive_group,
};
pub use pages::{ChannelCursor, ChannelFilter, ChannelOrderField, MemberCursor, MemberFilter, channels, members};
pub use places::{Heading, MoveDraft, move_channel};
pub use remove::{RemoveDraft, remove_member};
pub use seat::{Reached, Seat, keep, read_back_to, read_up_to, seat_in};
pub use sight::{Sight, in_sight, in_sight_by_id};
pub use store::{
    Category, Channel, Conversation, Departed, Keeping, Member, MemberCount, NewChannel, NewMember, Position, Viewpoint,
};
pub use transfer::transfer;
pub use update::{ChannelChanges, UpdateDraft, update_channel};

/// Kind of a conversation. Values are added over time.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[graphql(name = "ConversationKind")]
#[diesel(sql_type = sql_types::Text)]
pub enum Kind {
    /// A channel, of the server or of a group.
    Channel,
    /// A direct conversation between two or more people.
    Direct,
}
text_enum!(Kind);

/// A conversation as it is named from outside: the prefix says the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    pub kind: Kind,
    pub id: ConversationId,
}

impl Reference {
    /// Reads `chan_…` and `dm_…`.
    pub fn parse(text: &str) -> Option<Self> {
        let (prefix, uuid) = id::decode(text)?;
        let kind = [Kind::Channel, Kind::Direct].into_iter().find(|kind| kind.prefix() == prefix)?;
        Some(Self { kind, id: ConversationId(uuid) })
    }

    /// Reads `chan_…`.
    pub fn parse_channel(text: &str) -> Option<Self> {
        Self::parse(text).filter(|reference| reference.kind == Kind::Channel)
    }

    /// Reads `dm_…`.
    pub fn parse_direct(text: &str) -> Option<Self> {
        Self::parse(text).filter(|reference| reference.kind == Kind::Direct)
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&id::encode(self.kind.prefix(), self.id.0))
    }
}

impl Kind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Channel => ConversationId::OF_CHANNEL,
            Self::Direct => ConversationId::OF_DIRECT,
        }
    }
}

/// The role of somebody that counts here; `None` for whoever is no member, or not any more.
pub async fn role_of(tx: &mut Tx, sight: Sight, user: UserId) -> Result<Option<MemberRole>> {
    let found = store::standings(tx, &[(user, sight.id())]).await?.pop();
    Ok(found.and_then(|found| found.standing.role()))
}

/// Of these people and conversations, pair by pair: who sees what.
pub async fn sights(tx: &Tx, pairs: &[(UserId, ConversationId)]) -> Result<HashMap<(UserId, ConversationId), Sight>> {
    let found = store::standings(tx, pairs).await?;
    Ok(found.into_iter().map(|found| ((found.user_id, found.sight.id()), found.sight)).collect())
}

/// Moves positions to messages of their owners', who hold seats: who writes has read.
pub async fn read_by_writing(tx: &Tx, positions: &[Position]) -> Result<()> {
    match positions {
        [] => Ok(()),
        positions => Ok(store::read_by_writing(tx, positions).await?),
    }
}

/// The channel of this address, of the server or of the public group with that one. None has a NUL, which cannot even be
/// asked for.
pub async fn channel_by_slug(app: &App, group: Option<String>, slug: String) -> Result<Option<Reference>> {
    if slug.contains('\0') || group.as_ref().is_some_and(|group| group.contains('\0')) {
        return Ok(None);
    }
    let found = app.db.read(async move |conn| store::by_slug(conn, group.as_deref(), &slug).await).await?;
    Ok(found.map(|id| Reference { kind: Kind::Channel, id }))
}
