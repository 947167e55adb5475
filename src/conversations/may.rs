//! What one may do in a conversation: one pure function.

use super::{Kind, MemberRole, Visibility};
use crate::error::{Code, Error, Result};
use crate::users::ServerRole;

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Post,
    Reply,
    React,
    Type,
    Call,
    MarkRead,
    Join,
    Leave,
    /// Change one's own message.
    Edit,
    /// Delete one's own message.
    DeleteOwn,
    /// Delete the message of somebody with this role; `None` for somebody who is no member any more.
    DeleteOf(Option<MemberRole>),
    Pin,
    /// Mention everyone, or everyone who is here, at once.
    MentionEveryone,
    /// Add people with this role.
    AddMembers(MemberRole),
    /// Remove, mute or ban somebody with this role.
    Remove(MemberRole),
    UpdateSettings,
    /// Change somebody's role from the first to the second.
    ChangeRole(MemberRole, MemberRole),
    Archive,
    MakePublic,
    TransferOwnership,
}

/// A sanction that holds now, here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sanction {
    /// Reads, and writes nothing.
    Muted,
}

/// Where somebody stands. Whoever has one has sight: without it there is nothing to ask about.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    pub kind: Kind,
    pub visibility: Visibility,
    pub posting_role: MemberRole,
    pub is_archived: bool,
    /// Whether anybody owns it.
    pub has_owner: bool,
    /// Role of the seat; `None` without one.
    pub seat_role: Option<MemberRole>,
    /// Role in the group whose channel it is.
    pub group_role: Option<MemberRole>,
    pub server_role: ServerRole,
    pub sanction: Option<Sanction>,
    /// Whether the other one of a direct conversation of two and the viewer stand in a block.
    pub is_blocked: bool,
}

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
            Self::Archived => Err(Error::new(Code::Archived, "This conversation is archived")),
            Self::Sanctioned => Err(Error::new(Code::Sanctioned, "A sanction forbids this")),
            Self::Forbidden => Err(Error::forbidden("You may not do this here")),
        }
    }
}

/// May somebody who stands like this do that? Judged in the order archive, sanction, permission.
pub fn may(action: Action, standing: &Standing) -> Verdict {
    if standing.is_archived && !goes_on_while_archived(action) {
        return Verdict::Archived;
    }
    if standing.sanction == Some(Sanction::Muted) && is_writing(action) {
        return Verdict::Sanctioned;
    }
    match is_permitted(action, standing) {
        true => Verdict::Allowed,
        false => Verdict::Forbidden,
    }
}

/// Reading, leaving, marking read, deleting one's own, moderation and removing members work while archived; and opening
/// it again.
fn goes_on_while_archived(action: Action) -> bool {
    use Action::*;
    matches!(action, Leave | MarkRead | DeleteOwn | DeleteOf(_) | Remove(_) | Archive)
}

fn is_writing(action: Action) -> bool {
    use Action::*;
    matches!(action, Post | Reply | React | Type | Call | Edit | Pin | MentionEveryone)
}

fn is_permitted(action: Action, standing: &Standing) -> bool {
    use Action::*;
    let Some(seat) = standing.seat_role else {
        return match action {
            Join => standing.visibility == Visibility::Public,
            // A server's roles give nothing inside conversations but this.
            Archive => standing.server_role == ServerRole::Admin,
            TransferOwnership => standing.server_role == ServerRole::Admin && !standing.has_owner,
            _ => false,
        };
    };
    // The group's role counts where there is a seat.
    let role = standing.group_role.filter(|group| group.rank() > seat.rank()).unwrap_or(seat);
    let is_direct = standing.kind == Kind::Direct;
    let at_least = |least: MemberRole| role.rank() >= least.rank();
    let outranks = |other: MemberRole| role.rank() > other.rank();
    match action {
        Post | Reply => at_least(standing.posting_role) && !standing.is_blocked,
        React | Type | Call => !standing.is_blocked,
        MarkRead | Leave | DeleteOwn | Join => true,
        Edit => !standing.is_blocked,
        DeleteOf(author) => at_least(MemberRole::Moderator) && author.is_none_or(outranks),
        Pin => is_direct || at_least(MemberRole::Moderator),
        MentionEveryone => at_least(MemberRole::Moderator),
        AddMembers(_) if is_direct => !standing.is_blocked,
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
        Remove(other) => !is_direct && at_least(MemberRole::Moderator) && outranks(other),
        UpdateSettings => is_direct || at_least(MemberRole::Admin),
        ChangeRole(from, to) => {
            !is_direct && at_least(MemberRole::Admin) && outranks(from) && to != MemberRole::Owner && at_least(to)
        }
        Archive => !is_direct && (at_least(MemberRole::Admin) || standing.server_role == ServerRole::Admin),
        MakePublic => !is_direct && role == MemberRole::Owner,
        TransferOwnership => {
            !is_direct
                && (role == MemberRole::Owner || (standing.server_role == ServerRole::Admin && !standing.has_owner))
        }
    }
}
