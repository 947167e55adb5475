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
        let mut all = HashMap::new();
        for (viewer, ids) in by_viewer(keys) {
            let found = app.db.read(async move |conn| store::standings(conn, viewer, &ids).await).await?;
            all.extend(found.into_iter().map(|found| ((viewer, found.group.id), found)));
        }
        Ok(all)
    }
}

/// Somebody's own membership in a group, if it holds.
pub struct OwnMembership;

impl Load for OwnMembership {
    type Key = (UserId, GroupId);
    type Value = Member;

    async fn load(app: &App, keys: &[Self::Key]) -> Result<HashMap<Self::Key, Member>> {
        let mut all = HashMap::new();
        for (viewer, ids) in by_viewer(keys) {
            let found = app.db.read(async move |conn| store::memberships(conn, viewer, &ids).await).await?;
            all.extend(found.into_iter().map(|member| ((viewer, member.group_id), member)));
        }
        Ok(all)
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
        let mut all = HashMap::new();
        for (viewer, ids) in by_viewer(keys) {
            let found = app.db.read(async move |conn| store::shown_members(conn, viewer, &ids).await).await?;
            all.extend(found.into_iter().map(|member| ((viewer, member.id), member)));
        }
        Ok(all)
    }
}

/// A request has one viewer, so this is one statement.
fn by_viewer<K: Copy>(keys: &[(UserId, K)]) -> HashMap<UserId, Vec<K>> {
    let mut sorted: HashMap<UserId, Vec<K>> = HashMap::new();
    keys.iter().for_each(|(viewer, key)| sorted.entry(*viewer).or_default().push(*key));
    sorted
}
