//! Passwords that people choose: long enough, not easy to guess, and not one that everybody tries first.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde_json::json;
use zxcvbn::{Score, zxcvbn};

use crate::error::InputCode;
use crate::text::{self, Fault};

/// Ten thousand guesses a second would take years for it.
const GOOD: Score = Score::Three;
/// What is longer is judged by its beginning: the estimate takes time that grows faster than the text.
const JUDGED: usize = 64;

static BREACHED: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let lines = include_str!("breached.txt").lines();
    lines.filter(|line| !line.starts_with('#')).collect()
});

/// A password to be. `about` is what is known of the one who chooses it: their name makes a bad one, whoever else would think
/// it good.
pub fn chosen(password: &str, about: &[&str]) -> Result<String, Fault> {
    let password = text::password(password)?;
    if BREACHED.contains(password.to_lowercase().as_str()) {
        let fault = Fault::new(InputCode::NotAllowed, "This one is in lists of stolen passwords: choose another");
        return Err(fault.with(json!({ "reason": "BREACHED" })));
    }
    let beginning: String = password.chars().take(JUDGED).collect();
    let estimate = zxcvbn(&beginning, about);
    if estimate.score() >= GOOD {
        return Ok(password);
    }
    let warning = estimate.feedback().and_then(|feedback| feedback.warning()).map(|warning| format!(". {warning}"));
    let message = format!(
        "Too easy to guess: some words that have nothing to do with each other are better{}",
        warning.unwrap_or_default()
    );
    Err(Fault::new(InputCode::NotAllowed, message.trim_end_matches('.')).with(json!({ "reason": "GUESSABLE" })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_easy_to_guess_or_known_is_refused() {
        for bad in
            ["aaaaaaaaaa", "abcdefghij", "1q2w3e4r5t", "Password123!", "correcthorsebatterystaple", "qwertyuiop[]"]
        {
            assert!(chosen(bad, &[]).is_err(), "{bad}");
        }
        for good in ["correct horse battery", "vrolijke-fietsbel-onder-water", "Xk7#pQ2m!vZ9", "грустный лось на крыше"]
        {
            assert!(chosen(good, &[]).is_ok(), "{good}");
        }
        assert!(chosen("wolfeschlegelstein", &[]).is_ok());
        assert!(chosen("wolfeschlegelstein", &["wolfeschlegelstein"]).is_err(), "their name");
    }

    #[test]
    fn the_list_is_of_passwords_that_length_lets_pass_each_once_as_it_is_looked_up() {
        let lines: Vec<_> = include_str!("breached.txt").lines().filter(|line| !line.starts_with('#')).collect();
        assert!(lines.len() > 200 && lines.len() == BREACHED.len());
        for line in lines {
            assert_eq!(text::password(line).unwrap().to_lowercase(), line);
            assert!(chosen(&line.to_uppercase(), &[]).is_err());
        }
    }
}
