//! What one may do in a conversation: one pure function.

use super::{Kind, MemberRole, Verdict, Visibility};
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
    /// Change the least role that may write from the first to the second.
    ChangePostingRole(MemberRole, MemberRole),
    /// Change somebody's role from the first to the second.
    ChangeRole(MemberRole, MemberRole),
    Archive,
    /// Put it elsewhere among the channels of its group or of the server.
    Move,
    MakePublic,
    TransferOwnership {
        /// Whether anybody owns it.
        has_owner: bool,
    },
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
    /// Whether it was its group that was archived: then it does not open alone.
    pub is_archived_with_group: bool,
    /// Role of the seat; `None` without one.
    pub seat_role: Option<MemberRole>,
    /// Role in the group whose channel it is.
    pub group_role: Option<MemberRole>,
    pub server_role: ServerRole,
    pub sanction: Option<Sanction>,
    /// Whether the other one of a direct conversation of two and the viewer stand in a block.
    pub is_blocked: bool,
}

impl Standing {
    /// The role that counts: the higher of the seat's and the group's. The group's counts where there is a seat, and in
    /// its public channels.
    pub fn role(&self) -> Option<MemberRole> {
        match self.seat_role {
            Some(seat) => Some(seat.or_higher(self.group_role)),
            None => self.group_role.filter(|_| self.visibility == Visibility::Public),
        }
    }
}

/// May somebody who stands like this do that? Judged in the order archive, sanction, permission.
pub fn may(action: Action, standing: &Standing) -> Verdict {
    let is_shut = standing.is_archived_with_group && action == Action::Archive;
    if is_shut || standing.is_archived && !goes_on_while_archived(action) {
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

/// What nobody does without a seat, whatever their role in the group.
fn takes_a_seat(action: Action) -> bool {
    use Action::*;
    is_writing(action) || matches!(action, MarkRead | DeleteOwn | Join | Leave)
}

fn is_permitted(action: Action, standing: &Standing) -> bool {
    use Action::*;
    let is_operator = standing.server_role == ServerRole::Admin;
    let has_seat = standing.seat_role.is_some();
    let Some(role) = standing.role().filter(|_| has_seat || !takes_a_seat(action)) else {
        return match action {
            Join => standing.visibility == Visibility::Public,
            // A server's roles give nothing inside conversations but this.
            Archive | Move => is_operator,
            TransferOwnership { has_owner } => is_operator && !has_owner,
            _ => false,
        };
    };
    let is_direct = standing.kind == Kind::Direct;
    let at_least = |least: MemberRole| role.rank() >= least.rank();
    let outranks = |other: MemberRole| role.rank() > other.rank();
    match action {
        Post | Reply => at_least(standing.posting_role) && !standing.is_blocked,
        React | Type | Call => !standing.is_blocked,
        MarkRead | DeleteOwn | Join => true,
        // Nobody would be left who could hand it over.
        Leave => standing.seat_role != Some(MemberRole::Owner),
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
        // Who would set one above their own could not write; who would lower such a one would let themselves in.
        ChangePostingRole(from, to) => !is_direct && at_least(MemberRole::Admin) && at_least(from) && at_least(to),
        ChangeRole(from, to) => {
            !is_direct && at_least(MemberRole::Admin) && outranks(from) && to != MemberRole::Owner && at_least(to)
        }
        Archive => !is_direct && (at_least(MemberRole::Admin) || is_operator),
        // Whoever sees a group's channel is in the group.
        Move => !is_direct && standing.group_role.map_or(is_operator, |group| group.rank() >= MemberRole::Admin.rank()),
        MakePublic => !is_direct && role == MemberRole::Owner,
        TransferOwnership { has_owner } => !is_direct && (role == MemberRole::Owner || (is_operator && !has_owner)),
    }
}
