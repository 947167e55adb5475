//! One line of a file, checked.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use serde::Deserialize;

use crate::clock::Instant;
use crate::messages;
use crate::text;

/// What a line tells.
pub(super) struct Line {
    pub channel: Arc<str>,
    /// Its number within the channel, as the file has it.
    pub id: i32,
    pub at: Instant,
    pub nick: String,
    pub what: What,
}

pub(super) enum What {
    Message {
        content: String,
        reply_to: Option<i64>,
    },
    Join,
    Part,
    /// They go on under another nick.
    Rename {
        to: String,
    },
}

/// A line as it is written. Fields that it does not know are left alone.
#[derive(Deserialize)]
struct Written {
    channel: Option<String>,
    id: Option<i64>,
    at: Option<String>,
    kind: Option<String>,
    nick: Option<String>,
    new_nick: Option<String>,
    text: Option<String>,
    reply_to: Option<i64>,
}

/// Characters of a channel's name and of a nick, as of any other name here.
const NAME: std::ops::RangeInclusive<usize> = 1..=80;

impl Line {
    /// Reads a line, or says what is wrong with it.
    pub fn parse(bytes: &[u8], now: Instant) -> Result<Self, String> {
        // serde would take a list for a struct too.
        if !bytes.trim_ascii_start().starts_with(b"{") {
            return Err("not a JSON object".into());
        }
        let written: Written = serde_json::from_slice(bytes).map_err(|error| not_json(&error))?;
        let id = written.id.ok_or("no `id`")?;
        let id = i32::try_from(id).ok().filter(|&id| id > 0).ok_or_else(|| format!("`id`: wants 1 to {}", i32::MAX))?;
        Ok(Self {
            channel: name("channel", written.channel)?.into(),
            id,
            at: instant(&written.at.ok_or("no `at`")?, now)?,
            nick: name("nick", written.nick)?,
            what: match written.kind.as_deref() {
                None => return Err("no `kind`".into()),
                Some("message") => What::Message { content: content("", written.text)?, reply_to: written.reply_to },
                Some("action") => What::Message { content: content("/me ", written.text)?, reply_to: written.reply_to },
                Some("join") => What::Join,
                Some("part") => What::Part,
                Some("nick") => What::Rename { to: name("new_nick", written.new_nick)? },
                Some(other) => return Err(format!("`kind`: knows no {other:?}")),
            },
        })
    }
}

fn name(field: &str, value: Option<String>) -> Result<String, String> {
    let value = value.ok_or_else(|| format!("no `{field}`"))?;
    text::line(&value, NAME).map_err(|fault| format!("`{field}`: {}", fault.message()))
}

fn instant(at: &str, now: Instant) -> Result<Instant, String> {
    let at = DateTime::parse_from_rfc3339(at).map_err(|_| "`at`: not a time as RFC 3339 has it")?;
    let at = at.with_timezone(&Utc).trunc_subsecs(3);
    // The id of a message carries its time, in milliseconds since 1970; and times never run backwards, so one from the
    // future would be that of whatever is written until then.
    match at {
        _ if at < DateTime::UNIX_EPOCH => Err("`at`: before 1970".into()),
        _ if at > now => Err("`at`: in the future".into()),
        _ => Ok(at),
    }
}

/// What was written, checked like what is sent, but for mentions: they would ring people who were not meant.
fn content(before: &str, text: Option<String>) -> Result<String, String> {
    let text = without_formatting(&text.ok_or("no `text`")?);
    if text.trim().is_empty() {
        return Err("`text`: is empty".into());
    }
    text::block(&format!("{before}{text}"), messages::CONTENT).map_err(|fault| format!("`text`: {}", fault.message()))
}

/// Without what IRC's clients wrote for colours and faces, and whatever other control characters came along. A NUL
/// stays: it was in no message, so what holds one is no text.
fn without_formatting(text: &str) -> String {
    const COLOUR: char = '\u{3}';
    const HEX_COLOUR: char = '\u{4}';
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        rest = match c {
            COLOUR => without_colours(rest, 2, |c| c.is_ascii_digit()),
            HEX_COLOUR => without_colours(rest, 6, |c| c.is_ascii_hexdigit()),
            _ => rest,
        };
        if !c.is_control() || matches!(c, '\n' | '\t' | '\0') {
            plain.push(c);
        }
    }
    plain
}

/// What follows a colour, or two with a comma between them.
fn without_colours(text: &str, digits: usize, is_digit: impl Fn(char) -> bool) -> &str {
    let count = |text: &str| text.chars().take(digits).take_while(|&c| is_digit(c)).count();
    let first = count(text);
    let text = &text[first..];
    match text.strip_prefix(',').map(|second| (second, count(second))) {
        Some((second, count)) if first > 0 && count > 0 => &second[count..],
        _ => text,
    }
}

/// serde_json's words, without the number of the line, which is always its first.
fn not_json(error: &serde_json::Error) -> String {
    let words = error.to_string().replace(" at line 1 column ", ", at column ");
    match error.is_data() {
        true => words,
        false => format!("not JSON: {words}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Line, String> {
        Line::parse(line.as_bytes(), DateTime::from_timestamp_millis(1_700_000_000_000).unwrap())
    }

    fn content_of(text: &str) -> Result<String, String> {
        let line = serde_json::json!({
            "channel": "irc", "id": 1, "at": "2010-01-01T00:00:00Z", "kind": "message", "nick": "alice", "text": text,
        });
        match parse(&line.to_string())?.what {
            What::Message { content, .. } => Ok(content),
            _ => unreachable!("it is a message"),
        }
    }

    #[test]
    fn formatting_goes_and_text_stays() {
        for (written, plain) in [
            ("\u{2}bold\u{f} and \u{3}04,12red\u{3} and \u{4}ff0000,00ff00hex", "bold and red and hex"),
            ("\u{3}04, a comma", ", a comma"),
            ("\u{3}123 is 12 and 3", "3 is 12 and 3"),
            ("a\u{8}b\u{7f}c\u{1c}\td\ne", "abc\td\ne"),
            ("\u{3}é", "é"),
        ] {
            assert_eq!(content_of(written).unwrap(), plain, "{written:?}");
        }
        assert!(content_of("\u{2}\u{f} ").is_err());
        assert!(content_of("a\0b").is_err());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let good = r#"{"channel": "a", "id": 1, "at": "2010-01-01T00:00:00Z", "kind": "join", "nick": "b"}"#;
        assert!(parse(good).is_ok());
        for (from, to, reason) in [
            ("{", "", "not a JSON object"),
            ("}", "", "not JSON"),
            (r#""id": 1"#, r#""id": "x""#, "invalid type"),
            (r#""id": 1"#, r#""id": 0"#, "`id`"),
            (r#""id": 1"#, r#""id": 3000000000"#, "`id`"),
            (r#""id": 1, "#, "", "no `id`"),
            ("2010-01-01", "2010-13-01", "`at`"),
            ("2010-01-01", "2099-01-01", "future"),
            ("2010-01-01", "1969-01-01", "1970"),
            ("join", "dance", "dance"),
            ("join", "nick", "no `new_nick`"),
            ("join", "action", "no `text`"),
            (r#""b""#, r#""  ""#, "`nick`"),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good);
            let told = parse(&bad).err().unwrap_or_else(|| panic!("{bad} was taken"));
            assert!(told.contains(reason), "{bad}: {told}");
        }
    }
}
