//! Inviting.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use serde_json::json;

use super::redeem::digest;
use super::{Invitation, store};
use crate::app::App;
use crate::audit;
use crate::clock::Instant;
use crate::error::Result;
use crate::groups::{Action, MemberRole, hold};
use crate::id::{GroupId, InvitationId};
use crate::text::{self, Fault, Wrong};
use crate::users::Administrator;
use crate::viewer::Viewer;

/// Uses of one at most.
const USES: i32 = 1_000;
/// How long one is good that says nothing of it.
const GOOD: TimeDelta = TimeDelta::days(7);

/// What a client sends.
pub struct InvitationInput {
    pub group_id: Option<String>,
    pub use_limit: i32,
    pub expires_at: Option<Instant>,
}

/// The same, checked.
#[derive(Debug)]
pub struct InvitationDraft {
    group: Option<GroupId>,
    use_limit: i32,
    expires_at: Instant,
}

/// A new one, with the only sight of its token.
pub struct Created {
    pub invitation: Invitation,
    pub token: String,
}

impl InvitationDraft {
    pub fn from(input: InvitationInput, now: Instant) -> Result<Self> {
        let mut wrong = Wrong::default();
        let group = input.group_id.map(|id| GroupId::parse(&id).ok_or_else(Fault::not_an_id)).transpose();
        let group = wrong.note("groupId", group);
        let use_limit = Some(input.use_limit).filter(|limit| (1..=USES).contains(limit));
        let use_limit = wrong.note("useLimit", use_limit.ok_or_else(|| Fault::out_of_range(1, USES as usize)));
        let expires_at = match input.expires_at {
            None => Ok(now + GOOD),
            Some(at) if at <= now => Err(Fault::past()),
            Some(at) => text::end(at),
        };
        let expires_at = wrong.note("expiresAt", expires_at);
        wrong.finish(|| Some(Self { group: group?, use_limit: use_limit?, expires_at: expires_at? }))
    }
}

/// Makes an invitation, into a group where the viewer may add people.
pub async fn create(app: &App, viewer: &Viewer, draft: InvitationDraft) -> Result<Created> {
    let (now, draft) = (app.clock.now(), &draft);
    let bytes = rand::random::<[u8; 32]>();
    let token = URL_SAFE_NO_PAD.encode(bytes);
    let invitation = app
        .db
        .transaction(async move |tx| {
            let by = Administrator::of(tx, viewer).await?;
            if let Some(id) = draft.group {
                let group = hold(tx, viewer, id, now).await?;
                group.may(Action::AddMembers(MemberRole::Member)).or_refuse()?;
            }
            let invitation = Invitation {
                id: InvitationId::at(now),
                created_by_id: by.id(),
                group_id: draft.group,
                use_limit: draft.use_limit,
                use_count: 0,
                created_at: now,
                expires_at: draft.expires_at,
                revoked_at: None,
            };
            store::insert(tx, &invitation, &digest(&bytes)).await?;
            let details = json!({
                "group": invitation.group_id.map(|id| id.to_string()),
                "useLimit": invitation.use_limit,
            });
            audit::record(tx, now, Some(by.id()), "invitation.create", invitation.id.to_string(), details).await?;
            Ok(invitation)
        })
        .await?;
    Ok(Created { invitation, token })
}
