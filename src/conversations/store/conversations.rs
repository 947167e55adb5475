//! Conversations and channels.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;

use super::super::{Departure, Kind, MemberRole, Visibility};
use crate::clock::Instant;
use crate::db::{Busy, Conn, update_many};
use crate::id::{CategoryId, ConversationId, GroupId, UserId};
use crate::schema::{
    channels, conversation_events, conversation_members, conversations, direct_conversations, group_members, groups,
};

/// A conversation, with its channel if it is one.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = conversations)]
pub struct Conversation {
    pub id: ConversationId,
    pub kind: Kind,
    /// Position of the latest event.
    pub last_seq: i32,
    /// Number of the latest message outside of threads.
    pub last_msg_no: i32,
    /// The newest message outside of threads that is not deleted.
    pub last_message_seq: Option<i32>,
    pub last_activity_at: Instant,
    pub member_count: i32,
    pub version: i32,
    pub created_by_id: Option<UserId>,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub archived_at: Option<Instant>,
    /// What its people named a direct conversation; channels have theirs among their settings.
    #[diesel(select_expression = direct_conversations::name.nullable())]
    pub name: Option<String>,
    #[diesel(embed)]
    pub channel: Option<Channel>,
}

/// Name and settings of a channel.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = channels)]
pub struct Channel {
    pub name: String,
    pub slug: Option<String>,
    pub topic: Option<String>,
    pub visibility: Visibility,
    pub posting_role: MemberRole,
    /// The group whose channel it is, for good.
    pub group_id: Option<GroupId>,
    /// The heading it is shown under, and its place there: of what the order of channels is, see `places`.
    pub category_id: Option<CategoryId>,
    pub position: i32,
    /// Whether it was the group that was archived: then it opens with it.
    pub archived_with_group: bool,
}

/// A channel to be.
#[derive(Clone, Debug)]
pub struct NewChannel {
    pub id: ConversationId,
    pub channel: Channel,
    pub created_by_id: Option<UserId>,
    pub created_at: Instant,
}

/// The row that orders all that happens in the conversation, locked. Not `FOR UPDATE`: foreign keys may still look.
pub async fn lock_row(conn: &mut Conn, id: ConversationId) -> QueryResult<Option<Conversation>> {
    let locked: Option<ConversationId> =
        conversations::table.find(id).select(conversations::id).for_no_key_update().first(conn).await.optional()?;
    match locked {
        // Read by the next statement: it sees what was committed while this one waited.
        Some(id) => Ok(by_ids(conn, &[id]).await?.pop()),
        None => Ok(None),
    }
}

/// Locks it for somebody who sees it, and says whether it is locked; nobody else waits for the lock or holds it. Where they
/// stand is to be judged again under the lock.
pub async fn lock_in_sight(conn: &mut Conn, id: ConversationId, user: UserId, busy: Busy) -> QueryResult<bool> {
    use conversation_members as m;
    let seat = m::table.filter(m::conversation_id.eq(id).and(m::user_id.eq(user)));
    let holds = diesel::dsl::exists(seat.filter(m::left_at.is_null()));
    let is_banned = diesel::dsl::exists(seat.filter(m::departure.eq(Departure::Banned)));
    let is_at_home = group_members::table
        .filter(group_members::group_id.nullable().eq(channels::group_id).and(group_members::user_id.eq(user)))
        .filter(group_members::left_at.is_null().and(group_members::role.ne(MemberRole::Guest)));
    let is_public =
        channels::table.filter(channels::conversation_id.eq(id).and(channels::visibility.eq(Visibility::Public)));
    let is_public = is_public.filter(channels::group_id.is_null().or(diesel::dsl::exists(is_at_home)));
    let row = conversations::table
        .find(id)
        .filter(holds.or(diesel::dsl::exists(is_public).and(diesel::dsl::not(is_banned))))
        .select(conversations::id)
        .for_no_key_update();
    let locked: QueryResult<ConversationId> = match busy {
        Busy::Wait => row.first(conn).await,
        Busy::PassOver => row.skip_locked().first(conn).await,
    };
    Ok(locked.optional()?.is_some())
}

pub async fn by_ids(mut conn: &Conn, ids: &[ConversationId]) -> QueryResult<Vec<Conversation>> {
    conversations::table
        .left_join(channels::table)
        .left_join(direct_conversations::table)
        .filter(conversations::id.eq_any(ids))
        .select(Conversation::as_select())
        .load(&mut conn)
        .await
}

/// A new conversation, with nobody in it yet.
pub async fn insert(
    conn: &mut Conn,
    id: ConversationId,
    kind: Kind,
    created_by_id: Option<UserId>,
    created_at: Instant,
) -> QueryResult<()> {
    let row = (
        conversations::id.eq(id),
        conversations::kind.eq(kind),
        conversations::version.eq(1),
        conversations::created_by_id.eq(created_by_id),
        conversations::created_at.eq(created_at),
        conversations::updated_at.eq(created_at),
        conversations::last_activity_at.eq(created_at),
    );
    diesel::insert_into(conversations::table).values(row).execute(conn).await.map(drop)
}

pub async fn insert_channel(conn: &mut Conn, new: &NewChannel) -> QueryResult<()> {
    insert(conn, new.id, Kind::Channel, new.created_by_id, new.created_at).await?;
    let channel = (
        channels::conversation_id.eq(new.id),
        channels::name.eq(&new.channel.name),
        channels::slug.eq(&new.channel.slug),
        channels::topic.eq(&new.channel.topic),
        channels::visibility.eq(new.channel.visibility),
        channels::posting_role.eq(new.channel.posting_role),
        channels::group_id.eq(new.channel.group_id),
        channels::category_id.eq(new.channel.category_id),
        channels::position.eq(new.channel.position),
    );
    diesel::insert_into(channels::table).values(channel).execute(conn).await.map(drop)
}

/// Name and settings of a locked channel; its place is `places`' to write.
pub async fn save_settings(conn: &mut Conn, id: ConversationId, settings: &Channel) -> QueryResult<()> {
    let of_channel = (
        channels::name.eq(&settings.name),
        channels::slug.eq(&settings.slug),
        channels::topic.eq(&settings.topic),
        channels::visibility.eq(settings.visibility),
        channels::posting_role.eq(settings.posting_role),
    );
    diesel::update(channels::table.find(id)).set(of_channel).execute(conn).await.map(drop)
}

/// Of these addresses, those that are taken in a group or on the server.
pub async fn taken_slugs(
    conn: &mut Conn,
    group: Option<GroupId>,
    slugs: &[String],
) -> QueryResult<Vec<Option<String>>> {
    let taken = channels::table.filter(channels::slug.eq_any(slugs)).select(channels::slug).into_boxed();
    match group {
        Some(group) => taken.filter(channels::group_id.eq(group)).load(conn).await,
        None => taken.filter(channels::group_id.is_null()).load(conn).await,
    }
}

/// The channel of this address, of the server or of the public group with that one.
pub async fn by_slug(conn: &mut Conn, group: Option<&str>, slug: &str) -> QueryResult<Option<ConversationId>> {
    let found = channels::table.filter(channels::slug.eq(slug)).select(channels::conversation_id).into_boxed();
    let found = match group {
        Some(group) => {
            let group = groups::table.filter(groups::slug.eq(group)).select(groups::id.nullable());
            found.filter(channels::group_id.eq_any(group))
        }
        None => found.filter(channels::group_id.is_null()),
    };
    found.first(conn).await.optional()
}

/// The group whose channel it is; nothing where there is no such channel.
pub async fn group_of(conn: &mut Conn, id: ConversationId) -> QueryResult<Option<Option<GroupId>>> {
    channels::table.find(id).select(channels::group_id).first(conn).await.optional()
}

/// Locks all channels of a group, in the order of their ids, as all do that lock several.
pub async fn lock_of_group(conn: &mut Conn, id: GroupId) -> QueryResult<Vec<ConversationId>> {
    let of_group = channels::table.filter(channels::group_id.eq(id)).select(channels::conversation_id);
    conversations::table
        .filter(conversations::id.eq_any(of_group))
        .order(conversations::id)
        .select(conversations::id)
        .for_no_key_update()
        .load(conn)
        .await
}

/// Says of channels whether it was their group that was archived.
pub async fn set_archived_with_group(conn: &mut Conn, ids: &[ConversationId], is_so: bool) -> QueryResult<()> {
    diesel::update(channels::table.filter(channels::conversation_id.eq_any(ids)))
        .set(channels::archived_with_group.eq(is_so))
        .execute(conn)
        .await
        .map(drop)
}

/// When the event at this position happened.
pub async fn latest_event_at(conn: &mut Conn, id: ConversationId, seq: i32) -> QueryResult<Option<Instant>> {
    conversation_events::table.find((id, seq)).select(conversation_events::occurred_at).first(conn).await.optional()
}

update_many! {
    Save(Conversation) of "conversations" { id: ConversationId as SqlUuid } {
        last_seq: i32 as Integer,
        last_msg_no: i32 as Integer,
        last_message_seq: Option<i32> as Nullable<Integer>,
        last_activity_at: Instant as Timestamptz,
        member_count: i32 as Integer,
        version: i32 as Integer,
        updated_at: Instant as Timestamptz,
        archived_at: Option<Instant> as Nullable<Timestamptz>,
    }
}

/// Locked rows, all of them that ever changes; what only channels have is `save_settings`.
pub async fn save(mut conn: &Conn, conversations: &[Conversation]) -> QueryResult<()> {
    Save::of(conversations).execute(&mut conn).await.map(drop)
}
