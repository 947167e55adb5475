//! What this server is.

use async_graphql::Object;

#[derive(Default)]
pub struct ServerQuery;

#[Object]
impl ServerQuery {
    async fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }
}
