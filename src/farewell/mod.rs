//! Leaving for good.
//!
//! At once, in one transaction: all sessions end, the profile is blanked, and what only they and the server knew is gone. What
//! others see is taken out of their sight by a job, in small steps that each lock one conversation: their seats, what they
//! owned and, where they want it, what they wrote. A step that was done finds nothing to do any more, so that whoever takes
//! the job up after a crash begins where it was left.

mod delete_account;
mod erase;
pub mod graphql;

pub use delete_account::delete_account;
pub use erase::Erase;
