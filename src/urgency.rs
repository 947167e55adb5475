//! What is urgent: what somebody is told of in their quiet hours too. It opens no door that is shut: of what is muted, or
//! comes from somebody who is blocked, nobody is told at all.

use std::sync::OnceLock;

use crate::text;

/// Judges what is urgent for whom. There is one for the whole server, `Rules` unless `App::judging_by` was given another
/// one. It is asked while a conversation is locked, so it answers at once, from what it knows.
pub trait Urgency: Send + Sync + 'static {
    fn is_urgent(&self, occasion: &Occasion<'_>) -> bool;
}

/// Something that somebody is about to be told.
pub struct Occasion<'a> {
    /// Whether it calls everyone at once, which moderators can.
    pub calls_everyone: bool,
    /// Whether it was written in a direct conversation.
    pub is_direct: bool,
    /// Whether it names them.
    pub names_them: bool,
    /// What was written.
    pub text: &'a Text<'a>,
    /// The words that make it urgent for them, folded.
    pub words: &'a [String],
}

/// What was written, and the same as words are compared: made once for all who are told, if anybody has words.
pub struct Text<'a> {
    pub plain: &'a str,
    folded: OnceLock<String>,
}

impl<'a> Text<'a> {
    pub fn new(plain: &'a str) -> Self {
        Self { plain, folded: OnceLock::new() }
    }

    pub fn folded(&self) -> &str {
        self.folded.get_or_init(|| text::folded(self.plain))
    }
}

/// The rules that hold where nobody brings others.
pub struct Rules;

impl Urgency for Rules {
    fn is_urgent(&self, occasion: &Occasion<'_>) -> bool {
        calls_everyone(occasion) || says_their_word(occasion)
    }
}

/// A moderator calls everyone, or everyone who is here.
fn calls_everyone(occasion: &Occasion<'_>) -> bool {
    occasion.calls_everyone
}

/// It was written to them, and one of their words stands in it.
fn says_their_word(occasion: &Occasion<'_>) -> bool {
    let is_to_them = occasion.is_direct || occasion.names_them;
    is_to_them && occasion.words.iter().any(|word| stands_in(occasion.text.folded(), word))
}

/// Whether a word stands in a text, and not as a part of a longer one.
fn stands_in(text: &str, word: &str) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (begins, ends) = (is_letter(word.chars().next()), is_letter(word.chars().next_back()));
    let mut from = 0;
    while let Some(found) = text[from..].find(word).filter(|_| !word.is_empty()) {
        let (before, after) = (&text[..from + found], &text[from + found + word.len()..]);
        if !(begins && is_letter(before.chars().next_back()) || ends && is_letter(after.chars().next())) {
            return true;
        }
        // It may begin again within what was found.
        from += found + text[from + found..].chars().next().map_or(1, char::len_utf8);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn occasion<'a>(text: &'a Text<'a>, words: &'a [String]) -> Occasion<'a> {
        Occasion { calls_everyone: false, is_direct: false, names_them: false, text, words }
    }

    #[test]
    fn whoever_calls_everyone_is_urgent() {
        let text = Text::new("Fire");
        assert!(!calls_everyone(&occasion(&text, &[])));
        assert!(calls_everyone(&Occasion { calls_everyone: true, ..occasion(&text, &[]) }));
    }

    #[test]
    fn ones_own_words_are_urgent_in_what_is_written_to_one() {
        let (text, words) = (Text::new("The SERVER is down"), ["server".to_owned()]);
        assert!(!says_their_word(&occasion(&text, &words)));
        assert!(says_their_word(&Occasion { is_direct: true, ..occasion(&text, &words) }));
        assert!(says_their_word(&Occasion { names_them: true, ..occasion(&text, &words) }));
        assert!(!says_their_word(&Occasion { names_them: true, ..occasion(&text, &[]) }));
    }

    #[test]
    fn a_word_is_whole_and_its_case_does_not_count() {
        for (text, word, stands) in [
            ("on fire", "fire", true),
            ("Fire!", "fire", true),
            ("firewall", "fire", false),
            ("campfire", "fire", false),
            ("campfire, fire", "fire", true),
            ("fire2", "fire", false),
            ("STRASSE", "straße", true),
            ("ΟΔΟΣ", "οδοσ", true),
            ("cafe\u{301}s, café", "café", true),
            ("c++ and c", "c++", true),
            ("c++11", "c++", true),
            ("ab ab a", "ab a", true),
            ("火事です", "火事", false),
            ("火事！", "火事", true),
            ("anything", "", false),
        ] {
            assert_eq!(stands_in(Text::new(text).folded(), &text::folded(word)), stands, "{text}: {word}");
        }
    }
}
