//! The tables of groups.

mod groups;
mod lists;
mod members;

pub use groups::{Group, Viewpoint};
pub(super) use groups::{by_ids, by_slug, has_public_history, insert, lock, save, standings, taken_slugs};
pub(super) use lists::{groups, members, shown_members};
pub use members::{Member, MemberCount};
pub(super) use members::{
    NewMember, admit, all_of, heir, members_by_ids, members_of, memberships, memberships_of, owner, set_left, set_role,
};
