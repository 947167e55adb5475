//! Authors of imported messages, as whom nobody can sign in.

use super::{ServerRole, User, store};
use crate::clock::Instant;
use crate::db::{OnConstraint, Tx};
use crate::error::{Code, Error, Result};
use crate::id::UserId;

/// Somebody to be, whose handle no registration can take.
pub struct Unclaimed {
    pub username: String,
    pub display_name: String,
    /// When they were first heard of.
    pub created_at: Instant,
}

/// Creates people without accounts, and answers with their ids in the same order. CONFLICT where a handle is taken.
pub async fn create_unclaimed(tx: &mut Tx, people: Vec<Unclaimed>) -> Result<Vec<UserId>> {
    let users: Vec<User> = people
        .into_iter()
        .map(|person| User {
            id: UserId::at(person.created_at),
            username: person.username,
            display_name: person.display_name,
            bio: None,
            role: ServerRole::User,
            is_claimed: false,
            version: 1,
            created_at: person.created_at,
            updated_at: person.created_at,
            deleted_at: None,
        })
        .collect();
    store::insert_many(tx, &users)
        .await
        .on_constraint("users_username_key", || Error::new(Code::Conflict, "One of these usernames is taken"))?;
    Ok(users.into_iter().map(|user| user.id).collect())
}
