//! The contract on PostgreSQL, and what only PostgreSQL does.

mod nodes;
mod outages;
mod poolers;
mod replication;
mod server;

use pgtest::Cluster;

use super::PostgresOptions;
use crate::Store;
use crate::contract::world::*;

/// A store on a fresh database of the server that all tests share.
async fn fresh_store() -> Option<(Store, String)> {
    let url = Cluster::shared()?.new_database();
    Some((open_at(&url).await, url))
}

/// One more node.
async fn open_at(url: &str) -> Store {
    Store::open_postgres(url, PostgresOptions::default()).await.unwrap()
}

crate::contract::contract!(fresh_store);

/// The name of a URL's database.
fn database(url: &str) -> &str {
    url.trim_start_matches("postgres:///").split('?').next().unwrap()
}
