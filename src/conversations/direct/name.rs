//! Naming.

use crate::app::App;
use crate::conversations::events::{CONVERSATION_UPDATED, ConversationUpdated};
use crate::conversations::{Action, Changed, Here, Reference, lock, store};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::text::{self, Fault, Wrong};
use crate::viewer::Viewer;

/// How to name what, checked.
#[derive(Debug)]
pub struct NameDraft {
    conversation: Reference,
    /// `None` to leave it as it is, `Some(None)` for no name.
    name: Option<Option<String>>,
    expected_version: Option<i32>,
}

impl NameDraft {
    pub fn from(conversation_id: &str, name: Option<Option<String>>, expected_version: Option<i32>) -> Result<Self> {
        let mut wrong = Wrong::default();
        let id = Reference::parse_direct(conversation_id);
        let conversation = wrong.note("conversationId", id.ok_or_else(Fault::not_an_id));
        let name = name.map(|name| name.map(|name| text::line(&name, 1..=80)).transpose()).transpose();
        let name = wrong.note("name", name);
        wrong.finish(|| Some(Self { conversation: conversation?, name: name?, expected_version }))
    }
}

/// Names a direct conversation of three or more. The name that it has already is no change.
pub async fn name_direct(app: &App, viewer: &Viewer, draft: NameDraft) -> Result<Changed> {
    let (now, draft) = (app.clock.now(), &draft);
    app.db
        .transaction(async move |tx| {
            let mut here = lock(tx, viewer, draft.conversation, now).await?;
            if here.conversation.has_fixed_people() {
                let message = "A conversation of one or two has no name of its own";
                return Err(Error::new(Code::FailedPrecondition, message).with("reason", "OF_TWO"));
            }
            here.may(Action::UpdateSettings).or_refuse()?;
            let version = here.conversation.version;
            if draft.expected_version.is_some_and(|expected| expected != version) {
                return Err(Error::version_conflict(version));
            }
            if let Some(name) = draft.name.as_ref().filter(|name| **name != here.conversation.name) {
                rename(tx, &mut here, name.clone()).await?;
            }
            here.write(tx).await
        })
        .await
}

/// Gives it another name, and says so in the log.
pub async fn rename(tx: &mut Tx, here: &mut Here, name: Option<String>) -> Result<()> {
    here.conversation.name = name;
    here.conversation.version += 1;
    here.conversation.updated_at = here.now;
    store::save_name(tx, &here.conversation).await?;
    here.log(CONVERSATION_UPDATED, &ConversationUpdated { changed_fields: vec!["name".to_owned()] })?;
    Ok(())
}
