//! The contract on PostgreSQL, and what only PostgreSQL does.

use pgtest::Cluster;

use super::PostgresOptions;
use crate::Store;

/// A store on a fresh database of the server that all tests share.
async fn fresh_store() -> Option<(Store, String)> {
    let url = Cluster::shared()?.new_database();
    Some((Store::open_postgres(&url, PostgresOptions::default()).await.unwrap(), url))
}

crate::contract::contract!(fresh_store);
