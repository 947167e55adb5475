//! The private PostgreSQL, with real processes and real kills. Some cases exist only for root and are skipped without.

mod durable;
mod process;
mod refusals;
mod throwaway;
