//! Users by the handful.

use std::collections::HashMap;

use super::store::{self, User};
use crate::app::App;
use crate::context::Load;
use crate::error::Result;
use crate::id::UserId;

pub struct UserById;

impl Load for UserById {
    type Key = UserId;
    type Value = User;

    async fn load(app: &App, keys: &[UserId]) -> Result<HashMap<UserId, User>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::by_ids(conn, &keys).await).await?;
        Ok(found.into_iter().map(|user| (user.id, user)).collect())
    }
}
