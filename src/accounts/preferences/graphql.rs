//! Preferences in the API.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{DirectConversationPolicy, PreferencesDraft, PreferencesInput, PreferencesOf, PrivacyInput, Theme};
use crate::context::Ask;
use crate::error::{Error, Result};
use crate::id::{PreferencesId, UserId};
use crate::scalar::{LanguageTag, TimeZone};

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
    /// What others learn of the viewer.
    privacy: Option<PrivacyPreferencesInput>,
    /// The version that was shown; absent to overwrite whatever is there.
    expected_version: Option<i32>,
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
            privacy: input.privacy.map(Into::into).unwrap_or_default(),
            expected_version: input.expected_version,
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
