//! Applies changes and answers queries.
//!
//! The store makes no choices: a pure function decides on one user's fresh [`View`], and its [`Change`]s are applied in
//! the same transaction, all or none, before the caller has the reply (SEC 1, SEC 76). Three named transactions write
//! what decisions decide, [`Store::decide`], [`Store::decide_client`] and [`Store::decide_budget`]; the rest is
//! housekeeping that no decision relies on.
//!
//! What both databases share is in this folder: statements, their parameters, the decoding of rows. What differs is in
//! `sqlite/` and `postgres/`. `store/` is above both: the methods that callers call, a file per subject. Each of them is
//! written once, and one macro carries the call to the database that is open.
//!
//! # How a table comes in
//!
//! Eight files, in this order, and a line in two `mod.rs`. Take the table `webhook` for a model.
//!
//! 1. `migrations/sqlite/NNNN_name.sql`, and
//! 2. `migrations/postgres/NNNN_name.sql`: the table, and whether a server of the version before may serve beside this one
//!    (SEC 85). A schema that was released is history: write it down as a fixture
//!    first (`cargo test -p countersign-store --lib -- --ignored write_the_fixture`).
//! 3. `schema/migrations.rs`: a line with the new version. The number of the last line is the version of the schema.
//! 4. `schema/columns.rs`: the columns that are read, once. Statements and decoders both use this list.
//! 5. `schema/sql.rs`: the statements, in words that both databases understand.
//! 6. `store/NAME.rs` and its line in `store/mod.rs`: the methods for callers, and how a row is decoded. Few methods need
//!    more than `listed`, `find_number`, `change` and `write_if` of `store/handle.rs`, so neither database has code of it.
//! 7. `transfer/tables.rs`: every column and the key, or `countersign transfer` would leave the table behind. A test
//!    compares the list with the schema.
//! 8. `contract/NAME.rs` and its lines in `contract/mod.rs`: the tests, which run on both databases.
//!
//! What decisions see of a user is in no other table but in the user's state (`user_state/`): a noun and a [`Change`] in
//! `domain`, a list in `user_state/parts.rs`, its bytes in `user_state/pack.rs` (another version of the form, and both are
//! read), and what the change does in `user_state/changes.rs`, which `apply.rs` calls. If it must be found without knowing
//! whose it is, its key is in `user_state/found_by.rs`.
//!
//! Where callers make a table grow, it is also counted (`SIZES` in `schema/columns.rs`, `sizes` in `rows.rs`) and cleaned
//! up (`sweep` in both databases' `housekeeping.rs`).
//!
//! [`Change`]: domain::Change
//! [`View`]: domain::View

mod apply;
mod audit_ids;
mod budgets;
mod calls;
mod conditions;
#[cfg(test)]
mod contract;
mod costs;
mod counters;
mod dev_clock;
mod error;
mod ids;
mod login_names;
mod postgres;
mod query;
mod rows;
mod schema;
mod sqlite;
mod step;
mod store;
mod trail;
pub mod transfer;
mod turn;
mod upgrade;
mod user_state;
mod value;
mod world;

pub use costs::{SentMessage, Spending};
pub use dev_clock::DevClock;
pub use error::{Error, OpenError, UniqueField, UnreadableUser};
pub use postgres::{PostgresOptions, shown as shown_postgres};
pub use query::{
    AuditChain, AuditRow, COMMIT_BOUNDS, COUNTED, DevFilter, DevMessage, EventFilter, EventPage, Events, IdKind,
    MessageOutcome, Page, QueuedMessage, Sizes, Span, Stats, Swept, TextFilter, UserFilter, UserPage, Waiting,
};
pub use schema::migrations::{MIGRATIONS, Migration};
pub use sqlite::{Fatal, SqliteOptions};
pub use store::{
    Collision, Cursor, DeliveryStatus, Followed, HeldWebhook, Store, Tried, UserRead, WebhookDelivery, WebhookLease,
};
pub use turn::Turn;
pub use upgrade::{Progress, Rewriting};
pub use user_state::KnownVerification;
pub use world::{KEY_CHECK, Known, Looked, World};
