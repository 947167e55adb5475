//! `UPDATE … FROM unnest(…)`: one statement, and one plan kept for it, however many rows change. diesel caches no UPDATE.

/// A statement that sets columns of rows that are found by their keys, by one array a column; the columns are named like
/// the row's fields. What follows `also` is set too.
macro_rules! update_many {
    (
        $(#[$doc:meta])*
        $name:ident($row:ty) of $table:literal
        { $($key:ident: $key_rust:ty as $key_sql:ty),* $(,)? }
        { $($column:ident: $rust:ty as $sql:ty),* $(,)? }
        $(also $rest:literal)?
    ) => {
        $(#[$doc])*
        struct $name<'a> {
            $($key: Vec<&'a $key_rust>,)*
            $($column: Vec<&'a $rust>),*
        }

        impl<'a> $name<'a> {
            fn of(rows: impl IntoIterator<Item = &'a $row> + Clone) -> Self {
                Self {
                    $($key: rows.clone().into_iter().map(|row| &row.$key).collect(),)*
                    $($column: rows.clone().into_iter().map(|row| &row.$column).collect()),*
                }
            }
        }

        impl diesel::query_builder::QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl diesel::query_builder::QueryFragment<diesel::pg::Pg> for $name<'_> {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
            ) -> diesel::QueryResult<()> {
                out.push_sql(concat!("UPDATE ", $table, " AS old SET "));
                out.push_sql(&[$(concat!(stringify!($column), " = new.", stringify!($column))),*].join(", "));
                $(out.push_sql(concat!(", ", $rest));)?
                out.push_sql(" FROM unnest(");
                let mut comma = "";
                $(
                    out.push_sql(std::mem::replace(&mut comma, ", "));
                    out.push_bind_param::<diesel::sql_types::Array<$key_sql>, _>(&self.$key)?;
                )*
                $(
                    out.push_sql(std::mem::replace(&mut comma, ", "));
                    out.push_bind_param::<diesel::sql_types::Array<$sql>, _>(&self.$column)?;
                )*
                out.push_sql(") AS new (");
                out.push_sql(&[$(stringify!($key),)* $(stringify!($column)),*].join(", "));
                out.push_sql(") WHERE ");
                out.push_sql(&[$(concat!("old.", stringify!($key), " = new.", stringify!($key))),*].join(" AND "));
                Ok(())
            }
        }

        impl<Connection> diesel::RunQueryDsl<Connection> for $name<'_> {}
    };
}
pub(crate) use update_many;
