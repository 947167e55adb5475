//! A new user.

use super::{ServerRole, User, handles, likeness, store};
use crate::clock::Instant;
use crate::db::{OnConstraint, Tx};
use crate::error::Result;
use crate::id::UserId;

/// Creates a user that somebody signs in to. CONFLICT where the handle is taken, or held for another.
pub async fn create(
    tx: &mut Tx,
    now: Instant,
    username: String,
    display_name: String,
    role: ServerRole,
) -> Result<User> {
    let user = User {
        id: UserId::at(now),
        username,
        display_name,
        bio: None,
        role,
        is_claimed: true,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    store::insert(tx, &user).await.on_constraint("users_username_key", handles::taken)?;
    handles::settle(tx, user.id, &user.username, now).await?;
    likeness::refuse_likeness(tx, user.id, &user.display_name).await?;
    Ok(user)
}
