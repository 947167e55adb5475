//! Preferences by the handful; everybody has some.

use std::collections::HashMap;

use super::store::{self, Preferences, Privacy};
use super::with_newcomers;
use crate::app::App;
use crate::context::Load;
use crate::error::Result;
use crate::id::UserId;

/// Somebody's preferences.
pub struct PreferencesOf;

impl Load for PreferencesOf {
    type Key = UserId;
    type Value = Preferences;

    async fn load(app: &App, keys: &[UserId]) -> Result<HashMap<UserId, Preferences>> {
        let users = keys.to_vec();
        let found = app.db.read(async move |conn| store::of(conn, &users).await).await?;
        Ok(with_newcomers(keys, found))
    }
}

/// What others learn of somebody.
pub struct PrivacyOf;

impl Load for PrivacyOf {
    type Key = UserId;
    type Value = Privacy;

    async fn load(app: &App, keys: &[UserId]) -> Result<HashMap<UserId, Privacy>> {
        let all = PreferencesOf::load(app, keys).await?;
        Ok(all.into_iter().map(|(user, preferences)| (user, preferences.privacy)).collect())
    }
}
