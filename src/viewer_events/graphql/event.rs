//! What concerns a viewer, as it is when it is shown.

use async_graphql::{Context, ID, Interface, Object};

use crate::accounts::graphql::Viewer;
use crate::clock::Instant;
use crate::context::Ask;
use crate::conversations::graphql::Conversation;
use crate::conversations::{Departed, Departure, DepartureOf, StandingOf};
use crate::error::Result;
use crate::groups::MembershipOf;
use crate::groups::graphql::{Group, group_of_member};
use crate::id::{ConversationId, GroupId, NotificationId, SessionId, UserId};
use crate::messages::threads::ThreadStateOf;
use crate::messages::threads::graphql::{Thread, thread_under};
use crate::notifications::graphql::Notification;
use crate::notifications::{NotificationOf, UnreadNotificationsOf};
use crate::reads::StateOf;
use crate::reads::graphql::{ConversationViewerState, UnreadSummary};
use crate::realtime::Subject;
use crate::scalar::DateTime;
use crate::viewer::Viewer as Who;

/// Something that concerns the viewer. New kinds are added over time: leave those you do not know.
#[derive(Interface)]
#[graphql(field(name = "occurred_at", ty = "DateTime", desc = "When it happened."))]
pub enum ViewerEvent {
    InboxChanged(InboxChangedEvent),
    ConversationAdded(ConversationAddedEvent),
    ConversationRemoved(ConversationRemovedEvent),
    ChannelListChanged(ChannelListChangedEvent),
    ThreadChanged(ThreadChangedEvent),
    GroupChanged(GroupChangedEvent),
    GroupRemoved(GroupRemovedEvent),
    ViewerChanged(ViewerChangedEvent),
    SessionRevoked(SessionRevokedEvent),
    NotificationAdded(NotificationAddedEvent),
    NotificationsChanged(NotificationsChangedEvent),
}

impl ViewerEvent {
    /// What is to be said of a subject; nothing where there is nothing any more.
    pub(super) async fn of(
        ctx: &Context<'_>,
        viewer: Who,
        subject: Subject,
        at: Instant,
        is_new: bool,
    ) -> Result<Option<Self>> {
        Ok(match subject {
            Subject::Conversation(id) => Self::of_conversation(ctx, viewer, id, at, is_new).await?,
            Subject::ChannelList(id) => Self::of_channel_list(ctx, viewer, id, at).await?,
            Subject::Thread(id, root_seq) => Self::of_thread(ctx, viewer, id, root_seq, at).await?,
            Subject::Group(id) => Self::of_group(ctx, viewer, id, at).await?,
            Subject::Viewer => Some(Self::ViewerChanged(ViewerChangedEvent { at, viewer: Viewer(viewer) })),
            Subject::Session(id) => Some(Self::SessionRevoked(SessionRevokedEvent { at, id })),
            Subject::Notification(id) => Self::of_notification(ctx, viewer, id, at).await?,
            Subject::Notifications => {
                let changed = NotificationsChangedEvent { at, read: Vec::new(), deleted: Vec::new(), viewer };
                Some(Self::NotificationsChanged(changed))
            }
            // Whoever is concerned looks at the tables.
            Subject::Rung(_) => None,
        })
    }

    /// What is unread has come; what is not, was read or deleted. Of what is out of sight nothing is said.
    async fn of_notification(ctx: &Context<'_>, viewer: Who, id: NotificationId, at: Instant) -> Result<Option<Self>> {
        let Some(found) = ctx.load::<NotificationOf>((viewer.user_id, id)).await? else { return Ok(None) };
        let (is_deleted, is_shown, is_unread) = (found.is_deleted, found.is_shown(), found.read_at.is_none());
        let notification = Notification(found);
        let changed =
            |read, deleted| Some(Self::NotificationsChanged(NotificationsChangedEvent { at, read, deleted, viewer }));
        Ok(match is_deleted {
            true => changed(Vec::new(), vec![id]),
            false if !is_shown => None,
            false if is_unread => {
                Some(Self::NotificationAdded(NotificationAddedEvent { at, notification, user_id: viewer.user_id }))
            }
            false => changed(vec![notification], Vec::new()),
        })
    }

    /// Whoever is a member hears of the conversation, whoever is one no longer that they are not.
    async fn of_conversation(
        ctx: &Context<'_>,
        viewer: Who,
        id: ConversationId,
        at: Instant,
        is_new: bool,
    ) -> Result<Option<Self>> {
        let user_id = viewer.user_id;
        let state = ctx.load::<StateOf>((id, user_id)).await?;
        if let Some(state) = state.and_then(|state| ConversationViewerState::new(&viewer, state)) {
            let conversation = state.conversation()?;
            return Ok(Some(match is_new {
                true => Self::ConversationAdded(ConversationAddedEvent { at, conversation, user_id }),
                false => Self::InboxChanged(InboxChangedEvent { at, conversation, user_id }),
            }));
        }
        let departed = ctx.load::<DepartureOf>((id, user_id)).await?;
        Ok(departed
            .map(|departed| Self::ConversationRemoved(ConversationRemovedEvent { at, departed: *departed, user_id })))
    }

    /// Whoever has something to do with the thread hears of it, as long as they are a member.
    async fn of_thread(
        ctx: &Context<'_>,
        viewer: Who,
        id: ConversationId,
        root_seq: i32,
        at: Instant,
    ) -> Result<Option<Self>> {
        let user_id = viewer.user_id;
        let kept = ctx.load::<ThreadStateOf>((id, root_seq, user_id)).await?.is_some_and(|state| state.is_kept);
        let Some(standing) = ctx.load::<StandingOf>((user_id, id)).await?.filter(|_| kept) else { return Ok(None) };
        let thread = thread_under(ctx, standing.sight, root_seq).await?;
        Ok(Some(Self::ThreadChanged(ThreadChangedEvent { at, thread, user_id })))
    }

    async fn of_group(ctx: &Context<'_>, viewer: Who, id: GroupId, at: Instant) -> Result<Option<Self>> {
        let Some(member) = ctx.load::<MembershipOf>((id, viewer.user_id)).await? else { return Ok(None) };
        Ok(Some(match member.departure {
            None => Self::GroupChanged(GroupChangedEvent { at, group: group_of_member(ctx, &member).await? }),
            Some(reason) => Self::GroupRemoved(GroupRemovedEvent { at, id, reason }),
        }))
    }

    /// Of a group's, its members hear.
    async fn of_channel_list(ctx: &Context<'_>, viewer: Who, id: Option<GroupId>, at: Instant) -> Result<Option<Self>> {
        let Some(id) = id else {
            return Ok(Some(Self::ChannelListChanged(ChannelListChangedEvent { at, group: None })));
        };
        let member = ctx.load::<MembershipOf>((id, viewer.user_id)).await?.filter(|member| member.holds());
        let Some(member) = member else { return Ok(None) };
        let group = Some(group_of_member(ctx, &member).await?);
        Ok(Some(Self::ChannelListChanged(ChannelListChangedEvent { at, group })))
    }
}

/// What was read and deleted is one event, in the place of the first.
pub(super) fn as_few(events: impl Iterator<Item = ViewerEvent>) -> Vec<ViewerEvent> {
    let mut few: Vec<ViewerEvent> = Vec::new();
    let mut changed = None;
    for event in events {
        match (event, changed) {
            (ViewerEvent::NotificationsChanged(more), Some(at)) => {
                if let Some(ViewerEvent::NotificationsChanged(one)) = few.get_mut::<usize>(at) {
                    one.take_in(more);
                }
            }
            (event, _) => {
                if matches!(event, ViewerEvent::NotificationsChanged(_)) {
                    changed = Some(few.len());
                }
                few.push(event);
            }
        }
    }
    few
}

pub struct InboxChangedEvent {
    at: Instant,
    conversation: Conversation,
    user_id: UserId,
}

/// A conversation of the inbox changed: something new, `lastMessage` edited or deleted, something read, a setting, what the
/// viewer may do. What changes within a second may come as one.
#[Object]
impl InboxChangedEvent {
    /// When it happened.
    pub async fn occurred_at(&self) -> DateTime {
        self.at.into()
    }

    /// The conversation, with its `viewerState` and `lastMessage`.
    async fn conversation(&self) -> Conversation {
        self.conversation.clone()
    }

    /// Numbers for badges.
    async fn unread(&self) -> UnreadSummary {
        UnreadSummary(self.user_id)
    }
}

pub struct ConversationAddedEvent {
    at: Instant,
    conversation: Conversation,
    user_id: UserId,
}

/// The viewer became a member of a conversation.
#[Object]
impl ConversationAddedEvent {
    /// When it happened.
    pub async fn occurred_at(&self) -> DateTime {
        self.at.into()
    }

    /// The conversation.
    async fn conversation(&self) -> Conversation {
        self.conversation.clone()
    }

    /// Numbers for badges: what was written since the viewer became a member may come with it.
    async fn unread(&self) -> UnreadSummary {
        UnreadSummary(self.user_id)
    }
}

pub struct ConversationRemovedEvent {
    at: Instant,
    departed: Departed,
    user_id: UserId,
}

/// The viewer is no longer a member of a conversation, also where they may still see it.
#[Object]
impl ConversationRemovedEvent {
    /// When it happened.
    pub async fn occurred_at(&self) -> DateTime {
        self.at.into()
    }

    /// Its id, since it may be out of sight.
    async fn conversation_id(&self) -> ID {
        self.departed.reference.to_string().into()
    }

    /// How.
    async fn reason(&self) -> Departure {
        self.departed.departure
    }

    /// Numbers for badges: what was unread there counts no more.
    async fn unread(&self) -> UnreadSummary {
        UnreadSummary(self.user_id)
    }
}

pub struct ChannelListChangedEvent {
    at: Instant,
    group: Option<Group>,
}

/// Channels or categories that the viewer may see changed: fetch the list again.
#[Object]
impl ChannelListChangedEvent {
    /// When it happened.
    pub async fn occurred_at(&self) -> DateTime {
        self.at.into()
    }

    /// The group whose they are; null for those of the server.
    async fn group(&self) -> Option<Group> {
        self.group.clone()
    }
}

pub struct ThreadChangedEvent {
    at: Instant,
    thread: Thread,
    user_id: UserId,
}

/// A thread the viewer follows, or followed, changed: a reply, something read.
#[Object]
impl ThreadChangedEvent {
    /// When it happened.
    pub async fn occurred_at(&self) -> DateTime {
        self.at.into()
    }

    /// The thread, with its `viewerState`.
    async fn thread(&self) -> Thread {
        self.thread.clone()
    }

    /// Numbers for badges.
    async fn unread(&self) -> UnreadSummary {
        UnreadSummary(self.user_id)
    }
}

pub struct GroupChangedEvent {
    at: Instant,
    group: Group,
}

/// The viewer became a member of a group, or it changed.
#[Object]
impl GroupChangedEvent {
    /// When it happened.
    pub async fn occurred_at(&self) -> DateTime {
        self.at.into()
    }

    /// The group.
    async fn group(&self) -> Group {
        self.group.clone()
    }
}

pub struct GroupRemovedEvent {
    at: Instant,
    id: GroupId,
    reason: Departure,
}

/// The viewer is no longer a member of a group.
#[Object]
impl GroupRemovedEvent {
    /// When it happened.
    pub async fn occurred_at(&self) -> DateTime {
        self.at.into()
    }

    /// Its id, since it may be out of sight.
    async fn group_id(&self) -> ID {
        self.id.into()
    }

    /// How.
    async fn reason(&self) -> Departure {
        self.reason
    }
}

pub struct ViewerChangedEvent {
    at: Instant,
    viewer: Viewer,
}

/// The viewer's account, profile or preferences changed, here or elsewhere.
#[Object]
impl ViewerChangedEvent {
    /// When it happened.
    pub async fn occurred_at(&self) -> DateTime {
        self.at.into()
    }

    /// The viewer.
    async fn viewer(&self) -> Viewer {
        self.viewer.clone()
    }
}

pub struct SessionRevokedEvent {
    at: Instant,
    id: SessionId,
}

/// A session of the viewer ended; if it is this one, the stream completes after this.
#[Object]
impl SessionRevokedEvent {
    /// When it happened.
    pub async fn occurred_at(&self) -> DateTime {
        self.at.into()
    }

    /// Its id.
    async fn session_id(&self) -> ID {
        self.id.into()
    }

    /// Whether it is the session of this stream.
    async fn is_current(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(ctx.viewer()?.session_id == self.id)
    }
}

pub struct NotificationAddedEvent {
    at: Instant,
    notification: Notification,
    user_id: UserId,
}

/// A notification came.
#[Object]
impl NotificationAddedEvent {
    /// When it happened.
    pub async fn occurred_at(&self) -> DateTime {
        self.at.into()
    }

    /// The notification.
    async fn notification(&self) -> Notification {
        self.notification.clone()
    }

    /// Numbers for badges.
    async fn unread(&self) -> UnreadSummary {
        UnreadSummary(self.user_id)
    }
}

pub struct NotificationsChangedEvent {
    at: Instant,
    read: Vec<Notification>,
    deleted: Vec<NotificationId>,
    viewer: Who,
}

impl NotificationsChangedEvent {
    fn take_in(&mut self, more: Self) {
        self.at = self.at.max(more.at);
        self.read.extend(more.read);
        self.deleted.extend(more.deleted);
    }
}

/// Notifications were read or deleted, here or elsewhere. Where more changed at once than are told one by one, it names none:
/// unless `isEverythingRead`, fetch `Viewer.notifications` anew.
#[Object]
impl NotificationsChangedEvent {
    /// When it happened.
    pub async fn occurred_at(&self) -> DateTime {
        self.at.into()
    }

    /// Those that were read; at most 100, or empty with `isEverythingRead`.
    async fn notifications(&self) -> Vec<Notification> {
        self.read.clone()
    }

    /// Those that were deleted.
    async fn deleted_notification_ids(&self) -> Vec<ID> {
        self.deleted.iter().map(|id| (*id).into()).collect()
    }

    /// Whether all notifications are read now.
    async fn is_everything_read(&self, ctx: &Context<'_>) -> Result<bool> {
        let unread = ctx.load::<UnreadNotificationsOf>(self.viewer.user_id).await?;
        Ok(unread.is_none_or(|count| *count == 0))
    }

    /// Numbers for badges.
    async fn unread(&self) -> UnreadSummary {
        UnreadSummary(self.viewer.user_id)
    }
}
