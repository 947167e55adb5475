//! What clients send about conversations. Plain strings and ids, so that one look finds every fault.

use async_graphql::{ID, InputObject, OneofObject};

use crate::conversations::{ChannelFilter as Filter, ChannelInput, MemberRole, Visibility};

/// Names one channel.
#[derive(OneofObject)]
pub enum ChannelLocator {
    /// By id.
    Id(ID),
    /// By address, among the channels of the server.
    Slug(String),
}

/// Which channels.
#[derive(InputObject)]
pub struct ChannelFilter {
    /// Public or private only.
    visibility: Option<Visibility>,
    /// Only those the viewer is, or is not, a member of.
    is_joined: Option<bool>,
    /// Archived ones instead of open ones.
    #[graphql(default)]
    is_archived: bool,
}

impl From<ChannelFilter> for Filter {
    fn from(ChannelFilter { visibility, is_joined, is_archived }: ChannelFilter) -> Self {
        Self { visibility, is_joined, is_archived }
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
            member_ids: input.member_ids.unwrap_or_default().into_iter().map(|id| id.0).collect(),
            client_key: input.client_key,
        }
    }
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

/// Whom to remove.
#[derive(InputObject)]
pub struct RemoveConversationMemberInput {
    /// The membership.
    pub member_id: ID,
    /// Why, for the audit log.
    pub reason: Option<String>,
}
