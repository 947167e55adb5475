//! What was changed, as the tables have it.

use super::store::{Changed, NOTIFICATIONS};
use crate::db::Xid;
use crate::id::{ConversationId, GroupId, NotificationId, SessionId};
use crate::realtime::Subject;
use crate::realtime::viewers::Row;

/// The rows of each of so many who were asked about, in their order.
pub fn of_each(asks: usize, found: Vec<Changed>) -> Vec<Vec<Row>> {
    let mut rows = vec![Vec::new(); asks];
    for changed in found {
        if let Some(rows) = rows.get_mut(changed.ask as usize) {
            rows.push(row(&changed));
        }
    }
    rows.iter_mut().for_each(bell);
    rows
}

/// More notifications than are told one by one are one row.
fn bell(rows: &mut Vec<Row>) {
    let is_one = |row: &Row| matches!(row.subject, Subject::Notification(_));
    if rows.iter().filter(|row| is_one(row)).count() <= NOTIFICATIONS as usize {
        return;
    }
    let latest = rows.iter().filter(|row| is_one(row)).max_by_key(|row| row.changed).copied();
    rows.retain(|row| !is_one(row));
    rows.extend(latest.map(|row| Row { subject: Subject::Notifications, ..row }));
}

/// One of them. The names are the statement's.
fn row(found: &Changed) -> Row {
    let subject = match found.kind.as_str() {
        "conversation" => Subject::Conversation(ConversationId(found.id)),
        "thread" => Subject::Thread(ConversationId(found.id), found.root_seq.unwrap_or_default()),
        "group" => Subject::Group(GroupId(found.id)),
        "channel list" => Subject::ChannelList((!found.id.is_nil()).then_some(GroupId(found.id))),
        "notification" => Subject::Notification(NotificationId(found.id)),
        "session" => Subject::Session(SessionId(found.id)),
        _ => Subject::Viewer,
    };
    Row { subject, changed: Xid(found.xid), at: found.at, joined: found.joined_xid.map(Xid) }
}
