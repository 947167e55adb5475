//! What notifications say, language by language. Another one is a variant of `Language` and an arm in each `match`.

use super::{Kind, Notification};
use crate::accounts::Incident;

/// Languages that there are texts in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    English,
}

impl Language {
    /// The one that comes next to a language tag.
    pub fn of(_tag: &str) -> Self {
        Self::English
    }
}

/// One line that says who did what where.
pub fn title(language: Language, what: &Notification) -> String {
    match language {
        Language::English => english(what),
    }
}

fn english(what: &Notification) -> String {
    let who = what.actor_name.as_deref().unwrap_or("Someone");
    let place = || match (&what.place_name, what.is_direct, what.group_id) {
        (Some(name), false, None) => format!(" in #{name}"),
        (Some(name), ..) => format!(" in {name}"),
        (None, ..) => String::new(),
    };
    let to = || match (&what.place_name, what.is_direct, what.group_id) {
        (Some(name), false, None) => format!("#{name}"),
        (Some(name), true, _) => name.clone(),
        (Some(name), false, Some(_)) => format!("the group {name}"),
        (None, ..) => "a conversation".to_owned(),
    };
    match what.kind {
        Kind::Mention => format!("{who} mentioned you{}", place()),
        Kind::Reply => format!("{who} replied to you{}", place()),
        Kind::ThreadReply => format!("{who} replied in a thread{}", place()),
        Kind::DirectMessage if what.place_name.is_none() => format!("{who} wrote to you"),
        Kind::DirectMessage | Kind::Message => format!("{who} wrote{}", place()),
        Kind::Reaction => {
            format!("{who} reacted {} to your message{}", what.detail.as_deref().unwrap_or_default(), place())
        }
        Kind::Added => format!("{who} added you to {}", to()),
        Kind::RoleChanged => match what.detail.as_deref() {
            Some(role) => format!("{who} made you {} of {}", english_role(role), to()),
            None => format!("{who} changed your role in {}", to()),
        },
        Kind::MissedCall => format!("You missed a call from {who}"),
        Kind::Transaction => "A transaction of yours changed".to_owned(),
        Kind::Moderation => "The moderators have news for you".to_owned(),
        Kind::Security => {
            let incident = what.detail.as_deref().and_then(Incident::of);
            incident.map_or("Something happened to your account", Incident::in_words).to_owned()
        }
    }
}

fn english_role(role: &str) -> String {
    let article = match role {
        "ADMIN" | "OWNER" => "an",
        _ => "a",
    };
    match role {
        // There is one at most.
        "OWNER" => "the owner".to_owned(),
        role => format!("{article} {}", role.to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::id::{ConversationId, GroupId, NotificationId, UserId};

    fn notification(kind: Kind) -> Notification {
        Notification {
            user_id: UserId(Uuid::nil()),
            id: NotificationId(Uuid::nil()),
            kind,
            is_urgent: false,
            actor_id: Some(UserId(Uuid::nil())),
            conversation_id: Some(ConversationId(Uuid::nil())),
            message_seq: None,
            message_id: None,
            thread_root_seq: None,
            group_id: None,
            detail: None,
            created_at: DateTime::UNIX_EPOCH,
            read_at: None,
            is_deleted: false,
            is_in_sight: true,
            is_direct: false,
            actor_name: Some("Alice".to_owned()),
            place_name: Some("lounge".to_owned()),
            content: None,
        }
    }

    #[test]
    fn titles_say_who_did_what_where() {
        let channel = notification;
        let detail = |kind, detail: &str| Notification { detail: Some(detail.to_owned()), ..notification(kind) };
        let direct = |kind, name: Option<&str>| Notification {
            is_direct: true,
            place_name: name.map(str::to_owned),
            ..notification(kind)
        };
        let group = |what| Notification { conversation_id: None, group_id: Some(GroupId(Uuid::nil())), ..what };
        for (what, text) in [
            (channel(Kind::Mention), "Alice mentioned you in #lounge"),
            (direct(Kind::Mention, None), "Alice mentioned you"),
            (channel(Kind::Reply), "Alice replied to you in #lounge"),
            (channel(Kind::ThreadReply), "Alice replied in a thread in #lounge"),
            (direct(Kind::DirectMessage, None), "Alice wrote to you"),
            (direct(Kind::DirectMessage, Some("Us")), "Alice wrote in Us"),
            (channel(Kind::Message), "Alice wrote in #lounge"),
            (detail(Kind::Reaction, "🎉"), "Alice reacted 🎉 to your message in #lounge"),
            (channel(Kind::Added), "Alice added you to #lounge"),
            (group(channel(Kind::Added)), "Alice added you to the group lounge"),
            (detail(Kind::RoleChanged, "MODERATOR"), "Alice made you a moderator of #lounge"),
            (detail(Kind::RoleChanged, "OWNER"), "Alice made you the owner of #lounge"),
            (group(detail(Kind::RoleChanged, "ADMIN")), "Alice made you an admin of the group lounge"),
            (Notification { actor_name: None, ..channel(Kind::MissedCall) }, "You missed a call from Someone"),
        ] {
            assert_eq!(title(Language::of("en-GB"), &what), text);
        }
    }
}
