//! Names for those who come from a provider and have not chosen any.

use crate::providers::Identity;
use crate::text;

/// Of a handle.
const LONGEST: usize = 32;

/// What somebody may come to be called.
pub(super) struct Names {
    pub username: String,
    pub display_name: String,
}

/// Names to try one after the other: what was chosen, or else what they are called there, if it is free, with more and more
/// behind it. At last they are shown by their handle, as the name may look like that of somebody who runs the server.
pub(super) fn names(identity: &Identity, chosen: Option<&str>) -> Vec<Names> {
    let shown = identity.name.as_deref().and_then(|name| text::display_name(name).ok());
    let handles = chosen.map_or_else(|| handles(identity), |chosen| vec![chosen.to_owned()]);
    let named = |username: &String, shown: &Option<String>| Names {
        username: username.clone(),
        display_name: shown.clone().unwrap_or_else(|| username.clone()),
    };
    handles
        .iter()
        .map(|handle| named(handle, &shown))
        .chain(handles.last().map(|handle| named(handle, &None)))
        .collect()
}

fn handles(identity: &Identity) -> Vec<String> {
    let known = identity.handle.as_deref().or(identity.name.as_deref()).unwrap_or_default();
    // Of an address, the name alone.
    let name = folded(known.split('@').next().unwrap_or_default());
    let name = if name.len() < 3 { "member".to_owned() } else { name };
    let with = |suffix: u32| {
        let suffix = format!("-{suffix}");
        format!("{}{suffix}", &name[..name.len().min(LONGEST - suffix.len())])
    };
    let random: u32 = rand::random();
    let plain = text::unreserved(&name).is_ok().then(|| name.clone());
    plain.into_iter().chain([2 + random % 8, 10 + random % 990, 1000 + random % 99_000, random].map(with)).collect()
}

/// Of what it takes, in ASCII, without separators at its ends.
fn folded(text: &str) -> String {
    let name = slug::slugify(text.replace(['.', '_'], "-"));
    name[..name.len().min(LONGEST)].trim_matches('-').to_owned()
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
            (Some("alice"), Some("Alice"), "alice"),
            (Some("'; DROP TABLE users; --\0"), None, "drop-table-users"),
        ] {
            assert_eq!(handles_of(handle, name)[0], expected, "{handle:?} {name:?}");
        }
        for name in ["admin", "System", &"long".repeat(100)] {
            for handle in handles_of(Some(name), None) {
                assert_eq!(text::username(&handle).unwrap(), handle);
                assert!(text::unreserved(&handle).is_ok(), "{handle}");
            }
        }
    }
}
