//! The bell: what somebody should know, on all of their devices until they have read it.
//!
//! Whoever causes it rings in the same transaction (`ring`): what is looked up of those who may have to be told is judged by
//! one function (`told`), and written by one statement for all. A row says what happened, never in which words: those are
//! made when it is read, from what its owner may see then (`render`, `texts`). What is out of sight is not in the bell, nor
//! in its numbers; what was deleted is taken out of it.
//!
//! How many are unread is no counter but looked up, from an index of the unread ones alone and up to a thousand: so it is
//! exact whoever writes at the same moment, and whoever rings and whoever reads lock nothing but rows of their own.
//!
//! It stands below all areas that ring, which know it, as it knows none of them.

mod alarm;
mod delete;
mod deliver;
pub mod digests;
mod expire;
pub mod graphql;
mod list;
mod loaders;
mod pending;
mod push;
mod read;
mod render;
mod ring;
mod store;
mod texts;
mod told;
mod withdraw;

use async_graphql::Enum;
use chrono::TimeDelta;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types;

pub use delete::{DeleteDraft, delete, expire, forget};
pub use deliver::Gone;
pub use expire::Expire;
pub use list::{NotificationCursor, NotificationFilter, count, notifications, unread_count};
pub use loaders::{NotificationOf, UnreadNotificationsOf};
pub use pending::{Recipient, recipients, unread_since};
pub use push::{TellDevice, TellDevices};
pub use read::{ReadDraft, have_read, mark_read};
pub use render::{Rendered, body, render, title};
pub use ring::{Bell, Call, Cause, Letter, Looked, Said, look, ring, ring_again, tell, told_before, told_of_reaction};
pub use store::Notification;
pub use told::Happening;
pub use withdraw::{withdraw_from, withdraw_message, withdraw_reaction};

use crate::db::text_enum;

/// Notifications are counted up to here; more than that says one more.
pub const COUNTED: i64 = 1_000;
/// How long they are kept.
pub const KEPT: TimeDelta = TimeDelta::days(90);

/// What a notification is about. Kinds are added over time.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[graphql(name = "NotificationKind")]
#[diesel(sql_type = sql_types::Text)]
pub enum Kind {
    /// The viewer was mentioned.
    Mention,
    /// The viewer's message was quoted.
    Reply,
    /// Someone wrote in a thread the viewer follows.
    ThreadReply,
    /// Someone wrote to the viewer directly.
    DirectMessage,
    /// Someone wrote in a conversation with the level ALL.
    Message,
    /// Someone reacted to the viewer's message.
    Reaction,
    /// The viewer was added to a conversation or group.
    Added,
    /// The viewer's role changed.
    RoleChanged,
    /// The viewer missed a call.
    MissedCall,
    /// A transaction of the viewer changed.
    Transaction,
    /// A report or sanction concerns the viewer.
    Moderation,
    /// The viewer's account: a new sign-in, a changed password.
    Security,
}
text_enum!(Kind);
