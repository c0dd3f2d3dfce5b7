//! PostgreSQL: lanes that decide in groups, readers and a pool beside them. Nodes share nothing but the database.

mod address;
mod batch;
mod bulk;
mod chains;
mod conn;
mod connect;
mod copy;
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
mod sql;
#[cfg(test)]
mod tests;
pub(crate) mod transfer;
mod trust;
mod value;

pub use address::shown;
pub(crate) use database::Postgres;
pub use options::PostgresOptions;
