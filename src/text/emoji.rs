//! Emoji, as people pick and type them.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Fault;
use crate::error::InputCode;

/// Asks for a picture, after a character that may also be a letter. Keyboards differ in where they put it: with it or
/// without it, an emoji is the same one.
const AS_A_PICTURE: char = '\u{fe0f}';

/// Every emoji of Unicode, as it is recommended to write it, by what is left without the selector. `emojis::get` takes texts
/// without it too, but for some couples it finds the wrong one.
static EMOJI: LazyLock<HashMap<String, &str>> = LazyLock::new(|| {
    let tones = |emoji: &'static emojis::Emoji| emoji.skin_tones().into_iter().flatten();
    let all = emojis::iter().flat_map(|emoji| std::iter::once(emoji).chain(tones(emoji)));
    all.map(|emoji| (emoji.as_str().replace(AS_A_PICTURE, ""), emoji.as_str())).collect()
});

/// One emoji of Unicode, as Unicode recommends to write it.
pub fn emoji(text: &str) -> Result<String, Fault> {
    let found = EMOJI.get(&text.trim().replace(AS_A_PICTURE, ""));
    found.map(|&emoji| emoji.to_owned()).ok_or_else(|| Fault::new(InputCode::BadFormat, "Not one emoji"))
}

/// A text without its emoji, each as long as it can be.
pub fn without_emoji(text: &str) -> String {
    let mut left = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8()).take(LONGEST_EMOJI);
        let emoji = ends.filter(|end| emoji(&rest[..*end]).is_ok()).last();
        if emoji.is_none() {
            left.push(first);
        }
        rest = &rest[emoji.unwrap_or(first.len_utf8())..];
    }
    left
}

/// Characters of an emoji, with room for selectors that a keyboard may add.
const LONGEST_EMOJI: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emoji_is_one_and_written_as_unicode_has_it() {
        for (text, written) in [
            ("👍", "👍"),
            ("👍\u{fe0f}", "👍"),
            ("👍🏽", "👍🏽"),
            ("☝\u{fe0f}🏽", "☝🏽"),
            ("❤", "❤\u{fe0f}"),
            ("1\u{20e3}", "1\u{fe0f}\u{20e3}"),
            ("👩\u{200d}💻", "👩\u{200d}💻"),
            ("👩\u{200d}❤\u{200d}👩", "👩\u{200d}❤\u{fe0f}\u{200d}👩"),
            (" 🇪🇺 ", "🇪🇺"),
            ("🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"),
        ] {
            assert_eq!(emoji(text).unwrap(), written);
        }
        for text in [
            "",
            "a",
            "1",
            "1\u{fe0f}",
            "#",
            ":+1:",
            "👍👍",
            "👍 👍",
            "\u{fe0f}",
            "👍\0",
            "🇪",
            "🇽🇽",
            "🏽",
            "\u{200d}",
            "\u{20e3}",
            "❤\u{fe0e}",
            "👍\u{200d}",
            "😀🏽",
            "👍🏽🏽",
        ] {
            assert!(emoji(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn every_emoji_is_known_with_and_without_the_selector() {
        let all = emojis::iter().flat_map(|emoji| match emoji.skin_tones() {
            Some(tones) => tones.collect(),
            None => vec![emoji],
        });
        let all: Vec<_> = all.map(emojis::Emoji::as_str).collect();
        assert!(all.len() > 3_900, "{}", all.len());
        for written in all {
            let (bare, full) = (written.replace('\u{fe0f}', ""), written.replace('\u{200d}', "\u{fe0f}\u{200d}"));
            for text in [written, &bare, &full] {
                assert_eq!(emoji(text).unwrap(), written, "{text:?}");
            }
        }
    }
}
