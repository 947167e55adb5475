//! What clients send about conversations. Plain strings and ids, so that one look finds every fault.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, OneofObject};

use crate::context::Ask;
use crate::conversations::{
    ChannelChanges, ChannelFilter as Channels, ChannelInput, ChannelOrderField, Kind, MemberFilter as Members,
    MemberRole, Visibility,
};
use crate::error::{Error, InputCode, Result};
use crate::groups;
use crate::id::GroupId;
use crate::page::{Order, OrderDirection};
use crate::presence;
use crate::realtime::PresenceStatus;
use crate::text::Fault;

/// Names one channel.
#[derive(OneofObject)]
pub enum ChannelLocator {
    /// By id.
    Id(ID),
    /// By address, among the channels of the server.
    Slug(String),
    /// By address, among the channels of a group.
    InGroup(GroupChannelLocator),
}

/// The address of a group's channel.
#[derive(InputObject)]
pub struct GroupChannelLocator {
    /// Slug of the group.
    pub group: String,
    /// Slug of the channel.
    pub channel: String,
}

/// Which channels.
#[derive(InputObject)]
pub struct ChannelFilter {
    /// Name or topic contains this, at least 3 characters.
    search: Option<String>,
    /// Of this group only; absent for channels of the server and of all groups.
    group_id: Option<ID>,
    /// CHANNEL only.
    kinds: Option<Vec<Kind>>,
    /// Public or private only.
    visibility: Option<Visibility>,
    /// Only those the viewer is, or is not, a member of.
    is_joined: Option<bool>,
    /// Archived ones instead of open ones.
    #[graphql(default)]
    is_archived: bool,
}

impl ChannelFilter {
    pub fn read(self) -> Result<Channels> {
        let Self { search, group_id, kinds, visibility, is_joined, is_archived } = self;
        let group = group_id.map(|id| GroupId::parse(&id).ok_or_else(Fault::not_an_id)).transpose();
        let group = group.map_err(|fault| Error::bad_input(vec![fault.of_filter("groupId")]))?;
        Channels { group, kinds, visibility, is_joined, is_archived, ..Channels::default() }.searching(search)
    }
}

/// Order of channels.
#[derive(InputObject)]
pub struct ChannelOrder {
    /// By what.
    field: ChannelOrderField,
    /// In which direction.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
}

impl From<ChannelOrder> for Order<ChannelOrderField> {
    fn from(ChannelOrder { field, direction }: ChannelOrder) -> Self {
        Self { field, direction }
    }
}

/// Which members.
#[derive(InputObject)]
pub struct MemberFilter {
    /// Handle or name begins so.
    search: Option<String>,
    /// Only with these roles.
    roles: Option<Vec<MemberRole>>,
    /// Only with this presence at this moment, as the viewer sees it; up to 1000 are found.
    statuses: Option<Vec<PresenceStatus>>,
    /// Only those who have read up to this position, and share it.
    has_read_seq: Option<i32>,
}

impl MemberFilter {
    pub async fn read(self, ctx: &Context<'_>) -> Result<Members> {
        let Self { search, roles, statuses, has_read_seq } = self;
        let among = presence::among(ctx.app(), &ctx.viewer()?, statuses.as_deref()).await?;
        Members { roles, has_read_seq, among, ..Members::default() }.searching(search)
    }

    /// The same of members of a group, which has no log to be read.
    pub async fn read_of_group(self, ctx: &Context<'_>) -> Result<groups::MemberFilter> {
        let Self { search, roles, statuses, has_read_seq } = self;
        if has_read_seq.is_some() {
            let fault = Fault::new(InputCode::NotAllowed, "A group is not read, its channels are");
            return Err(Error::bad_input(vec![fault.of_filter("hasReadSeq")]));
        }
        let among = presence::among(ctx.app(), &ctx.viewer()?, statuses.as_deref()).await?;
        groups::MemberFilter { roles, among, ..Default::default() }.searching(search)
    }
}

/// A new channel.
#[derive(InputObject)]
pub struct CreateChannelInput {
    /// 1 to 80 characters.
    name: String,
    /// 2 to 80 of a-z, 0-9 and dash; made from the name when absent; only for public ones.
    slug: Option<String>,
    /// Up to 500 characters.
    topic: Option<String>,
    /// Who can see and join it.
    #[graphql(default_with = "Visibility::Public")]
    visibility: Visibility,
    /// The least role that may write in it.
    #[graphql(default_with = "MemberRole::Guest")]
    posting_role: MemberRole,
    /// The group it is for; absent for a channel of the server.
    group_id: Option<ID>,
    /// The category to show it under, of the same group.
    category_id: Option<ID>,
    /// Whom to add from the start, up to 100.
    member_ids: Option<Vec<ID>>,
    /// Chosen by the client, unique per user, 8 to 64 characters; the same one again returns the first channel.
    client_key: Option<String>,
}

impl From<CreateChannelInput> for ChannelInput {
    fn from(input: CreateChannelInput) -> Self {
        Self {
            name: input.name,
            slug: input.slug,
            topic: input.topic,
            visibility: input.visibility,
            posting_role: input.posting_role,
            group_id: input.group_id.map(|id| id.0),
            category_id: input.category_id.map(|id| id.0),
            member_ids: input.member_ids.unwrap_or_default().into_iter().map(|id| id.0).collect(),
            client_key: input.client_key,
        }
    }
}

/// Changes to a channel: what is absent stays, null clears.
#[derive(InputObject)]
pub struct UpdateChannelInput {
    /// The channel.
    channel_id: ID,
    /// 1 to 80 characters.
    name: MaybeUndefined<String>,
    /// 2 to 80 of a-z, 0-9 and dash.
    slug: MaybeUndefined<String>,
    /// Up to 500 characters.
    topic: MaybeUndefined<String>,
    /// Who can see and join it.
    visibility: MaybeUndefined<Visibility>,
    /// Must be true to make a channel with messages public: all who can see it read them then.
    #[graphql(default)]
    exposes_history: bool,
    /// The least role that may write in it.
    posting_role: MaybeUndefined<MemberRole>,
    /// The version that was shown; absent to overwrite whatever is there.
    expected_version: Option<i32>,
}

impl From<UpdateChannelInput> for ChannelChanges {
    fn from(input: UpdateChannelInput) -> Self {
        Self {
            channel_id: input.channel_id.0,
            name: input.name.into(),
            slug: input.slug.into(),
            topic: input.topic.into(),
            visibility: input.visibility.into(),
            exposes_history: input.exposes_history,
            posting_role: input.posting_role.into(),
            expected_version: input.expected_version,
        }
    }
}

/// Whom to talk with.
#[derive(InputObject)]
pub struct OpenDirectConversationInput {
    /// The others, in any order; the viewer is added. Empty for notes to oneself.
    pub user_ids: Vec<ID>,
}

/// A name for a direct conversation of three or more.
#[derive(InputObject)]
pub struct UpdateDirectConversationInput {
    /// The conversation.
    pub conversation_id: ID,
    /// 1 to 80 characters; null for none.
    pub name: MaybeUndefined<String>,
    /// The version that was shown; absent to overwrite whatever is there.
    pub expected_version: Option<i32>,
}

/// Which channel to archive.
#[derive(InputObject)]
pub struct ArchiveChannelInput {
    /// The channel.
    pub channel_id: ID,
}

/// Which channel to open again.
#[derive(InputObject)]
pub struct UnarchiveChannelInput {
    /// The channel.
    pub channel_id: ID,
}

/// Which channel to join.
#[derive(InputObject)]
pub struct JoinChannelInput {
    /// The channel.
    pub channel_id: ID,
}

/// Which conversation to leave.
#[derive(InputObject)]
pub struct LeaveConversationInput {
    /// The conversation.
    pub conversation_id: ID,
}

/// Whom to add.
#[derive(InputObject)]
pub struct AddConversationMembersInput {
    /// The conversation.
    pub conversation_id: ID,
    /// Up to 100 users.
    pub user_ids: Vec<ID>,
    /// Their role; one above MEMBER only from those who may change roles, up to their own and never OWNER.
    #[graphql(default_with = "MemberRole::Member")]
    pub role: MemberRole,
}

/// A change to a member.
#[derive(InputObject)]
pub struct UpdateConversationMemberInput {
    /// The membership.
    pub member_id: ID,
    /// The new role, up to ADMIN.
    pub role: MemberRole,
}

/// Whom to hand a conversation to.
#[derive(InputObject)]
pub struct TransferConversationOwnershipInput {
    /// The membership of the new owner.
    pub member_id: ID,
}

/// Whom to remove.
#[derive(InputObject)]
pub struct RemoveConversationMemberInput {
    /// The membership.
    pub member_id: ID,
    /// Why, for the audit log.
    pub reason: Option<String>,
}
