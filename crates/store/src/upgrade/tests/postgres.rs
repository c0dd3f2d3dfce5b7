use pgtest::Cluster;
use tokio_postgres::Client;

use super::*;
use crate::{MIGRATIONS, OpenError, PostgresOptions};

/// The version before.
const BEFORE: usize = 14;

/// A database of the version before with these rows, and a connection to it; `None` where PostgreSQL is not installed.
async fn installation(rows: &str) -> Option<(String, Client)> {
    let url = Cluster::shared()?.new_database();
    let (client, driver) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(driver);
    for migration in &MIGRATIONS[..BEFORE] {
        client.batch_execute(migration.postgres).await.unwrap();
    }
    let version = "CREATE TABLE schema_version (id SMALLINT PRIMARY KEY, version BIGINT NOT NULL); \
        INSERT INTO schema_version VALUES (1, 14)";
    client.batch_execute(version).await.unwrap();
    client.batch_execute(&old::of_postgres(rows)).await.unwrap();
    Some((url, client))
}

async fn open(url: &str, rewriting: Rewriting) -> Result<Store, OpenError> {
    Store::open_postgres(url, PostgresOptions { rewriting, ..PostgresOptions::default() }).await
}

async fn pending(url: &str) -> Vec<i64> {
    let looked = Store::look_postgres(url, PostgresOptions::default()).await.unwrap();
    looked.pending.iter().map(|migration| migration.version).collect()
}

async fn number(client: &Client, statement: &str) -> i64 {
    client.query_one(statement, &[]).await.unwrap().get(0)
}

const USERS: &str = "SELECT COUNT(*) FROM \"user\"";
const VERSION: &str = "SELECT version FROM schema_version";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_missing_and_everything_is_found() {
    let Some((url, _)) = installation(&old::everything()).await else { return };
    let store = open(&url, Rewriting::default()).await.unwrap();
    everything_is_there(&store).await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_broken_off_is_finished_by_several_at_once() {
    let Some((url, client)) = installation(&old::crowd(CROWD)).await else { return };
    let opened = |rewriting| {
        let url = url.clone();
        tokio::spawn(async move { open(&url, rewriting).await })
    };
    opened(broken_off()).await.unwrap_err();
    assert_eq!(number(&client, USERS).await, PIECE, "a piece is done");
    assert_eq!(pending(&url).await, [16], "and it is still to be done");
    assert!(matches!(open(&url, at_most(2)).await, Err(OpenError::ManyUsers(_))), "nothing serves meanwhile");
    let nodes = [opened(Rewriting::default()), opened(Rewriting::default())];
    for node in nodes {
        let store = node.await.unwrap().unwrap();
        the_crowd_is_whole(&store).await;
        store.close().await;
    }
    assert_eq!((pending(&url).await, number(&client, USERS).await), (vec![], CROWD));
    let old = "SELECT COUNT(*) FROM pg_tables WHERE tablename IN ('user_before', 'device', 'verification')";
    assert_eq!(number(&client, old).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_that_begin_at_once_write_every_user_once() {
    let Some((url, client)) = installation(&old::crowd(CROWD)).await else { return };
    let nodes = [(); 3].map(|()| {
        let url = url.clone();
        tokio::spawn(async move { open(&url, Rewriting::default()).await })
    });
    for node in nodes {
        let store = node.await.unwrap().unwrap();
        the_crowd_is_whole(&store).await;
        store.close().await;
    }
    assert_eq!(number(&client, USERS).await, CROWD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_users_are_refused_in_words_and_nothing_changes() {
    let Some((url, client)) = installation(&old::everything()).await else { return };
    let refused = open(&url, at_most(2)).await.unwrap_err();
    let said = refused.to_string();
    assert!(matches!(refused, OpenError::ManyUsers(4)) && said.contains("countersign migrate"), "{said}");
    // There is no copy to go back to, so nothing is written anew unless it is said.
    let refused = Store::open_postgres(&url, PostgresOptions::default()).await.unwrap_err();
    assert!(matches!(refused, OpenError::ManyUsers(4)), "{refused}");
    assert_eq!((number(&client, VERSION).await, pending(&url).await), (14, vec![15, 16, 17]));
    open(&url, at_most(4)).await.unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_that_cannot_be_read_is_named_and_nothing_is_lost() {
    let damaged = format!("{} UPDATE device SET factor = 77 WHERE user_id = 103", old::everything());
    let Some((url, client)) = installation(&damaged).await else { return };
    let refused = open(&url, Rewriting::default()).await.unwrap_err();
    let said = refused.to_string();
    assert!(matches!(refused, OpenError::Unreadable(_)) && said.contains("user 103"), "{said}");
    assert_eq!((pending(&url).await, number(&client, "SELECT COUNT(*) FROM user_before").await), (vec![16], 4));
    // Nothing but this rewriting may change what it reads, so a repair says so.
    let repaired = "DROP TRIGGER device_is_moving ON device; UPDATE device SET factor = 5 WHERE user_id = 103";
    client.batch_execute(repaired).await.unwrap();
    let store = open(&url, Rewriting::default()).await.unwrap();
    everything_is_there(&store).await;
    store.close().await;
}
