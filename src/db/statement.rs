//! A query that diesel cannot say: SQL, with values between. It is prepared once for each text, as diesel's own are, while
//! those of `sql_query` would be prepared each time; so the text is made of fixed pieces alone.

use std::marker::PhantomData;

use diesel::expression::{AsExpression, TypedExpressionType};
use diesel::pg::Pg;
use diesel::prelude::QueryResult;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::SqlType;

/// SQL whose rows are of the types `ST`.
pub struct Statement<ST> {
    pieces: Vec<Box<dyn QueryFragment<Pg> + Send>>,
    rows: PhantomData<fn() -> ST>,
}

struct Sql(&'static str);

impl<ST> Statement<ST> {
    pub fn new(sql: &'static str) -> Self {
        Self { pieces: vec![Box::new(Sql(sql))], rows: PhantomData }
    }

    /// Goes on with this.
    pub fn sql(mut self, sql: &'static str) -> Self {
        self.pieces.push(Box::new(Sql(sql)));
        self
    }

    /// Goes on with a value of the type `T`.
    pub fn value<T, V>(mut self, value: V) -> Self
    where
        T: SqlType + TypedExpressionType,
        V: AsExpression<T>,
        V::Expression: QueryFragment<Pg> + Send + 'static,
    {
        self.pieces.push(Box::new(value.as_expression()));
        self
    }
}

impl QueryFragment<Pg> for Sql {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(self.0);
        Ok(())
    }
}

impl<ST> QueryFragment<Pg> for Statement<ST> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.pieces.iter().try_for_each(|piece| piece.walk_ast(out.reborrow()))
    }
}

impl<ST> QueryId for Statement<ST> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST> Query for Statement<ST> {
    type SqlType = ST;
}

impl<ST, Connection> diesel::RunQueryDsl<Connection> for Statement<ST> {}
