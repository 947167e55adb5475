//! Changing one's profile, and blocking.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};

use super::User;
use crate::context::Ask;
use crate::conversations;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::text::Fault;
use crate::users::{self, ProfileDraft, ProfileInput};

/// Changes to a profile: what is absent stays, null clears.
#[derive(InputObject)]
pub struct UpdateProfileInput {
    /// 3 to 32 of a-z, 0-9, dot, dash and underscore; unique.
    username: MaybeUndefined<String>,
    /// 1 to 80 characters.
    display_name: MaybeUndefined<String>,
    /// Up to 500 characters.
    bio: MaybeUndefined<String>,
    /// The version that was shown; absent to overwrite whatever is there.
    expected_version: Option<i32>,
}

impl From<UpdateProfileInput> for ProfileInput {
    fn from(input: UpdateProfileInput) -> Self {
        Self {
            username: input.username.into(),
            display_name: input.display_name.into(),
            bio: input.bio.into(),
            expected_version: input.expected_version,
        }
    }
}

/// A changed profile.
#[derive(SimpleObject)]
pub struct UpdateProfilePayload {
    /// The viewer's public side.
    user: User,
}

/// Input of `blockUser`.
#[derive(InputObject)]
pub struct BlockUserInput {
    /// Whom to block.
    user_id: ID,
}

/// Result of `blockUser`.
#[derive(SimpleObject)]
pub struct BlockUserPayload {
    /// The user, now blocked.
    user: User,
}

/// Input of `unblockUser`.
#[derive(InputObject)]
pub struct UnblockUserInput {
    /// Whom to unblock.
    user_id: ID,
}

/// Result of `unblockUser`.
#[derive(SimpleObject)]
pub struct UnblockUserPayload {
    /// The user, no longer blocked.
    user: User,
}

#[derive(Default)]
pub struct UserMutation;

#[Object]
impl UserMutation {
    /// Change the viewer's public profile.
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        input: UpdateProfileInput,
    ) -> Option<Result<UpdateProfilePayload>> {
        Some(update_profile(ctx, input).await)
    }

    /// Block a user. The conversation of the two stays readable, but neither can write or react in it, open one with the
    /// other, add, or open a group conversation together with the other. In larger conversations presence, typing and read
    /// signals are hidden from each other, their mentions of the viewer are not recorded, and their messages stay: see
    /// `User.viewerHasBlocked`. Blocking twice changes nothing.
    async fn block_user(&self, ctx: &Context<'_>, input: BlockUserInput) -> Option<Result<BlockUserPayload>> {
        Some(block_user(ctx, input).await)
    }

    /// Undo a block. Unblocking someone not blocked changes nothing.
    async fn unblock_user(&self, ctx: &Context<'_>, input: UnblockUserInput) -> Option<Result<UnblockUserPayload>> {
        Some(unblock_user(ctx, input).await)
    }
}

async fn update_profile(ctx: &Context<'_>, input: UpdateProfileInput) -> Result<UpdateProfilePayload> {
    let viewer = ctx.viewer()?;
    let changed = users::update_profile(ctx.app(), &viewer, ProfileDraft::from(input.into())?).await?;
    Ok(UpdateProfilePayload { user: after_change(ctx, changed) })
}

async fn block_user(ctx: &Context<'_>, input: BlockUserInput) -> Result<BlockUserPayload> {
    let viewer = ctx.viewer()?;
    let blocked = conversations::block(ctx.app(), &viewer, user_id(&input.user_id)?).await?;
    Ok(BlockUserPayload { user: after_change(ctx, blocked) })
}

async fn unblock_user(ctx: &Context<'_>, input: UnblockUserInput) -> Result<UnblockUserPayload> {
    let viewer = ctx.viewer()?;
    let unblocked = conversations::unblock(ctx.app(), &viewer, user_id(&input.user_id)?).await?;
    Ok(UnblockUserPayload { user: after_change(ctx, unblocked) })
}

/// Who was changed, with everything that was loaded before it forgotten.
fn after_change(ctx: &Context<'_>, user: users::User) -> User {
    ctx.scope().forget_loaded();
    User(user.into())
}

fn user_id(id: &ID) -> Result<UserId> {
    UserId::parse(id).ok_or_else(|| Error::bad_input(vec![Fault::not_an_id().of("userId")]))
}
