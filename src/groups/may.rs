//! What one may do in a group: one pure function.

use super::{MemberRole, Visibility};
use crate::error::{Code, Error, Result};
use crate::users::ServerRole;

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    CreateChannel,
    /// Create, change and delete categories, and move channels.
    ManageCategories,
    /// Add people with this role.
    AddMembers(MemberRole),
    /// Remove, mute or ban somebody with this role.
    Remove(MemberRole),
    /// Change somebody's role from the first to the second.
    ChangeRole(MemberRole, MemberRole),
    /// Delete the messages of others in all of its channels.
    Moderate,
    UpdateSettings,
    Archive,
    MakePublic,
    TransferOwnership {
        /// Whether anybody owns it.
        has_owner: bool,
    },
    Join,
    Leave,
}

/// Where somebody stands. Whoever has one has sight: without it there is nothing to ask about.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    pub visibility: Visibility,
    pub is_archived: bool,
    /// `None` for whoever is no member.
    pub role: Option<MemberRole>,
    pub server_role: ServerRole,
}

/// Whether one may, in a group or a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Allowed,
    Archived,
    Sanctioned,
    Forbidden,
}

impl Verdict {
    /// As an error, for rules.
    pub fn or_refuse(self) -> Result<()> {
        match self {
            Self::Allowed => Ok(()),
            Self::Archived => Err(Error::new(Code::Archived, "This is archived")),
            Self::Sanctioned => Err(Error::new(Code::Sanctioned, "A sanction forbids this")),
            Self::Forbidden => Err(Error::forbidden("You may not do this here")),
        }
    }
}

/// May somebody who stands like this do that? Judged in the order archive, permission.
pub fn may(action: Action, standing: &Standing) -> Verdict {
    use Action::*;
    if standing.is_archived && !matches!(action, Leave | Remove(_) | Moderate | Archive) {
        return Verdict::Archived;
    }
    match is_permitted(action, standing) {
        true => Verdict::Allowed,
        false => Verdict::Forbidden,
    }
}

fn is_permitted(action: Action, standing: &Standing) -> bool {
    use Action::*;
    let is_operator = standing.server_role.administers();
    let Some(role) = standing.role else {
        return match action {
            Join => standing.visibility == Visibility::Public,
            // A server's roles give nothing inside groups but this.
            Archive => is_operator,
            TransferOwnership { has_owner } => is_operator && !has_owner,
            _ => false,
        };
    };
    let at_least = |least: MemberRole| role.rank() >= least.rank();
    let outranks = |other: MemberRole| role.rank() > other.rank();
    match action {
        CreateChannel => at_least(MemberRole::Member),
        ManageCategories | UpdateSettings => at_least(MemberRole::Admin),
        AddMembers(given) => {
            let least = match standing.visibility {
                Visibility::Public => MemberRole::Member,
                Visibility::Private => MemberRole::Admin,
            };
            let may_give = match given {
                MemberRole::Owner => false,
                MemberRole::Member | MemberRole::Guest => true,
                MemberRole::Admin | MemberRole::Moderator => at_least(MemberRole::Admin) && at_least(given),
            };
            at_least(least) && may_give
        }
        Remove(other) => at_least(MemberRole::Moderator) && outranks(other),
        ChangeRole(from, to) => {
            at_least(MemberRole::Admin) && outranks(from) && to != MemberRole::Owner && at_least(to)
        }
        Moderate => at_least(MemberRole::Moderator),
        Archive => at_least(MemberRole::Admin) || is_operator,
        MakePublic => role == MemberRole::Owner,
        TransferOwnership { has_owner } => role == MemberRole::Owner || (is_operator && !has_owner),
        Join => true,
        // Nobody would be left who could hand it over.
        Leave => role != MemberRole::Owner,
    }
}

#[cfg(test)]
mod tests {
    use super::Action::*;
    use super::MemberRole::*;
    use super::*;

    /// Who of owner, admin, moderator, member, guest and a stranger may, a letter each.
    fn who(action: Action, change: impl Fn(Standing) -> Standing) -> String {
        [Some(Owner), Some(Admin), Some(Moderator), Some(Member), Some(Guest), None]
            .map(|role| Standing {
                visibility: Visibility::Public,
                is_archived: false,
                role,
                server_role: ServerRole::User,
            })
            .map(|standing| match may(action, &change(standing)) {
                Verdict::Allowed => 'y',
                Verdict::Archived => 'a',
                Verdict::Sanctioned => 's',
                Verdict::Forbidden => '-',
            })
            .into_iter()
            .collect()
    }

    /// The table: action, as it is, in a private group, while archived, for admins of the server.
    #[test]
    fn everybody_may_what_the_table_says() {
        let rows = [
            (CreateChannel, "yyyy--", "yyyy--", "aaaaaa", "yyyy--"),
            (ManageCategories, "yy----", "yy----", "aaaaaa", "yy----"),
            (AddMembers(Guest), "yyyy--", "yy----", "aaaaaa", "yyyy--"),
            (AddMembers(Member), "yyyy--", "yy----", "aaaaaa", "yyyy--"),
            (AddMembers(Moderator), "yy----", "yy----", "aaaaaa", "yy----"),
            (AddMembers(Admin), "yy----", "yy----", "aaaaaa", "yy----"),
            (AddMembers(Owner), "------", "------", "aaaaaa", "------"),
            (Remove(Guest), "yyy---", "yyy---", "yyy---", "yyy---"),
            (Remove(Moderator), "yy----", "yy----", "yy----", "yy----"),
            (Remove(Owner), "------", "------", "------", "------"),
            (ChangeRole(Member, Moderator), "yy----", "yy----", "aaaaaa", "yy----"),
            (ChangeRole(Member, Admin), "yy----", "yy----", "aaaaaa", "yy----"),
            (ChangeRole(Admin, Member), "y-----", "y-----", "aaaaaa", "y-----"),
            (ChangeRole(Member, Owner), "------", "------", "aaaaaa", "------"),
            (Moderate, "yyy---", "yyy---", "yyy---", "yyy---"),
            (UpdateSettings, "yy----", "yy----", "aaaaaa", "yy----"),
            (Archive, "yy----", "yy----", "yy----", "yyyyyy"),
            (MakePublic, "y-----", "y-----", "aaaaaa", "y-----"),
            (TransferOwnership { has_owner: true }, "y-----", "y-----", "aaaaaa", "y-----"),
            (TransferOwnership { has_owner: false }, "y-----", "y-----", "aaaaaa", "yyyyyy"),
            (Join, "yyyyyy", "yyyyy-", "aaaaaa", "yyyyyy"),
            (Leave, "-yyyy-", "-yyyy-", "-yyyy-", "-yyyy-"),
        ];
        for (action, plain, private, archived, operator) in rows {
            assert_eq!(who(action, |s| s), plain, "{action:?}");
            assert_eq!(
                who(action, |s| Standing { visibility: Visibility::Private, ..s }),
                private,
                "{action:?}, private"
            );
            assert_eq!(who(action, |s| Standing { is_archived: true, ..s }), archived, "{action:?}, archived");
            let admin = |s| Standing { server_role: ServerRole::Admin, ..s };
            assert_eq!(who(action, admin), operator, "{action:?}, for admins of the server");
        }
    }
}
