//! Mentions in the API.

use async_graphql::{Context, ID, InputObject, SimpleObject};
use futures_util::future::try_join_all;
use futures_util::try_join;

use super::{BroadcastsIn, Called, MentionCursor, MentionKind, NamedIn};
use crate::context::Ask;
use crate::conversations::{Reference, in_sight_by_id};
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::messages::graphql::{Message, message_at};
use crate::messages::{self, mentions};
use crate::page::{Arguments, Page, connection};
use crate::text::Fault;
use crate::users::graphql::{User, user};
use crate::viewer::Viewer;

/// Someone, or everyone, mentioned in a message.
#[derive(SimpleObject, Clone)]
pub struct Mention {
    /// Whom it is meant for.
    kind: MentionKind,
    /// Who, for USER.
    user: Option<User>,
}

/// Whom a message mentions: people in the order in which it names them. What was named and told to nobody is none of it.
pub async fn mentions_in(ctx: &Context<'_>, message: &messages::Message) -> Result<Vec<Mention>> {
    let named = mentions::parse(message.content.as_deref().unwrap_or_default()).unwrap_or_default();
    let key = (message.conversation_id, message.seq);
    // Most name nobody, and are not looked for.
    let users = async {
        match named.users.is_empty() {
            true => Ok(None),
            false => ctx.load::<NamedIn>(key).await,
        }
    };
    let broadcasts = async {
        match named.broadcasts.is_empty() {
            true => Ok(None),
            false => ctx.load::<BroadcastsIn>(key).await,
        }
    };
    let (users, broadcasts) = try_join!(users, broadcasts)?;
    let is_told = |id: &UserId| users.as_ref().is_some_and(|told| told.contains(id));
    let people = named.users.into_iter().filter(is_told);
    let mut found = try_join_all(people.map(|id| person(ctx, id))).await?;
    let is_kept = |kind: &_| broadcasts.as_ref().is_some_and(|kept| kept.contains(kind));
    let everyone = named.broadcasts.into_iter().filter(is_kept);
    found.extend(everyone.map(|kind| Mention { kind, user: None }));
    Ok(found)
}

async fn person(ctx: &Context<'_>, id: UserId) -> Result<Mention> {
    Ok(Mention { kind: MentionKind::User, user: Some(user(ctx, id).await?) })
}

connection! {
    /// Messages that mention the viewer.
    MentionConnection {},
    /// A message that mentions the viewer, and whether it is read.
    MentionEdge {
        /// How it mentions the viewer.
        mention: Mention,
        /// Whether the viewer has read it, by the position in its conversation or thread.
        is_read: bool,
    },
    /// Where to go on from.
    cursor,
    /// The message.
    Message
}

/// Which mentions of the viewer.
#[derive(InputObject)]
pub struct MentionFilter {
    /// Only unread ones, or only read ones.
    is_read: Option<bool>,
    /// Only of these kinds.
    kinds: Option<Vec<MentionKind>>,
    /// Only in this conversation.
    conversation_id: Option<ID>,
}

impl MentionFilter {
    fn read(self) -> Result<mentions::MentionFilter> {
        let Self { is_read, kinds, conversation_id } = self;
        let conversation = conversation_id.map(|id| Reference::parse(&id).ok_or_else(Fault::not_an_id)).transpose();
        let conversation = conversation.map_err(|fault| Error::bad_input(vec![fault.of_filter("conversationId")]))?;
        Ok(mentions::MentionFilter { is_read, kinds, conversation })
    }
}

/// A page of the messages that mention the viewer.
pub async fn mentions_of(
    ctx: &Context<'_>,
    viewer: &Viewer,
    filter: Option<MentionFilter>,
    arguments: Arguments,
) -> Result<MentionConnection> {
    let filter = filter.map(MentionFilter::read).transpose()?.unwrap_or_default();
    let Page { rows, has_previous, has_next } = mentions::mentions(ctx.app(), viewer, filter, arguments).await?;
    // All at once, so that everything is looked up by one statement.
    let edges = try_join_all(rows.iter().map(|called| edge(ctx, viewer, called))).await?;
    Ok(MentionConnection::new(Page { rows: edges.into_iter().flatten().collect(), has_previous, has_next }))
}

/// A mention of the viewer, unless they have just lost sight of it.
async fn edge(ctx: &Context<'_>, viewer: &Viewer, called: &Called) -> Result<Option<MentionEdge>> {
    let sight = in_sight_by_id(ctx.scope(), viewer.user_id, called.conversation_id).await?;
    let Some(sight) = sight else { return Ok(None) };
    let message = message_at(ctx, sight, called.seq).await?;
    let mention = match called.kind {
        MentionKind::User => person(ctx, viewer.user_id).await?,
        kind => Mention { kind, user: None },
    };
    Ok(Some(MentionEdge::at(&MentionCursor::of(called), message, mention, called.is_read)))
}
