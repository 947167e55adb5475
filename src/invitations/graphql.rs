//! Invitations in the API.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{InvitationById, InvitationDraft};
use crate::context::Ask;
use crate::error::{Error, Result};
use crate::groups::graphql::{Group, find_group};
use crate::id::{GroupId, InvitationId};
use crate::invitations;
use crate::page::{Arguments, connection};
use crate::scalar::DateTime;
use crate::text::Fault;
use crate::users::Administrator;
use crate::users::graphql::{User, user};

#[derive(Clone)]
pub struct Invitation(Arc<invitations::Invitation>);

/// Leave to register, for whoever has its token.
#[Object]
impl Invitation {
    /// Globally unique and opaque: a type prefix and a sortable suffix, as in msg_01jd3k7w8pf2qs5hm0r4c9x6ty.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// Who made it.
    async fn created_by(&self, ctx: &Context<'_>) -> Result<User> {
        user(ctx, self.0.created_by_id).await
    }

    /// The group that those who use it become members of; null for none, and for one that the viewer does not see.
    async fn group(&self, ctx: &Context<'_>) -> Option<Result<Group>> {
        find_group(ctx, self.0.group_id?).await.transpose()
    }

    /// How often it can be used.
    async fn use_limit(&self) -> i32 {
        self.0.use_limit
    }

    /// How often it was used.
    async fn use_count(&self) -> i32 {
        self.0.use_count
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it ends.
    async fn expires_at(&self) -> DateTime {
        self.0.expires_at.into()
    }

    /// When it was revoked; null for not.
    async fn revoked_at(&self) -> Option<DateTime> {
        self.0.revoked_at.map(DateTime)
    }

    /// Whether it can be used now.
    async fn is_active(&self, ctx: &Context<'_>) -> bool {
        self.0.is_active(ctx.app().clock.now())
    }
}

connection! {
    /// A page of invitations.
    InvitationConnection {},
    /// One of the invitations, and where it stands.
    InvitationEdge,
    /// Where to go on from.
    cursor,
    /// The invitation.
    Invitation
}

/// Which invitations.
#[derive(InputObject, Default)]
pub struct InvitationFilter {
    /// Only into this group.
    group_id: Option<ID>,
    /// Only those that can be used now, or only others.
    is_active: Option<bool>,
}

/// A new invitation.
#[derive(InputObject)]
pub struct CreateInvitationInput {
    /// The group to become a member of; absent for none.
    group_id: Option<ID>,
    /// How often it can be used, up to 1000.
    #[graphql(default = 1)]
    use_limit: i32,
    /// When it ends; absent for in 7 days.
    expires_at: Option<DateTime>,
}

/// A made invitation.
#[derive(SimpleObject)]
pub struct CreateInvitationPayload {
    /// The invitation.
    invitation: Invitation,
    /// What to pass to `register`; shown once.
    token: String,
}

/// Which invitation to revoke.
#[derive(InputObject)]
pub struct RevokeInvitationInput {
    /// The invitation.
    invitation_id: ID,
}

/// A revoked invitation.
#[derive(SimpleObject)]
pub struct RevokeInvitationPayload {
    /// The invitation.
    invitation: Invitation,
}

#[derive(Default)]
pub struct InvitationMutation;

#[Object]
impl InvitationMutation {
    /// Make an invitation to register, and to join a group where one is given. Needs ADMIN, and `canAddMembers` in the
    /// group.
    async fn create_invitation(
        &self,
        ctx: &Context<'_>,
        input: CreateInvitationInput,
    ) -> Option<Result<CreateInvitationPayload>> {
        Some(create_invitation(ctx, input).await)
    }

    /// Make an invitation work no longer; those who used it stay. Needs ADMIN.
    async fn revoke_invitation(
        &self,
        ctx: &Context<'_>,
        input: RevokeInvitationInput,
    ) -> Option<Result<RevokeInvitationPayload>> {
        Some(revoke_invitation(ctx, input).await)
    }
}

async fn create_invitation(ctx: &Context<'_>, input: CreateInvitationInput) -> Result<CreateInvitationPayload> {
    let viewer = ctx.viewer()?;
    let input = invitations::InvitationInput {
        group_id: input.group_id.map(|id| id.0),
        use_limit: input.use_limit,
        expires_at: input.expires_at.map(|at| at.0),
    };
    let draft = InvitationDraft::from(input, ctx.app().clock.now())?;
    let created = invitations::create(ctx.app(), &viewer, draft).await?;
    Ok(CreateInvitationPayload { invitation: shown(ctx, created.invitation), token: created.token })
}

async fn revoke_invitation(ctx: &Context<'_>, input: RevokeInvitationInput) -> Result<RevokeInvitationPayload> {
    let viewer = ctx.viewer()?;
    let id = InvitationId::parse(&input.invitation_id);
    let id = id.ok_or_else(|| Error::bad_input(vec![Fault::not_an_id().of("invitationId")]))?;
    Ok(RevokeInvitationPayload { invitation: shown(ctx, invitations::revoke(ctx.app(), &viewer, id).await?) })
}

/// After a change: what was loaded before it is forgotten.
fn shown(ctx: &Context<'_>, invitation: invitations::Invitation) -> Invitation {
    ctx.scope().forget_loaded();
    Invitation(Arc::new(invitation))
}

/// A page of all invitations.
pub async fn invitations_for(
    ctx: &Context<'_>,
    administrator: Administrator,
    filter: Option<InvitationFilter>,
    arguments: Arguments,
) -> Result<InvitationConnection> {
    let InvitationFilter { group_id, is_active } = filter.unwrap_or_default();
    let group = group_id.map(|id| GroupId::parse(&id).ok_or_else(Fault::not_an_id)).transpose();
    let group = group.map_err(|fault| Error::bad_input(vec![fault.of_filter("groupId")]))?;
    let filter = invitations::InvitationFilter { group, is_active };
    let page = invitations::invitations(ctx.app(), administrator, filter, arguments).await?;
    let edge = |(cursor, row)| InvitationEdge::at(&cursor, Invitation(Arc::new(row)));
    Ok(InvitationConnection::new(page.map(edge)))
}

/// The invitation with this id, for those who run the server.
pub async fn find_invitation(ctx: &Context<'_>, id: InvitationId) -> Result<Option<Invitation>> {
    match Administrator::who_asks(ctx.scope()).await {
        Ok(_) => Ok(ctx.load::<InvitationById>(id).await?.map(Invitation)),
        // To others there is no such thing.
        Err(error) if error.code() == crate::error::Code::Forbidden => Ok(None),
        Err(error) => Err(error),
    }
}
