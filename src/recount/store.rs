//! How a store says what it counts.

use diesel::QueryResult;
use diesel::sql_types::{BigInt, Integer, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::{Conn, Statement};

/// Counters of a kind, in a column of a table.
pub trait Counter: Send + Sync + 'static {
    /// Names the job that counts them, for ever.
    const KIND: &'static str;

    /// The query of those after a place, in the order of their places: the place, what is kept, and what is counted. It ends
    /// with `LIMIT`. Being one statement it sees both at the same moment.
    fn counters(after: &Place) -> Counters;
}

pub type Counters = Statement<(SqlUuid, Integer, Text, BigInt, BigInt)>;

/// Where a counter stands: the key of its row, whatever parts of this that has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Place(pub Uuid, pub i32, pub String);

/// A counter.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    pub place: Place,
    pub kept: i64,
    pub truth: i64,
}

pub(super) async fn counted<C: Counter>(conn: &mut Conn, after: &Place, limit: i64) -> QueryResult<Vec<Counted>> {
    let rows = C::counters(after).value::<BigInt, _>(limit).load::<(Uuid, i32, String, i64, i64)>(conn).await?;
    let counted = |(id, seq, name, kept, truth)| Counted { place: Place(id, seq, name), kept, truth };
    Ok(rows.into_iter().map(counted).collect())
}
