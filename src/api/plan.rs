//! What a subscription shows may depend on who looks. The schema says of each field whether it does, by `@perViewer`;
//! a document that selects none of these can be executed once for all who send it.

use std::collections::{BTreeMap, HashMap};

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, Directive, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet, Type,
    TypeKind, TypeSystemDefinition,
};
use async_graphql::{Name, Positioned, Variables};
use async_graphql_value::Value;

use crate::directive;

/// The root that subscriptions select from.
const SUBSCRIPTION: &str = "Subscription";

/// Which fields of a schema depend on who asks, and what the others lead to. Read from its SDL: the registry of the
/// library is its own.
pub struct Marks(HashMap<String, HashMap<String, Mark>>);

struct Mark {
    is_per_viewer: bool,
    leads_to: String,
}

impl Marks {
    pub fn read(sdl: &str) -> Self {
        let mut marks = HashMap::<String, HashMap<String, Mark>>::new();
        let mut implemented = Vec::new();
        let schema = parse_schema(sdl).expect("the library parses what it has written");
        for definition in schema.definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let name = definition.node.name.node.to_string();
            let fields = match definition.node.kind {
                TypeKind::Object(object) => {
                    implemented.extend(object.implements.into_iter().map(|of| (of.node.to_string(), name.clone())));
                    object.fields
                }
                TypeKind::Interface(interface) => interface.fields,
                _ => continue,
            };
            let fields = fields.into_iter().map(|field| {
                let is_per_viewer = field.node.directives.iter().any(|at| at.node.name.node == directive::PER_VIEWER);
                (field.node.name.node.to_string(), Mark { is_per_viewer, leads_to: base(&field.node.ty.node) })
            });
            marks.insert(name, fields.collect());
        }
        // An interface shows what any of its types shows.
        for (interface, of) in implemented {
            let marked = marks[&of].iter().filter(|(_, mark)| mark.is_per_viewer);
            let marked: Vec<String> = marked.map(|(field, _)| field.clone()).collect();
            for field in marked {
                if let Some(mark) = marks.get_mut(&interface).and_then(|fields| fields.get_mut(&field)) {
                    mark.is_per_viewer = true;
                }
            }
        }
        Self(marks)
    }

    /// How this document's subscriptions may be executed.
    pub fn plan(&self, document: &ExecutableDocument) -> Plan {
        let subscriptions = document
            .operations
            .iter()
            .map(|(_, operation)| &operation.node)
            .filter(|operation| is_subscription(operation));
        let mut plan = Plan { is_the_same_for_all: true, resumes_by: None };
        for operation in subscriptions {
            let selected = &operation.selection_set.node;
            plan.is_the_same_for_all &= self.is_the_same_for_all(document, SUBSCRIPTION, selected);
            plan.resumes_by = resumes_by(selected).filter(|name| uses(document, name) == 1).cloned();
        }
        plan
    }

    /// Whether everybody is shown the same by this selection. What is not known will be refused by the library.
    fn is_the_same_for_all(&self, document: &ExecutableDocument, on: &str, selections: &SelectionSet) -> bool {
        selections.items.iter().all(|selection| match &selection.node {
            Selection::Field(field) if field.node.name.node.starts_with("__") => true,
            Selection::Field(field) => {
                let mark = self.0.get(on).and_then(|fields| fields.get(field.node.name.node.as_str()));
                mark.is_some_and(|mark| {
                    !mark.is_per_viewer
                        && self.is_the_same_for_all(document, &mark.leads_to, &field.node.selection_set.node)
                })
            }
            Selection::InlineFragment(inline) => {
                let on = inline.node.type_condition.as_ref().map_or(on, |condition| condition.node.on.node.as_str());
                self.is_the_same_for_all(document, on, &inline.node.selection_set.node)
            }
            Selection::FragmentSpread(spread) => {
                document.fragments.get(&spread.node.fragment_name.node).is_some_and(|fragment| {
                    let on = fragment.node.type_condition.node.on.node.as_str();
                    self.is_the_same_for_all(document, on, &fragment.node.selection_set.node)
                })
            }
        })
    }
}

/// How a document's subscriptions may be executed.
pub struct Plan {
    /// Whether nothing in them depends on who asks.
    pub is_the_same_for_all: bool,
    /// The variable that says where a stream is resumed, and nothing else: it makes no difference to what is shown.
    resumes_by: Option<Name>,
}

impl Plan {
    /// What of the variables makes a difference to what is shown, in an order of its own.
    pub fn distinguishing(&self, variables: &Variables) -> String {
        let differ: BTreeMap<_, _> =
            variables.iter().filter(|(name, _)| Some(*name) != self.resumes_by.as_ref()).collect();
        serde_json::to_string(&differ).expect("has string keys only")
    }
}

fn is_subscription(operation: &OperationDefinition) -> bool {
    operation.ty == OperationType::Subscription
}

/// The variable given to `after` at the root.
fn resumes_by(root: &SelectionSet) -> Option<&Name> {
    let Selection::Field(field) = &root.items.first()?.node else { return None };
    match &field.node.get_argument("after")?.node {
        Value::Variable(name) => Some(name),
        _ => None,
    }
}

/// How often a document uses a variable.
fn uses(document: &ExecutableDocument, name: &Name) -> usize {
    let operations = document.operations.iter().map(|(_, operation)| &operation.node);
    let operations =
        operations.map(|one| in_directives(&one.directives, name) + in_selections(&one.selection_set, name));
    let fragments = document.fragments.values().map(|fragment| &fragment.node);
    let fragments = fragments.map(|one| in_directives(&one.directives, name) + in_selections(&one.selection_set, name));
    operations.chain(fragments).sum()
}

fn in_selections(selections: &Positioned<SelectionSet>, name: &Name) -> usize {
    let each = selections.node.items.iter().map(|selection| {
        in_directives(selection.node.directives(), name)
            + match &selection.node {
                Selection::Field(field) => {
                    in_arguments(&field.node.arguments, name) + in_selections(&field.node.selection_set, name)
                }
                Selection::InlineFragment(inline) => in_selections(&inline.node.selection_set, name),
                Selection::FragmentSpread(_) => 0,
            }
    });
    each.sum()
}

fn in_directives(directives: &[Positioned<Directive>], name: &Name) -> usize {
    directives.iter().map(|directive| in_arguments(&directive.node.arguments, name)).sum()
}

fn in_arguments(arguments: &[(Positioned<Name>, Positioned<Value>)], name: &Name) -> usize {
    arguments.iter().map(|(_, value)| in_value(&value.node, name)).sum()
}

fn in_value(value: &Value, name: &Name) -> usize {
    match value {
        Value::Variable(used) => usize::from(used == name),
        Value::List(values) => values.iter().map(|value| in_value(value, name)).sum(),
        Value::Object(fields) => fields.values().map(|value| in_value(value, name)).sum(),
        _ => 0,
    }
}

/// The type that a field leads to, without lists and without what may be null.
fn base(leads_to: &Type) -> String {
    match &leads_to.base {
        BaseType::Named(name) => name.to_string(),
        BaseType::List(of) => base(of),
    }
}
