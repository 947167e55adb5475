//! What everybody is told alike, and for a while: whoever stands between may keep it.

use async_graphql::Positioned;
use async_graphql::parser::types::{
    ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};

/// What the server says of itself that stays as it is while it runs. Its clock and its health do not; and what is new is
/// asked for each time, until it stands here.
const LASTING: [&str; 10] = [
    "__typename",
    "name",
    "version",
    "registration",
    "features",
    "oauthProviders",
    "webPushPublicKey",
    "limits",
    "errorCodes",
    "inputErrorCodes",
];

/// Whether an operation asks for nothing else. Its document has been admitted: to follow its fragments is little work.
pub fn is_public(document: &ExecutableDocument, operation: &OperationDefinition) -> bool {
    let is_lasting = |field: &Field| LASTING.contains(&field.name.node.as_str());
    let is_public = |field: &Field| match field.name.node.as_str() {
        "server" => all(document, &field.selection_set, &is_lasting),
        name => name == "__typename",
    };
    operation.ty == OperationType::Query && all(document, &operation.selection_set, &is_public)
}

/// Whether something holds for all fields that are selected, those in fragments included.
fn all(document: &ExecutableDocument, set: &Positioned<SelectionSet>, holds: &impl Fn(&Field) -> bool) -> bool {
    set.node.items.iter().all(|selection| match &selection.node {
        Selection::Field(field) => holds(&field.node),
        Selection::InlineFragment(inline) => all(document, &inline.node.selection_set, holds),
        Selection::FragmentSpread(spread) => {
            let fragment = document.fragments.get(&spread.node.fragment_name.node);
            fragment.is_some_and(|fragment| all(document, &fragment.node.selection_set, holds))
        }
    })
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    fn is_public(text: &str) -> bool {
        let document = parse_query(text).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        super::is_public(&document, &operation.node)
    }

    #[test]
    fn what_is_said_to_last_is_there() {
        let sdl = crate::api::sdl();
        let server = sdl.split("\ntype Server {").nth(1).and_then(|rest| rest.split("\n}").next()).unwrap();
        for field in super::LASTING.iter().filter(|field| !field.starts_with("__")) {
            assert!(server.contains(&format!("\n  {field}: ")), "{field}");
        }
    }

    #[test]
    fn what_lasts_is_public_and_nothing_else() {
        for text in [
            "{ __typename }",
            "{ server { __typename name limits { pageSize } oauthProviders { key name } } a: server { version } }",
            "{ ...A } fragment A on Query { server { ... { name } ...B } } fragment B on Server { errorCodes }",
        ] {
            assert!(is_public(text), "{text}");
        }
        for text in [
            "{ server { name time } }",
            "{ server { name health } }",
            "{ server { name tomorrow } }",
            "{ server { name } viewer { id } }",
            "{ ...A } fragment A on Query { server { ...B } } fragment B on Server { name time }",
            "{ ...Nowhere }",
            "{ __schema { queryType { name } } }",
            "{ node(id: \"1\") { id } }",
            "mutation { server { name } }",
            "subscription { server { name } }",
        ] {
            assert!(!is_public(text), "{text}");
        }
    }
}
