//! All tests: one binary, so that they share one cluster and are linked once.

mod command_line;
mod import;
