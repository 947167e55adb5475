//! Refuses a document that would cost too much before anything else walks it.
//!
//! About a kilobyte of fragments that spread each other doubles its work with every fragment, and async-graphql walks
//! fragments without a memory, comparing its own limits only afterwards. So each fragment is measured once here and
//! remembered; sums saturate. All operations and fragments are measured, also those that are not run: the library
//! walks them all.

use std::collections::HashMap;

use async_graphql::Name;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet};

use crate::error::{Code, Error, Result};

/// Levels of fields; introspection as tools send it has 15.
const DEPTH: u32 = 16;
/// Levels of fields, fragments and inline fragments. The schema's `limit_recursive_depth` is the same.
pub const NESTING: u32 = 64;
/// Fields once every fragment is written out.
const FIELDS: u32 = 2_000;
/// The same, of all operations and fragments together: the library looks into each by itself.
const FIELDS_IN_ALL: u32 = 20_000;
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
    /// Fields at its top.
    roots: u32,
    /// Levels of fields.
    depth: u32,
    /// Levels of fields and fragments.
    nesting: u32,
}

/// Lets through what may run.
pub fn admit(document: &ExecutableDocument) -> Result<()> {
    let mut measure = Measure { document, fragments: HashMap::new() };
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
                    Size {
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

impl Size {
    /// Adds what stands beside it, one level further in.
    fn add(&mut self, other: &Size) {
        self.fields = self.fields.saturating_add(other.fields);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.roots = self.roots.saturating_add(other.roots);
        self.depth = self.depth.max(other.depth);
        self.nesting = self.nesting.max(other.nesting + 1);
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn code_of(text: &str) -> Option<Code> {
        admit(&parse_query(text).unwrap()).err().map(|error| error.code())
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
