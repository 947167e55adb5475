//! Refuses a document that would cost too much before anything else walks it.
//!
//! About a kilobyte of fragments that spread each other doubles its work with every fragment, and async-graphql walks
//! fragments without a memory, comparing its own limits only afterwards. So each fragment is measured once here and
//! remembered; sums saturate. All operations and fragments are measured, also those that are not run: the library
//! walks them all.
//!
//! A measure depends on the text alone and is taken once for all who send the same document. What their variables say,
//! the sizes of pages, is put in for each request.

mod cost;
mod weights;

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet};
use async_graphql::{Name, Positioned, Variables};

use cost::{Cost, Varying};

use crate::error::{Code, Error, Result};

/// Levels of fields; introspection as tools send it has 15.
pub const DEPTH: u32 = 16;
/// Levels of fields, fragments and inline fragments. The schema's `limit_recursive_depth` is the same.
pub const NESTING: u32 = 64;
/// Objects that an operation may make, pages counted by their size.
pub const COST: u32 = 5_000;
/// The same of one event of a subscription.
const EVENT_COST: u32 = 1_000;
/// Fields once every fragment is written out.
const FIELDS: u32 = 2_000;
/// The same, of all operations and fragments together: the library looks into each by itself.
const FIELDS_IN_ALL: u32 = 20_000;
/// Brackets of any kind inside one another in a text.
const BRACKETS: u32 = 100;
/// What a block string begins and ends with.
const BLOCK: &[u8] = b"\"\"\"";
/// The same as a part of it.
const ESCAPED_BLOCK: &[u8] = b"\\\"\"\"";
/// Lists of introspection inside one another, such as the fields of the types of fields: each multiplies the answer.
const INTROSPECTED: u32 = 2;
const ALIASES: u32 = 60;
const DIRECTIVES: u32 = 60;
const ROOT_FIELDS: u32 = 30;
/// Mutations run one after the other, each in a transaction of its own.
const MUTATIONS: u32 = 10;
const OPERATIONS: u32 = 20;
const VARIABLES: u32 = 100;

/// How large a document is that may be run, if its variables allow it.
pub struct Measured {
    operations: Vec<MeasuredOperation>,
    /// Fragments whose pages are as large as variables say; one spreads only those before it.
    fragments: Vec<Cost>,
}

struct MeasuredOperation {
    name: Option<Name>,
    cost: Cost,
    /// What it may cost.
    limit: u32,
    /// Its fields at the root, each as often as it stands there.
    roots: Vec<Name>,
}

impl MeasuredOperation {
    fn is_meant_by(&self, name: Option<&str>) -> bool {
        name.is_none_or(|name| self.name.as_deref() == Some(name))
    }
}

/// How large a selection is, fragments written out.
#[derive(Clone, Default)]
struct Size {
    fields: u32,
    aliases: u32,
    directives: u32,
    cost: Cost,
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

/// Lets through a text that may be parsed: the parser walks values by recursion, as does whatever walks them after it, and
/// thousands of brackets inside one another could end the whole process. By itself the parser stops only where it can find
/// out how much stack is left.
pub fn admit_text(text: &str) -> Result<()> {
    within("brackets inside one another", brackets(text.as_bytes())?, BRACKETS)
}

/// How many brackets stand inside one another. Those in strings and comments are none: each has to end here where it ends
/// for the parser, or what looks like a string here would hide brackets that the parser reads.
fn brackets(text: &[u8]) -> Result<u32> {
    let (mut at, mut depth, mut most) = (0, 0u32, 0);
    while at < text.len() {
        at = match text[at] {
            b'"' if text[at..].starts_with(BLOCK) => end_of_block(text, at + BLOCK.len())?,
            b'"' => end_of_string(text, at + 1),
            // A backslash escapes nothing in a comment.
            b'#' => at + text[at..].iter().take_while(|byte| !matches!(byte, b'\n' | b'\r')).count(),
            b'[' | b'{' | b'(' => {
                depth += 1;
                most = most.max(depth);
                at + 1
            }
            b']' | b'}' | b')' => {
                depth = depth.saturating_sub(1);
                at + 1
            }
            _ => at + 1,
        };
    }
    Ok(most)
}

/// Where a block string ends that goes on at `at`. A backslash escapes nothing but three quotes in it, not even another
/// backslash. One that is not closed is refused here: for the parser its first two quotes are an empty string, and it reads
/// on behind them.
fn end_of_block(text: &[u8], mut at: usize) -> Result<usize> {
    while at < text.len() {
        if text[at..].starts_with(BLOCK) {
            return Ok(at + BLOCK.len());
        }
        at += if text[at..].starts_with(ESCAPED_BLOCK) { ESCAPED_BLOCK.len() } else { 1 };
    }
    Err(Error::new(Code::GraphqlParseFailed, "Syntax error: a block string is not closed"))
}

/// Where another string ends: with its line, if it is not closed, and then the parser reads no further.
fn end_of_string(text: &[u8], mut at: usize) -> usize {
    while at < text.len() {
        match text[at] {
            b'"' | b'\n' | b'\r' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

/// Measures a document, unless it is too large whatever its variables say.
pub fn measure(document: &ExecutableDocument) -> Result<Measured> {
    let mut measure = Measure { document, sizes: HashMap::new(), fragments: Vec::new() };
    let mut operations = Vec::new();
    let mut fields_in_all = 0u32;
    within("operations", document.operations.iter().count() as u32, OPERATIONS)?;
    for (name, operation) in document.operations.iter() {
        let selection = &operation.node.selection_set.node;
        let size = measure.selection(selection, 0)?;
        let limit = if operation.node.ty == OperationType::Subscription { EVENT_COST } else { COST };
        admit_operation(&operation.node, &size)?;
        fields_in_all = fields_in_all.saturating_add(size.fields);
        let roots = roots(document, selection);
        operations.push(MeasuredOperation { name: name.cloned(), cost: size.cost, limit, roots });
    }
    for name in document.fragments.keys() {
        fields_in_all = fields_in_all.saturating_add(measure.fragment(name, 0)?.fields);
    }
    within("fields", fields_in_all, FIELDS_IN_ALL)?;
    Ok(Measured { operations, fragments: measure.fragments })
}

impl Measured {
    /// Lets through what may run with these variables. Answers how many objects the operation of this name makes, or the
    /// only one; a subscription, for an event.
    pub fn admit(&self, name: Option<&str>, variables: &Variables) -> Result<u32> {
        let mut fragments = Vec::with_capacity(self.fragments.len());
        for fragment in &self.fragments {
            fragments.push(fragment.with(variables, &fragments));
        }
        let mut meant = 0;
        for operation in &self.operations {
            let cost = operation.cost.with(variables, &fragments);
            within("objects", cost, operation.limit)?;
            if operation.is_meant_by(name) {
                meant = cost;
            }
        }
        Ok(meant)
    }

    /// Whether any of its operations asks for the schema: nothing but the roots of queries has fields that do.
    pub fn introspects(&self) -> bool {
        let mut roots = self.operations.iter().flat_map(|operation| &operation.roots);
        roots.any(|field| matches!(field.as_str(), "__schema" | "__type"))
    }

    /// The fields at the root of the operation of this name, or of the only one, each as often as it stands there.
    pub fn roots(&self, name: Option<&str>) -> &[Name] {
        let meant = self.operations.iter().find(|operation| operation.is_meant_by(name));
        meant.map_or(&[], |operation| &operation.roots)
    }
}

/// The fields at the root of an operation, fragments written out. They are few: they have been counted.
fn roots(document: &ExecutableDocument, set: &SelectionSet) -> Vec<Name> {
    let below = |selection: &Positioned<Selection>| match &selection.node {
        Selection::Field(field) => vec![field.node.name.node.clone()],
        Selection::InlineFragment(inline) => roots(document, &inline.node.selection_set.node),
        Selection::FragmentSpread(spread) => {
            let fragment = document.fragments.get(&spread.node.fragment_name.node);
            fragment.map(|fragment| roots(document, &fragment.node.selection_set.node)).unwrap_or_default()
        }
    };
    set.items.iter().flat_map(below).collect()
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
    /// What was measured before; `None` for a fragment being measured.
    sizes: HashMap<&'d Name, Option<Size>>,
    fragments: Vec<Cost>,
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
                    let elements = weights::elements(&field.node, below.is_page, below.lists);
                    let is_list = weights::is_list(&field.node, below.is_page);
                    // With pages as large as variables may make them.
                    let most = elements.with(&Variables::default());
                    let lists = below.lists.saturating_mul(most).saturating_add(is_list.into());
                    let own = weights::own(&field.node, below.is_page);
                    let cost = Cost::of(below.cost, elements, own);
                    let cost = weights::with_surroundings(&field.node, cost, below.lists);
                    let is_introspected = matches!(name, "fields" | "interfaces" | "possibleTypes" | "inputFields");
                    Size {
                        cost,
                        lists,
                        introspected: below.introspected + u32::from(is_introspected),
                        is_page: weights::is_element(&field.node),
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
            sum.add(Size { directives: inner.directives.saturating_add(directives), ..inner });
        }
        Ok(sum)
    }

    fn fragment(&mut self, name: &Name, level: u32) -> Result<Size> {
        // One that does not exist is for validation to name.
        let Some((name, fragment)) = self.document.fragments.get_key_value(name) else { return Ok(Size::default()) };
        match self.sizes.get(name) {
            Some(Some(size)) => return Ok(size.clone()),
            Some(None) => {
                let message = format!("The fragment \"{name}\" contains itself");
                return Err(Error::new(Code::GraphqlValidationFailed, message));
            }
            None => {}
        }
        self.sizes.insert(name, None);
        let mut size = self.selection(&fragment.node.selection_set.node, level)?;
        if !size.cost.varying.is_empty() {
            let place = Varying::Fragment(self.fragments.len());
            self.fragments.push(std::mem::take(&mut size.cost));
            size.cost.varying.push(place);
        }
        self.sizes.insert(name, Some(size.clone()));
        Ok(size)
    }
}

impl Size {
    /// Adds what stands beside it, one level further in.
    fn add(&mut self, other: Size) {
        self.cost.add(other.cost);
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
    use async_graphql::Value;
    use async_graphql::parser::parse_query;
    use serde_json::json;

    use super::*;

    fn code_of(text: &str) -> Option<Code> {
        code_with(text, json!({}))
    }

    fn code_with(text: &str, variables: serde_json::Value) -> Option<Code> {
        let variables = Variables::from_json(variables);
        let measured = measure(&parse_query(text).unwrap());
        measured.and_then(|measured| measured.admit(None, &variables).map(drop)).err().map(|error| error.code())
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
    fn one_measure_holds_for_all_variables() {
        let text =
            "query($n: Int, $ids: [ID!]!) { nodes(ids: $ids) { ...F } channels(first: $n) { nodes { ...F ...F } } }
            fragment F on T { ...G messagesAround(before: $n, after: 0) { edges { node { author { id } } } } }
            fragment G on T { messages(last: $n) { edges { cursor } } }";
        let measured = measure(&parse_query(text).unwrap()).unwrap();
        // G: n + 1; F: G + 2n + 1; in all ids * (1 + F) + n * (1 + 2F) + 1.
        let cost = |n: u32, ids: u32| {
            let variables = Variables::from_json(json!({ "n": n, "ids": vec!["x"; ids as usize] }));
            let mut fragments = Vec::new();
            for fragment in &measured.fragments {
                fragments.push(fragment.with(&variables, &fragments));
            }
            measured.operations[0].cost.with(&variables, &fragments)
        };
        for (n, ids) in [(0, 0), (1, 1), (3, 2), (10, 50), (100, 0)] {
            let f = 3 * n + 2;
            assert_eq!(cost(n, ids), ids * (1 + f) + n * (1 + 2 * f) + 1, "{n} {ids}");
        }
        let admits = |variables| measured.admit(None, &Variables::from_json(variables)).is_ok();
        assert!(admits(json!({ "n": 10, "ids": ["a"] })));
        assert!(!admits(json!({ "n": 100, "ids": ["a"] })));
        assert!(!admits(json!({ "n": 10, "ids": vec!["a"; 200] })));
        assert!(!admits(json!({ "ids": [] })) && !admits(json!({ "n": "10", "ids": [] })));
    }

    #[test]
    fn people_of_threads_and_mentions_are_counted() {
        let below = |field: &str| {
            code_of(&format!("{{ conversation(id: \"1\") {{ messages(last: 100) {{ nodes {{ {field} }} }} }} }}"))
        };
        assert_eq!(below("thread { participants { id } }"), None);
        assert_eq!(below("thread { participants(limit: 40) { id } }"), None);
        assert_eq!(below("thread { participants(limit: 100) { id } }"), Some(Code::OperationTooComplex));
        assert_eq!(below("mentions { kind user { id } }"), None);
        assert_eq!(
            below(
                "mentions { user { a: presence { status } b: presence { status } c: presence { status }
            d: presence { status } e: presence { status } f: presence { status } g: presence { status }
            h: presence { status } i: presence { status } } }"
            ),
            Some(Code::OperationTooComplex)
        );
        // Those of the viewer come in pages.
        assert_eq!(code_of("{ viewer { mentions(first: 100) { nodes { author { id } } } } }"), None);
    }

    #[test]
    fn categories_cost_one_for_each_ten_and_in_full_with_their_channels() {
        let boot = "{ viewer { groups(first: 50) { nodes { id categories { id name } } } } }";
        assert_eq!(code_of(boot), None);
        let channels =
            |first: usize| code_of(&format!("{{ categories {{ channels(first: {first}) {{ nodes {{ id }} }} }} }}"));
        assert_eq!((channels(40), channels(60)), (None, Some(Code::OperationTooComplex)));
        let of_groups = "{ groups(first: 5) { nodes { categories { channels(first: 25) { nodes { id } } } } } }";
        assert_eq!(code_of(of_groups), Some(Code::OperationTooComplex));
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
    fn reactions_cost_one_for_each_ten() {
        let page = |last: u32, below: &str| {
            code_of(&format!("{{ a {{ messages(last: {last}) {{ nodes {{ reactions {{ emoji {below} }} }} }} }} }}"))
        };
        assert_eq!(page(100, ""), None);
        assert_eq!(page(100, "reactors(first: 5) { nodes { id } }"), None);
        assert_eq!(page(100, "reactors(first: 10) { nodes { id } }"), Some(Code::OperationTooComplex));
        assert_eq!(page(10, "reactors(first: 100) { edges { node { id } } }"), Some(Code::OperationTooComplex));
    }

    #[test]
    fn events_of_many_conversations_cost_one_for_each_four() {
        let ask = |first: &str| {
            let text = format!(
                "query($at: [ConversationPosition!]!) {{ conversationEventsSince(positions: $at{first}) {{
                    conversation {{ id }} batch {{ events {{ message {{ author {{ id }} }} }} }} }} }}"
            );
            let of = |count: usize| code_with(&text, json!({ "at": vec![json!({}); count] }));
            (of(100), of(50), of(10))
        };
        let too_much = Some(Code::OperationTooComplex);
        assert_eq!(ask(""), (None, None, None));
        assert_eq!(ask(", firstPerConversation: 40"), (too_much, None, None));
        assert_eq!(ask(", firstPerConversation: 100"), (too_much, too_much, None));
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
        // Two empty strings; a block string with an escape in it; a string, a block string and an empty one.
        for before in [r#""""""#, r#""""\\"""""""#, r#""\"""""""""#] {
            let text = |deep: usize| format!("{{ a(b: [{before} {}{}]) }}", "[".repeat(deep), "]".repeat(deep));
            assert!(parse_query(text(10)).is_ok(), "{before}");
            assert!(admit_text(&text(5_000)).is_err(), "{before}");
        }
    }

    #[test]
    fn brackets_are_counted_as_the_parser_reads_them() {
        fn depth(value: &Value) -> u32 {
            match value {
                Value::List(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
                Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
                _ => 0,
            }
        }
        let pieces = [
            "\"", "\"\"", "\"\"\"", "\\\"\"\"", "\\", "\\\\", "\\\"", "\\u005b", "#", "\n", "\r", "\r\n", "\u{feff}",
            "\u{2028}", " ", ",", "ø", "0", "[[]]", "{x:[{}]}", "[", "]",
        ];
        let mut random: u64 = 20_261_122;
        let mut below = |bound: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as usize % bound
        };
        let mut parsed = 0;
        for _ in 0..40_000 {
            let middle: String = (0..=below(9)).map(|_| pieces[below(pieces.len())]).collect();
            let text = format!("{{ a(b: [{middle}\n]) }}");
            let Ok(tree) = parse_query(&text) else { continue };
            // One that is not closed.
            let Ok(counted) = brackets(text.as_bytes()) else { continue };
            let (_, operation) = tree.operations.iter().next().unwrap();
            let Selection::Field(field) = &operation.node.selection_set.node.items[0].node else { panic!("{text}") };
            let value = field.node.arguments[0].1.node.clone().into_const().unwrap();
            assert_eq!(counted, 2 + depth(&value), "{text}");
            parsed += 1;
        }
        assert!(parsed > 2_000, "{parsed}");
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
    fn what_stands_at_the_root_is_known_through_fragments_and_aliases() {
        let text = "query Q { x } mutation M { a: login ...F ... on Mutation { b: login } } fragment F on Mutation { register }";
        let measured = measure(&parse_query(text).unwrap()).unwrap();
        assert_eq!(measured.roots(Some("M")), ["login", "register", "login"]);
        assert_eq!(measured.roots(Some("Q")), ["x"]);
        assert!(!measured.introspects());
    }

    #[test]
    fn what_asks_for_the_schema_is_known_wherever_it_stands() {
        let introspects = |text: &str| measure(&parse_query(text).unwrap()).unwrap().introspects();
        for text in [
            "{ __schema { queryType { name } } }",
            "{ a: __type(name: \"Query\") { name } }",
            "{ ...F } fragment F on Query { ... { __schema { queryType { name } } } }",
            "query A { a } query B { __type(name: \"Query\") { name } }",
            "query($no: Boolean = false) { __schema @include(if: $no) { queryType { name } } }",
        ] {
            assert!(introspects(text), "{text}");
        }
        assert!(!introspects("{ __typename a { __typename b(name: \"__schema\") { __schema } } }"));
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
