//! Whether people are here, what they say about it, and that they type. What is true of this moment lives in
//! `realtime`, on each server for itself; the table keeps what stays when they are gone.

mod among;
mod clear;
mod custom_status;
pub mod graphql;
mod loaders;
mod look;
mod set_presence;
mod signals;
mod store;
mod tend;
mod typing;

pub use among::among;
pub use clear::ClearStatuses;
pub use custom_status::{CustomStatusDraft, CustomStatusInput, set_custom_status};
pub use loaders::PresenceOf;
pub use look::{Looked, look};
pub use set_presence::set_presence;
pub use signals::{Heard, hear, hidden_from};
pub use tend::{leave_all, tend};
pub use typing::{TypingDraft, set_typing};

use crate::app::App;
use crate::clock::Instant;
use crate::db::Tx;
use crate::error::Result;
use crate::id::UserId;
use crate::realtime::PresenceStatus;

/// A few words of somebody's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomStatus {
    pub text: Option<String>,
    pub emoji: Option<String>,
    pub expires_at: Option<Instant>,
}

/// Somebody's presence, as one who looks sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    pub status: PresenceStatus,
    /// When they were last here; `None` while they are, and where they do not share it.
    pub last_seen_at: Option<Instant>,
    pub custom_status: Option<CustomStatus>,
}

/// What somebody sees of the presence of another one: the one place that decides it.
fn visible_presence(app: &App, kept: store::Kept) -> Presence {
    let hidden = Presence { status: PresenceStatus::Offline, last_seen_at: None, custom_status: None };
    if !kept.is_shown {
        return hidden;
    }
    let status = app.realtime.presences.status(kept.user_id);
    let is_gone = status == PresenceStatus::Offline;
    let shares = kept.shares_last_seen || kept.user_id == kept.viewer;
    Presence {
        status,
        last_seen_at: kept.last_seen_at.filter(|_| is_gone && shares),
        custom_status: kept.custom_status(app.clock.now()),
    }
}

/// Forgets when somebody was last here, and what they said about it.
pub async fn forget(tx: &mut Tx, user: UserId) -> Result<()> {
    Ok(store::delete(tx, user).await?)
}
