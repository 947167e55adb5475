//! Typed ids. Inside, a UUIDv7; outside, a prefix that names the type and the UUID in base32, after the TypeID
//! specification 0.3 (<https://github.com/jetify-com/typeid>): `msg_01jd3k7w8pf2qs5hm0r4c9x6ty`. An id of another type,
//! or a malformed one, is refused before any query.

use std::fmt;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Instant;

/// Crockford's alphabet in lower case: no i, l, o, u.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 128 bits in base32.
const SUFFIX_LENGTH: usize = 26;

/// Writes an id for the outside.
pub fn encode(prefix: &str, uuid: Uuid) -> String {
    let number = uuid.as_u128();
    let mut text = String::with_capacity(prefix.len() + 1 + SUFFIX_LENGTH);
    text.push_str(prefix);
    text.push('_');
    for place in (0..SUFFIX_LENGTH).rev() {
        text.push(ALPHABET[(number >> (5 * place)) as usize & 31] as char);
    }
    text
}

/// Reads an id from outside: its prefix and UUID. `None` for whatever `encode` would not have written.
pub fn decode(text: &str) -> Option<(&str, Uuid)> {
    let (prefix, suffix) = text.rsplit_once('_')?;
    // 26 digits hold 130 bits: a first digit above 7 would overflow.
    if suffix.len() != SUFFIX_LENGTH || suffix.as_bytes()[0] > b'7' {
        return None;
    }
    let mut number = 0u128;
    for digit in suffix.bytes() {
        number = (number << 5) | ALPHABET.iter().position(|&known| known == digit)? as u128;
    }
    Some((prefix, Uuid::from_u128(number)))
}

/// A new UUIDv7 of an instant. Ids made in the same millisecond come in any order.
fn uuid_at(now: Instant) -> Uuid {
    let millis = now.timestamp_millis().max(0).unsigned_abs();
    uuid::Builder::from_unix_timestamp_millis(millis, &rand::random()).into_uuid()
}

/// A typed id: what all of them can do.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, FromSqlRow, AsExpression, Serialize, Deserialize)]
        #[serde(transparent)]
        #[diesel(sql_type = sql_types::Uuid)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id that carries this instant.
            pub fn at(now: Instant) -> Self {
                Self(uuid_at(now))
            }
        }

        impl FromSql<sql_types::Uuid, Pg> for $name {
            fn from_sql(bytes: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                <Uuid as FromSql<sql_types::Uuid, Pg>>::from_sql(bytes).map(Self)
            }
        }

        impl ToSql<sql_types::Uuid, Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                <Uuid as ToSql<sql_types::Uuid, Pg>>::to_sql(&self.0, out)
            }
        }
    )*};
}

/// Of those whose type alone decides the prefix: how they are written and read outside.
macro_rules! prefixes {
    ($($name:ident = $prefix:literal),* $(,)?) => {$(
        impl $name {
            /// What its text begins with.
            pub const PREFIX: &str = $prefix;

            /// Reads an id of this type from outside.
            pub fn parse(text: &str) -> Option<Self> {
                decode(text).filter(|(prefix, _)| *prefix == $prefix).map(|(_, uuid)| Self(uuid))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&encode($prefix, self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, out)
            }
        }
    )*};
}

ids! {
    /// A user; a viewer, an account and preferences share it under their own prefixes.
    UserId,
    /// A sign-in on one device.
    SessionId,
    /// An account at a provider, linked to somebody.
    OAuthAccountId,
    /// A device that takes push notifications.
    DeviceId,
    /// A conversation of any kind; its prefix says the kind, so it is written by the conversation itself.
    ConversationId,
    /// A group.
    GroupId,
    /// Somebody's membership in a group; new on each rejoin.
    GroupMemberId,
    /// A heading that channels are shown under.
    CategoryId,
    /// A seat in a conversation; new on each rejoin.
    MemberId,
    /// How a member keeps the conversation; shares the number of the seat.
    InboxId,
    /// A message.
    MessageId,
    /// A thread; shares the number of the message it is under.
    ThreadId,
    /// The private side of a user; shares their number.
    ViewerId,
    /// The preferences of a user; share their number.
    PreferencesId,
    /// Something that somebody is told.
    NotificationId,
    /// Leave to register.
    InvitationId,
    /// An entry of the audit log.
    AuditId,
    /// Work that is done later.
    JobId,
}

prefixes! {
    UserId = "user",
    SessionId = "session",
    OAuthAccountId = "oauth",
    DeviceId = "push",
    GroupId = "group",
    GroupMemberId = "group_member",
    CategoryId = "category",
    MemberId = "member",
    InboxId = "inbox",
    MessageId = "msg",
    ThreadId = "thread",
    ViewerId = "viewer",
    PreferencesId = "pref",
    NotificationId = "notification",
    InvitationId = "invite",
    AuditId = "audit",
    JobId = "job",
}

impl ConversationId {
    /// As it is written outside, where the kind of the conversation is known.
    pub fn written(self, is_direct: bool) -> String {
        encode(if is_direct { Self::OF_DIRECT } else { Self::OF_CHANNEL }, self.0)
    }

    /// What the text of a channel's begins with.
    pub const OF_CHANNEL: &str = "chan";
    /// What that of a direct conversation's begins with.
    pub const OF_DIRECT: &str = "dm";
}

impl fmt::Debug for ConversationId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the specification's own `valid.yml`.
    #[test]
    fn ids_are_written_as_the_specification_has_it() {
        for (uuid, text) in [
            ("00000000-0000-0000-0000-000000000000", "user_00000000000000000000000000"),
            ("00000000-0000-0000-0000-000000000020", "user_00000000000000000000000010"),
            ("ffffffff-ffff-ffff-ffff-ffffffffffff", "user_7zzzzzzzzzzzzzzzzzzzzzzzzz"),
            ("0110c853-1d09-52d8-d73e-1194e95b5f19", "user_0123456789abcdefghjkmnpqrs"),
        ] {
            let uuid = Uuid::parse_str(uuid).unwrap();
            assert_eq!(encode("user", uuid), text);
            assert_eq!(UserId::parse(text), Some(UserId(uuid)));
        }
    }

    /// From the specification's own `invalid.yml`.
    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "user",
            "_00000000000000000000000000",
            "user_1234567890123456789012345",
            "user_8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "user_0000000000000000000000000i",
            "user_0123456789ABCDEFGHJKMNPQRS",
            "msg_00000000000000000000000000",
            "user_0000000000000000000000000é",
        ] {
            assert_eq!(UserId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_id_carries_the_instant_it_was_made_at() {
        let now = chrono::DateTime::from_timestamp_millis(1_700_000_000_123).unwrap();
        let (seconds, nanos) = MessageId::at(now).0.get_timestamp().unwrap().to_unix();
        assert_eq!((seconds, nanos), (1_700_000_000, 123_000_000));
    }
}
