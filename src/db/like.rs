//! Looking for a text within another one.

/// A text that LIKE takes as it stands.
pub fn escaped(text: &str) -> String {
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
