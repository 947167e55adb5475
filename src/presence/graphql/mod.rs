//! Presence, typing and signals in the API.

mod mutation;
mod signal;
mod subscription;

use async_graphql::{Context, SimpleObject};

pub use mutation::PresenceMutation;
pub use subscription::PresenceSubscription;

use super::PresenceOf;
use crate::context::Ask;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::realtime::PresenceStatus;
use crate::scalar::DateTime;

/// Whether a user is here, and what they say about it.
#[derive(SimpleObject)]
pub struct Presence {
    /// How present they are.
    status: PresenceStatus,
    /// When they were last here; null while they are, and where they do not share it.
    last_seen_at: Option<DateTime>,
    /// What they say about it; null for nothing.
    custom_status: Option<CustomStatus>,
}

/// A few words of one's own, with an emoji and an end.
#[derive(SimpleObject)]
pub struct CustomStatus {
    /// Up to 100 characters.
    text: Option<String>,
    /// One emoji.
    emoji: Option<String>,
    /// When it clears itself; null for never.
    expires_at: Option<DateTime>,
}

impl From<&super::Presence> for Presence {
    fn from(presence: &super::Presence) -> Self {
        Self {
            status: presence.status,
            last_seen_at: presence.last_seen_at.map(DateTime),
            custom_status: presence.custom_status.clone().map(|status| CustomStatus {
                text: status.text,
                emoji: status.emoji,
                expires_at: status.expires_at.map(DateTime),
            }),
        }
    }
}

/// What the viewer sees of somebody's presence.
pub async fn presence(ctx: &Context<'_>, user_id: UserId) -> Result<Presence> {
    let found = ctx.load::<PresenceOf>((ctx.viewer()?.user_id, user_id)).await?;
    let found = found.ok_or_else(|| Error::internal(format!("{user_id} is referred to and missing")))?;
    Ok(Presence::from(&*found))
}
