//! Refuses a document that would cost too much before anything else walks it.
//!
//! About a kilobyte of fragments that spread each other doubles its work with every fragment, and async-graphql walks
//! fragments without a memory, comparing its own limits only afterwards. So each fragment is measured once here and
//! remembered; sums saturate. All operations and fragments are measured, also those that are not run: the library
//! walks them all.

use std::collections::HashMap;

use async_graphql::parser::types::{
    ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Value as ConstValue, Variables};
use async_graphql_value::Value;

use crate::error::{Code, Error, Result};

/// Levels of fields; introspection as tools send it has 15.
pub const DEPTH: u32 = 16;
/// Levels of fields, fragments and inline fragments. The schema's `limit_recursive_depth` is the same.
pub const NESTING: u32 = 64;
/// Objects that an operation may make, pages counted by their size.
pub const COST: u32 = 5_000;
/// The same of one event of a subscription.
const EVENT_COST: u32 = 1_000;
/// Edges of a page that says nothing of its size.
const USUAL_PAGE: u32 = 25;
/// Edges of a page at most; one that wants more is refused by its resolver.
const LARGEST_PAGE: u32 = 100;
/// What `sidebar` counts as: one for each ten that it may have, as all of it is read by a few statements.
const SIDEBAR: u32 = 100;
/// What it may have. Each page below it is read by a statement of its own, and counts in full.
const SIDEBAR_IN_FULL: u32 = 1_000;
/// Fields once every fragment is written out.
const FIELDS: u32 = 2_000;
/// The same, of all operations and fragments together: the library looks into each by itself.
const FIELDS_IN_ALL: u32 = 20_000;
/// Brackets of any kind inside one another in a text.
const BRACKETS: u32 = 100;
/// What a block string begins and ends with.
const BLOCK: &[u8] = b"\"\"\"";
/// Lists of introspection inside one another, such as the fields of the types of fields: each multiplies the answer.
const INTROSPECTED: u32 = 2;
const ALIASES: u32 = 60;
const DIRECTIVES: u32 = 60;
const ROOT_FIELDS: u32 = 30;
/// Mutations run one after the other, each in a transaction of its own.
const MUTATIONS: u32 = 10;
const OPERATIONS: u32 = 20;
const VARIABLES: u32 = 100;

/// How large a selection is, fragments written out.
#[derive(Clone, Copy, Default)]
struct Size {
    fields: u32,
    aliases: u32,
    directives: u32,
    /// Objects, pages counted by their size.
    cost: u32,
    /// Lists below that are read apart, wherever they are: each takes a statement.
    lists: u32,
    /// Whether its top holds the elements of a page.
    is_page: bool,
    /// Fields at its top.
    roots: u32,
    /// Lists of introspection inside one another.
    introspected: u32,
    /// Levels of fields.
    depth: u32,
    /// Levels of fields and fragments.
    nesting: u32,
}

/// Lets through a text that may be parsed: the parser walks values by recursion, and a thousand brackets inside one another
/// would end the whole process.
pub fn admit_text(text: &str) -> Result<()> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0u32);
    while at < bytes.len() {
        match bytes[at] {
            b'[' | b'{' | b'(' => depth += 1,
            b']' | b'}' | b')' => depth = depth.saturating_sub(1),
            // A backslash escapes nothing in a comment.
            b'#' => at += bytes[at..].iter().take_while(|byte| !matches!(byte, b'\n' | b'\r')).count(),
            b'"' if bytes[at..].starts_with(BLOCK) => at = skip(bytes, at + 3, |rest| rest.starts_with(BLOCK)) + 2,
            b'"' => at = skip(bytes, at + 1, |rest| matches!(rest[0], b'"' | b'\n' | b'\r')),
            _ => {}
        }
        within("brackets inside one another", depth, BRACKETS)?;
        at += 1;
    }
    Ok(())
}

/// Where a string ends that goes on at `at`; what a backslash escapes ends nothing.
fn skip(bytes: &[u8], mut at: usize, ends: impl Fn(&[u8]) -> bool) -> usize {
    while at < bytes.len() && !ends(&bytes[at..]) {
        at += match bytes[at] {
            b'\\' if bytes[at + 1..].starts_with(BLOCK) => 4,
            b'\\' => 2,
            _ => 1,
        };
    }
    at
}

/// Lets through what may run.
pub fn admit(document: &ExecutableDocument, variables: &Variables) -> Result<()> {
    let mut measure = Measure { document, variables, fragments: HashMap::new() };
    let mut fields_in_all = 0u32;
    within("operations", document.operations.iter().count() as u32, OPERATIONS)?;
    for (_, operation) in document.operations.iter() {
        let size = measure.selection(&operation.node.selection_set.node, 0)?;
        admit_operation(&operation.node, &size)?;
        fields_in_all = fields_in_all.saturating_add(size.fields);
    }
    for name in document.fragments.keys() {
        fields_in_all = fields_in_all.saturating_add(measure.fragment(name, 0)?.fields);
    }
    within("fields", fields_in_all, FIELDS_IN_ALL)
}

fn admit_operation(operation: &OperationDefinition, size: &Size) -> Result<()> {
    // async-graphql 8 lets several fields through, and runs none that stands in a fragment: such a subscription would
    // complete at once, without an event or an error.
    let is_one_field =
        matches!(&*operation.selection_set.node.items, [only] if matches!(only.node, Selection::Field(_)));
    if operation.ty == OperationType::Subscription && !is_one_field {
        let message = "A subscription has one field at its root, outside of fragments";
        return Err(Error::new(Code::GraphqlValidationFailed, message));
    }
    let roots = if operation.ty == OperationType::Mutation { MUTATIONS } else { ROOT_FIELDS };
    let cost = if operation.ty == OperationType::Subscription { EVENT_COST } else { COST };
    within("objects", size.cost, cost)?;
    within("lists of introspection inside one another", size.introspected, INTROSPECTED)?;
    within("levels", size.depth, DEPTH)?;
    within("levels of fragments", size.nesting, NESTING)?;
    within("fields", size.fields, FIELDS)?;
    within("fields at its root", size.roots, roots)?;
    within("aliases", size.aliases, ALIASES)?;
    within("directives", size.directives.saturating_add(operation.directives.len() as u32), DIRECTIVES)?;
    within("variables", operation.variable_definitions.len() as u32, VARIABLES)
}

fn within(what: &str, cost: u32, limit: u32) -> Result<()> {
    if cost <= limit {
        return Ok(());
    }
    let message = format!("The operation has too many {what}: at most {limit} are allowed");
    Err(Error::new(Code::OperationTooComplex, message).with("cost", cost).with("limit", limit))
}

struct Measure<'d> {
    document: &'d ExecutableDocument,
    variables: &'d Variables,
    /// What was measured before; `None` for a fragment being measured.
    fragments: HashMap<&'d Name, Option<Size>>,
}

impl<'d> Measure<'d> {
    /// `level` bounds our own recursion, the sizes bound that of others.
    fn selection(&mut self, set: &'d SelectionSet, level: u32) -> Result<Size> {
        within("levels of fragments", level, NESTING)?;
        let mut sum = Size::default();
        for selection in &set.items {
            let directives = selection.node.directives().len() as u32;
            let inner = match &selection.node {
                Selection::Field(field) => {
                    let below = self.selection(&field.node.selection_set.node, level + 1)?;
                    let name = field.node.name.node.as_str();
                    let is_element = matches!(name, "edges" | "nodes" | "pageInfo") && field.node.arguments.is_empty();
                    let own = match name {
                        "nodes" if is_element => 1,
                        // Its node counts itself.
                        "edges" if is_element => u32::from(below.cost == 0),
                        "pageInfo" => 0,
                        _ => u32::from(!field.node.selection_set.node.items.is_empty()),
                    };
                    let elements = self.elements(&field.node, below.is_page);
                    let cost = match name {
                        // Each is an object of its own; `nodes` of the root.
                        "nodes" if !is_element => below.cost.saturating_add(own).saturating_mul(elements),
                        "sidebar" => {
                            let together = below.cost.saturating_add(own).saturating_mul(SIDEBAR);
                            together.saturating_add(below.lists.saturating_mul(SIDEBAR_IN_FULL))
                        }
                        _ => below.cost.saturating_mul(elements).saturating_add(own),
                    };
                    let is_introspected = matches!(name, "fields" | "interfaces" | "possibleTypes" | "inputFields");
                    let lists =
                        below.lists.saturating_mul(elements).saturating_add(is_list(&field.node, &below).into());
                    Size {
                        cost,
                        lists,
                        introspected: below.introspected + u32::from(is_introspected),
                        is_page: is_element,
                        fields: below.fields.saturating_add(1),
                        aliases: below.aliases.saturating_add(field.node.alias.is_some().into()),
                        roots: 1,
                        depth: below.depth + 1,
                        ..below
                    }
                }
                Selection::InlineFragment(inline) => self.selection(&inline.node.selection_set.node, level + 1)?,
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node, level + 1)?,
            };
            sum.add(&Size { directives: inner.directives.saturating_add(directives), ..inner });
        }
        Ok(sum)
    }

    /// How often what is below a field is made.
    fn elements(&self, field: &Field, is_page: bool) -> u32 {
        let number = |name| field.get_argument(name).map(|value| self.number(&value.node));
        let wanted = match field.name.node.as_str() {
            "messagesAround" | "repliesAround" => {
                let side = |name| number(name).unwrap_or(USUAL_PAGE);
                return side("before").saturating_add(side("after")).min(LARGEST_PAGE);
            }
            "presences" => return field.get_argument("userIds").map_or(1, |ids| self.length(&ids.node)),
            // Of one delivery.
            "signals" => return LARGEST_PAGE,
            "nodes" => return field.get_argument("ids").map_or(1, |ids| self.length(&ids.node)),
            // Of a conversation; the ones in a delivery are one each.
            "events" if field.get_argument("after").is_some() => Some(number("first").unwrap_or(LARGEST_PAGE)),
            _ => number("first").max(number("last")),
        };
        match wanted {
            Some(wanted) => wanted.min(LARGEST_PAGE),
            None if is_page => USUAL_PAGE,
            None => 1,
        }
    }

    fn number(&self, value: &Value) -> u32 {
        let number = match value {
            Value::Number(number) => number.as_u64(),
            Value::Variable(name) => match self.variables.get(name) {
                Some(ConstValue::Number(number)) => number.as_u64(),
                // Its default stands elsewhere: as much as there may be.
                _ => None,
            },
            Value::Null => Some(USUAL_PAGE.into()),
            _ => None,
        };
        number.map_or(LARGEST_PAGE, |number| number.min(LARGEST_PAGE.into()) as u32)
    }

    fn length(&self, value: &Value) -> u32 {
        match value {
            Value::List(values) => values.len() as u32,
            Value::Variable(name) => match self.variables.get(name) {
                Some(ConstValue::List(values)) => values.len() as u32,
                _ => LARGEST_PAGE,
            },
            _ => 1,
        }
    }

    fn fragment(&mut self, name: &Name, level: u32) -> Result<Size> {
        // One that does not exist is for validation to name.
        let Some((name, fragment)) = self.document.fragments.get_key_value(name) else { return Ok(Size::default()) };
        match self.fragments.get(name) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => {
                let message = format!("The fragment \"{name}\" contains itself");
                return Err(Error::new(Code::GraphqlValidationFailed, message));
            }
            None => {}
        }
        self.fragments.insert(name, None);
        let size = self.selection(&fragment.node.selection_set.node, level)?;
        self.fragments.insert(name, Some(size));
        Ok(size)
    }
}

/// Whether a field is a list that is read apart from others of its kind: a page, or part of a log.
fn is_list(field: &Field, below: &Size) -> bool {
    let arguments = ["first", "after", "last", "before", "around"];
    below.is_page
        || arguments.iter().any(|name| field.get_argument(name).is_some())
        || matches!(field.name.node.as_str(), "messages" | "messagesAround" | "replies" | "repliesAround" | "members")
}

impl Size {
    /// Adds what stands beside it, one level further in.
    fn add(&mut self, other: &Size) {
        self.cost = self.cost.saturating_add(other.cost);
        self.lists = self.lists.saturating_add(other.lists);
        self.is_page |= other.is_page;
        self.fields = self.fields.saturating_add(other.fields);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.roots = self.roots.saturating_add(other.roots);
        self.introspected = self.introspected.max(other.introspected);
        self.depth = self.depth.max(other.depth);
        self.nesting = self.nesting.max(other.nesting + 1);
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::json;

    use super::*;

    fn code_of(text: &str) -> Option<Code> {
        code_with(text, json!({}))
    }

    fn code_with(text: &str, variables: serde_json::Value) -> Option<Code> {
        let variables = Variables::from_json(variables);
        admit(&parse_query(text).unwrap(), &variables).err().map(|error| error.code())
    }

    #[test]
    fn pages_of_pages_are_counted_by_their_size() {
        let page =
            "conversation { messages(last: 50) { edges { cursor node { author { id } replyTo { author { id } } } }
            pageInfo { endCursor } } }";
        assert_eq!(code_of(&format!("{{ {page} }}")), None);
        for pages in [
            "{ a { messages(last: 100) { nodes { conversation { messages(last: 100) { nodes { id author { id } } } } } } } }",
            "{ a { messages { nodes { ...F } } } } fragment F on T { b { messages(first: 100) { edges { node { c { d } } } } } }",
            "{ a { messages(last: 100) { nodes { b { messages(last: 100) { nodes { seq } } } } } } }",
            "{ a { messages(first: null, last: 100) { edges { node { b { messages(first: null, last: 50) { edges { node { seq } } } } } } } } }",
            "{ a: nodes(ids: [1,2,3]) { id } b { messages(last: 100) { nodes { c { members(first: 60) { nodes { id } } } } } } }",
            "query($n: Int = 1) { channels(first: $n) { nodes { messages(last: $n) { nodes { author { id } } } } } }",
        ] {
            assert_eq!(code_of(pages), Some(Code::OperationTooComplex), "{pages}");
        }
        let small =
            "query($n: Int) { channels(first: $n) { nodes { messages(last: $n) { nodes { author { id } } } } } }";
        assert_eq!(code_with(small, json!({ "n": 10 })), None);
        assert_eq!(code_with(small, json!({ "n": 100 })), Some(Code::OperationTooComplex));
    }

    #[test]
    fn a_sidebar_costs_one_for_each_ten() {
        let sidebar = |objects: usize| {
            let objects: String = (1..objects).map(|at| format!("f{at}: conversation {{ id }} ")).collect();
            code_of(&format!("{{ viewer {{ sidebar {{ id {objects} }} }} }}"))
        };
        // The viewer is one, a hundred times 49 are the rest; another hundred are too many.
        assert_eq!(sidebar(49), None);
        assert_eq!(sidebar(50), Some(Code::OperationTooComplex));
        let alone = |count: usize| {
            let sidebars: String = (0..count).map(|at| format!("s{at}: sidebar {{ id }} ")).collect();
            code_of(&format!("{{ viewer {{ {sidebars} }} }}"))
        };
        assert_eq!((alone(49), alone(50)), (None, Some(Code::OperationTooComplex)));
        // A page is read for each of a thousand.
        let paged = |count: usize| {
            let pages: String = (0..count).map(|at| format!("p{at}: messages(last: 0) {{ seq }} ")).collect();
            code_of(&format!("{{ viewer {{ sidebar {{ id conversation {{ {pages} }} }} }} }}"))
        };
        assert_eq!((paged(4), paged(5)), (None, Some(Code::OperationTooComplex)));
        let fragments = "{ viewer { sidebar { ...S } } } fragment S on T { conversation { members { nodes { user { id } } }
            lastMessage { replies(first: 1) { nodes { id } } ...R } } } fragment R on M { thread { messages { nodes { id } } } }";
        assert_eq!(code_of(fragments), Some(Code::OperationTooComplex));
    }

    #[test]
    fn what_people_send_is_admitted() {
        for text in [
            "{ a }",
            "query Q($x: Int) { a(x: $x) { ...F } } fragment F on T { b c { ... on U { d } } }",
            "mutation { a b c }",
        ] {
            assert_eq!(code_of(text), None, "{text}");
        }
    }

    #[test]
    fn fragments_that_double_one_another_cost_nothing_to_refuse() {
        let mut text = String::from("{ ...F0 } fragment F40 on T { a }");
        for at in 0..40 {
            let next = at + 1;
            text.push_str(&format!(" fragment F{at} on T {{ x {{ ...F{next} }} ... on T {{ ...F{next} }} }}"));
        }
        let begin = std::time::Instant::now();
        assert_eq!(code_of(&text), Some(Code::OperationTooComplex));
        assert!(begin.elapsed() < std::time::Duration::from_millis(100));
    }

    #[test]
    fn brackets_that_would_end_the_process_are_not_parsed() {
        for (open, close) in [("[", "]"), ("{a:", "}"), ("[{a:[", "]}]")] {
            let text = format!("{{ a(b: {}{}) }}", open.repeat(5_000), close.repeat(5_000));
            assert_eq!(admit_text(&text).unwrap_err().code(), Code::OperationTooComplex);
        }
        // What stands in strings and comments closes nothing.
        for hidden in ["\"]\"", "\"\"\"]\"\"\"", "\"\\\"]\"", "\"\"\"\\\"\"\"]\"\"\"", "#]\n", "#\\\n"] {
            let text = format!("{{ a(b: {}) }}", format!("[{hidden} ").repeat(200));
            assert!(admit_text(&text).is_err(), "{hidden}");
        }
        assert!(admit_text("{ a(b: \"[[[[\") { c } } # [[[[").is_ok());
    }

    #[test]
    fn introspection_does_not_multiply() {
        let text = "{ __type(name: \"Node\") { possibleTypes { interfaces { possibleTypes { name } } } } }";
        assert_eq!(code_of(text), Some(Code::OperationTooComplex));
        let tools =
            "{ __schema { types { fields { args { type { ofType { ofType { name } } } } type { name } } possibleTypes {
            name } inputFields { type { name } } enumValues { name } } } }";
        assert_eq!(code_of(tools), None);
    }

    #[test]
    fn a_fragment_that_contains_itself_is_refused() {
        let text = "{ ...A } fragment A on T { ...B } fragment B on T { x ...A }";
        assert_eq!(code_of(text), Some(Code::GraphqlValidationFailed));
    }

    #[test]
    fn root_fields_are_counted_through_fragments() {
        let fields = (0..11).map(|at| format!("f{at}: a ")).collect::<String>();
        let text = format!("mutation {{ ...M }} fragment M on Mutation {{ {fields} }}");
        assert_eq!(code_of(&text), Some(Code::OperationTooComplex));
        assert_eq!(code_of(&text.replace("mutation", "query")), None);
    }

    #[test]
    fn a_subscription_has_one_field_outside_of_fragments() {
        for text in ["subscription { a b }", "subscription { ...F } fragment F on Subscription { a }"] {
            assert_eq!(code_of(text), Some(Code::GraphqlValidationFailed), "{text}");
        }
        assert_eq!(code_of("subscription { a { b ...F } } fragment F on T { c }"), None);
    }

    #[test]
    fn a_chain_of_fragments_without_fields_does_not_exhaust_the_stack() {
        let mut text = String::from("{ ...F0 } fragment F2000 on T { a }");
        for at in 0..2000 {
            text.push_str(&format!(" fragment F{at} on T {{ ...F{} }}", at + 1));
        }
        assert_eq!(code_of(&text), Some(Code::OperationTooComplex));
    }
}
