//! Directives of the schema. The function's name is the directive's name as it stands.

use async_graphql::TypeDirective;

/// What it is called in the schema.
pub const PER_VIEWER: &str = "perViewer";

#[TypeDirective(location = "FieldDefinition")]
#[expect(non_snake_case, reason = "the directive's name")]
/// Marks a field whose value depends on who asks. A delivery that selects none of these is computed once for all
/// subscribers; one that selects any is computed for each.
pub fn perViewer() {}
