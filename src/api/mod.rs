//! The schema: the areas' fields merged, and what belongs to no area.

use async_graphql::{EmptyMutation, EmptySubscription, MergedObject, SDLExportOptions};

mod answer;
pub mod execute;
mod guard;
mod server;

pub type Schema = async_graphql::Schema<Query, EmptyMutation, EmptySubscription>;

/// Reads. A lookup that finds nothing the viewer may see is null without an error, whether or not the thing exists. All
/// but `server` and `viewer` need a sign-in, otherwise UNAUTHENTICATED.
#[derive(MergedObject, Default)]
pub struct Query(server::ServerQuery);

/// The schema that serves requests. It has no extension: any, even an empty one, makes a large query half as slow again.
pub fn schema() -> Schema {
    Schema::build(Query::default(), EmptyMutation, EmptySubscription).disable_suggestions().finish()
}

/// The schema as its clients read it.
pub fn sdl() -> String {
    schema().sdl_with_options(
        SDLExportOptions::new().prefer_single_line_descriptions().include_specified_by().use_space_ident(),
    )
}
