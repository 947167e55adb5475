//! `INSERT … SELECT * FROM unnest(…)`: one statement, and one plan kept for it, however many rows there are. diesel's
//! own INSERT of several rows has a value for each field of each row, so it is prepared anew each time and takes
//! 65,535 values at most.

/// A statement that inserts rows by one array a column; the columns are named like the row's fields. What follows
/// `then` is put behind it.
macro_rules! insert_many {
    (
        $(#[$doc:meta])*
        $name:ident($row:ty) into $table:literal { $($column:ident: $rust:ty as $sql:ty),* $(,)? }
        $(then $rest:literal)?
    ) => {
        $(#[$doc])*
        struct $name<'a> {
            $($column: Vec<&'a $rust>),*
        }

        impl<'a> $name<'a> {
            fn of(rows: impl IntoIterator<Item = &'a $row> + Clone) -> Self {
                Self { $($column: rows.clone().into_iter().map(|row| &row.$column).collect()),* }
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
                out.push_sql(concat!("INSERT INTO ", $table, " ("));
                out.push_sql(&[$(stringify!($column)),*].join(", "));
                out.push_sql(") SELECT * FROM unnest(");
                let mut comma = "";
                $(
                    out.push_sql(std::mem::replace(&mut comma, ", "));
                    out.push_bind_param::<diesel::sql_types::Array<$sql>, _>(&self.$column)?;
                )*
                out.push_sql(")");
                $(out.push_sql($rest);)?
                Ok(())
            }
        }
    };
}
pub(crate) use insert_many;
