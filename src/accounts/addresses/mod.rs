//! Mail addresses. One that nobody has proven holds nothing: any number of accounts may name it. Who proves it has it, and
//! the others no longer.
//!
//! Nobody learns by asking whether an address is known here. What is asked for is written down as a job, whatever there is
//! to do; the job finds out, and mails those whom it concerns.

mod ask_for_proof;
mod change;
mod elsewhere;
pub mod graphql;
mod request;
mod store;
mod verify;

pub use ask_for_proof::{AskForProof, ask_for_proof};
pub use change::{EmailDraft, change_email};
pub use request::{RequestDraft, request_verification};
pub use verify::{Proven, verify_email};

pub(super) use elsewhere::take_over;
