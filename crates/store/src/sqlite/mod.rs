//! SQLite: one writer that commits in groups, and readers beside it.

mod alarm;
mod bulk;
mod checkpointer;
mod database;
mod exec;
mod housekeeping;
mod job;
mod limits;
mod load;
mod long;
mod open;
mod options;
mod orders;
mod queries;
mod readers;
pub(crate) mod sql;
#[cfg(test)]
mod tests;
pub(crate) mod transfer;
mod writer;

pub use alarm::Fatal;
pub(crate) use database::Sqlite;
pub use options::SqliteOptions;
