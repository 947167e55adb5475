//! What people are called: handles, and names to show.

use super::emoji::without_emoji;
use super::{Fault, folded, line};
use crate::error::InputCode;

/// Handles that speak for the server, or for everyone on it. They are compared without what may stand between.
const RESERVED: [&str; 36] = [
    "abuse",
    "admin",
    "administrator",
    "administration",
    "admins",
    "all",
    "anonymous",
    "api",
    "billing",
    "bot",
    "channel",
    "chinwag",
    "deleted",
    "everybody",
    "everyone",
    "group",
    "help",
    "helpdesk",
    "here",
    "hostmaster",
    "mod",
    "moderation",
    "moderator",
    "moderators",
    "mods",
    "noreply",
    "null",
    "official",
    "postmaster",
    "root",
    "security",
    "server",
    "staff",
    "support",
    "system",
    "webmaster",
];

/// That a handle is not one that people would take for the server's own.
pub fn unreserved(handle: &str) -> Result<(), Fault> {
    let bare: String = handle.chars().filter(|c| !".-_".contains(*c)).collect();
    match RESERVED.contains(&bare.as_str()) {
        true => Err(Fault::new(InputCode::NotAllowed, "This name is reserved")),
        false => Ok(()),
    }
}

/// A handle: 3 to 32 of a-z, 0-9, dot, dash and underscore; capitals are folded.
pub fn username(text: &str) -> Result<String, Fault> {
    let text = line(&text.to_lowercase(), 3..=32)?;
    match text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b)) {
        true => Ok(text),
        false => Err(Fault::new(InputCode::BadFormat, "Only a-z, 0-9, dot, dash and underscore")),
    }
}

/// What nobody sees, but computers tell apart, or what turns the text around it: Unicode's Default_Ignorable_Code_Point,
/// the separators of lines and paragraphs, and the blank of Braille.
fn is_invisible(c: char) -> bool {
    matches!(
        u32::from(c),
        0xad | 0x34f | 0x61c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e
            | 0x2060..=0x206f | 0x2800 | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb
            | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff
    )
}

/// A name to show: 1 to 80 characters, in which everything is seen. Only emoji may be joined and tinted by what is not.
pub fn display_name(text: &str) -> Result<String, Fault> {
    let text = line(text, 1..=80)?;
    match without_emoji(&text).chars().any(is_invisible) {
        true => Err(Fault::new(InputCode::BadFormat, "Invisible characters are not allowed")),
        false => Ok(text),
    }
}

/// Whether one name could be taken for another: letters that look alike (UTS 39) are the same, in whatever case, and only
/// letters and digits count.
pub fn looks_like(name: &str, other: &str) -> bool {
    let (name, other) = (looks(name), looks(other));
    name.iter().any(|look| !look.is_empty() && other.contains(look))
}

/// Skeletons of a name. A capital may look like another letter than the small one does: I is like l, and i is not.
fn looks(name: &str) -> [String; 2] {
    let bare: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
    let skeleton = |text: &str| unicode_security::skeleton(text).collect::<String>();
    [folded(&skeleton(&bare)), skeleton(&folded(&bare))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_folded() {
        assert_eq!(username("Alice.B").unwrap(), "alice.b");
        for text in ["al", "a b c", "alice~irc", "álice"] {
            assert!(username(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_in_a_name_is_hidden() {
        for name in ["Zoë", "Зоя", "李雷", "أليس", "Dana 👩\u{200d}💻", "☺\u{fe0f}", "🏴󠁧󠁢󠁳󠁣󠁴󠁿 Ann", "O'Neil, Jr."]
        {
            assert_eq!(display_name(name).unwrap(), name);
        }
        for name in [
            "A\u{200b}nn",
            "\u{202e}nnA",
            "Ann\u{2066}",
            "A\u{200d}nn",
            "👩\u{200d}Ann",
            "Ann\u{fe0f}",
            "\u{3164}",
            "\u{2800}",
            "A\u{ad}nn",
            "Ann\u{e0041}",
            "A\nnn",
            "\u{feff}Ann",
        ] {
            assert!(display_name(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn what_looks_alike_is_known_by_its_skeleton() {
        for like in ["Alice", "alice", "ALICE", "AIice", "A1ice", "Аlісе", "A l i c e", "Alice ✓", "𝐀𝐥𝐢𝐜𝐞"]
        {
            assert!(looks_like(like, "Alice"), "{like}");
        }
        for other in ["Alicia", "Bob", "✓", "", "Alice Cooper"] {
            assert!(!looks_like(other, "Alice"), "{other}");
        }
        assert!(!looks_like("✓", "☺"));
    }

    #[test]
    fn handles_of_the_server_are_nobody_s() {
        for handle in ["admin", "a.d.m.i.n", "_system_", "everyone", "here", "chin-wag"] {
            assert!(unreserved(handle).is_err(), "{handle}");
        }
        for handle in ["alice", "badminton", "adminton", "heretic"] {
            assert!(unreserved(handle).is_ok(), "{handle}");
        }
    }
}
