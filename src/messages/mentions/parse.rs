//! The mentions in a text: `<@user_…>`, `<@everyone>` and `<@here>`.

use super::{MENTIONED_AT_ONCE, MentionKind, Mentions};
use crate::id::UserId;
use crate::text::Fault;
use crate::users::tokens;

/// Finds the mentions. Each counts once; what looks like one and is none is text.
pub(in crate::messages) fn parse(content: &str) -> Result<Mentions, Fault> {
    let mut found = Mentions::default();
    for token in tokens(content) {
        match token.inside {
            "everyone" if !found.broadcasts.contains(&MentionKind::Everyone) => {
                found.broadcasts.push(MentionKind::Everyone)
            }
            "here" if !found.broadcasts.contains(&MentionKind::Here) => found.broadcasts.push(MentionKind::Here),
            id => found.users.extend(UserId::parse(id).filter(|id| !found.users.contains(id))),
        }
        if found.users.len() > MENTIONED_AT_ONCE {
            return Err(Fault::too_many(MENTIONED_AT_ONCE));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(last: char) -> (String, UserId) {
        let text = format!("user_0000000000000000000000000{last}");
        let id = UserId::parse(&text).unwrap();
        (format!("<@{text}>"), id)
    }

    #[test]
    fn people_are_mentioned_once_and_nonsense_is_text() {
        let ((alice, alice_id), (bob, bob_id)) = (user('1'), user('2'));
        let text = format!("{alice} and {bob}, {alice}: <@nobody> <@user_x> <@{alice} <@everyone> <@here> <@everyone>");
        let found = parse(&text).unwrap();
        assert_eq!(found.users, [alice_id, bob_id]);
        assert_eq!(found.broadcasts, [MentionKind::Everyone, MentionKind::Here]);
    }

    #[test]
    fn too_many_mentions_are_refused() {
        let text: String =
            (0..=MENTIONED_AT_ONCE as u128).map(|n| format!("<@{}>", UserId(uuid::Uuid::from_u128(n)))).collect();
        assert!(parse(&text).is_err());
    }
}
