//! Codes: how they are made, and how they are read.

use totp_rs::{Algorithm, TOTP};

use crate::clock::Instant;
use crate::error::{Error, Result};

/// Seconds for which a code is shown.
pub const STEP: i64 = 30;
/// Steps by which the clock of a telephone may differ, to either side.
const AWRY: i64 = 1;
/// Bytes of a secret, as RFC 4226 recommends.
const SECRET: usize = 20;
/// Recovery codes that somebody gets.
const RECOVERY_CODES: usize = 10;
/// Letters and digits that are not taken for one another.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Of a recovery code: 50 bits.
const LENGTH: usize = 10;

/// What somebody typed.
#[derive(Debug, PartialEq, Eq)]
pub enum Code {
    /// Of an authenticator app.
    App(String),
    Recovery(String),
}

impl Code {
    /// Without the gaps that make it readable, and with digits for the letters that look like them.
    pub fn read(text: &str) -> Option<Self> {
        // Nobody's fingers slip so far.
        let text: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').take(LENGTH + 1).collect();
        let is_of_app = text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_of_app {
            return Some(Self::App(text));
        }
        let text = text.to_lowercase().replace('o', "0").replace(['i', 'l'], "1");
        let is_recovery = text.len() == LENGTH && text.bytes().all(|byte| ALPHABET.contains(&byte));
        is_recovery.then_some(Self::Recovery(text))
    }
}

pub fn secret() -> [u8; SECRET] {
    rand::random()
}

/// As apps have it by default, which many of them cannot do otherwise (RFC 6238).
pub fn app(secret: Vec<u8>, server: &str, username: &str) -> Result<TOTP> {
    // A colon ends the server's name in the address.
    let server = server.replace(':', "-");
    let app = TOTP::new(Algorithm::SHA1, 6, AWRY as u8, STEP as u64, secret, Some(server), username.to_owned());
    app.map_err(Error::internal)
}

/// The step that an app shows this code in, if it is one of those of this moment: the latest, should two be the same.
pub fn step_of(app: &TOTP, code: &str, now: Instant) -> Option<i64> {
    let this = now.timestamp().div_euclid(STEP);
    let steps = (this - AWRY..=this + AWRY).rev().filter(|step| *step >= 0);
    let is_shown = |step: &i64| subtle::ConstantTimeEq::ct_eq(shown(app, *step).as_bytes(), code.as_bytes()).into();
    // All are compared, whichever it is.
    steps.filter(is_shown).fold(None, |found, step| found.or(Some(step)))
}

fn shown(app: &TOTP, step: i64) -> String {
    app.generate((step * STEP).unsigned_abs())
}

/// New recovery codes, as people are shown them: `7k2mq-x09ab`.
pub fn recovery_codes() -> Vec<String> {
    let code = || {
        let letters = rand::random::<[u8; LENGTH]>().map(|byte| char::from(ALPHABET[usize::from(byte & 31)]));
        let (first, second) = letters.split_at(LENGTH / 2);
        format!("{}-{}", String::from_iter(first), String::from_iter(second))
    };
    std::iter::repeat_with(code).take(RECOVERY_CODES).collect()
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    /// RFC 6238, appendix B, of which an app shows the last six digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let app = app(b"12345678901234567890".to_vec(), "chat.example.org", "alice").unwrap();
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            let at = DateTime::from_timestamp(seconds, 0).unwrap();
            assert_eq!(step_of(&app, code, at), Some(seconds / 30));
            // A clock that goes half a minute wrong, to either side.
            assert_eq!(step_of(&app, code, at + TimeDelta::seconds(STEP)), Some(seconds / 30));
            assert_eq!(step_of(&app, code, at - TimeDelta::seconds(STEP)), Some(seconds / 30));
            assert_eq!(step_of(&app, code, at + TimeDelta::seconds(2 * STEP)), None);
            assert_eq!(step_of(&app, code, at - TimeDelta::seconds(2 * STEP)), None);
        }
    }

    #[test]
    fn codes_are_read_as_people_type_them() {
        let app = |text: &str| Some(Code::App(text.to_owned()));
        let recovery = |text: &str| Some(Code::Recovery(text.to_owned()));
        assert_eq!(Code::read(" 012 345 "), app("012345"));
        assert_eq!(Code::read("7K2MQ-XO9AB"), recovery("7k2mqx09ab"));
        assert_eq!(Code::read("i2l4567890"), recovery("1214567890"));
        for wrong in ["", "12345", "1234567", "12345a", "7k2mq-x09a", "7k2mq-x09abc", "7k2mq-x09a!", "१२३४५६", "\0"]
        {
            assert_eq!(Code::read(wrong), None, "{wrong:?}");
        }
        for code in recovery_codes() {
            assert_eq!(Code::read(&code), recovery(&code.replace('-', "")));
        }
    }

    #[test]
    fn a_server_that_is_known_by_a_number_has_a_name_in_apps() {
        assert!(app(secret().to_vec(), "[::1]", "alice").unwrap().get_url().starts_with("otpauth://totp/"));
    }
}
