//! The bell in the API.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, OneofObject, SimpleObject, Union};

use super::{DeleteDraft, Kind, NotificationCursor, NotificationOf, ReadDraft};
use crate::context::Ask;
use crate::conversations::graphql::{Channel, Conversation, DirectConversation, conversation};
use crate::conversations::{Reference, in_sight, in_sight_by_id};
use crate::error::{Error, Result};
use crate::groups::graphql::{Group, find_group};
use crate::id::{ConversationId, NotificationId};
use crate::messages::graphql::{Message, message_at};
use crate::messages::threads::graphql::{Thread, thread_under};
use crate::notifications;
use crate::page::{Arguments, connection};
use crate::reads::graphql::UnreadSummary;
use crate::scalar::DateTime;
use crate::text::Fault;
use crate::users::graphql::{User, find};
use crate::viewer::Viewer;

#[derive(Clone)]
pub struct Notification(pub Arc<notifications::Notification>);

/// What a notification opens.
#[derive(Union)]
pub enum NotificationSubject {
    Message(Message),
    Thread(Thread),
    Channel(Channel),
    DirectConversation(DirectConversation),
    Group(Group),
}

/// Something the viewer should know. One type for all kinds: what a client does not know it shows by title and body.
#[Object]
impl Notification {
    /// Globally unique and opaque: a type prefix and a sortable suffix, as in msg_01jd3k7w8pf2qs5hm0r4c9x6ty.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// What it is about.
    async fn kind(&self) -> Kind {
        self.0.kind
    }

    /// One line, in the viewer's language, made when it is read from what the viewer may see then.
    async fn title(&self, ctx: &Context<'_>) -> Result<String> {
        notifications::title(ctx.scope(), &self.0).await
    }

    /// A few lines, in the viewer's language, made when it is read from what the viewer may see then.
    async fn body(&self, ctx: &Context<'_>) -> Result<String> {
        ctx.scope().write(notifications::body(ctx.scope(), &self.0).await?)
    }

    /// Whether it should break through quiet hours.
    async fn is_urgent(&self) -> bool {
        self.0.is_urgent
    }

    /// Who caused it; null for the server.
    async fn actor(&self, ctx: &Context<'_>) -> Option<Result<User>> {
        find(ctx, self.0.actor_id?).await.transpose()
    }

    /// What to open; null once it is gone or out of sight.
    async fn subject(&self, ctx: &Context<'_>) -> Option<Result<NotificationSubject>> {
        subject(ctx, &self.0).await.transpose()
    }

    /// The conversation it is about; null for none or out of sight.
    #[graphql(name = "conversation")]
    async fn conversation_field(&self, ctx: &Context<'_>) -> Option<Result<Conversation>> {
        seen(ctx, self.0.conversation_id?).await.transpose()
    }

    /// When it came.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When the viewer read it; null while unread.
    async fn read_at(&self) -> Option<DateTime> {
        self.0.read_at.map(DateTime)
    }
}

/// A message, or the thread that it is written in for those who follow that; else the place.
async fn subject(ctx: &Context<'_>, what: &notifications::Notification) -> Result<Option<NotificationSubject>> {
    if let Some(id) = what.group_id {
        return Ok(find_group(ctx, id).await?.map(NotificationSubject::Group));
    }
    let Some(id) = what.conversation_id else { return Ok(None) };
    let Some(sight) = in_sight_by_id(ctx.scope(), ctx.viewer()?.user_id, id).await? else { return Ok(None) };
    let Some(seq) = what.message_seq else {
        return Ok(Some(match conversation(ctx, sight).await? {
            Conversation::Channel(channel) => NotificationSubject::Channel(channel),
            Conversation::Direct(direct) => NotificationSubject::DirectConversation(direct),
        }));
    };
    let message = message_at(ctx, sight, seq).await?;
    if message.row.deleted_at.is_some() {
        return Ok(None);
    }
    Ok(Some(match what.thread_root_seq.filter(|_| what.kind == Kind::ThreadReply) {
        Some(root) => NotificationSubject::Thread(thread_under(ctx, sight, root).await?),
        None => NotificationSubject::Message(message),
    }))
}

async fn seen(ctx: &Context<'_>, id: ConversationId) -> Result<Option<Conversation>> {
    match in_sight_by_id(ctx.scope(), ctx.viewer()?.user_id, id).await? {
        Some(sight) => conversation(ctx, sight).await.map(Some),
        None => Ok(None),
    }
}

connection! {
    /// A page of notifications.
    NotificationConnection {
        /// How many there are on all pages, counted up to 1000: more than that says 1001.
        total_count: i32,
    },
    /// One of the notifications, and where it stands.
    NotificationEdge,
    /// Where to go on from.
    cursor,
    /// The notification.
    Notification
}

/// Which notifications.
#[derive(InputObject)]
pub struct NotificationFilter {
    /// Only unread ones, or only read ones.
    is_read: Option<bool>,
    /// Only of these kinds.
    kinds: Option<Vec<Kind>>,
    /// Only urgent ones, or only others.
    is_urgent: Option<bool>,
    /// Only about this conversation.
    conversation_id: Option<ID>,
}

impl NotificationFilter {
    fn read(self) -> Result<notifications::NotificationFilter> {
        let Self { is_read, kinds, is_urgent, conversation_id } = self;
        let conversation = conversation_id.map(|id| Reference::parse(&id).ok_or_else(Fault::not_an_id)).transpose();
        let conversation = conversation.map_err(|fault| Error::bad_input(vec![fault.of_filter("conversationId")]))?;
        let conversation_id = conversation.map(|reference| reference.id);
        Ok(notifications::NotificationFilter { is_read, kinds, is_urgent, conversation_id })
    }
}

/// A page of the viewer's notifications.
pub async fn notifications_of(
    ctx: &Context<'_>,
    viewer: &Viewer,
    filter: Option<NotificationFilter>,
    arguments: Arguments,
) -> Result<NotificationConnection> {
    let filter = filter.map(NotificationFilter::read).transpose()?.unwrap_or_default();
    let page = notifications::notifications(ctx.app(), viewer, &filter, arguments).await?;
    // Counted for those who ask alone.
    let total_count = match ctx.look_ahead().field("totalCount").exists() {
        true => notifications::count(ctx.app(), viewer, &filter).await?,
        false => 0,
    };
    let edge = |row| NotificationEdge::at(&NotificationCursor::of(&row), Notification(row.into()));
    Ok(NotificationConnection::new(page.map(edge), total_count))
}

/// The viewer's notification with this id, if it is in their bell.
pub async fn find_notification(ctx: &Context<'_>, id: NotificationId) -> Result<Option<Notification>> {
    let found = ctx.load::<NotificationOf>((ctx.viewer()?.user_id, id)).await?;
    Ok(found.filter(|found| found.is_shown()).map(Notification))
}

/// Which notifications to mark read.
#[derive(OneofObject)]
pub enum MarkNotificationsReadInput {
    /// These, up to 100.
    NotificationIds(Vec<ID>),
    /// All up to this instant.
    Until(DateTime),
    /// All about this conversation.
    ConversationId(ID),
}

/// Notifications that are read now.
#[derive(SimpleObject)]
pub struct MarkNotificationsReadPayload {
    /// How many were not before.
    marked_count: i32,
    /// Those that were given by id.
    notifications: Vec<Notification>,
    /// Numbers for badges.
    unread: UnreadSummary,
}

/// Which notifications to delete.
#[derive(InputObject)]
pub struct DeleteNotificationsInput {
    /// These, up to 100.
    notification_ids: Vec<ID>,
}

/// Deleted notifications.
#[derive(SimpleObject)]
pub struct DeleteNotificationsPayload {
    /// Their ids.
    notification_ids: Vec<ID>,
    /// Numbers for badges.
    unread: UnreadSummary,
}

#[derive(Default)]
pub struct NotificationMutation;

#[Object]
impl NotificationMutation {
    /// Mark notifications read: some, or all up to a point.
    async fn mark_notifications_read(
        &self,
        ctx: &Context<'_>,
        input: MarkNotificationsReadInput,
    ) -> Option<Result<MarkNotificationsReadPayload>> {
        Some(mark_notifications_read(ctx, input).await)
    }

    /// Delete notifications.
    async fn delete_notifications(
        &self,
        ctx: &Context<'_>,
        input: DeleteNotificationsInput,
    ) -> Option<Result<DeleteNotificationsPayload>> {
        Some(delete_notifications(ctx, input).await)
    }
}

async fn mark_notifications_read(
    ctx: &Context<'_>,
    input: MarkNotificationsReadInput,
) -> Result<MarkNotificationsReadPayload> {
    let viewer = ctx.viewer()?;
    let draft = match input {
        MarkNotificationsReadInput::NotificationIds(ids) => ReadDraft::these(&texts(ids))?,
        MarkNotificationsReadInput::Until(until) => ReadDraft::Until(until.0),
        MarkNotificationsReadInput::ConversationId(id) => {
            let reference = Reference::parse(&id);
            let reference = reference.ok_or_else(|| Error::bad_input(vec![Fault::not_an_id().of("conversationId")]))?;
            let sight = in_sight(ctx.scope(), &viewer, reference).await?;
            ReadDraft::About(sight.ok_or_else(|| Error::not_found("conversation"))?.id())
        }
    };
    let marked = notifications::mark_read(ctx.app(), &viewer, &draft).await?;
    ctx.scope().forget_loaded();
    let given = match draft {
        ReadDraft::These(ids) => ids,
        ReadDraft::Until(_) | ReadDraft::About(_) => Vec::new(),
    };
    let found = futures_util::future::try_join_all(given.into_iter().map(|id| find_notification(ctx, id))).await?;
    Ok(MarkNotificationsReadPayload {
        marked_count: i32::try_from(marked).unwrap_or(i32::MAX),
        notifications: found.into_iter().flatten().collect(),
        unread: UnreadSummary(viewer.user_id),
    })
}

async fn delete_notifications(
    ctx: &Context<'_>,
    input: DeleteNotificationsInput,
) -> Result<DeleteNotificationsPayload> {
    let viewer = ctx.viewer()?;
    let draft = DeleteDraft::from(&texts(input.notification_ids))?;
    let deleted = notifications::delete(ctx.app(), &viewer, &draft).await?;
    ctx.scope().forget_loaded();
    Ok(DeleteNotificationsPayload {
        notification_ids: deleted.into_iter().map(Into::into).collect(),
        unread: UnreadSummary(viewer.user_id),
    })
}

fn texts(ids: Vec<ID>) -> Vec<String> {
    ids.into_iter().map(|id| id.0).collect()
}
