//! What each field counts as: those that hold lists by how much is read for them, others as one.

use async_graphql::parser::types::Field;
use async_graphql_value::Value;

use super::cost::{Cost, Elements, Number, Own};
use crate::conversations::DIRECT_SIZE;

/// Edges of a page that says nothing of its size.
pub(super) const USUAL_PAGE: u32 = 25;
/// Edges of a page at most; one that wants more is refused by its resolver.
pub(super) const LARGEST_PAGE: u32 = 100;
/// What `sidebar` counts as: one for each ten that it may have, as all of it is read by a few statements.
const SIDEBAR: u32 = 100;
/// What it may have. Each page below it is read by a statement of its own, and counts in full.
const SIDEBAR_IN_FULL: u32 = 1_000;
/// What the categories of a group or of the server count as: one for each ten that there may be.
const CATEGORIES: u32 = 10;
/// How many there may be, where pages are below them: each is read by a statement of its own.
const CATEGORIES_IN_FULL: u32 = 100;
/// What the reactions to a message count as: one for each ten emoji that it may have, as those to all messages of a page
/// are read by one statement.
const REACTIONS: u32 = 5;
/// Events of each conversation that one catches up with, where nothing says how many. They count as one for each four, as
/// those of all conversations are read by one statement.
const CAUGHT_UP: u32 = 20;
/// What the mentions in a message count as, by the same measure.
const MENTIONS: u32 = 5;
/// Whether a field holds the elements of a page.
pub(super) fn is_element(field: &Field) -> bool {
    matches!(field.name.node.as_str(), "edges" | "nodes" | "pageInfo") && field.arguments.is_empty()
}

/// What a field adds to what is below it.
pub(super) fn own(field: &Field, is_page: bool) -> Own {
    let is_element = is_element(field);
    let one = u32::from(!field.selection_set.node.items.is_empty());
    match field.name.node.as_str() {
        "nodes" if is_element => Own::Beside(1),
        // Each is an object of its own; `nodes` of the root.
        "nodes" | "sidebar" | "categories" | "reactions" | "participants" => Own::Each(one),
        "mentions" if !is_page => Own::Each(one),
        // Its node counts itself.
        "edges" if is_element => Own::Otherwise,
        "pageInfo" => Own::Beside(0),
        _ => Own::Beside(one),
    }
}

/// The cost of a field with what is around it or counts besides.
pub(super) fn with_surroundings(field: &Field, mut cost: Cost, lists: u32) -> Cost {
    match field.name.node.as_str() {
        "conversationEventsSince" => Cost::of(cost, each(field, "positions"), Own::Beside(0)),
        "sidebar" => {
            cost.add(Cost::fixed(lists.saturating_mul(SIDEBAR_IN_FULL)));
            cost
        }
        _ => cost,
    }
}

/// How often what is below a field is made. `lists` are read apart there.
pub(super) fn elements(field: &Field, is_page: bool, lists: u32) -> Elements {
    let number = |name| field.get_argument(name).map(|value| Number::of(&value.node));
    let elements = match field.name.node.as_str() {
        "messagesAround" | "repliesAround" => {
            let side = |name| number(name).unwrap_or(Number::Fixed(USUAL_PAGE));
            Elements::Around(side("before"), side("after"))
        }
        "presences" => each(field, "userIds"),
        // Of each conversation; the conversations are counted around it.
        "conversationEventsSince" => {
            Elements::Quarter(number("firstPerConversation").unwrap_or(Number::Fixed(CAUGHT_UP)))
        }
        "sidebar" => Elements::Fixed(SIDEBAR),
        "categories" if lists > 0 => Elements::Fixed(CATEGORIES_IN_FULL),
        "categories" => Elements::Fixed(CATEGORIES),
        "reactions" => Elements::Fixed(REACTIONS),
        // Of a message; those of the viewer come in pages.
        "mentions" if !is_page => Elements::Fixed(MENTIONS),
        // Of a thread those that are asked for, of a direct conversation all.
        "participants" => {
            Elements::Page(number("limit").unwrap_or(Number::Fixed(DIRECT_SIZE as u32)), Number::Fixed(0))
        }
        // Of one delivery.
        "signals" => Elements::Fixed(LARGEST_PAGE),
        "nodes" => each(field, "ids"),
        // Of a conversation; the ones in a delivery are one each.
        "events" if field.get_argument("after").is_some() => {
            Elements::Page(number("first").unwrap_or(Number::Fixed(LARGEST_PAGE)), Number::Fixed(0))
        }
        _ => match (number("first"), number("last")) {
            (None, None) if is_page => Elements::Fixed(USUAL_PAGE),
            (None, None) => Elements::Fixed(1),
            (first, last) => Elements::Page(first.unwrap_or(Number::Fixed(0)), last.unwrap_or(Number::Fixed(0))),
        },
    };
    elements.settled()
}

/// One for each element of an argument.
fn each(field: &Field, argument: &str) -> Elements {
    match field.get_argument(argument).map(|value| &value.node) {
        Some(Value::List(values)) => Elements::Fixed(values.len() as u32),
        Some(Value::Variable(name)) => Elements::Each(name.clone()),
        _ => Elements::Fixed(1),
    }
}

/// Whether a field is a list that is read apart from others of its kind: a page, or part of a log.
pub(super) fn is_list(field: &Field, is_page: bool) -> bool {
    let arguments = ["first", "after", "last", "before", "around"];
    is_page
        || arguments.iter().any(|name| field.get_argument(name).is_some())
        || matches!(field.name.node.as_str(), "messages" | "messagesAround" | "replies" | "repliesAround" | "members")
}
