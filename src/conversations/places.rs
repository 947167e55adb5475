//! The order of channels: under each heading, a category or none of a group or of the server, they stand at places from 0
//! on, without gaps or ties. Whoever changes the order holds the whole line of the group or of the server first, and rows
//! of channels after it.

use super::events::{CONVERSATION_UPDATED, ConversationUpdated};
use super::{Action, Changed, Here, Reference, Standing, Visibility, lock, may, store};
use crate::app::App;
use crate::clock::Instant;
use crate::db::Tx;
use crate::error::{Code, Error, InputCode, Result};
use crate::groups;
use crate::id::{CategoryId, GroupId};
use crate::realtime::Subject;
use crate::text::{Fault, Wrong};
use crate::viewer::Viewer;

/// Channels of a group at most: whoever leaves it, or is removed, waits for all of them, and is told to all of them.
const IN_A_GROUP: i64 = 1_000;

/// What channels are shown under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heading {
    /// `None` for the server.
    pub group_id: Option<GroupId>,
    /// `None` for those of no category.
    pub category_id: Option<CategoryId>,
}

/// The order of all channels and categories of a group or of the server, held by this transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    group_id: Option<GroupId>,
}

impl Line {
    /// Of a group, for somebody who may do this there.
    pub async fn of_group(
        tx: &mut Tx,
        viewer: &Viewer,
        id: GroupId,
        action: groups::Action,
        now: Instant,
    ) -> Result<Self> {
        groups::hold(tx, viewer, id, now).await?.may(action).or_refuse()?;
        Ok(Self { group_id: Some(id) })
    }

    /// Of a group that this transaction holds.
    pub fn of(held: &groups::Held) -> Self {
        Self { group_id: Some(held.id()) }
    }

    /// Of the server. What more than creating a channel takes has been judged before.
    pub async fn of_server(tx: &mut Tx) -> Result<Self> {
        store::lock_server_list(tx).await?;
        Ok(Self { group_id: None })
    }

    /// Tells those who keep a list of it that it has changed. The last lock that a transaction takes.
    pub async fn tell(self, tx: &mut Tx, now: Instant) -> Result<()> {
        store::touch_list(tx, self.group_id, now).await?;
        tx.outbox().changed.push(Subject::ChannelList(self.group_id));
        Ok(())
    }

    pub fn group_id(self) -> Option<GroupId> {
        self.group_id
    }

    pub fn heading(self, category_id: Option<CategoryId>) -> Heading {
        Heading { group_id: self.group_id, category_id }
    }

    /// That a category that a client names is one of these.
    pub async fn contains(self, tx: &mut Tx, category: Option<CategoryId>) -> Result<()> {
        let Some(id) = category else { return Ok(()) };
        let found = store::categories_by_ids(tx, &[id]).await?.pop();
        match found.filter(|found| found.group_id == self.group_id) {
            Some(_) => Ok(()),
            None => Err(Error::bad_input(vec![Fault::unknown_id().of("categoryId")])),
        }
    }

    /// That there is room for another channel.
    pub async fn has_room(self, tx: &mut Tx) -> Result<()> {
        let Some(group) = self.group_id else { return Ok(()) };
        if store::count_of_group(tx, group).await? < IN_A_GROUP {
            return Ok(());
        }
        let message = "The group has as many channels as it can have";
        Err(Error::new(Code::FailedPrecondition, message).with("reason", "TOO_MANY"))
    }

    /// The place behind the last one of a category or of none.
    pub async fn end(self, tx: &mut Tx, category: Option<CategoryId>) -> Result<i32> {
        Ok(store::end_of(tx, self.heading(category)).await?)
    }
}

/// Where to put a channel, checked but for what only the database knows.
#[derive(Debug)]
pub struct MoveDraft {
    channel: Reference,
    category: Option<CategoryId>,
    /// Behind this one; `None` for the first place.
    after: Option<Reference>,
}

impl MoveDraft {
    pub fn from(channel_id: &str, category_id: Option<&str>, after_channel_id: Option<&str>) -> Result<Self> {
        let mut wrong = Wrong::default();
        let channel = wrong.note("channelId", Reference::parse_channel(channel_id).ok_or_else(Fault::not_an_id));
        let category = category_id.map(|id| CategoryId::parse(id).ok_or_else(Fault::not_an_id)).transpose();
        let category = wrong.note("categoryId", category);
        let after = after_channel_id.map(|id| Reference::parse_channel(id).ok_or_else(Fault::not_an_id)).transpose();
        let after = wrong.note("afterChannelId", after);
        if channel.is_some() && after.flatten() == channel {
            wrong.note::<()>("afterChannelId", Err(Fault::new(InputCode::NotAllowed, "It is the channel itself")));
        }
        wrong.finish(|| Some(Self { channel: channel?, category: category?, after: after? }))
    }
}

/// Puts a channel under a heading of its group or of the server, at a place there. Where it stands already it stays.
pub async fn move_channel(app: &App, viewer: &Viewer, draft: MoveDraft) -> Result<Changed> {
    let now = app.clock.now();
    app.db
        .transaction(async move |tx| {
            let line = hold_line(tx, viewer, draft.channel, now).await?;
            let mut here = lock(tx, viewer, draft.channel, now).await?;
            here.may(Action::Move).or_refuse()?;
            line.contains(tx, draft.category).await?;
            let channel = here.conversation.channel.clone();
            let channel = channel.ok_or_else(|| Error::internal("a channel without settings"))?;
            let (from, to) = (line.heading(channel.category_id), line.heading(draft.category));
            let behind = match draft.after {
                Some(after) => Some(place_of(tx, viewer, after, to).await?),
                None => None,
            };
            // Those behind where it stood move up, and the one that it comes behind may be among them.
            let is_among_them = |place: &i32| from == to && *place > channel.position;
            let position = behind.map_or(0, |place| if is_among_them(&place) { place } else { place + 1 });
            if from == to && position == channel.position {
                return Ok(here.unchanged());
            }
            store::shift(tx, from, channel.position + 1, -1).await?;
            store::shift(tx, to, position, 1).await?;
            store::place(tx, here.conversation.id, draft.category, position).await?;
            record(&mut here, draft.category, position)?;
            line.tell(tx, now).await?;
            here.write(tx).await
        })
        .await
}

/// Tells those who keep a list that one of its channels came, went or has another name. Of a private one its members hear,
/// and nobody else.
pub(super) async fn tell_of(tx: &mut Tx, here: &Here) -> Result<()> {
    let channel = here.conversation.channel.as_ref();
    match channel.filter(|channel| channel.visibility == Visibility::Public) {
        Some(channel) => Line { group_id: channel.group_id }.tell(tx, here.now).await,
        None => Ok(()),
    }
}

/// The line that a channel stands in. Who may not change it does not get to hold it.
async fn hold_line(tx: &mut Tx, viewer: &Viewer, channel: Reference, now: Instant) -> Result<Line> {
    let missing = || Error::not_found("conversation");
    let standing = standing(tx, viewer, channel).await?.ok_or_else(missing)?;
    may(Action::Move, &standing).or_refuse()?;
    match store::group_of(tx, channel.id).await?.ok_or_else(missing)? {
        Some(group) => Line::of_group(tx, viewer, group, groups::Action::ManageCategories, now).await,
        None => Line::of_server(tx).await,
    }
}

async fn standing(tx: &mut Tx, viewer: &Viewer, channel: Reference) -> Result<Option<Standing>> {
    let found = store::standings(tx, &[(viewer.user_id, channel.id)]).await?.pop();
    Ok(found.filter(|found| found.sight.reference() == channel).map(|found| found.standing))
}

/// The place of the channel that another one is to come behind: one that the viewer sees, under that heading.
async fn place_of(tx: &mut Tx, viewer: &Viewer, after: Reference, heading: Heading) -> Result<i32> {
    let unknown = || Error::bad_input(vec![Fault::unknown_id().of("afterChannelId")]);
    let found = store::standings(tx, &[(viewer.user_id, after.id)]).await?.pop().ok_or_else(unknown)?;
    let channel = found.conversation.channel.as_ref().ok_or_else(unknown)?;
    let stands_under = Heading { group_id: channel.group_id, category_id: channel.category_id };
    if stands_under != heading {
        return Err(unknown());
    }
    Ok(channel.position)
}

/// Says so in its log. It is no new version of its settings: a form that shows them is not out of date.
fn record(here: &mut Here, category_id: Option<CategoryId>, position: i32) -> Result<()> {
    let Some(channel) = &mut here.conversation.channel else { return Ok(()) };
    let fields = [("category", channel.category_id != category_id), ("position", channel.position != position)];
    (channel.category_id, channel.position) = (category_id, position);
    let changed_fields = fields.into_iter().filter(|(_, is_changed)| *is_changed).map(|(name, _)| name.to_owned());
    here.log(CONVERSATION_UPDATED, &ConversationUpdated { changed_fields: changed_fields.collect() }).map(drop)
}

/// Puts all channels of a category behind those of none, in their order.
pub(super) async fn unfile(tx: &mut Tx, line: Line, category: CategoryId) -> Result<()> {
    let behind = line.end(tx, None).await?;
    Ok(store::unfile(tx, category, behind).await?)
}
