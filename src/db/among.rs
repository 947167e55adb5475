//! `(a, b) IN (pairs)`, which diesel cannot say: two lists would match their product.

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::QueryResult;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{Array, Bool, HasSqlType};

/// Whether two columns are one of these pairs.
#[derive(Clone)]
pub struct Among<A, B, L, R> {
    columns: (A, B),
    left: Vec<L>,
    right: Vec<R>,
}

/// Whether two columns are one of these pairs, as a conversation and a position in it.
pub fn among<A, B, L: Copy, R: Copy>(left: A, right: B, pairs: &[(L, R)]) -> Among<A, B, L, R> {
    let columns = (left, right);
    let (left, right) = pairs.iter().copied().unzip();
    Among { columns, left, right }
}

impl<A: QueryId, B: QueryId, L: 'static, R: 'static> QueryId for Among<A, B, L, R> {
    type QueryId = Among<A::QueryId, B::QueryId, L, R>;
    const HAS_STATIC_QUERY_ID: bool = A::HAS_STATIC_QUERY_ID && B::HAS_STATIC_QUERY_ID;
}

impl<A, B, L, R> Expression for Among<A, B, L, R> {
    type SqlType = Bool;
}

impl<A: AppearsOnTable<T>, B: AppearsOnTable<T>, L, R, T> AppearsOnTable<T> for Among<A, B, L, R> {}

impl<A: SelectableExpression<T>, B: SelectableExpression<T>, L, R, T> SelectableExpression<T> for Among<A, B, L, R> {}

impl<A, B, L, R> ValidGrouping<()> for Among<A, B, L, R> {
    type IsAggregate = is_aggregate::No;
}

impl<A, B, L, R> QueryFragment<Pg> for Among<A, B, L, R>
where
    A: Expression + QueryFragment<Pg>,
    B: Expression + QueryFragment<Pg>,
    A::SqlType: 'static,
    B::SqlType: 'static,
    Pg: HasSqlType<Array<A::SqlType>> + HasSqlType<Array<B::SqlType>>,
    Vec<L>: ToSql<Array<A::SqlType>, Pg>,
    Vec<R>: ToSql<Array<B::SqlType>, Pg>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(");
        self.columns.0.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        self.columns.1.walk_ast(out.reborrow())?;
        out.push_sql(") IN (SELECT * FROM unnest(");
        out.push_bind_param::<Array<A::SqlType>, _>(&self.left)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<B::SqlType>, _>(&self.right)?;
        out.push_sql("))");
        Ok(())
    }
}
