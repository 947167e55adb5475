//! Pages of lists that grow, after the Relay cursor connections specification
//! (<https://relay.dev/graphql/connections.htm>): by key, never by offset, which reads all it skips.

use async_graphql::{Enum, SimpleObject};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::clock::Instant;
use crate::error::{Error, InputCode, Result};
use crate::text::Fault;

/// Edges of one page at most.
pub const MOST: usize = 100;
/// Edges of a page that says nothing of its size.
const USUAL: usize = 25;
/// When years take five digits, in milliseconds: no time of ours is that late.
const YEAR_10000: i64 = 253_402_300_800_000;

/// Where one stands in a list: the values that it is ordered by.
pub trait Cursor: Serialize + DeserializeOwned {
    /// Names the list, so that a cursor of another one is refused.
    const LIST: &str;

    /// As clients get it: opaque.
    fn encode(&self) -> String {
        let json = serde_json::to_vec(&(Self::LIST, self)).expect("a cursor is plain values");
        URL_SAFE_NO_PAD.encode(json)
    }

    /// Reads back what `encode` wrote.
    fn decode(text: &str) -> Option<Self> {
        let json = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (list, cursor): (String, Self) = serde_json::from_slice(&json).ok()?;
        (list == Self::LIST).then_some(cursor)
    }
}

/// An instant in a cursor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(i64);

impl From<Instant> for Millis {
    fn from(instant: Instant) -> Self {
        Self(instant.timestamp_millis())
    }
}

impl From<Millis> for Instant {
    /// A client may send any number; one that is no time of ours stands before all.
    fn from(Millis(millis): Millis) -> Self {
        let millis = Some(millis).filter(|millis| (0..YEAR_10000).contains(millis)).unwrap_or_default();
        Self::from_timestamp_millis(millis).unwrap_or_default()
    }
}

/// The four arguments of a connection, as they came.
#[derive(Default)]
pub struct Arguments {
    pub first: Option<i32>,
    pub after: Option<String>,
    pub last: Option<i32>,
    pub before: Option<String>,
}

/// Which part of a list is wanted.
#[derive(Debug)]
pub struct Window<C> {
    pub limit: usize,
    pub direction: Direction,
    pub after: Option<C>,
    pub before: Option<C>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the beginning, or from `after`, on.
    Forward,
    /// From the end, or from `before`, back.
    Backward,
}

/// Direction of an ordering.
#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrderDirection {
    /// Smallest, oldest or first in the alphabet comes first.
    #[default]
    Asc,
    /// Largest, newest or last in the alphabet comes first.
    Desc,
}

/// How a list that may be ordered by several fields is ordered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Order<Field> {
    pub field: Field,
    pub direction: OrderDirection,
}

/// A part of a list, in the list's own order.
#[derive(Debug)]
pub struct Page<T> {
    pub rows: Vec<T>,
    pub has_previous: bool,
    pub has_next: bool,
}

impl Arguments {
    /// What they mean; all that is wrong with them at once.
    pub fn window<C: Cursor>(self) -> Result<Window<C>> {
        self.window_of(|_| true)
    }

    /// The same on one list of several: `is_ours` tells its cursors from those of the others.
    pub fn window_of<C: Cursor>(self, is_ours: impl Fn(&C) -> bool) -> Result<Window<C>> {
        let mut wrong = Vec::new();
        for (name, count) in [("first", self.first), ("last", self.last)] {
            if count.is_some_and(|count| !(0..=MOST as i32).contains(&count)) {
                wrong.push(Fault::out_of_range(0, MOST).of_argument(name));
            }
        }
        if self.first.is_some() && self.last.is_some() {
            wrong.push(Fault::new(InputCode::NotAllowed, "Not beside first").of_argument("last"));
        }
        let mut cursor = |name, text: Option<String>| {
            let text = text?;
            let cursor = C::decode(&text).filter(&is_ours);
            if cursor.is_none() {
                wrong.push(Fault::new(InputCode::BadFormat, "Not a cursor of this list").of_argument(name));
            }
            cursor
        };
        let after = cursor("after", self.after);
        let before = cursor("before", self.before);
        if !wrong.is_empty() {
            return Err(Error::bad_input(wrong));
        }
        let (direction, count) = match (self.first, self.last) {
            (Some(first), _) => (Direction::Forward, first),
            (_, Some(last)) => (Direction::Backward, last),
            // Whoever says only before what wants what is next to it.
            _ if before.is_some() && after.is_none() => (Direction::Backward, USUAL as i32),
            _ => (Direction::Forward, USUAL as i32),
        };
        Ok(Window { limit: count as usize, direction, after, before })
    }
}

impl<C> Window<C> {
    /// How many rows to ask for: one more than wanted tells whether there are more.
    pub fn fetch(&self) -> i64 {
        self.limit as i64 + 1
    }

    /// The page from rows fetched in the window's direction.
    pub fn page<T>(&self, mut rows: Vec<T>) -> Page<T> {
        let has_more = rows.len() > self.limit;
        rows.truncate(self.limit);
        match self.direction {
            // A cursor is a row of the list, so there is at least that one on its side.
            Direction::Forward => Page { rows, has_previous: self.after.is_some(), has_next: has_more },
            Direction::Backward => {
                rows.reverse();
                Page { rows, has_previous: has_more, has_next: self.before.is_some() }
            }
        }
    }
}

/// Where a page of a connection ends and whether there is more on either side.
#[derive(SimpleObject, Clone)]
pub struct PageInfo {
    /// Whether more edges follow `endCursor`.
    pub has_next_page: bool,
    /// Whether more edges precede `startCursor`.
    pub has_previous_page: bool,
    /// Cursor of the first edge of this page; null on an empty page.
    pub start_cursor: Option<String>,
    /// Cursor of the last edge of this page; null on an empty page.
    pub end_cursor: Option<String>,
}

/// Declares a connection and its edge, each with what it has beside the usual: the stock ones export fixed descriptions.
macro_rules! connection {
    (
        $(#[$connection_doc:meta])* $connection:ident { $($(#[$extra_doc:meta])* $extra:ident: $extra_type:ty),* $(,)? },
        $(#[$edge_doc:meta])* $edge:ident
            $({ $($(#[$beside_doc:meta])* $beside:ident: $beside_type:ty),* $(,)? })?,
        $(#[$cursor_doc:meta])* cursor,
        $(#[$node_doc:meta])* $node:ty
    ) => {
        $(#[$connection_doc])*
        #[derive(async_graphql::SimpleObject)]
        pub struct $connection {
            /// The edges of this page.
            edges: Vec<$edge>,
            /// The nodes of this page, without their edges.
            nodes: Vec<$node>,
            /// Where this page ends and what lies beyond.
            page_info: $crate::page::PageInfo,
            $($(#[$extra_doc])* $extra: $extra_type,)*
        }

        $(#[$edge_doc])*
        #[derive(async_graphql::SimpleObject, Clone)]
        pub struct $edge {
            $(#[$cursor_doc])*
            cursor: String,
            $(#[$node_doc])*
            node: $node,
            $($($(#[$beside_doc])* $beside: $beside_type,)*)?
        }

        impl $edge {
            pub fn at(cursor: &impl $crate::page::Cursor, node: $node, $($($beside: $beside_type),*)?) -> Self {
                Self { cursor: cursor.encode(), node, $($($beside),*)? }
            }
        }

        impl $connection {
            /// From a page whose rows are already edges.
            pub fn new(page: $crate::page::Page<$edge>, $($extra: $extra_type),*) -> Self {
                Self {
                    page_info: $crate::page::PageInfo {
                        has_next_page: page.has_next,
                        has_previous_page: page.has_previous,
                        start_cursor: page.rows.first().map(|edge| edge.cursor.clone()),
                        end_cursor: page.rows.last().map(|edge| edge.cursor.clone()),
                    },
                    nodes: page.rows.iter().map(|edge| edge.node.clone()).collect(),
                    edges: page.rows,
                    $($extra,)*
                }
            }
        }
    };
}
pub(crate) use connection;

impl<T> Page<T> {
    /// The same page of something else.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        Page {
            rows: self.rows.into_iter().map(each).collect(),
            has_previous: self.has_previous,
            has_next: self.has_next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    struct Place(i32);
    impl Cursor for Place {
        const LIST: &str = "place";
    }
    #[derive(serde::Serialize, serde::Deserialize, Debug)]
    struct Elsewhere(i32);
    impl Cursor for Elsewhere {
        const LIST: &str = "elsewhere";
    }

    fn codes(error: Error) -> Vec<String> {
        let fields = error.extensions()["fields"].clone();
        fields.as_array().unwrap().iter().map(|f| format!("{} {}", f["path"][0].as_str().unwrap(), f["code"])).collect()
    }

    #[test]
    fn a_cursor_is_read_back_by_its_own_list_alone() {
        assert_eq!(Place::decode(&Place(7).encode()), Some(Place(7)));
        for text in ["", "7", "not base64!", &Elsewhere(7).encode(), &URL_SAFE_NO_PAD.encode("[\"place\"]")] {
            assert_eq!(Place::decode(text), None, "{text}");
        }
    }

    #[test]
    fn everything_wrong_with_a_page_is_said_at_once() {
        let arguments = Arguments { first: Some(101), last: Some(-1), after: Some("x".into()), before: None };
        let said = codes(arguments.window::<Place>().unwrap_err());
        assert_eq!(
            said,
            ["first \"OUT_OF_RANGE\"", "last \"OUT_OF_RANGE\"", "last \"NOT_ALLOWED\"", "after \"BAD_FORMAT\""]
        );
    }

    #[test]
    fn a_page_backwards_comes_in_the_order_of_the_list() {
        let window = Arguments { last: Some(2), ..Arguments::default() }.window::<Place>().unwrap();
        let page = window.page(vec![9, 8, 7]);
        assert_eq!((page.rows, page.has_previous, page.has_next), (vec![8, 9], true, false));
    }
}
