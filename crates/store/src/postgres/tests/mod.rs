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
use crate::upgrade::Rewriting;

/// A store on a fresh database of the server that all tests share.
async fn fresh_store() -> Option<(Store, String)> {
    let url = Cluster::shared()?.new_database();
    Some((open_at(&url).await, url))
}

/// One more node.
async fn open_at(url: &str) -> Store {
    // Older schemas of tests are written anew as a command would.
    let options = PostgresOptions { rewriting: Rewriting::default(), ..PostgresOptions::default() };
    Store::open_postgres(url, options).await.unwrap()
}

crate::contract::contract!(fresh_store);

/// The name of a URL's database.
fn database(url: &str) -> &str {
    url.trim_start_matches("postgres:///").split('?').next().unwrap()
}
