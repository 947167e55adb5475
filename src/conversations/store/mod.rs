//! The tables of conversations: a file for each, and one for each list of theirs.

mod categories;
mod channel_list;
mod conversations;
mod directs;
mod lists;
mod member_list;
mod places;
mod readers;
mod seats;
mod standings;

pub use categories::Category;
pub(super) use categories::{
    categories_by_ids, categories_of_server, categories_shown, count_categories, delete_category, insert_category,
    save_category, shift_categories,
};
pub(super) use channel_list::{Listed, channels};
pub use conversations::{Channel, Conversation, NewChannel};
pub(super) use conversations::{
    by_ids, by_slug, group_of, insert, insert_channel, latest_event_at, lock_in_sight, lock_of_group, lock_row, save,
    save_settings, set_archived_with_group, taken_slugs,
};
pub(super) use directs::{found_by, give_up_key, save_name, sharing_with, take_key};
pub(super) use lists::touch_list;
pub(super) use member_list::members;
pub(super) use places::{count_of_group, end_of, lock_server_list, place, shift, unfile};
pub(super) use readers::{delete_readers, insert_reader, is_reader};
pub use seats::{Departed, Keeping, Member, MemberCount, NewMember, Position};
pub(super) use seats::{
    SeatRow, departures, ever_in, heir, keep, lock_seat, member_with_kind, members_by_ids, owner, participants,
    read_back_to, read_by_writing, read_up_to, save_seats, seat, seat_all, seat_rows, seated_in, seats, set_all_left,
    set_left, set_role, touch_seat,
};
pub use standings::Viewpoint;
pub(super) use standings::{lock_seated, standings};
