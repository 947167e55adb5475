//! Changing one's preferences.

use chrono_tz::Tz;
use icu_locale_core::Locale;

use super::notifications::{NotificationDraft, NotificationInput};
use super::{DirectConversationPolicy, Preferences, Theme, store};
use crate::app::App;
use crate::error::{Error, InputCode, Result};
use crate::id::UserId;
use crate::realtime::{Mark, Subject};
use crate::text::{self, Fault, Wrong};
use crate::viewer::Viewer;

/// What a client sends: what is absent stays.
#[derive(Default)]
pub struct PreferencesInput {
    pub language: Option<String>,
    pub time_zone: Option<String>,
    pub theme: Option<Theme>,
    pub notifications: NotificationInput,
    pub privacy: PrivacyInput,
    pub expected_version: Option<i32>,
}

/// Of them, what others learn.
#[derive(Debug, Default)]
pub struct PrivacyInput {
    pub shares_read_position: Option<bool>,
    pub shares_typing: Option<bool>,
    pub shares_last_seen: Option<bool>,
    pub direct_conversations_from: Option<DirectConversationPolicy>,
}

/// The same, checked.
#[derive(Debug)]
pub struct PreferencesDraft {
    language: Option<String>,
    time_zone: Option<String>,
    theme: Option<Theme>,
    notifications: NotificationDraft,
    privacy: PrivacyInput,
    expected_version: Option<i32>,
}

impl PreferencesDraft {
    pub fn from(input: PreferencesInput) -> Result<Self> {
        let mut wrong = Wrong::default();
        let language = wrong.note("language", input.language.map(|tag| language(&tag)).transpose());
        let time_zone = wrong.note("timeZone", input.time_zone.map(|name| time_zone(&name)).transpose());
        let notifications = NotificationDraft::from(input.notifications, &mut wrong);
        wrong.finish(|| {
            Some(Self {
                language: language?,
                time_zone: time_zone?,
                theme: input.theme,
                notifications: notifications?,
                privacy: input.privacy,
                expected_version: input.expected_version,
            })
        })
    }

    /// Preferences as the draft wants them.
    fn applied_to(&self, before: &Preferences) -> Preferences {
        let mut changed = before.clone();
        set(&mut changed.language, &self.language);
        set(&mut changed.time_zone, &self.time_zone);
        set(&mut changed.theme, &self.theme);
        self.notifications.apply(&mut changed.notifications);
        set(&mut changed.privacy.shares_read_position, &self.privacy.shares_read_position);
        set(&mut changed.privacy.shares_typing, &self.privacy.shares_typing);
        set(&mut changed.privacy.shares_last_seen, &self.privacy.shares_last_seen);
        set(&mut changed.privacy.direct_conversations_from, &self.privacy.direct_conversations_from);
        changed
    }
}

pub(super) fn set<T: Clone>(place: &mut T, wanted: &Option<T>) {
    if let Some(wanted) = wanted {
        place.clone_from(wanted);
    }
}

/// A language tag in its usual form, en-GB for EN-gb. Well-formed is enough: new languages are registered all the time.
fn language(text: &str) -> Result<String, Fault> {
    let text = text::line(text, 1..=64)?;
    let tag: Locale = text.parse().map_err(|_| Fault::new(InputCode::BadFormat, "No language tag, as in en-GB"))?;
    Ok(tag.to_string())
}

/// The name of a time zone that there is.
fn time_zone(text: &str) -> Result<String, Fault> {
    let text = text::line(text, 1..=64)?;
    let zone: Tz = text.parse().map_err(|_| Fault::new(InputCode::BadFormat, "No time zone, as in Europe/Berlin"))?;
    Ok(zone.name().to_owned())
}

/// Changes the viewer's preferences.
pub async fn update_preferences(app: &App, viewer: &Viewer, draft: PreferencesDraft) -> Result<Preferences> {
    change(app, viewer.user_id, &draft).await
}

/// The same of somebody who need not be signed in.
pub(super) async fn change(app: &App, user_id: UserId, draft: &PreferencesDraft) -> Result<Preferences> {
    app.db
        .transaction(async move |tx| {
            loop {
                let before = store::of(tx, &[user_id]).await?.pop();
                let before = before.unwrap_or_else(|| Preferences::of_newcomer(user_id));
                if draft.expected_version.is_some_and(|expected| expected != before.version) {
                    return Err(Error::version_conflict(before.version));
                }
                let mut after = draft.applied_to(&before);
                if after == before {
                    return Ok(after);
                }
                after.version += 1;
                if store::save(tx, &after).await? {
                    // Others may see now, or no more, when the viewer was last here.
                    tx.outbox().presences.push(user_id);
                    tx.outbox().marks.push((user_id, Mark::Changed(Subject::Viewer)));
                    return Ok(after);
                }
                // There need not be a row to lock before; whoever was faster has made one, which is there to read now.
            }
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_a_tag_in_its_usual_form() {
        for (text, tag) in [
            ("en", "en"),
            ("EN-gb", "en-GB"),
            (" de-AT ", "de-AT"),
            ("zh-hant-tw", "zh-Hant-TW"),
            ("de-1996", "de-1996"),
            ("en-u-hc-h23", "en-u-hc-h23"),
        ] {
            assert_eq!(language(text).unwrap(), tag, "{text}");
        }
        for text in
            ["", "english!", "e", "en-", "en--GB", "en_GB", "en-GB-", "*", "1", "en\0", "d\u{e9}", &"en-".repeat(40)]
        {
            assert!(language(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_zone_is_one_that_there_is() {
        for name in ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kolkata"] {
            assert_eq!(time_zone(name).unwrap(), name);
        }
        for text in ["", "Berlin", "europe/berlin", "Europe/Atlantis", "+01:00", "../etc/passwd", "UTC\0"] {
            assert!(time_zone(text).is_err(), "{text}");
        }
    }
}
