//! Any object by its id.

use async_graphql::{Context, ID, Interface, Object};
use futures_util::future::join_all;

use crate::accounts::devices::graphql::{PushDevice, find_device};
use crate::accounts::graphql::{Session, Viewer, find_session};
use crate::accounts::preferences::graphql::{Preferences, preferences};
use crate::context::Ask;
use crate::conversations::graphql::{
    self as conversations, Channel, ChannelCategory, Conversation, ConversationMember, DirectConversation,
};
use crate::conversations::{MemberById, Reference, in_sight_by_id};
use crate::error::{Error, Result};
use crate::groups::graphql::{self as groups, Group, GroupMember};
use crate::id::{
    CategoryId, DeviceId, GroupId, GroupMemberId, InboxId, InvitationId, MemberId, MessageId, NotificationId,
    OAuthAccountId, PreferencesId, SessionId, ThreadId, UserId, ViewerId,
};
use crate::invitations::graphql::{Invitation, find_invitation};
use crate::messages::graphql::{self as messages, Message};
use crate::messages::threads::graphql::{Thread, thread_under};
use crate::notifications::graphql::{Notification, find_notification};
use crate::oauth::graphql::{OAuthAccount, find_oauth_account};
use crate::page::MOST;
use crate::reads::graphql::{self as reads, ConversationViewerState};
use crate::text::Fault;
use crate::users::graphql::{self as users, User};

/// An object with a globally unique, opaque id, which `node` can fetch again.
#[derive(Interface)]
#[graphql(field(
    name = "id",
    ty = "Result<ID>",
    desc = "Globally unique and opaque: a type prefix and a sortable suffix, as in msg_01jd3k7w8pf2qs5hm0r4c9x6ty."
))]
pub enum Node {
    Channel(Channel),
    ChannelCategory(ChannelCategory),
    ConversationMember(ConversationMember),
    ConversationViewerState(ConversationViewerState),
    DirectConversation(DirectConversation),
    Group(Group),
    GroupMember(GroupMember),
    Invitation(Invitation),
    Message(Message),
    Notification(Notification),
    OAuthAccount(OAuthAccount),
    Preferences(Preferences),
    PushDevice(PushDevice),
    Session(Session),
    Thread(Thread),
    User(User),
    Viewer(Viewer),
}

#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Fetch any object by its id.
    async fn node(&self, ctx: &Context<'_>, id: ID) -> Option<Result<Node>> {
        node(ctx, "id", &id).await.transpose()
    }

    /// Fetch up to 100 objects by id; the answer has the same length and order, with null for what the viewer cannot see.
    async fn nodes(&self, ctx: &Context<'_>, ids: Vec<ID>) -> Option<Result<Vec<Option<Node>>>> {
        Some(nodes(ctx, ids).await)
    }
}

async fn nodes(ctx: &Context<'_>, ids: Vec<ID>) -> Result<Vec<Option<Node>>> {
    ctx.viewer()?;
    if ids.len() > MOST {
        return Err(Error::bad_input(vec![Fault::too_many(MOST).of_argument("ids")]));
    }
    // All at once, so that those of one type are loaded by one statement.
    join_all(ids.iter().map(|id| node(ctx, "ids", id))).await.into_iter().collect()
}

/// An object that the viewer sees. The id says the type; one that names none is refused before any query.
async fn node(ctx: &Context<'_>, argument: &'static str, id: &ID) -> Result<Option<Node>> {
    let viewer = ctx.viewer()?;
    if let Some(reference) = Reference::parse(id) {
        return Ok(conversations::find(ctx, reference).await?.map(|found| match found {
            Conversation::Channel(channel) => channel.into(),
            Conversation::Direct(direct) => direct.into(),
        }));
    }
    if let Some(id) = MessageId::parse(id) {
        return Ok(messages::find(ctx, id).await?.map(Node::Message));
    }
    if let Some(id) = UserId::parse(id) {
        return Ok(users::find(ctx, id).await?.map(Node::User));
    }
    if let Some(id) = MemberId::parse(id) {
        return member(ctx, id).await.map(|member| member.map(Node::ConversationMember));
    }
    if let Some(id) = GroupId::parse(id) {
        return Ok(groups::find_group(ctx, id).await?.map(Node::Group));
    }
    if let Some(id) = GroupMemberId::parse(id) {
        return Ok(groups::find_member(ctx, id).await?.map(Node::GroupMember));
    }
    if let Some(id) = CategoryId::parse(id) {
        return Ok(conversations::find_category(ctx, id).await?.map(Node::ChannelCategory));
    }
    if let Some(id) = InboxId::parse(id) {
        return Ok(reads::find(ctx, id).await?.map(Node::ConversationViewerState));
    }
    if let Some(ThreadId(root)) = ThreadId::parse(id) {
        return thread(ctx, MessageId(root)).await.map(|thread| thread.map(Node::Thread));
    }
    if let Some(id) = NotificationId::parse(id) {
        return Ok(find_notification(ctx, id).await?.map(Node::Notification));
    }
    if let Some(id) = InvitationId::parse(id) {
        return Ok(find_invitation(ctx, id).await?.map(Node::Invitation));
    }
    if let Some(id) = SessionId::parse(id) {
        return Ok(find_session(ctx, id).await?.map(Node::Session));
    }
    if let Some(id) = DeviceId::parse(id) {
        return Ok(find_device(ctx, id).await?.map(Node::PushDevice));
    }
    if let Some(id) = OAuthAccountId::parse(id) {
        return Ok(find_oauth_account(ctx, id).await?.map(Node::OAuthAccount));
    }
    if let Some(ViewerId(id)) = ViewerId::parse(id) {
        return Ok((id == viewer.user_id.0).then_some(Node::Viewer(Viewer(viewer))));
    }
    if let Some(PreferencesId(id)) = PreferencesId::parse(id) {
        return match id == viewer.user_id.0 {
            true => Ok(Some(preferences(ctx, viewer.user_id).await?.into())),
            false => Ok(None),
        };
    }
    Err(Error::not_an_id(argument))
}

async fn member(ctx: &Context<'_>, id: MemberId) -> Result<Option<ConversationMember>> {
    let viewer = ctx.viewer()?;
    let Some(member) = ctx.load::<MemberById>(id).await?.filter(|member| member.holds()) else { return Ok(None) };
    let sight = in_sight_by_id(ctx.scope(), viewer.user_id, member.conversation_id).await?;
    Ok(sight.map(|sight| ConversationMember::new(sight, member)))
}

async fn thread(ctx: &Context<'_>, root: MessageId) -> Result<Option<Thread>> {
    // A reply has none, and does not get one.
    let root = messages::find(ctx, root).await?.filter(|root| root.row.msg_no.is_some());
    let Some(root) = root else { return Ok(None) };
    thread_under(ctx, root.sight, root.row.seq).await.map(Some)
}
