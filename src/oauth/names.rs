//! Names for those who come from a provider and have not chosen any.

use crate::providers::Identity;
use crate::text;

/// Of a handle.
const LONGEST: usize = 32;

/// Handles to try one after the other: theirs if it is free, else with more and more behind it.
pub(super) fn handles(identity: &Identity) -> Vec<String> {
    let known = identity.handle.as_deref().or(identity.name.as_deref()).unwrap_or_default();
    // Of an address, the name alone.
    let name = folded(known.split('@').next().unwrap_or_default());
    let name = if name.len() < 3 { "member".to_owned() } else { name };
    let with = |suffix: u32| {
        let suffix = format!("-{suffix}");
        format!("{}{suffix}", &name[..name.len().min(LONGEST - suffix.len())])
    };
    let random: u32 = rand::random();
    vec![name.clone(), with(2 + random % 8), with(10 + random % 990), with(1000 + random % 99_000), with(random)]
}

/// Of what it takes, in ASCII, without separators at its ends.
fn folded(text: &str) -> String {
    let name = slug::slugify(text.replace(['.', '_'], "-"));
    name[..name.len().min(LONGEST)].trim_matches('-').to_owned()
}

/// What they call themselves, if that can be shown.
pub(super) fn display_name(identity: &Identity) -> Option<String> {
    let name = identity.name.as_deref()?;
    text::line(name, 1..=80).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handles_of(handle: Option<&str>, name: Option<&str>) -> Vec<String> {
        handles(&Identity {
            subject: "1".into(),
            proven_email: None,
            handle: handle.map(str::to_owned),
            name: name.map(str::to_owned),
            label: String::new(),
        })
    }

    #[test]
    fn a_handle_is_made_of_whatever_somebody_is_called() {
        for (handle, name, expected) in [
            (Some("octocat"), Some("The Cat"), "octocat"),
            (Some("Zoë.Müller@example.org"), None, "zoe-muller"),
            (None, Some("李雷"), "li-lei"),
            (Some("_x_"), None, "member"),
            (Some("@@"), None, "member"),
            (None, None, "member"),
            (Some("'; DROP TABLE users; --\0"), None, "drop-table-users"),
        ] {
            assert_eq!(handles_of(handle, name)[0], expected, "{handle:?} {name:?}");
        }
        for handle in handles_of(Some(&"long".repeat(100)), None) {
            assert_eq!(text::username(&handle).unwrap(), handle);
        }
    }
}
