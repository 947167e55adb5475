//! Notifications in words, made when they are read from what their owner may see then.

use futures_util::future::try_join_all;
use futures_util::try_join;

use super::store::{Key, Notification};
use super::texts::{self, Language};
use super::{Kind, NotificationOf};
use crate::accounts::preferences::PreferencesOf;
use crate::app::App;
use crate::clock::Instant;
use crate::context::{Origin, Scope};
use crate::error::Result;
use crate::id::{ConversationId, MessageId, NotificationId, UserId};
use crate::{text, users};

/// Characters of a body.
const BODY: usize = 200;

/// A notification as its owner may read it now.
#[derive(Clone, Debug)]
pub struct Rendered {
    pub user_id: UserId,
    pub id: NotificationId,
    pub kind: Kind,
    pub is_urgent: bool,
    pub is_unread: bool,
    /// Says nothing of what was written.
    pub title: String,
    /// What was written, for those who want it shown; empty where nothing was.
    pub body: String,
    pub conversation_id: Option<ConversationId>,
    /// Whether that is a direct one.
    pub is_direct: bool,
    pub message_id: Option<MessageId>,
    pub created_at: Instant,
}

/// Notifications for those who mail and push them, some of several people; what is deleted or out of sight by now is left
/// out. Costs the same statements for one as for a thousand.
pub async fn render(app: &App, keys: &[Key]) -> Result<Vec<Rendered>> {
    let scope = Scope::new(app.clone(), None, String::new(), Origin { address: None, is_local: false });
    let rendered = keys.iter().map(|&key| one(&scope, key));
    Ok(try_join_all(rendered).await?.into_iter().flatten().collect())
}

async fn one(scope: &Scope, key: Key) -> Result<Option<Rendered>> {
    let found = scope.load::<NotificationOf>(key).await?;
    let Some(found) = found.filter(|found| found.is_shown()) else { return Ok(None) };
    let (title, body) = try_join!(title(scope, &found), body(scope, &found))?;
    Ok(Some(Rendered {
        user_id: found.user_id,
        id: found.id,
        kind: found.kind,
        is_urgent: found.is_urgent,
        is_unread: found.read_at.is_none(),
        title,
        body,
        conversation_id: found.conversation_id,
        is_direct: found.is_direct,
        message_id: found.message_id,
        created_at: found.created_at,
    }))
}

/// One line, in the language of its owner.
pub async fn title(scope: &Scope, notification: &Notification) -> Result<String> {
    let preferences = scope.load::<PreferencesOf>(notification.user_id).await?;
    let language = preferences.map(|preferences| Language::of(&preferences.language)).unwrap_or_default();
    Ok(texts::title(language, notification))
}

/// The beginning of the message that it is about, as plain text.
pub async fn body(scope: &Scope, notification: &Notification) -> Result<String> {
    let Some(content) = &notification.content else { return Ok(String::new()) };
    Ok(text::excerpt(&users::with_names(scope, content).await?, BODY))
}
