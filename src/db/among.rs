//! `(a, b) IN (pairs)`, which diesel cannot say: two lists would match their product.

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::QueryResult;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, Bool, Integer, Uuid as SqlUuid};

use crate::id::ConversationId;

/// Whether two columns are one of these pairs.
#[derive(QueryId)]
pub struct Among<A, B> {
    columns: (A, B),
    ids: Vec<ConversationId>,
    seqs: Vec<i32>,
}

/// Whether a conversation and a position are one of these pairs.
pub fn among<A, B>(id: A, seq: B, pairs: &[(ConversationId, i32)]) -> Among<A, B> {
    let (ids, seqs) = pairs.iter().copied().unzip();
    Among { columns: (id, seq), ids, seqs }
}

impl<A, B> Expression for Among<A, B> {
    type SqlType = Bool;
}

impl<A: AppearsOnTable<T>, B: AppearsOnTable<T>, T> AppearsOnTable<T> for Among<A, B> {}

impl<A: SelectableExpression<T>, B: SelectableExpression<T>, T> SelectableExpression<T> for Among<A, B> {}

impl<A, B> ValidGrouping<()> for Among<A, B> {
    type IsAggregate = is_aggregate::No;
}

impl<A: QueryFragment<Pg>, B: QueryFragment<Pg>> QueryFragment<Pg> for Among<A, B> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(");
        self.columns.0.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        self.columns.1.walk_ast(out.reborrow())?;
        out.push_sql(") IN (SELECT * FROM unnest(");
        out.push_bind_param::<Array<SqlUuid>, _>(&self.ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.seqs)?;
        out.push_sql("))");
        Ok(())
    }
}
