//! Whom a message mentions: `<@user_…>`, `<@everyone>` and `<@here>`, parsed once, when it is written.

use std::collections::HashSet;

use async_graphql::Enum;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types;
use futures_util::try_join;

use super::Message;
use super::store::{self, BroadcastMention, Mention};
use crate::db::{Tx, text_enum};
use crate::error::Result;
use crate::id::UserId;
use crate::text::Fault;
use crate::users;

/// People mentioned by name in one message at most.
pub const MENTIONED_AT_ONCE: usize = 50;

/// Who of those who are not named is meant.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql_types::Text)]
pub enum Broadcast {
    /// Every member.
    Everyone,
    /// Every member; it rings those who are online.
    Here,
}
text_enum!(Broadcast);

/// The mentions in a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    pub users: Vec<UserId>,
    pub broadcasts: Vec<Broadcast>,
}

/// A piece of a text.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    Text(&'a str),
    User(UserId),
}

/// Finds the mentions. Each counts once; what looks like one and is none is text.
pub(super) fn parse(content: &str) -> Result<Mentions, Fault> {
    let mut found = Mentions::default();
    for token in tokens(content) {
        match token.inside {
            "everyone" if !found.broadcasts.contains(&Broadcast::Everyone) => {
                found.broadcasts.push(Broadcast::Everyone)
            }
            "here" if !found.broadcasts.contains(&Broadcast::Here) => found.broadcasts.push(Broadcast::Here),
            id => found.users.extend(UserId::parse(id).filter(|id| !found.users.contains(id))),
        }
        if found.users.len() > MENTIONED_AT_ONCE {
            return Err(Fault::too_many(MENTIONED_AT_ONCE));
        }
    }
    Ok(found)
}

/// The text with its mentions of people apart, so that they can be shown by name.
pub fn pieces(content: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut done = 0;
    for token in tokens(content) {
        if let Some(id) = UserId::parse(token.inside) {
            pieces.push(Piece::Text(&content[done..token.start]));
            pieces.push(Piece::User(id));
            done = token.end;
        }
    }
    pieces.push(Piece::Text(&content[done..]));
    pieces
}

struct Token<'a> {
    inside: &'a str,
    start: usize,
    end: usize,
}

/// Everything of the form `<@…>`.
fn tokens(content: &str) -> impl Iterator<Item = Token<'_>> {
    content.match_indices("<@").filter_map(|(start, _)| {
        let rest = &content[start + 2..];
        // The longest is a user's id; what closes later is something else, and looking further would be quadratic.
        let end = rest.bytes().take(40).position(|b| b == b'>')?;
        Some(Token { inside: &rest[..end], start, end: start + 2 + end + 1 })
    })
}

/// A message and whom it mentions, as its author wrote it.
pub(super) struct Said<'a> {
    pub message: &'a Message,
    pub mentions: &'a Mentions,
    /// Whether its author may mention everyone at once; from others it is mere text.
    pub calls_everyone: bool,
}

/// Who is named, and by whom.
pub(super) type Naming = (UserId, UserId);

impl Mentions {
    /// Those whom they name, with the one who does.
    pub(super) fn by(&self, author: UserId) -> impl Iterator<Item = Naming> {
        self.users.iter().map(move |&user| (user, author))
    }
}

/// Of those who are named, those who exist and have not blocked the one who names them.
pub(super) async fn mentionable(tx: &Tx, named: Vec<Naming>) -> Result<HashSet<Naming>> {
    if named.is_empty() {
        return Ok(HashSet::new());
    }
    let mut users: Vec<UserId> = named.iter().map(|(user, _)| *user).collect();
    users.sort();
    users.dedup();
    let (known, blocks) = try_join!(users::existing(tx, &users), users::blocks_of(tx, &named))?;
    let known: HashSet<UserId> = known.into_iter().collect();
    Ok(named.into_iter().filter(|naming| known.contains(&naming.0) && !blocks.contains(naming)).collect())
}

/// Keeps whom these messages mention, of those who can be.
pub(super) async fn keep(tx: &Tx, said: &[Said<'_>], mentionable: &HashSet<Naming>) -> Result<()> {
    let named: Vec<_> = said.iter().flat_map(|said| said.people(mentionable)).collect();
    let broadcasts: Vec<_> = said.iter().filter(|said| said.calls_everyone).flat_map(Said::everyone).collect();
    let named = async {
        match named.is_empty() {
            true => Ok(()),
            false => store::insert_mentions(tx, &named).await,
        }
    };
    let broadcasts = async {
        match broadcasts.is_empty() {
            true => Ok(()),
            false => store::insert_broadcast_mentions(tx, &broadcasts).await,
        }
    };
    try_join!(named, broadcasts)?;
    Ok(())
}

impl Said<'_> {
    fn people(&self, mentionable: &HashSet<Naming>) -> impl Iterator<Item = Mention> {
        let Message { conversation_id, seq, thread_root_seq, author_id, .. } = *self.message;
        let named = self.mentions.by(author_id).filter(|naming| mentionable.contains(naming));
        named.map(move |(user_id, _)| Mention { conversation_id, seq, user_id, thread_root_seq })
    }

    fn everyone(&self) -> impl Iterator<Item = BroadcastMention> {
        let Message { conversation_id, seq, thread_root_seq, .. } = *self.message;
        let kinds = self.mentions.broadcasts.iter();
        kinds.map(move |&kind| BroadcastMention { conversation_id, seq, kind, thread_root_seq })
    }
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
        assert_eq!(found.broadcasts, [Broadcast::Everyone, Broadcast::Here]);
    }

    #[test]
    fn too_many_mentions_are_refused() {
        let text: String =
            (0..=MENTIONED_AT_ONCE as u128).map(|n| format!("<@{}>", UserId(uuid::Uuid::from_u128(n)))).collect();
        assert!(parse(&text).is_err());
    }

    #[test]
    fn a_text_falls_into_pieces() {
        let (alice, id) = user('1');
        let text = format!("a {alice}<@here>é");
        assert_eq!(pieces(&text), [Piece::Text("a "), Piece::User(id), Piece::Text("<@here>é")]);
    }
}
