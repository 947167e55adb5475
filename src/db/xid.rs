//! Transactions, as PostgreSQL counts them.

use serde::{Deserialize, Serialize};

/// A transaction's number. Every row that somebody's own stream tells of keeps the one that last wrote it, in
/// `changed_xid`; so what was changed since a moment can be asked for, on any server, whatever was running then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Xid(pub i64);
