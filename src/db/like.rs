//! Looking for a text within another one. The database folds both: its indexes are on what it has folded.

use diesel::dsl::AsExprOf;
use diesel::prelude::*;
use diesel::sql_types::Text;

define_sql_function! {
    /// A text in lower case.
    fn lower(text: Text) -> Text
}

/// What a folded text is compared with by LIKE.
pub type Pattern = lower<AsExprOf<String, Text>>;

/// Of whatever begins with a text, in whatever case.
pub fn beginning_with(text: &str) -> Pattern {
    lower(format!("{}%", escaped(text)).into_sql::<Text>())
}

/// Of whatever contains a text, in whatever case.
pub fn containing(text: &str) -> Pattern {
    lower(format!("%{}%", escaped(text)).into_sql::<Text>())
}

/// A text that LIKE takes as it stands.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_like_would_interpret_is_escaped() {
        assert_eq!(escaped(r"50%_a\b"), r"50\%\_a\\b");
    }
}
