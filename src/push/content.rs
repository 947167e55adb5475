//! What a device is told: JSON, as the README shows it to whoever writes a client. Fields are added over time.

use serde::Serialize;
use serde_json::{Value, json};

use super::Urgency;
use crate::text::cut;

/// Bytes that a push service has to take (RFC 8291, 4): 4,096 with the header of the encryption, its tag and a delimiter.
pub(super) const MOST: usize = 3_993;
/// Characters of a title that are shown; four bytes each at most, as those of a body.
const TITLE: usize = 120;
const BODY: usize = 500;
/// Notifications that are taken back together.
pub const DISMISSED_AT_ONCE: usize = 80;

/// What there is to tell.
#[derive(Clone, Debug)]
pub enum Content {
    /// Something is to be shown.
    Notice(Notice),
    /// These are not to be shown any more, up to `DISMISSED_AT_ONCE`.
    Dismissal { ids: Vec<String>, unread_count: i64 },
}

/// Something that is shown.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// Of the notification; the same when it comes twice.
    pub id: String,
    pub kind: &'static str,
    pub title: String,
    pub body: Option<String>,
    pub conversation_id: Option<String>,
    pub is_urgent: bool,
    /// Unread notifications, for a badge.
    pub unread_count: i64,
}

impl Content {
    pub(super) fn as_json(&self) -> Value {
        match self {
            Self::Notice(notice) => {
                let title = cut(&notice.title, TITLE);
                let body = notice.body.as_deref().map(|body| cut(body, BODY));
                json!(Notice { title, body, ..notice.clone() })
            }
            Self::Dismissal { ids, unread_count } => {
                json!({ "dismiss": &ids[..ids.len().min(DISMISSED_AT_ONCE)], "unreadCount": unread_count })
            }
        }
    }

    /// What one that has not been delivered yet is replaced by: what is taken back before it was shown is not shown.
    pub(super) fn topic(&self) -> Option<&str> {
        match self {
            Self::Notice(notice) => Some(suffix(&notice.id)),
            Self::Dismissal { ids, .. } => match ids.as_slice() {
                [only] => Some(suffix(only)),
                _ => None,
            },
        }
    }

    pub(super) fn urgency(&self) -> Urgency {
        match self {
            Self::Notice(notice) if notice.is_urgent => Urgency::High,
            Self::Notice(_) => Urgency::Normal,
            Self::Dismissal { .. } => Urgency::Low,
        }
    }

    /// The notifications that it is about.
    pub(super) fn ids(&self) -> &[String] {
        match self {
            Self::Notice(notice) => std::slice::from_ref(&notice.id),
            Self::Dismissal { ids, .. } => ids,
        }
    }
}

/// An id without the name of its type: a topic may have 32 characters.
fn suffix(id: &str) -> &str {
    id.rsplit_once('_').map_or(id, |(_, suffix)| suffix)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> String {
        format!("notification_{}", "z".repeat(26))
    }

    #[test]
    fn whatever_is_told_fits_into_a_push() {
        for character in ["\"", "\\", "\n", "\u{7f}", "é", "😀"] {
            let long = character.repeat(10_000);
            let notice = Notice {
                id: id(),
                kind: "MENTION",
                title: long.clone(),
                body: Some(long),
                conversation_id: Some(id()),
                is_urgent: true,
                unread_count: i64::MAX,
            };
            let json = Content::Notice(notice).as_json();
            assert!(json.to_string().len() <= MOST, "{character:?}");
            assert!(json["body"].as_str().unwrap().ends_with('…'));
        }
        let ids = vec![id(); 1_000];
        assert!(Content::Dismissal { ids, unread_count: i64::MAX }.as_json().to_string().len() <= MOST);
    }
}
