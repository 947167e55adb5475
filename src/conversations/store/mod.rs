//! The tables of conversations: a file for each, and one for each list of theirs.

mod channel_list;
mod conversations;
mod creation_keys;
mod directs;
mod member_list;
mod seats;
mod standings;

pub(super) use channel_list::channels;
pub use conversations::{Channel, Conversation, NewChannel};
pub(super) use conversations::{
    by_ids, by_slug, insert, insert_channel, latest_event_at, lock_in_sight, lock_row, save, save_settings, taken_slugs,
};
pub(super) use creation_keys::{created_with, keep_creation_key};
pub(super) use directs::{found_by, give_up_key, save_name, sharing_with, take_key};
pub(super) use member_list::members;
pub use seats::{Departed, Keeping, Member, NewMember, Position};
pub(super) use seats::{
    SeatRow, departures, keep, lock_seat, member_with_kind, members_by_ids, owner, participants, read_back_to,
    read_by_writing, read_up_to, save_seats, seat, seat_all, seat_rows, seats, set_left, set_role,
};
pub use standings::Viewpoint;
pub(super) use standings::{lock_seated, standings};
