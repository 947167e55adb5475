//! The schema as clients see it, for tests that go through all of it.

use std::sync::LazyLock;

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, ServiceDocument, Type, TypeDefinition, TypeKind,
    TypeSystemDefinition,
};

/// A field of an object, with its arguments.
#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    /// Name of the type, whatever stands around it.
    pub kind: String,
    pub arguments: Vec<Input>,
    /// Whether its value depends on who asks.
    pub is_per_viewer: bool,
}

/// An argument, or a field of an input object.
#[derive(Clone, Debug)]
pub struct Input {
    pub name: String,
    /// Name of the type, whatever stands around it.
    pub kind: String,
    /// The type as it is written.
    pub written: String,
    pub is_list: bool,
    /// Neither null nor left out.
    pub is_required: bool,
}

/// An input object, and whether it takes exactly one of its fields.
#[derive(Clone, Debug)]
pub struct InputObject {
    pub name: String,
    pub fields: Vec<Input>,
    pub is_one_of: bool,
}

/// The fields of an object.
pub fn fields(object: &str) -> Vec<Field> {
    let found = types().find(|kind| kind.name.node == object).unwrap_or_else(|| panic!("no type {object}"));
    match &found.kind {
        TypeKind::Object(object) => object.fields.iter().map(|field| read_field(&field.node)).collect(),
        _ => panic!("{object} is no object"),
    }
}

/// All objects with their fields.
pub fn objects() -> Vec<(String, Vec<Field>)> {
    let objects = types().filter(|kind| matches!(kind.kind, TypeKind::Object(_)));
    objects.map(|object| (object.name.node.to_string(), fields(&object.name.node))).collect()
}

/// The objects that a type may turn out to be; none for what is no object.
pub fn objects_of(kind: &str) -> Vec<String> {
    let found = types().find(|known| known.name.node == kind);
    match found.map(|known| &known.kind) {
        Some(TypeKind::Object(_)) => vec![kind.to_owned()],
        Some(TypeKind::Interface(_)) => implementors(kind),
        Some(TypeKind::Union(union)) => union.members.iter().map(|member| member.node.to_string()).collect(),
        _ => Vec::new(),
    }
}

/// The objects that implement an interface.
pub fn implementors(interface: &str) -> Vec<String> {
    let implements = |kind: &&TypeDefinition| match &kind.kind {
        TypeKind::Object(object) => object.implements.iter().any(|name| name.node == interface),
        _ => false,
    };
    types().filter(implements).map(|kind| kind.name.node.to_string()).collect()
}

pub fn input_objects() -> Vec<InputObject> {
    let read = |kind: &TypeDefinition| match &kind.kind {
        TypeKind::InputObject(object) => Some(InputObject {
            name: kind.name.node.to_string(),
            fields: object.fields.iter().map(|field| read_input(&field.node)).collect(),
            is_one_of: kind.directives.iter().any(|directive| directive.node.name.node == "oneOf"),
        }),
        _ => None,
    };
    types().filter_map(read).collect()
}

/// The values of an enumeration; none of what is none.
pub fn values(name: &str) -> Vec<String> {
    let found = types().find(|kind| kind.name.node == name);
    match found.map(|kind| &kind.kind) {
        Some(TypeKind::Enum(of)) => of.values.iter().map(|value| value.node.value.node.to_string()).collect(),
        _ => Vec::new(),
    }
}

/// The types, fields and values that do not say what they are.
pub fn silent() -> Vec<String> {
    let parts = |kind: &'static TypeDefinition| -> Vec<(String, bool)> {
        match &kind.kind {
            TypeKind::Object(object) => object.fields.iter().map(said_by_field).collect(),
            TypeKind::Interface(interface) => interface.fields.iter().map(said_by_field).collect(),
            TypeKind::InputObject(object) => {
                let said = object.fields.iter().map(|field| &field.node);
                said.map(|field| (field.name.node.to_string(), field.description.is_some())).collect()
            }
            TypeKind::Enum(of) => {
                let said = of.values.iter().map(|value| &value.node);
                said.map(|value| (value.value.node.to_string(), value.description.is_some())).collect()
            }
            TypeKind::Scalar | TypeKind::Union(_) => Vec::new(),
        }
    };
    let of_type = |kind: &'static TypeDefinition| {
        let name = &kind.name.node;
        let itself = (name.to_string(), kind.description.is_some());
        let parts = parts(kind).into_iter().map(move |(part, is_said)| (format!("{name}.{part}"), is_said));
        std::iter::once(itself).chain(parts)
    };
    types().flat_map(of_type).filter(|(_, is_said)| !is_said).map(|(name, _)| name).collect()
}

fn types() -> impl Iterator<Item = &'static TypeDefinition> {
    static DOCUMENT: LazyLock<ServiceDocument> = LazyLock::new(|| parse_schema(chinwag::api::sdl()).unwrap());
    DOCUMENT.definitions.iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(kind) => Some(&kind.node),
        _ => None,
    })
}

fn said_by_field(field: &Positioned<FieldDefinition>) -> (String, bool) {
    (field.node.name.node.to_string(), field.node.description.is_some())
}

fn read_field(field: &FieldDefinition) -> Field {
    Field {
        name: field.name.node.to_string(),
        kind: named(&field.ty.node).0,
        arguments: field.arguments.iter().map(|argument| read_input(&argument.node)).collect(),
        is_per_viewer: field.directives.iter().any(|directive| directive.node.name.node == "perViewer"),
    }
}

fn read_input(input: &InputValueDefinition) -> Input {
    let (kind, is_list) = named(&input.ty.node);
    let is_required = !input.ty.node.nullable && input.default_value.is_none();
    Input { name: input.name.node.to_string(), kind, written: input.ty.node.to_string(), is_list, is_required }
}

/// The type inside, and whether it stands in a list.
fn named(kind: &Type) -> (String, bool) {
    match &kind.base {
        BaseType::Named(name) => (name.to_string(), false),
        BaseType::List(of) => (named(of).0, true),
    }
}
