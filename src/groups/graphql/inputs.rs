//! What clients send about groups. Plain strings and ids, so that one look finds every fault.

use async_graphql::{ID, InputObject, MaybeUndefined, OneofObject};

use crate::error::Result;
use crate::groups::{GroupChanges, GroupFilter as Groups, GroupInput, MemberRole, Visibility};

/// Names one group.
#[derive(OneofObject)]
pub enum GroupLocator {
    /// By id.
    Id(ID),
    /// By address.
    Slug(String),
}

/// Which groups.
#[derive(InputObject, Default)]
pub struct GroupFilter {
    /// Name or description contains this, at least 3 characters.
    search: Option<String>,
    /// Public or private only.
    visibility: Option<Visibility>,
    /// Only those the viewer is, or is not, a member of.
    is_joined: Option<bool>,
    /// Archived ones instead of open ones.
    #[graphql(default)]
    is_archived: bool,
}

impl GroupFilter {
    pub fn read(self) -> Result<Groups> {
        let Self { search, visibility, is_joined, is_archived } = self;
        Groups { visibility, is_joined, is_archived: Some(is_archived), ..Groups::default() }.searching(search)
    }
}

/// A new group.
#[derive(InputObject)]
pub struct CreateGroupInput {
    /// 1 to 80 characters.
    name: String,
    /// 2 to 80 of a-z, 0-9 and dash; made from the name when absent; only for public ones.
    slug: Option<String>,
    /// Up to 500 characters.
    description: Option<String>,
    /// Who can see and join it.
    #[graphql(default_with = "Visibility::Public")]
    visibility: Visibility,
    /// Chosen by the client, unique per user, 8 to 64 characters; the same one again returns the first group.
    client_key: Option<String>,
}

impl From<CreateGroupInput> for GroupInput {
    fn from(CreateGroupInput { name, slug, description, visibility, client_key }: CreateGroupInput) -> Self {
        Self { name, slug, description, visibility, client_key }
    }
}

/// Changes to a group: what is absent stays, null clears.
#[derive(InputObject)]
pub struct UpdateGroupInput {
    /// The group.
    group_id: ID,
    /// 1 to 80 characters.
    name: MaybeUndefined<String>,
    /// 2 to 80 of a-z, 0-9 and dash.
    slug: MaybeUndefined<String>,
    /// Up to 500 characters.
    description: MaybeUndefined<String>,
    /// Who can see and join it.
    visibility: MaybeUndefined<Visibility>,
    /// Must be true to make a group public whose public channels have messages: all who can see it read them then.
    #[graphql(default)]
    exposes_history: bool,
    /// The version that was shown; absent to overwrite whatever is there.
    expected_version: Option<i32>,
}

impl From<UpdateGroupInput> for GroupChanges {
    fn from(input: UpdateGroupInput) -> Self {
        Self {
            group_id: input.group_id.0,
            name: input.name.into(),
            slug: input.slug.into(),
            description: input.description.into(),
            visibility: input.visibility.into(),
            exposes_history: input.exposes_history,
            expected_version: input.expected_version,
        }
    }
}

/// Which group to archive.
#[derive(InputObject)]
pub struct ArchiveGroupInput {
    /// The group.
    pub group_id: ID,
}

/// Which group to open again.
#[derive(InputObject)]
pub struct UnarchiveGroupInput {
    /// The group.
    pub group_id: ID,
}

/// Which group to join.
#[derive(InputObject)]
pub struct JoinGroupInput {
    /// The group.
    pub group_id: ID,
}

/// Which group to leave.
#[derive(InputObject)]
pub struct LeaveGroupInput {
    /// The group.
    pub group_id: ID,
}

/// Whom to add.
#[derive(InputObject)]
pub struct AddGroupMembersInput {
    /// The group.
    pub group_id: ID,
    /// Up to 100 users.
    pub user_ids: Vec<ID>,
    /// Their role; one above MEMBER only from those who may change roles, up to their own and never OWNER.
    #[graphql(default_with = "MemberRole::Member")]
    pub role: MemberRole,
}

/// A change to a group member.
#[derive(InputObject)]
pub struct UpdateGroupMemberInput {
    /// The membership.
    pub member_id: ID,
    /// The new role, up to ADMIN.
    pub role: MemberRole,
}

/// Whom to remove.
#[derive(InputObject)]
pub struct RemoveGroupMemberInput {
    /// The membership.
    pub member_id: ID,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Whom to hand a group to.
#[derive(InputObject)]
pub struct TransferGroupOwnershipInput {
    /// The membership of the new owner.
    pub member_id: ID,
}
