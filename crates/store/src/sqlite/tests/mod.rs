//! The contract on SQLite, and what only SQLite does.

mod durability;
mod groups;

use crate::Store;
use crate::contract::world::*;
use crate::sqlite::{Sqlite, SqliteOptions};

fn make() -> (Store, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (Store::open_sqlite(dir.path(), SqliteOptions::default()).unwrap(), dir)
}

async fn fresh_store() -> Option<(Store, tempfile::TempDir)> {
    Some(make())
}

crate::contract::contract!(fresh_store);

fn sqlite(store: &Store) -> &Sqlite {
    let Some(db) = store.sqlite() else { panic!("another database") };
    db
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_list_that_nobody_waits_for_is_ended() {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteOptions { list_time: Some(std::time::Duration::from_secs(3_600)), ..SqliteOptions::default() };
    let store = Store::open_sqlite(dir.path(), options).unwrap();
    crate::contract::queries::a_list_that_nobody_waits_for_is_ended(&store).await;
    store.close().await;
}

#[test]
fn texts_that_are_put_together_are_not_kept() {
    use rusqlite::hooks::{AuthContext, Authorization};
    let mut conn = rusqlite::Connection::open_in_memory().unwrap();
    let (statement, params) = ("SELECT 1 WHERE 1 = $1", [crate::value::Value::Int(1)]);
    super::exec::all_of(&conn, statement, &params, crate::rows::number).unwrap();
    // Whatever is prepared from now on is refused; what was kept would still run.
    conn.authorizer(Some(|_: AuthContext<'_>| Authorization::Deny)).unwrap();
    assert!(super::exec::all_of(&conn, statement, &params, crate::rows::number).is_err());
}
