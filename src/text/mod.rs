//! What people write, checked before it is kept. Lengths count Unicode scalar values after NFC.

use std::ops::RangeInclusive;

use chrono::Datelike;
use serde_json::json;
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

pub use self::emoji::emoji;
pub use self::name::{display_name, looks_like, unreserved, username};
use crate::clock::Instant;
use crate::error::{Error, FieldError, InputCode, Result};

mod emoji;
mod name;

/// Characters of a password.
pub const LONGEST_PASSWORD: usize = 200;

/// What is wrong with one value, before it is known which field it stands in.
#[derive(Debug)]
pub struct Fault {
    code: InputCode,
    message: String,
    params: serde_json::Value,
}

impl Fault {
    pub fn new(code: InputCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), params: json!({}) }
    }

    /// With something for the client's own sentence.
    pub fn with(self, params: serde_json::Value) -> Self {
        Self { params, ..self }
    }

    pub fn required() -> Self {
        Self::new(InputCode::Required, "This is needed")
    }

    pub fn not_an_id() -> Self {
        Self::new(InputCode::BadFormat, "Not an id of this type")
    }

    pub fn unknown_id() -> Self {
        Self::new(InputCode::UnknownId, "There is no such thing")
    }

    pub fn too_many(max: usize) -> Self {
        Self { params: json!({ "max": max }), ..Self::new(InputCode::TooMany, format!("At most {max}")) }
    }

    pub fn out_of_range(min: usize, max: usize) -> Self {
        Self {
            params: json!({ "min": min, "max": max }),
            ..Self::new(InputCode::OutOfRange, format!("{min} to {max}"))
        }
    }

    /// An instant that has to be in the future, and is not.
    pub fn past() -> Self {
        Self::new(InputCode::NotAllowed, "This is not in the future")
    }

    pub fn too_long(max: usize) -> Self {
        Self { params: json!({ "max": max }), ..Self::new(InputCode::TooLong, format!("At most {max} characters")) }
    }

    fn too_short(min: usize) -> Self {
        Self { params: json!({ "min": min }), ..Self::new(InputCode::TooShort, format!("At least {min} characters")) }
    }

    /// In words. Not `Display`, for the same reason as `Error`.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Of `input.<field>`.
    pub fn of(self, field: &'static str) -> FieldError {
        self.within(&[field])
    }

    /// Of a field of `input` that stands within others.
    fn within(self, path: &[&'static str]) -> FieldError {
        FieldError::new(&[&["input"], path].concat(), self.code, self.message).with(self.params)
    }

    /// Of `filter.<field>`.
    pub fn of_filter(self, field: &'static str) -> FieldError {
        FieldError::new(&["filter", field], self.code, self.message).with(self.params)
    }

    /// Of an argument that is no input object.
    pub fn of_argument(self, argument: &'static str) -> FieldError {
        FieldError::new(&[argument], self.code, self.message).with(self.params)
    }
}

/// Collects what is wrong with an input, so that all of it is reported at once.
#[derive(Default)]
pub struct Wrong(Vec<FieldError>);

impl Wrong {
    /// The value of `input.<field>`, or a note of what is wrong with it.
    pub fn note<T>(&mut self, field: &'static str, value: Result<T, Fault>) -> Option<T> {
        self.note_within(&[field], value)
    }

    /// The same of a field that stands within others.
    pub fn note_within<T>(&mut self, path: &[&'static str], value: Result<T, Fault>) -> Option<T> {
        value.map_err(|fault| self.0.push(fault.within(path))).ok()
    }

    /// The same of a list, element by element.
    pub fn note_each<T>(
        &mut self,
        field: &'static str,
        values: impl IntoIterator<Item = Result<T, Fault>>,
    ) -> Option<Vec<T>> {
        self.note_each_within(&[field], values)
    }

    /// The same of a list that stands within others.
    pub fn note_each_within<T>(
        &mut self,
        path: &[&'static str],
        values: impl IntoIterator<Item = Result<T, Fault>>,
    ) -> Option<Vec<T>> {
        let mut good = Vec::new();
        let before = self.0.len();
        for (index, value) in values.into_iter().enumerate() {
            match value {
                Ok(value) => good.push(value),
                Err(fault) => self.0.push(fault.within(path).at(index)),
            }
        }
        (self.0.len() == before).then_some(good)
    }

    /// What was built from the values, if nothing was wrong.
    pub fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T> {
        match build() {
            Some(built) if self.0.is_empty() => Ok(built),
            _ => Err(Error::bad_input(self.0)),
        }
    }
}

/// A text of several lines: NFC, no control characters but newline and tab, a length. Carriage returns go, as browsers
/// and Windows send them before newlines.
pub fn block(text: &str, length: RangeInclusive<usize>) -> Result<String, Fault> {
    let text: String = text.replace("\r\n", "\n").nfc().collect();
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(Fault::new(InputCode::BadFormat, "Control characters are not allowed"));
    }
    within(text, length)
}

/// A text of one line: like `block`, without newlines and tabs, and without white space at its ends.
pub fn line(text: &str, length: RangeInclusive<usize>) -> Result<String, Fault> {
    let text: String = text.trim().nfc().collect();
    if text.chars().any(char::is_control) {
        return Err(Fault::new(InputCode::BadFormat, "Control characters are not allowed"));
    }
    within(text, length)
}

fn within(text: String, length: RangeInclusive<usize>) -> Result<String, Fault> {
    match text.chars().count() {
        0 if *length.start() > 0 => Err(Fault::required()),
        count if count < *length.start() => Err(Fault::too_short(*length.start())),
        count if count > *length.end() => Err(Fault::too_long(*length.end())),
        _ => Ok(text),
    }
}

/// A mail address, in lower case. Whether it exists, only a mail can tell; this refuses what certainly is none.
pub fn email(text: &str) -> Result<String, Fault> {
    let text = line(&text.to_lowercase(), 1..=254)?;
    let is_address = text.split_once('@').is_some_and(|(name, host)| {
        let is_of_a_host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
        !name.is_empty()
            && host.contains('.')
            && host.chars().all(is_of_a_host)
            && !host.starts_with(['.', '-'])
            && !host.ends_with(['.', '-'])
    });
    let can_be_mailed = || text.parse::<lettre::Address>().is_ok();
    match is_address && !text.contains(char::is_whitespace) && can_be_mailed() {
        true => Ok(text),
        false => Err(Fault::new(InputCode::BadFormat, "Not a mail address")),
    }
}

/// A password, in NFC: the same keys are written in one way here, and in another there. Its upper bound keeps a hash from
/// being a way to burn CPU.
pub fn password(text: &str) -> Result<String, Fault> {
    within(text.nfc().collect(), 10..=LONGEST_PASSWORD)
}

/// The address of a channel or a group: 2 to 80 of a-z, 0-9 and dash.
pub fn slug(text: &str) -> Result<String, Fault> {
    let text = line(text, 2..=80)?;
    match text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        true => Ok(text),
        false => Err(Fault::new(InputCode::BadFormat, "Only a-z, 0-9 and dash")),
    }
}

/// When something ends: in a year of four digits, as RFC 3339 writes it.
pub fn end(end: Instant) -> Result<Instant, Fault> {
    match end.year() <= 9999 {
        true => Ok(end),
        false => Err(Fault::new(InputCode::BadFormat, "There is no year after 9999")),
    }
}

/// What cannot be cleared: absent or a value.
pub fn given<T>(value: Option<Option<T>>) -> Result<Option<T>, Fault> {
    match value {
        Some(None) => Err(Fault::required()),
        value => Ok(value.flatten()),
    }
}

/// A key that a client chose: 8 to 64 printable characters.
pub fn client_key(text: &str) -> Result<String, Fault> {
    line(text, 8..=64)
}

/// SHA-256 of what stands in an input, by name, to tell a replay from a reused key. Keys hold for ever, so this never
/// changes for an input that was: what is absent is left out, and a field that comes later changes nothing before it.
pub fn input_digest(fields: &[(&str, Option<&str>)]) -> Vec<u8> {
    let mut digest = Sha256::new();
    for (name, value) in fields {
        // Each goes in with its length, so that no two inputs are the same bytes.
        for part in value.iter().flat_map(|value| [*name, *value]) {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
    }
    digest.finalize().to_vec()
}

/// Why somebody does something to somebody else, for the audit: at most 500 characters.
pub fn reason(text: Option<String>) -> Result<Option<String>, Fault> {
    let reason = text.map(|text| block(&text, 0..=500)).transpose()?;
    Ok(reason.filter(|reason| !reason.is_empty()))
}

/// What a filter's `search` looks for. Whoever has typed nothing yet looks for nothing in particular, unless the least
/// length says that this will not do.
pub fn search(text: Option<String>, length: RangeInclusive<usize>) -> Result<Option<String>> {
    let search = text.map(|text| line(&text, length)).transpose();
    let search = search.map_err(|fault| Error::bad_input(vec![fault.of_filter("search")]))?;
    Ok(search.filter(|search| !search.is_empty()))
}

/// A text as it is compared where neither case nor composition counts: by upper case, which writes ß as two letters and has
/// one sigma, and back.
pub fn folded(text: &str) -> String {
    text.nfc().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfc().collect()
}

/// Markdown as plain text on one line, cut to `length` characters.
pub fn excerpt(markdown: &str, length: usize) -> String {
    use pulldown_cmark::Event;
    let mut plain = String::new();
    for event in pulldown_cmark::Parser::new(markdown) {
        match event {
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                plain.push_str(&text)
            }
            Event::SoftBreak | Event::HardBreak | Event::End(_) if !plain.ends_with(' ') => plain.push(' '),
            _ => {}
        }
        // Whatever comes later is cut off anyway.
        if plain.len() > 8 * length {
            break;
        }
    }
    cut(&plain.split_whitespace().collect::<Vec<_>>().join(" "), length)
}

/// The first `length` characters of a text, and a sign where there are more.
pub fn cut(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_characters_after_composition() {
        assert_eq!(line("e\u{301}", 1..=1).unwrap(), "é");
        assert!(line("éa", 1..=1).is_err());
    }

    #[test]
    fn control_characters_are_refused_but_newline_and_tab() {
        assert_eq!(block("a\r\n\tb", 1..=9).unwrap(), "a\n\tb");
        for text in ["a\0b", "a\u{7}b", "a\u{9b}b", "a\rb"] {
            assert!(block(text, 1..=9).is_err(), "{text:?}");
        }
        assert!(line("a\nb", 1..=9).is_err());
    }

    #[test]
    fn an_input_is_told_from_another_for_ever() {
        let digest = |fields: &[(&str, Option<&str>)]| input_digest(fields);
        let hello = digest(&[("content", Some("hello"))]);
        // Computed apart: sha256 of each part behind its length in eight bytes.
        assert_eq!(hello[..4], [0x33, 0x20, 0x6a, 0xe6]);
        // A field that did not exist then, and is not used.
        assert_eq!(hello, digest(&[("content", Some("hello")), ("attachments", None)]));
        let others: [&[(&str, Option<&str>)]; 4] = [
            &[("content", Some("hello!"))],
            &[("content", Some("hello")), ("replyToId", Some(""))],
            &[("contenth", Some("ello"))],
            &[("replyToId", Some("hello"))],
        ];
        assert!(others.into_iter().all(|other| digest(other) != hello));
    }

    #[test]
    fn an_excerpt_is_plain_and_cut() {
        assert_eq!(excerpt("# Hi\n\n*there* [friend](https://x.example) `code`", 140), "Hi there friend code");
        assert_eq!(excerpt("one two three", 7), "one two…");
    }

    #[test]
    fn addresses_are_folded() {
        assert_eq!(email("Alice@Example.ORG").unwrap(), "alice@example.org");
        for text in
            ["alice", "@example.org", "alice@", "alice@host", "a@b@c.d", "a b@c.d", "a,b@c.d", "<a@c.d>", "a@c_d.e"]
        {
            assert!(email(text).is_err(), "{text}");
        }
    }
}
