//! Changing one's profile.

use super::{User, handles, likeness, store};
use crate::app::App;
use crate::db::OnConstraint;
use crate::error::{Error, Result};
use crate::realtime::{Mark, Subject};
use crate::text::{self, Fault, Wrong};
use crate::viewer::Viewer;

/// What a client sends: what is absent stays, null clears.
pub struct ProfileInput {
    pub username: Option<Option<String>>,
    pub display_name: Option<Option<String>>,
    pub bio: Option<Option<String>>,
    pub expected_version: Option<i32>,
}

/// The same, checked.
#[derive(Debug)]
pub struct ProfileDraft {
    username: Option<String>,
    display_name: Option<String>,
    bio: Option<Option<String>>,
    expected_version: Option<i32>,
}

impl ProfileDraft {
    pub fn from(input: ProfileInput) -> Result<Self> {
        let mut wrong = Wrong::default();
        let username = input.username.map(|name| text::username(&name.ok_or_else(Fault::required)?));
        let username = wrong.note("username", username.transpose());
        let display_name = input.display_name.map(|name| text::display_name(&name.ok_or_else(Fault::required)?));
        let display_name = wrong.note("displayName", display_name.transpose());
        let bio = input.bio.map(|bio| text::block(&bio.unwrap_or_default(), 0..=500));
        let bio = wrong.note("bio", bio.transpose());
        wrong.finish(|| {
            Some(Self {
                username: username?,
                display_name: display_name?,
                bio: bio?.map(|bio| Some(bio).filter(|bio| !bio.trim().is_empty())),
                expected_version: input.expected_version,
            })
        })
    }

    /// Somebody as the draft wants them.
    fn applied_to(&self, user: &User) -> User {
        let mut changed = user.clone();
        if let Some(username) = &self.username {
            changed.username.clone_from(username);
        }
        if let Some(display_name) = &self.display_name {
            changed.display_name.clone_from(display_name);
        }
        if let Some(bio) = &self.bio {
            changed.bio.clone_from(bio);
        }
        changed
    }
}

/// Changes the viewer's profile. CONFLICT where the handle is taken, or held for another. The one they leave is held for
/// them.
pub async fn update_profile(app: &App, viewer: &Viewer, draft: ProfileDraft) -> Result<User> {
    let (now, draft) = (app.clock.now(), &draft);
    app.db
        .transaction(async move |tx| {
            // A handle is a key: to change one is to wait for whoever refers to them, who then may want the row as well.
            let before = match draft.username.is_some() {
                true => store::lock_for_good(tx, viewer.user_id).await?,
                false => store::lock(tx, viewer.user_id).await?,
            };
            let before = before.ok_or_else(|| Error::not_found("user"))?;
            if draft.expected_version.is_some_and(|expected| expected != before.version) {
                return Err(Error::version_conflict(before.version));
            }
            let mut user = draft.applied_to(&before);
            if user == before {
                return Ok(user);
            }
            user.version += 1;
            user.updated_at = now;
            store::save_profile(tx, &user).await.on_constraint("users_username_key", handles::taken)?;
            if user.username != before.username {
                text::unreserved(&user.username).map_err(|fault| Error::bad_input(vec![fault.of("username")]))?;
                handles::settle(tx, user.id, &user.username, now).await?;
                handles::leave(tx, user.id, &before.username, now).await?;
            }
            if user.display_name != before.display_name {
                likeness::refuse_likeness(tx, user.id, &user.display_name).await?;
            }
            tx.outbox().marks.push((user.id, Mark::Changed(Subject::Viewer)));
            Ok(user)
        })
        .await
}
