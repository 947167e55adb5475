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
    /// Whether its people stay who they are: a direct conversation of one or two.
    pub has_fixed_people: bool,
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
    let is_operator = standing.server_role.administers();
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
        Leave => standing.seat_role != Some(MemberRole::Owner) && !standing.has_fixed_people,
        Edit => !standing.is_blocked,
        DeleteOf(author) => at_least(MemberRole::Moderator) && author.is_none_or(outranks),
        Pin if is_direct => !standing.is_blocked,
        Pin => at_least(MemberRole::Moderator),
        MentionEveryone => at_least(MemberRole::Moderator),
        // Where the people are fixed it opens another one.
        AddMembers(given) if is_direct => given == MemberRole::Member && !standing.is_blocked,
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
        UpdateSettings if is_direct => !standing.has_fixed_people,
        UpdateSettings => at_least(MemberRole::Admin),
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

#[cfg(test)]
mod tests {
    use super::Action::*;
    use super::MemberRole::*;
    use super::*;

    /// A seat in a public channel where everyone writes.
    fn seat(role: MemberRole) -> Standing {
        Standing {
            kind: Kind::Channel,
            visibility: Visibility::Public,
            posting_role: Guest,
            is_archived: false,
            is_archived_with_group: false,
            seat_role: Some(role),
            group_role: None,
            server_role: ServerRole::User,
            sanction: None,
            has_fixed_people: false,
            is_blocked: false,
        }
    }

    fn reader() -> Standing {
        Standing { seat_role: None, ..seat(Guest) }
    }

    const ROLES: [MemberRole; 5] = [Owner, Admin, Moderator, Member, Guest];

    /// Who of owner, admin, moderator, member and guest may, a letter each, and a reader at last: `y` or `-`.
    fn who(action: Action, change: impl Fn(Standing) -> Standing) -> String {
        ROLES
            .map(seat)
            .into_iter()
            .chain([reader()])
            .map(|standing| match may(action, &change(standing)) {
                Verdict::Allowed => 'y',
                Verdict::Archived => 'a',
                Verdict::Sanctioned => 's',
                Verdict::Forbidden => '-',
            })
            .collect()
    }

    /// The table: action, as it is, in a private channel, while archived, while muted, where only admins write.
    #[test]
    fn everybody_may_what_the_table_says() {
        let rows = [
            (Post, "yyyyy-", "yyyyy-", "aaaaaa", "ssssss", "yy----"),
            (Reply, "yyyyy-", "yyyyy-", "aaaaaa", "ssssss", "yy----"),
            (React, "yyyyy-", "yyyyy-", "aaaaaa", "ssssss", "yyyyy-"),
            (Type, "yyyyy-", "yyyyy-", "aaaaaa", "ssssss", "yyyyy-"),
            (Call, "yyyyy-", "yyyyy-", "aaaaaa", "ssssss", "yyyyy-"),
            (MarkRead, "yyyyy-", "yyyyy-", "yyyyy-", "yyyyy-", "yyyyy-"),
            (Join, "yyyyyy", "yyyyy-", "aaaaaa", "yyyyyy", "yyyyyy"),
            (Leave, "-yyyy-", "-yyyy-", "-yyyy-", "-yyyy-", "-yyyy-"),
            (Edit, "yyyyy-", "yyyyy-", "aaaaaa", "ssssss", "yyyyy-"),
            (DeleteOwn, "yyyyy-", "yyyyy-", "yyyyy-", "yyyyy-", "yyyyy-"),
            (DeleteOf(None), "yyy---", "yyy---", "yyy---", "yyy---", "yyy---"),
            (DeleteOf(Some(Guest)), "yyy---", "yyy---", "yyy---", "yyy---", "yyy---"),
            (DeleteOf(Some(Moderator)), "yy----", "yy----", "yy----", "yy----", "yy----"),
            (DeleteOf(Some(Owner)), "------", "------", "------", "------", "------"),
            (Pin, "yyy---", "yyy---", "aaaaaa", "ssssss", "yyy---"),
            (MentionEveryone, "yyy---", "yyy---", "aaaaaa", "ssssss", "yyy---"),
            (AddMembers(Guest), "yyyy--", "yy----", "aaaaaa", "yyyy--", "yyyy--"),
            (AddMembers(Member), "yyyy--", "yy----", "aaaaaa", "yyyy--", "yyyy--"),
            (AddMembers(Moderator), "yy----", "yy----", "aaaaaa", "yy----", "yy----"),
            (AddMembers(Admin), "yy----", "yy----", "aaaaaa", "yy----", "yy----"),
            (AddMembers(Owner), "------", "------", "aaaaaa", "------", "------"),
            (Remove(Guest), "yyy---", "yyy---", "yyy---", "yyy---", "yyy---"),
            (Remove(Moderator), "yy----", "yy----", "yy----", "yy----", "yy----"),
            (Remove(Owner), "------", "------", "------", "------", "------"),
            (UpdateSettings, "yy----", "yy----", "aaaaaa", "yy----", "yy----"),
            (ChangePostingRole(Guest, Admin), "yy----", "yy----", "aaaaaa", "yy----", "yy----"),
            (ChangePostingRole(Guest, Owner), "y-----", "y-----", "aaaaaa", "y-----", "y-----"),
            (ChangePostingRole(Owner, Guest), "y-----", "y-----", "aaaaaa", "y-----", "y-----"),
            (ChangeRole(Member, Moderator), "yy----", "yy----", "aaaaaa", "yy----", "yy----"),
            (ChangeRole(Member, Admin), "yy----", "yy----", "aaaaaa", "yy----", "yy----"),
            (ChangeRole(Admin, Member), "y-----", "y-----", "aaaaaa", "y-----", "y-----"),
            (ChangeRole(Member, Owner), "------", "------", "aaaaaa", "------", "------"),
            (Archive, "yy----", "yy----", "yy----", "yy----", "yy----"),
            (MakePublic, "y-----", "y-----", "aaaaaa", "y-----", "y-----"),
            (TransferOwnership { has_owner: true }, "y-----", "y-----", "aaaaaa", "y-----", "y-----"),
        ];
        for (action, plain, private, archived, muted, announcements) in rows {
            let of = |change: &dyn Fn(Standing) -> Standing| who(action, change);
            assert_eq!(of(&|s| s), plain, "{action:?}");
            assert_eq!(of(&|s| Standing { visibility: Visibility::Private, ..s }), private, "{action:?}, private");
            assert_eq!(of(&|s| Standing { is_archived: true, ..s }), archived, "{action:?}, archived");
            let muted_now = |s| Standing { sanction: Some(Sanction::Muted), ..s };
            assert_eq!(of(&muted_now), muted, "{action:?}, muted");
            assert_eq!(of(&|s| Standing { posting_role: Admin, ..s }), announcements, "{action:?}, announcements");
        }
    }

    #[test]
    fn a_server_admin_archives_and_takes_over_what_nobody_owns_and_nothing_else() {
        let admin = |s| Standing { server_role: ServerRole::Admin, ..s };
        assert_eq!(who(Archive, admin), "yyyyyy");
        assert_eq!(who(TransferOwnership { has_owner: true }, admin), "y-----");
        assert_eq!(who(TransferOwnership { has_owner: false }, admin), "yyyyyy");
        assert_eq!(who(TransferOwnership { has_owner: false }, |s| s), "y-----");
        assert_eq!(who(Post, admin), "yyyyy-");
        assert_eq!(who(DeleteOf(None), admin), "yyy---");
    }

    #[test]
    fn what_was_archived_with_its_group_opens_with_it() {
        let shut = |s| Standing { is_archived: true, is_archived_with_group: true, ..s };
        assert_eq!(who(Archive, shut), "aaaaaa");
        assert_eq!(who(DeleteOf(None), shut), "yyy---");
    }

    #[test]
    fn a_role_in_the_group_counts_where_there_is_a_seat_and_in_public_channels() {
        let moderator = |s| Standing { group_role: Some(Moderator), ..s };
        assert_eq!(who(Pin, moderator), "yyyyy-");
        assert_eq!(who(DeleteOf(None), moderator), "yyyyyy");
        assert_eq!(who(Remove(Member), moderator), "yyyyyy");
        assert_eq!(who(UpdateSettings, moderator), "yy----");
        let hidden = |s| Standing { visibility: Visibility::Private, ..moderator(s) };
        assert_eq!(who(DeleteOf(None), hidden), "yyyyy-");
        // Without a seat nobody writes, and who owns the group may leave a channel.
        let owner = |s| Standing { group_role: Some(Owner), posting_role: Owner, ..s };
        for action in [Post, React, MarkRead, Edit, DeleteOwn, Pin] {
            assert_eq!(who(action, owner), "yyyyy-", "{action:?}");
        }
        assert_eq!(who(Leave, owner), "-yyyy-");
        assert_eq!(who(TransferOwnership { has_owner: true }, owner), "yyyyyy");
        assert_eq!(who(Join, owner), "yyyyyy");
    }

    #[test]
    fn the_order_of_channels_is_the_groups_or_the_servers() {
        assert_eq!(who(Move, |s| s), "------");
        assert_eq!(who(Move, |s| Standing { server_role: ServerRole::Admin, ..s }), "yyyyyy");
        assert_eq!(who(Move, |s| Standing { group_role: Some(Admin), ..s }), "yyyyyy");
        let member_who_runs_the_server = |s| Standing { group_role: Some(Member), server_role: ServerRole::Admin, ..s };
        assert_eq!(who(Move, member_who_runs_the_server), "------");
        assert_eq!(who(Move, |s| Standing { is_archived: true, ..s }), "aaaaaa");
    }

    #[test]
    fn in_a_direct_conversation_all_are_alike_and_nobody_removes_another() {
        let direct = |s| Standing { kind: Kind::Direct, visibility: Visibility::Private, ..s };
        for action in [Pin, AddMembers(Member), UpdateSettings] {
            assert_eq!(who(action, direct), "yyyyy-", "{action:?}");
        }
        let transfer = TransferOwnership { has_owner: false };
        let posting = ChangePostingRole(Guest, Guest);
        let role = ChangeRole(Member, Admin);
        for action in [Remove(Guest), Archive, MakePublic, transfer, posting, role, AddMembers(Guest)] {
            assert_eq!(who(action, direct), "------", "{action:?}");
        }
        let fixed = |s| Standing { has_fixed_people: true, ..direct(s) };
        for (action, people) in [(Post, "yyyyy-"), (AddMembers(Member), "yyyyy-"), (Leave, "------")] {
            assert_eq!(who(action, fixed), people, "{action:?}");
        }
        assert_eq!(who(UpdateSettings, fixed), "------");
        let blocked = |s| Standing { is_blocked: true, ..fixed(s) };
        for action in [Post, Reply, React, Type, Call, Edit, Pin, AddMembers(Member)] {
            assert_eq!(who(action, blocked), "------", "{action:?}");
        }
        for action in [MarkRead, DeleteOwn] {
            assert_eq!(who(action, blocked), "yyyyy-", "{action:?}");
        }
    }
}
