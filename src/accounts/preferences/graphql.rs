//! Preferences in the API.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use chrono::NaiveTime;

use super::{
    self as preferences, DirectConversationPolicy, NotificationInput, NotificationLevel, PreferencesDraft,
    PreferencesInput, PreferencesOf, PrivacyInput, Theme,
};
use crate::context::Ask;
use crate::error::{Error, Result};
use crate::id::{PreferencesId, UserId};
use crate::scalar::{LanguageTag, LocalTime, TimeZone};

#[derive(Clone)]
pub struct Preferences(pub Arc<super::Preferences>);

/// How the viewer wants things to be.
#[Object]
impl Preferences {
    /// Globally unique and opaque: a type prefix and a sortable suffix, as in msg_01jd3k7w8pf2qs5hm0r4c9x6ty.
    pub async fn id(&self) -> ID {
        PreferencesId(self.0.user_id.0).into()
    }

    /// Counts the changes, for `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Language for mails and notifications.
    async fn language(&self) -> LanguageTag {
        LanguageTag(self.0.language.clone())
    }

    /// Time zone for quiet hours and mails.
    async fn time_zone(&self) -> TimeZone {
        TimeZone(self.0.time_zone.clone())
    }

    /// Look of the clients.
    async fn theme(&self) -> Theme {
        self.0.theme
    }

    /// How notifications reach the viewer.
    async fn notifications(&self) -> NotificationPreferences {
        (&self.0.notifications).into()
    }

    /// What others learn of the viewer.
    async fn privacy(&self) -> PrivacyPreferences {
        let privacy = self.0.privacy;
        PrivacyPreferences {
            shares_read_position: privacy.shares_read_position,
            shares_typing: privacy.shares_typing,
            shares_last_seen: privacy.shares_last_seen,
            direct_conversations_from: privacy.direct_conversations_from,
        }
    }
}

/// How notifications reach the viewer.
#[derive(SimpleObject)]
pub struct NotificationPreferences {
    /// By mail, while away.
    is_email_enabled: bool,
    /// By push to registered devices.
    is_push_enabled: bool,
    /// For what, where a conversation says nothing else.
    default_level: NotificationLevel,
    /// Mails and pushes show what was written.
    shows_previews: bool,
    /// When to be silent, urgent notifications apart; null for never.
    quiet_hours: Option<QuietHours>,
    /// Words that make a direct message or a mention urgent, wherever one stands in it as a whole word; in lower case.
    urgent_words: Vec<String>,
}

/// A daily span in the viewer's time zone; it may run over midnight.
#[derive(SimpleObject)]
pub struct QuietHours {
    /// First silent minute.
    start: LocalTime,
    /// First minute that is no longer silent.
    end: LocalTime,
}

impl From<&preferences::NotificationPreferences> for NotificationPreferences {
    fn from(kept: &preferences::NotificationPreferences) -> Self {
        let quiet_hours = kept.quiet_start.zip(kept.quiet_end);
        Self {
            is_email_enabled: kept.is_email_enabled,
            is_push_enabled: kept.is_push_enabled,
            default_level: kept.default_level,
            shows_previews: kept.shows_previews,
            quiet_hours: quiet_hours.map(|(start, end)| QuietHours { start: minute(start), end: minute(end) }),
            urgent_words: kept.urgent_words.clone(),
        }
    }
}

fn minute(time: NaiveTime) -> LocalTime {
    LocalTime(time.format("%H:%M").to_string())
}

/// What others learn of the viewer.
#[derive(SimpleObject)]
pub struct PrivacyPreferences {
    /// Others see how far the viewer has read.
    shares_read_position: bool,
    /// Others see the viewer type.
    shares_typing: bool,
    /// Others see when the viewer was last here.
    shares_last_seen: bool,
    /// Who may open a direct conversation with the viewer.
    direct_conversations_from: DirectConversationPolicy,
}

/// Somebody's preferences, for nobody but them.
pub async fn preferences(ctx: &Context<'_>, user: UserId) -> Result<Preferences> {
    let found = ctx.load::<PreferencesOf>(user).await?;
    found.map(Preferences).ok_or_else(|| Error::internal("everybody has preferences"))
}

/// Changes to preferences: what is absent stays.
#[derive(InputObject)]
pub struct UpdatePreferencesInput {
    /// Language for mails and notifications.
    language: Option<LanguageTag>,
    /// Time zone for quiet hours and mails.
    time_zone: Option<TimeZone>,
    /// Look of the clients.
    theme: Option<Theme>,
    /// How notifications reach the viewer.
    notifications: Option<NotificationPreferencesInput>,
    /// What others learn of the viewer.
    privacy: Option<PrivacyPreferencesInput>,
    /// The version that was shown; absent to overwrite whatever is there.
    expected_version: Option<i32>,
}

/// Changes to notification preferences: what is absent stays.
#[derive(InputObject)]
pub struct NotificationPreferencesInput {
    /// By mail, while away.
    is_email_enabled: Option<bool>,
    /// By push to registered devices.
    is_push_enabled: Option<bool>,
    /// For what, where a conversation says nothing else.
    default_level: Option<NotificationLevel>,
    /// Mails and pushes show what was written.
    shows_previews: Option<bool>,
    /// When to be silent; null for never.
    quiet_hours: MaybeUndefined<QuietHoursInput>,
    /// Words that make a direct message or a mention urgent, up to 50 of 1 to 50 characters, in whatever case; all of them
    /// anew.
    urgent_words: Option<Vec<String>>,
}

/// A daily span in the viewer's time zone.
#[derive(InputObject)]
pub struct QuietHoursInput {
    /// First silent minute.
    start: LocalTime,
    /// First minute that is no longer silent.
    end: LocalTime,
}

/// Changes to privacy preferences: what is absent stays.
#[derive(InputObject)]
pub struct PrivacyPreferencesInput {
    /// Others see how far the viewer has read.
    shares_read_position: Option<bool>,
    /// Others see the viewer type.
    shares_typing: Option<bool>,
    /// Others see when the viewer was last here.
    shares_last_seen: Option<bool>,
    /// Who may open a direct conversation with the viewer.
    direct_conversations_from: Option<DirectConversationPolicy>,
}

impl From<UpdatePreferencesInput> for PreferencesInput {
    fn from(input: UpdatePreferencesInput) -> Self {
        Self {
            language: input.language.map(|LanguageTag(tag)| tag),
            time_zone: input.time_zone.map(|TimeZone(name)| name),
            theme: input.theme,
            notifications: input.notifications.map(Into::into).unwrap_or_default(),
            privacy: input.privacy.map(Into::into).unwrap_or_default(),
            expected_version: input.expected_version,
        }
    }
}

impl From<NotificationPreferencesInput> for NotificationInput {
    fn from(input: NotificationPreferencesInput) -> Self {
        let hours = |QuietHoursInput { start, end }| preferences::QuietHoursInput { start: start.0, end: end.0 };
        Self {
            is_email_enabled: input.is_email_enabled,
            is_push_enabled: input.is_push_enabled,
            default_level: input.default_level,
            shows_previews: input.shows_previews,
            quiet_hours: input.quiet_hours.map_value(hours).into(),
            urgent_words: input.urgent_words,
        }
    }
}

impl From<PrivacyPreferencesInput> for PrivacyInput {
    fn from(input: PrivacyPreferencesInput) -> Self {
        Self {
            shares_read_position: input.shares_read_position,
            shares_typing: input.shares_typing,
            shares_last_seen: input.shares_last_seen,
            direct_conversations_from: input.direct_conversations_from,
        }
    }
}

/// Changed preferences.
#[derive(SimpleObject)]
pub struct UpdatePreferencesPayload {
    /// The preferences.
    preferences: Preferences,
}

#[derive(Default)]
pub struct PreferencesMutation;

#[Object]
impl PreferencesMutation {
    /// Change the viewer's preferences; only what is given changes.
    async fn update_preferences(
        &self,
        ctx: &Context<'_>,
        input: UpdatePreferencesInput,
    ) -> Option<Result<UpdatePreferencesPayload>> {
        Some(update_preferences(ctx, input).await)
    }
}

async fn update_preferences(ctx: &Context<'_>, input: UpdatePreferencesInput) -> Result<UpdatePreferencesPayload> {
    let viewer = ctx.viewer()?;
    let changed = super::update_preferences(ctx.app(), &viewer, PreferencesDraft::from(input.into())?).await?;
    ctx.scope().forget_loaded();
    Ok(UpdatePreferencesPayload { preferences: Preferences(changed.into()) })
}
