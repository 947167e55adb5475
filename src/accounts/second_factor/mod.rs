//! A second factor: codes of an authenticator app, and recovery codes for when that is lost.
//!
//! It is in force where `Account::second_factor_at` is set. A code is taken once: of an app's codes the latest half minute is
//! remembered, a recovery code goes with its use. Whoever guesses has to wait, longer each time (`judge`).

mod answer;
mod begin;
mod challenge;
mod codes;
mod disable;
mod enable;
pub mod graphql;
mod judge;
mod recovery;
mod store;

pub use answer::{AnswerDraft, answer};
pub use begin::{Begun, begin};
pub use challenge::{Admission, admit};
pub use disable::{disable, drop_from};
pub use enable::enable;
pub use recovery::{count as recovery_code_count, regenerate};

pub(super) use judge::prove;
pub(super) use store::forget_challenges;

use crate::db::Tx;
use crate::error::Result;
use crate::id::UserId;

/// Forgets the second factor of an account that is closed.
pub(super) async fn forget(tx: &mut Tx, user: UserId) -> Result<()> {
    store::delete(tx, user).await?;
    store::delete_codes(tx, user).await?;
    Ok(store::forget_challenges(tx, user).await?)
}
