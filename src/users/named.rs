//! People named in a text, as they are written there: `<@user_…>`.

use futures_util::future::try_join_all;

use super::UserById;
use crate::context::Scope;
use crate::error::{Error, Result};
use crate::id::UserId;

/// A piece of a text.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    User(UserId),
}

/// The text with people's names in the place of their mentions.
pub async fn with_names(scope: &Scope, content: &str) -> Result<String> {
    let named = pieces(content).into_iter().map(async |piece| match piece {
        Piece::Text(text) => Ok(text.to_owned()),
        Piece::User(id) => {
            let user = scope.load::<UserById>(id).await?;
            Ok::<_, Error>(format!("@{}", user.as_ref().map_or("unknown", |user| &user.display_name)))
        }
    });
    // All at once, so that everybody mentioned is looked up by one statement.
    Ok(try_join_all(named).await?.concat())
}

/// The text with its mentions of people apart, so that they can be shown by name.
fn pieces(content: &str) -> Vec<Piece<'_>> {
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

/// Something of the form `<@…>`.
pub struct Token<'a> {
    pub inside: &'a str,
    start: usize,
    end: usize,
}

/// Everything of the form `<@…>`.
pub fn tokens(content: &str) -> impl Iterator<Item = Token<'_>> {
    content.match_indices("<@").filter_map(|(start, _)| {
        let rest = &content[start + 2..];
        // The longest is a user's id; what closes later is something else, and looking further would be quadratic.
        let end = rest.bytes().take(40).position(|b| b == b'>')?;
        Some(Token { inside: &rest[..end], start, end: start + 2 + end + 1 })
    })
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
    fn a_text_falls_into_pieces() {
        let (alice, id) = user('1');
        let text = format!("a {alice}<@here>é");
        assert_eq!(pieces(&text), [Piece::Text("a "), Piece::User(id), Piece::Text("<@here>é")]);
    }
}
