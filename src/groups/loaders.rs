//! Groups and where people stand in them, by the handful.

use std::collections::HashMap;

use super::store::{self, Group, Member, Viewpoint};
use crate::app::App;
use crate::context::Load;
use crate::error::Result;
use crate::id::{GroupId, GroupMemberId, UserId};

/// A group, for whoever has sight of it already.
pub struct GroupById;

impl Load for GroupById {
    type Key = GroupId;
    type Value = Group;

    async fn load(app: &App, keys: &[GroupId]) -> Result<HashMap<GroupId, Group>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::by_ids(conn, &keys).await).await?;
        Ok(found.into_iter().map(|group| (group.id, group)).collect())
    }
}

/// Where somebody stands in a group, if they see it.
pub struct StandingOf;

impl Load for StandingOf {
    type Key = (UserId, GroupId);
    type Value = Viewpoint;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Viewpoint>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::standings(conn, &keys).await).await?;
        Ok(found.into_iter().map(|found| ((found.user_id, found.group.id), found)).collect())
    }
}

/// Somebody's own membership in a group, if it holds.
pub struct OwnMembership;

impl Load for OwnMembership {
    type Key = (UserId, GroupId);
    type Value = Member;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Member>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::memberships(conn, &keys).await).await?;
        Ok(found.into_iter().map(|member| ((member.user_id, member.group_id), member)).collect())
    }
}

/// How somebody is in a group, or was: its departure says which.
pub struct MembershipOf;

impl Load for MembershipOf {
    type Key = (GroupId, UserId);
    type Value = Member;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Member>> {
        let keys = keys.to_vec();
        let found = app.db.read(async move |conn| store::memberships_of(conn, &keys).await).await?;
        Ok(found.into_iter().map(|member| ((member.group_id, member.user_id), member)).collect())
    }
}

/// Somebody's membership by its id, if it holds and the one who looks is shown it.
pub struct MemberShown;

impl Load for MemberShown {
    type Key = (UserId, GroupMemberId);
    type Value = Member;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Member>> {
        // Nobody's stream shows it, and a request has one viewer: this is one statement.
        let mut by_viewer: HashMap<UserId, Vec<GroupMemberId>> = HashMap::new();
        keys.iter().for_each(|(viewer, id)| by_viewer.entry(*viewer).or_default().push(*id));
        let mut all = HashMap::new();
        for (viewer, ids) in by_viewer {
            let found = app.db.read(async move |conn| store::shown_members(conn, viewer, &ids).await).await?;
            all.extend(found.into_iter().map(|member| ((viewer, member.id), member)));
        }
        Ok(all)
    }
}
