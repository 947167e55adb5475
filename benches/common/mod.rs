//! What the parts share.
//!
//! Two things are measured by turns in one run, ours and a limit beside it, and the median of their ratios is told
//! (`turns`, `table`): what the same machine did in the same minute. An absolute figure proves nothing. Servers are
//! processes of their own (`server`), so that what they cost is told apart from what their clients cost, and clients are
//! lean (`http`, `audience`), so that they leave the machine to the servers.

pub mod audience;
pub mod database;
pub mod http;
pub mod operations;
pub mod people;
pub mod process;
pub mod raw_socket;
pub mod server;
pub mod statements;
pub mod table;
pub mod talk;
pub mod turns;
