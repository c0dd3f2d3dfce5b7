//! PostgreSQL: lanes that decide in groups, readers and a pool beside them. Nodes share nothing but the database.

mod address;
mod batch;
mod bulk;
mod chains;
pub(crate) mod conn;
mod connect;
pub(crate) mod copy;
mod database;
mod demands;
mod failure;
mod hosts;
mod housekeeping;
mod job;
mod lane;
mod limits;
mod load;
mod long;
mod migrate;
mod notices;
mod options;
mod parameters;
mod pool;
mod queries;
mod readers;
mod replication;
pub(crate) mod sql;
mod states;
#[cfg(test)]
mod tests;
pub(crate) mod transfer;
mod trust;
mod value;

pub use address::shown;
pub(crate) use database::Postgres;
pub use options::PostgresOptions;
