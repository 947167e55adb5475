//! How notifications reach somebody, as they want it.

use std::collections::BTreeSet;

use chrono::NaiveTime;

use super::update::set;
use super::{NotificationLevel, NotificationPreferences};
use crate::error::InputCode;
use crate::text::{self, Fault, Wrong};

/// Words that make something urgent, at most.
const WORDS: usize = 50;

/// What a client sends: what is absent stays.
#[derive(Debug, Default)]
pub struct NotificationInput {
    pub is_email_enabled: Option<bool>,
    pub is_push_enabled: Option<bool>,
    pub default_level: Option<NotificationLevel>,
    pub shows_previews: Option<bool>,
    /// `Some(None)` for none.
    pub quiet_hours: Option<Option<QuietHoursInput>>,
    pub urgent_words: Option<Vec<String>>,
}

#[derive(Debug)]
pub struct QuietHoursInput {
    pub start: String,
    pub end: String,
}

/// The same, checked.
#[derive(Debug)]
pub(super) struct NotificationDraft {
    is_email_enabled: Option<bool>,
    is_push_enabled: Option<bool>,
    default_level: Option<NotificationLevel>,
    shows_previews: Option<bool>,
    /// Both of each or neither.
    quiet_start: Option<Option<NaiveTime>>,
    quiet_end: Option<Option<NaiveTime>>,
    urgent_words: Option<Vec<String>>,
}

impl NotificationDraft {
    pub fn from(input: NotificationInput, wrong: &mut Wrong) -> Option<Self> {
        let hours = input.quiet_hours.map(|hours| hours.map(|hours| quiet_hours(hours, wrong)));
        let words = input.urgent_words.map(|words| urgent_words(words, wrong));
        let (quiet_start, quiet_end) = match hours {
            None => (None, None),
            Some(None) => (Some(None), Some(None)),
            Some(Some(hours)) => {
                let (start, end) = hours?;
                (Some(Some(start)), Some(Some(end)))
            }
        };
        let urgent_words = match words {
            None => None,
            Some(words) => Some(words?),
        };
        Some(Self {
            is_email_enabled: input.is_email_enabled,
            is_push_enabled: input.is_push_enabled,
            default_level: input.default_level,
            shows_previews: input.shows_previews,
            quiet_start,
            quiet_end,
            urgent_words,
        })
    }

    pub fn apply(&self, to: &mut NotificationPreferences) {
        set(&mut to.is_email_enabled, &self.is_email_enabled);
        set(&mut to.is_push_enabled, &self.is_push_enabled);
        set(&mut to.default_level, &self.default_level);
        set(&mut to.shows_previews, &self.shows_previews);
        set(&mut to.quiet_start, &self.quiet_start);
        set(&mut to.quiet_end, &self.quiet_end);
        set(&mut to.urgent_words, &self.urgent_words);
    }
}

/// The first silent minute, and the first that is none any more.
fn quiet_hours(hours: QuietHoursInput, wrong: &mut Wrong) -> Option<(NaiveTime, NaiveTime)> {
    let start = wrong.note_within(&["notifications", "quietHours", "start"], minute(&hours.start));
    let end = match (minute(&hours.end), start) {
        // All day or never: nobody could tell.
        (Ok(end), Some(start)) if end == start => Err(Fault::new(InputCode::NotAllowed, "Not the same as start")),
        (end, _) => end,
    };
    start.zip(wrong.note_within(&["notifications", "quietHours", "end"], end))
}

/// A minute of the day, as in 22:30; with seconds too, if they are none.
fn minute(text: &str) -> Result<NaiveTime, Fault> {
    let is_written_so = matches!(text.len(), 5 | 8);
    let time = NaiveTime::parse_from_str(text, "%H:%M").or_else(|_| NaiveTime::parse_from_str(text, "%H:%M:00"));
    time.ok().filter(|_| is_written_so).ok_or_else(|| Fault::new(InputCode::BadFormat, "No time of day, as in 22:30"))
}

/// The words, folded, each once and in order.
fn urgent_words(words: Vec<String>, wrong: &mut Wrong) -> Option<Vec<String>> {
    let path = ["notifications", "urgentWords"];
    if words.len() > WORDS {
        return wrong.note_within(&path, Err(Fault::too_many(WORDS)));
    }
    let words = words.iter().map(|word| Ok(text::folded(&text::line(word, 1..=50)?)));
    let words: BTreeSet<String> = wrong.note_each_within(&path, words)?.into_iter().collect();
    Some(words.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_a_minute() {
        for (text, minutes) in
            [("00:00", 0), ("22:30", 22 * 60 + 30), ("23:59", 23 * 60 + 59), ("07:05:00", 7 * 60 + 5)]
        {
            let expected = NaiveTime::from_num_seconds_from_midnight_opt(minutes * 60, 0);
            assert_eq!(minute(text).ok(), expected, "{text}");
        }
        for text in
            ["", "24:00", "12:60", "7:00", "7:5", "07:05:01", "07:05:60", "07:05Z", "0:0:0:00", "07:05:00.5", "+7:00"]
        {
            assert!(minute(text).is_err(), "{text}");
        }
    }

    #[test]
    fn words_are_folded_and_few() {
        let read = |words: &[&str]| {
            let mut wrong = Wrong::default();
            let words = urgent_words(words.iter().map(|word| (*word).to_owned()).collect(), &mut wrong);
            wrong.finish(|| words).ok()
        };
        assert_eq!(read(&[" Stra\u{df}e", "STRASSE", "alarm"]).unwrap(), ["alarm", "strasse"]);
        assert!(read(&["x"; 50]).is_some() && read(&["x"; 51]).is_none());
        for word in ["", " ", "a\0b", "a\nb", &"x".repeat(51)] {
            assert_eq!(read(&["fine", word]), None, "{word:?}");
        }
    }
}
