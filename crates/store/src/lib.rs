//! Applies changes and answers queries.
//!
//! The store makes no choices: a pure function decides on one user's fresh [`View`], and its [`Change`]s are applied in
//! the same transaction, all or none, before anybody hears the reply (SEC 1, SEC 76). Three named transactions write what
//! decisions decide, [`Store::decide`], [`Store::decide_client`] and [`Store::decide_budget`]; the rest is housekeeping
//! that no decision relies on. What both databases share (statements, their parameters, the decoding of rows) is in this folder; what
//! differs is in a folder per database.
//!
//! [`Change`]: domain::Change

mod apply;
mod audit_ids;
mod budgets;
mod calls;
mod challenge;
mod conditions;
#[cfg(test)]
mod contract;
mod counters;
mod dev_clock;
mod error;
mod hot_state;
mod ids;
mod login_names;
mod postgres;
mod query;
mod rows;
mod schema;
mod sessions;
mod sqlite;
mod step;
mod store;
mod throttles;
mod trail;
pub mod transfer;
mod value;
mod world;

pub use dev_clock::DevClock;
pub use error::{Error, OpenError, UniqueField};
pub use postgres::{PostgresOptions, shown as shown_postgres};
pub use query::{
    AuditChain, AuditRow, COMMIT_BOUNDS, COUNTED, DevFilter, DevMessage, DropReason, EventFilter, EventPage, Events,
    IdKind, MessageOutcome, Page, QueuedMessage, Sizes, Span, Stats, Swept, TextFilter, UserFilter, UserPage, Waiting,
};
pub use schema::migrations::{MIGRATIONS, Migration};
pub use sqlite::{Fatal, SqliteOptions};
pub use store::{
    Collision, Cursor, DeliveryStatus, Followed, HeldWebhook, Store, Tried, WebhookDelivery, WebhookLease,
};
pub use world::{KEY_CHECK, Known, Looked, World};
