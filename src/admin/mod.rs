//! What those who run the server work with. It opens nobody's conversations.

pub mod graphql;
