//! chinwag
pub mod accounts;
pub mod api;
pub mod app;
pub mod clock;
pub mod config;
pub mod context;
pub mod db;
pub mod error;
pub mod http;
pub mod id;
pub mod keys;
pub mod log;
pub mod password;
pub mod realtime;
pub mod schema;
pub mod viewer;
