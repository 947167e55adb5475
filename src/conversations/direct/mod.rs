//! Direct conversations: of people, not of a subject. All in one are alike; nobody owns it, and nobody removes another.
//!
//! One is found again by exactly the people for whom it was opened, whoever of them asks, until somebody is added to it or
//! leaves: from then on it is a place of its own, and the same people would open another one. What two say to each other,
//! or one notes, is said to nobody else: their conversation neither grows nor shrinks.

mod block;
mod name;
mod open;
mod people;
mod regroup;
mod willing;

pub use block::{block, unblock};
pub use name::{NameDraft, name_direct};
pub use open::{OpenDraft, Opened, open_direct};
pub use people::{DIRECT_SIZE, People};

pub(super) use open::open_for;
pub(super) use regroup::regroup;
pub(super) use willing::willing;
