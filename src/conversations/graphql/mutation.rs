//! Changing conversations.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::inputs::{
    AddConversationMembersInput, ArchiveChannelInput, CreateChannelInput, JoinChannelInput, LeaveConversationInput,
    OpenDirectConversationInput, RemoveConversationMemberInput, TransferConversationOwnershipInput,
    UnarchiveChannelInput, UpdateChannelInput, UpdateConversationMemberInput, UpdateDirectConversationInput,
};
use super::{Channel, Conversation, ConversationMember, DirectConversation};
use crate::context::Ask;
use crate::conversations::{
    self, AddDraft, Changed, ChannelDraft, NameDraft, OpenDraft, Reference, Rejection, RemoveDraft, RoleDraft,
    UpdateDraft,
};
use crate::error::{Error, Result};
use crate::id::MemberId;
use crate::text::Fault;

/// A created channel.
#[derive(SimpleObject)]
pub struct CreateChannelPayload {
    /// The channel.
    channel: Channel,
    /// Whether it was there already, from an earlier call with the same `clientKey`.
    is_replay: bool,
}

/// A changed channel.
#[derive(SimpleObject)]
pub struct UpdateChannelPayload {
    /// The channel.
    channel: Channel,
}

/// An archived channel.
#[derive(SimpleObject)]
pub struct ArchiveChannelPayload {
    /// The channel.
    channel: Channel,
}

/// A channel that is open again.
#[derive(SimpleObject)]
pub struct UnarchiveChannelPayload {
    /// The channel.
    channel: Channel,
}

/// A direct conversation, new or not.
#[derive(SimpleObject)]
pub struct OpenDirectConversationPayload {
    /// The conversation.
    conversation: DirectConversation,
    /// Whether it was created by this call.
    is_new: bool,
}

/// A changed direct conversation.
#[derive(SimpleObject)]
pub struct UpdateDirectConversationPayload {
    /// The conversation.
    conversation: DirectConversation,
}

/// A joined channel.
#[derive(SimpleObject)]
pub struct JoinChannelPayload {
    /// The channel.
    channel: Channel,
}

/// A conversation the viewer is no longer in.
#[derive(SimpleObject)]
pub struct LeaveConversationPayload {
    /// Its id.
    conversation_id: ID,
    /// The conversation, where the viewer can still see it.
    conversation: Option<Conversation>,
}

/// Who was added and who was not.
#[derive(SimpleObject)]
pub struct AddConversationMembersPayload {
    /// The conversation; a new one where people were added to a direct conversation of two.
    conversation: Conversation,
    /// Those who are members now, those who were before included.
    members: Vec<ConversationMember>,
    /// Those who could not be added.
    rejected: Vec<RejectedMember>,
}

/// Someone who could not be added.
#[derive(SimpleObject)]
pub struct RejectedMember {
    /// The id that was given.
    pub user_id: ID,
    /// Why not.
    pub reason: Rejection,
}

/// A changed member.
#[derive(SimpleObject)]
pub struct UpdateConversationMemberPayload {
    /// The membership.
    member: ConversationMember,
}

/// A conversation with a new owner.
#[derive(SimpleObject)]
pub struct TransferConversationOwnershipPayload {
    /// The conversation.
    conversation: Conversation,
    /// The new owner.
    owner: ConversationMember,
}

/// A removed member.
#[derive(SimpleObject)]
pub struct RemoveConversationMemberPayload {
    /// The id of the membership that ended.
    member_id: ID,
    /// The conversation.
    conversation: Conversation,
}

#[derive(Default)]
pub struct ConversationMutation;

#[Object]
impl ConversationMutation {
    /// Create a channel, server-wide or in a group; its creator becomes the owner. Errors: CONFLICT (slug taken).
    async fn create_channel(
        &self,
        ctx: &Context<'_>,
        input: CreateChannelInput,
    ) -> Option<Result<CreateChannelPayload>> {
        Some(create_channel(ctx, input).await)
    }

    /// Change a channel's name, topic and rules. Only its owner makes it public. Errors: VERSION_CONFLICT,
    /// FAILED_PRECONDITION (`exposesHistory`).
    async fn update_channel(
        &self,
        ctx: &Context<'_>,
        input: UpdateChannelInput,
    ) -> Option<Result<UpdateChannelPayload>> {
        Some(update_channel(ctx, input).await)
    }

    /// Close a channel: reading, leaving, marking read, deleting one's own, moderation and removing members go on,
    /// everything else is ARCHIVED.
    async fn archive_channel(
        &self,
        ctx: &Context<'_>,
        input: ArchiveChannelInput,
    ) -> Option<Result<ArchiveChannelPayload>> {
        Some(archive_channel(ctx, input).await)
    }

    /// Open an archived channel again.
    async fn unarchive_channel(
        &self,
        ctx: &Context<'_>,
        input: UnarchiveChannelInput,
    ) -> Option<Result<UnarchiveChannelPayload>> {
        Some(unarchive_channel(ctx, input).await)
    }

    /// Open the direct conversation of the viewer and these people: the one that was opened for exactly them and that
    /// nobody was added to or left since, or a new one. Errors: FORBIDDEN (one of them cannot be written to; no more is
    /// said).
    async fn open_direct_conversation(
        &self,
        ctx: &Context<'_>,
        input: OpenDirectConversationInput,
    ) -> Option<Result<OpenDirectConversationPayload>> {
        Some(open_direct_conversation(ctx, input).await)
    }

    /// Name a direct conversation of three or more. Errors: VERSION_CONFLICT, FAILED_PRECONDITION (there are no more than
    /// two).
    async fn update_direct_conversation(
        &self,
        ctx: &Context<'_>,
        input: UpdateDirectConversationInput,
    ) -> Option<Result<UpdateDirectConversationPayload>> {
        Some(update_direct_conversation(ctx, input).await)
    }

    /// Join a public channel. Joining again changes nothing.
    async fn join_channel(&self, ctx: &Context<'_>, input: JoinChannelInput) -> Option<Result<JoinChannelPayload>> {
        Some(join_channel(ctx, input).await)
    }

    /// Leave a conversation. Errors: FAILED_PRECONDITION (the owner hands it over first; a direct conversation of two is
    /// hidden instead).
    async fn leave_conversation(
        &self,
        ctx: &Context<'_>,
        input: LeaveConversationInput,
    ) -> Option<Result<LeaveConversationPayload>> {
        Some(leave_conversation(ctx, input).await)
    }

    /// Add people to a conversation; those who cannot be added come back with the reason, the others are added. Adding to
    /// a direct conversation of two opens a new one.
    async fn add_conversation_members(
        &self,
        ctx: &Context<'_>,
        input: AddConversationMembersInput,
    ) -> Option<Result<AddConversationMembersPayload>> {
        Some(add_conversation_members(ctx, input).await)
    }

    /// Change the role of a member of lower rank, up to one's own.
    async fn update_conversation_member(
        &self,
        ctx: &Context<'_>,
        input: UpdateConversationMemberInput,
    ) -> Option<Result<UpdateConversationMemberPayload>> {
        Some(update_conversation_member(ctx, input).await)
    }

    /// Hand a conversation over to another member; the former owner becomes an admin of it. A server ADMIN hands over
    /// what has no owner.
    async fn transfer_conversation_ownership(
        &self,
        ctx: &Context<'_>,
        input: TransferConversationOwnershipInput,
    ) -> Option<Result<TransferConversationOwnershipPayload>> {
        Some(transfer_conversation_ownership(ctx, input).await)
    }

    /// Remove a member of lower rank from a conversation; nobody is removed from a direct one.
    async fn remove_conversation_member(
        &self,
        ctx: &Context<'_>,
        input: RemoveConversationMemberInput,
    ) -> Option<Result<RemoveConversationMemberPayload>> {
        Some(remove_conversation_member(ctx, input).await)
    }
}

async fn create_channel(ctx: &Context<'_>, input: CreateChannelInput) -> Result<CreateChannelPayload> {
    let viewer = ctx.viewer()?;
    let created = conversations::create_channel(ctx.app(), &viewer, ChannelDraft::from(input.into())?).await?;
    Ok(CreateChannelPayload { channel: channel(ctx, created.changed)?, is_replay: created.is_replay })
}

async fn update_channel(ctx: &Context<'_>, input: UpdateChannelInput) -> Result<UpdateChannelPayload> {
    let viewer = ctx.viewer()?;
    let updated = conversations::update_channel(ctx.app(), &viewer, UpdateDraft::from(input.into())?).await?;
    Ok(UpdateChannelPayload { channel: channel(ctx, updated)? })
}

async fn archive_channel(ctx: &Context<'_>, input: ArchiveChannelInput) -> Result<ArchiveChannelPayload> {
    let viewer = ctx.viewer()?;
    let archived = conversations::archive_channel(ctx.app(), &viewer, channel_id(&input.channel_id)?).await?;
    Ok(ArchiveChannelPayload { channel: channel(ctx, archived)? })
}

async fn unarchive_channel(ctx: &Context<'_>, input: UnarchiveChannelInput) -> Result<UnarchiveChannelPayload> {
    let viewer = ctx.viewer()?;
    let opened = conversations::unarchive_channel(ctx.app(), &viewer, channel_id(&input.channel_id)?).await?;
    Ok(UnarchiveChannelPayload { channel: channel(ctx, opened)? })
}

async fn open_direct_conversation(
    ctx: &Context<'_>,
    input: OpenDirectConversationInput,
) -> Result<OpenDirectConversationPayload> {
    let viewer = ctx.viewer()?;
    let draft = OpenDraft::from(&viewer, &texts(input.user_ids))?;
    let opened = conversations::open_direct(ctx.app(), &viewer, draft).await?;
    Ok(OpenDirectConversationPayload { conversation: direct(ctx, opened.changed), is_new: opened.is_new })
}

async fn update_direct_conversation(
    ctx: &Context<'_>,
    input: UpdateDirectConversationInput,
) -> Result<UpdateDirectConversationPayload> {
    let viewer = ctx.viewer()?;
    let draft = NameDraft::from(&input.conversation_id, input.name.into(), input.expected_version)?;
    let named = conversations::name_direct(ctx.app(), &viewer, draft).await?;
    Ok(UpdateDirectConversationPayload { conversation: direct(ctx, named) })
}

async fn join_channel(ctx: &Context<'_>, input: JoinChannelInput) -> Result<JoinChannelPayload> {
    let viewer = ctx.viewer()?;
    let joined = conversations::join_channel(ctx.app(), &viewer, channel_id(&input.channel_id)?).await?;
    Ok(JoinChannelPayload { channel: channel(ctx, joined)? })
}

async fn leave_conversation(ctx: &Context<'_>, input: LeaveConversationInput) -> Result<LeaveConversationPayload> {
    let viewer = ctx.viewer()?;
    let reference = conversation_id(&input.conversation_id)?;
    let left = conversations::leave(ctx.app(), &viewer, reference).await?;
    // Also where it is out of sight now: what follows in the same request knows no seat any more.
    ctx.scope().forget_loaded();
    let conversation = left.map(|left| conversation(ctx, left)).transpose()?;
    Ok(LeaveConversationPayload { conversation_id: reference.into(), conversation })
}

async fn add_conversation_members(
    ctx: &Context<'_>,
    input: AddConversationMembersInput,
) -> Result<AddConversationMembersPayload> {
    let viewer = ctx.viewer()?;
    let draft = AddDraft::from(&input.conversation_id, &texts(input.user_ids), input.role)?;
    let added = conversations::add_members(ctx.app(), &viewer, draft).await?;
    let sight = added.changed.sight;
    let rejected = added.rejected.into_iter();
    Ok(AddConversationMembersPayload {
        conversation: conversation(ctx, added.changed)?,
        members: added.members.into_iter().map(|member| ConversationMember::new(sight, member)).collect(),
        rejected: rejected.map(|(user, reason)| RejectedMember { user_id: user.into(), reason }).collect(),
    })
}

async fn update_conversation_member(
    ctx: &Context<'_>,
    input: UpdateConversationMemberInput,
) -> Result<UpdateConversationMemberPayload> {
    let viewer = ctx.viewer()?;
    let draft = RoleDraft::from(&input.member_id, input.role)?;
    let changed = conversations::change_role(ctx.app(), &viewer, draft).await?;
    ctx.scope().forget_loaded();
    Ok(UpdateConversationMemberPayload { member: ConversationMember::new(changed.changed.sight, changed.member) })
}

async fn transfer_conversation_ownership(
    ctx: &Context<'_>,
    input: TransferConversationOwnershipInput,
) -> Result<TransferConversationOwnershipPayload> {
    let viewer = ctx.viewer()?;
    let id = MemberId::parse(&input.member_id).ok_or_else(|| not_an_id("memberId"))?;
    let handed = conversations::transfer(ctx.app(), &viewer, id).await?;
    let owner = ConversationMember::new(handed.changed.sight, handed.member);
    Ok(TransferConversationOwnershipPayload { conversation: conversation(ctx, handed.changed)?, owner })
}

async fn remove_conversation_member(
    ctx: &Context<'_>,
    input: RemoveConversationMemberInput,
) -> Result<RemoveConversationMemberPayload> {
    let viewer = ctx.viewer()?;
    let draft = RemoveDraft::from(&input.member_id, input.reason)?;
    let left = conversations::remove_member(ctx.app(), &viewer, draft).await?;
    Ok(RemoveConversationMemberPayload { member_id: input.member_id, conversation: conversation(ctx, left)? })
}

/// What was changed, with everything that was loaded before it forgotten.
fn conversation(ctx: &Context<'_>, changed: Changed) -> Result<Conversation> {
    ctx.scope().forget_loaded();
    Conversation::new(changed.sight, changed.conversation.into())
}

fn channel(ctx: &Context<'_>, changed: Changed) -> Result<Channel> {
    ctx.scope().forget_loaded();
    Channel::new(changed.sight, changed.conversation.into())
}

fn direct(ctx: &Context<'_>, changed: Changed) -> DirectConversation {
    ctx.scope().forget_loaded();
    DirectConversation::new(changed.sight, changed.conversation.into())
}

fn texts(ids: Vec<ID>) -> Vec<String> {
    ids.into_iter().map(|id| id.0).collect()
}

fn channel_id(id: &ID) -> Result<Reference> {
    Reference::parse_channel(id).ok_or_else(|| not_an_id("channelId"))
}

fn conversation_id(id: &ID) -> Result<Reference> {
    Reference::parse(id).ok_or_else(|| not_an_id("conversationId"))
}

fn not_an_id(field: &'static str) -> Error {
    Error::bad_input(vec![Fault::not_an_id().of(field)])
}
